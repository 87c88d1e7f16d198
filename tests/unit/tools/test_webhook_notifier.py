"""Webhooks out: the signature is Standard Webhooks', and answers mean what they say."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from remit.errors import SettingsInvalidError
from remit.ports.notifier import Notification, NotifyOutcome
from remit.tools.guarded_http import GuardedClient
from remit.tools.webhook_notifier import WebhookNotifier, outcome_of, signed_headers

NEW = "whsec_" + base64.b64encode(b"n" * 32).decode()
OLD = "whsec_" + base64.b64encode(b"o" * 24).decode()
UNPADDED = base64.b64encode(b"u" * 25).decode().rstrip("=")


def notification(**changes: Any) -> Notification:
    fields: dict[str, Any] = {
        "message_id": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
        "body": '{"data":{"name":"Zoë"},"type":"orders.paid"}'.encode(),
        "sent_at": datetime.now(UTC),
        "url": "https://hooks.example/in",
        "secrets": (NEW,),
    }
    return Notification(**(fields | changes))


@pytest.mark.parametrize("secret", [NEW, OLD, UNPADDED], ids=["usual", "shortest", "bare-unpadded"])
def test_signature_is_verified_by_the_library(secret: str) -> None:
    """
    A subscriber with the library and the same secret accepts the message.
    """
    told = notification(secrets=(secret,))
    headers = signed_headers(told)

    assert {"name": "Zoë"} == Webhook(secret).verify(told.body, headers)["data"]
    assert {"webhook-id", "webhook-timestamp", "webhook-signature"} == set(headers)


def test_every_secret_signs() -> None:
    """
    While one secret replaces another, subscribers with either of them accept the message.
    """
    told = notification(secrets=(NEW, OLD))
    headers = signed_headers(told)

    for secret in (NEW, OLD):
        Webhook(secret).verify(told.body, headers)


@pytest.mark.parametrize("change", ["body", "id", "timestamp", "secret", "late"])
def test_changed_message_is_not_verified(change: str) -> None:
    """
    Id, time and body are all signed; a message that is held back too long is refused.
    """
    sent_at = datetime.now(UTC) - timedelta(minutes=10 if change == "late" else 0)
    told = notification(sent_at=sent_at)
    headers = signed_headers(told)
    if change == "id":
        headers["webhook-id"] += "0"
    if change == "timestamp":
        headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + 1)

    with pytest.raises(WebhookVerificationError):
        Webhook(OLD if change == "secret" else NEW).verify(told.body + b" " * (change == "body"), headers)


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "whsec_!!!", "whsec_" + base64.b64encode(b"x" * 23).decode(), "plain text", "whsec_Zoë",
     "whsec_" + base64.b64encode(b"x" * 65).decode(), "whsec_" + base64.b64encode(b"x" * 32).decode() + "*"],
)  # fmt: skip
async def test_unusable_secret_sends_nothing(secret: str) -> None:
    """
    A secret that is none, too short or not base64 fails the attempt; no message shows it.
    """

    async def resolve(host: str, port: int) -> list[str]:
        raise AssertionError(f"nobody may ask for {host}")

    told = notification(secrets=(NEW, secret))

    with pytest.raises(SettingsInvalidError) as caught:
        signed_headers(told)
    outcome = await WebhookNotifier(GuardedClient(resolve=resolve), version="1").notify(told)

    assert NotifyOutcome(result="failed", reason="SECRET_INVALID") == outcome
    hidden = secret.removeprefix("whsec_")
    assert not hidden or hidden not in str(caught.value.to_dict())


async def test_message_without_secret_is_not_sent() -> None:
    """
    Nothing goes out unsigned.
    """
    outcome = await WebhookNotifier(GuardedClient(), version="1").notify(notification(secrets=()))

    assert NotifyOutcome(result="failed", reason="SECRET_INVALID") == outcome


@pytest.mark.parametrize(
    ("status", "result", "reason"),
    [
        (200, "delivered", None), (202, "delivered", None), (204, "delivered", None), (299, "delivered", None),
        (301, "failed", "REDIRECTED"), (307, "failed", "REDIRECTED"), (304, "failed", "REDIRECTED"),
        (400, "failed", "HTTP_400"), (401, "failed", "HTTP_401"), (404, "failed", "HTTP_404"),
        (410, "refused", "HTTP_410"), (429, "failed", "HTTP_429"), (500, "failed", "HTTP_500"),
        (503, "failed", "HTTP_503"), (199, "failed", "HTTP_199"),
    ],
)  # fmt: skip
def test_status_says_what_became_of_the_message(status: int, result: str, reason: str | None) -> None:
    """
    Only 2xx is a delivery and only 410 is final: everything else may be mended within three days.
    """
    outcome = outcome_of(status, {})

    assert (result, reason) == (outcome.result, outcome.reason)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("120", 120, 120), ("0", 0, 0), ("99999999999", 86_400, 86_400), ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400, 86_400),
    ],
)  # fmt: skip
def test_retry_after_is_heard_within_a_day(text: str, low: float, high: float) -> None:
    """
    Seconds and dates are understood; nobody can postpone a message for longer than a day.
    """
    outcome = outcome_of(503, {"retry-after": text})

    assert outcome.retry_after_seconds is not None
    assert low <= outcome.retry_after_seconds <= high


@pytest.mark.parametrize("text", ["", "soon", "-5", "1e9", "12.5", "٣"])
def test_absurd_retry_after_is_ignored(text: str) -> None:
    """
    What is neither seconds nor a date says nothing.
    """
    assert outcome_of(503, {"retry-after": text}).retry_after_seconds is None


def test_notification_shows_no_secret() -> None:
    """
    Its representation holds neither secrets nor body.
    """
    assert "<notification msg_2KWPBgLlAfxdpx2AI54pPJ85f4W>" == repr(notification())
