"""Mail to customers.

Owns: ``sendgrid.mail.send``. SendGrid de-duplicates nothing and lets nothing be looked up, so the tool is opaque: a
lost answer parks the call for a person, and a mail is sent at most once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec

from remit.core.canonical import JsonValue
from remit.ports.tool import ToolContext
from remit.tools import tool
from remit_commerce.providers import sendgrid as provider

Email = Annotated[str, msgspec.Meta(pattern='^[^@\\s,;<>"]{1,64}@[A-Za-z0-9.-]{1,255}$', max_length=320)]
Subject = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern="^[^\\r\\n]+$")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=50_000)]
Milestone = Annotated[
    str, msgspec.Meta(pattern="^[a-z_]{1,50}$", description="What the mail is about, such as shipped.")
]


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted mail."""

    message_id: str


@tool(
    "sendgrid.mail.send",
    version="1.0.0",
    side_effect="SOFT_WRITE",
    delivery="opaque",
    operation="send",
    timeout=timedelta(seconds=20),
    dependency="sendgrid",
    credential=provider.CREDENTIAL,
    endpoint=provider.ENDPOINT,
    network=provider.HOSTS,
    reference="message_id",
    sensitive_input=("to", "text", "subject"),
)
async def send_mail(
    context: ToolContext, *, to: Email, sender: Email, subject: Subject, text: Text, milestone: Milestone
) -> Sent:
    """Send one plain mail to one person. Copies are not possible; outside a simulator it goes to SendGrid's sandbox."""
    # Correlation holds no personal data: SendGrid shows it to many eyes.
    custom_args: dict[str, JsonValue] = {"reference": context.reference, "milestone": milestone}
    mail: dict[str, JsonValue] = {
        "personalizations": [{"to": [{"email": to}], "custom_args": custom_args}],
        "from": {"email": sender},
        "subject": subject,
        "content": [{"type": "text/plain", "value": text}],
    }
    return Sent(message_id=await provider.send(context, mail, recipient=to))
