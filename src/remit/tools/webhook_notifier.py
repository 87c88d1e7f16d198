"""Webhooks out: messages posted to subscribers, signed by Standard Webhooks.

Owns: the headers, how a tenant's signing secret is read, and what a subscriber's answer means for the message.
Does not know: when to try again. Of an answer only its status and ``Retry-After`` are read: nothing of it is kept or
shown, so that nobody can use a subscription to look at what only we can reach.
"""

from __future__ import annotations

import base64
import binascii
import email.utils
from collections.abc import Mapping
from typing import Final

from standardwebhooks import Webhook

from remit.clock import wall_clock
from remit.errors import SettingsInvalidError, ToolError
from remit.governance.egress import EgressRule
from remit.ports.notifier import Notification, NotifyOutcome
from remit.tools.guarded_http import EGRESS_REFUSED, GuardedClient, GuardedRequest

TIMEOUT_SECONDS: Final = 15.0
"""How long a subscriber may take to say that it has the message; Standard Webhooks suggests 15 to 30 seconds."""

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - how secrets begin
SECRET_BYTES_MIN: Final = 24
SECRET_BYTES_MAX: Final = 64
"""The lengths that Standard Webhooks asks for."""

RETRY_AFTER_SECONDS_MAX: Final = 24 * 3600.0

_GONE: Final = 410


class WebhookNotifier:
    """The notifier port over HTTPS.

    Args:
        client: Reaches public addresses only.
        version: Of this software, for the ``User-Agent`` header.
    """

    def __init__(self, client: GuardedClient, *, version: str) -> None:
        self._client = client
        self._user_agent = f"Remit/{version}"

    async def notify(self, notification: Notification) -> NotifyOutcome:
        """Post a message once. Any 2xx answer is a delivery; 410 says that nobody will ever want it there."""
        try:
            headers = signed_headers(notification)
        except SettingsInvalidError:
            return NotifyOutcome(result="failed", reason="SECRET_INVALID")
        request = GuardedRequest(
            method="POST",
            url=notification.url,
            headers={"Content-Type": "application/json", "User-Agent": self._user_agent, **headers},
            body=notification.body,
            timeout_seconds=TIMEOUT_SECONDS,
            reply_bytes_max=0,
            rule=EgressRule(ports=None, allows_loopback=notification.allows_loopback),
        )
        try:
            reply = await self._client.exchange(request)
        except ToolError as error:
            is_final = error.reason == EGRESS_REFUSED
            return NotifyOutcome(result="refused" if is_final else "failed", reason=error.reason)
        return outcome_of(reply.status, reply.headers)


def outcome_of(status: int, headers: Mapping[str, str]) -> NotifyOutcome:
    """Return what an answer means for the message. Redirects are failures: a subscription names where it ends."""
    if 200 <= status < 300:
        return NotifyOutcome(result="delivered")
    if status == _GONE:
        return NotifyOutcome(result="refused", reason="HTTP_410")
    return NotifyOutcome(
        result="failed",
        reason="REDIRECTED" if 300 <= status < 400 else f"HTTP_{status}",
        retry_after_seconds=_retry_after_seconds(headers.get("retry-after", "").strip()),
    )


def signed_headers(notification: Notification) -> dict[str, str]:
    """Return the three headers of Standard Webhooks; every secret signs, so that one can replace another.

    Raises:
        SettingsInvalidError: a secret is not ``whsec_`` and 24 to 64 bytes in base64, or there is none. The message
            does not show it.
    """
    if not notification.secrets:
        raise SettingsInvalidError("expected a webhook secret, got none")
    body = notification.body.decode()
    signatures = [
        Webhook(_key_of(secret)).sign(notification.message_id, notification.sent_at, body)
        for secret in notification.secrets
    ]
    return {
        "webhook-id": notification.message_id,
        "webhook-timestamp": str(int(notification.sent_at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _key_of(secret: str) -> bytes:
    text = secret.removeprefix(SECRET_PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX:
        raise SettingsInvalidError(
            f"expected a webhook secret of {SECRET_PREFIX} and {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes in base64"
        )
    return key


def _retry_after_seconds(text: str) -> float | None:
    if text.isascii() and text.isdigit():
        return min(float(text), RETRY_AFTER_SECONDS_MAX)
    try:
        seconds = (email.utils.parsedate_to_datetime(text) - wall_clock()).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), RETRY_AFTER_SECONDS_MAX)
