"""What an answer says about the effect, by the rules that the providers share."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from remit.clock import wall_clock
from remit.errors import ToolError
from remit_commerce.providers import wire
from remit_commerce.providers.wire import Reply


def reply(status: int, body: bytes = b"", **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, headers=named, body=body)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 409, 410, 413, 422])
@pytest.mark.parametrize("changes", [True, False])
def test_refusal_is_final_without_effect(status: int, changes: bool) -> None:
    """
    A refused request was not executed, and the same request will be refused again.
    """
    failure = wire.failure("Provider", reply(status), changes=changes, message="no", reason="x")

    assert ("none", False) == (failure.effect, failure.retryable)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 408, 500, 502, 503, 504, 599])
def test_server_error_leaves_a_change_unknown(status: int) -> None:
    """
    A server error may come after the effect, and nobody knows who redirects; for a read there is none.
    """
    change = wire.failure("Provider", reply(status), changes=True, message="no", reason="x")
    read = wire.failure("Provider", reply(status), changes=False, message="no", reason="x")

    assert ("unknown", True) == (change.effect, change.retryable)
    assert ("none", True) == (read.effect, read.retryable)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("86400", wire.RETRY_AFTER_SECONDS_MAX),
        ("86401", None),
        ("99999999999", None),
        ("1" * 400, None),
        ("Fri, 01 Jan 9999 00:00:00 GMT", None),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("\u0667", None),
        ("Fri, 01 Jan 2010 00:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_read_or_ignored(header: str, expected: float | None) -> None:
    """
    Seconds and dates are read, the past is now; nonsense is nothing, and so is a wait of more than a day.
    """
    assert expected == wire.retry_after_seconds({"retry-after": header})


def test_retry_after_date_is_a_wait_from_now() -> None:
    """
    A date in the future becomes the seconds until then.
    """
    date = format_datetime(wall_clock() + timedelta(seconds=60), usegmt=False)

    seconds = wire.retry_after_seconds({"retry-after": date})

    assert seconds is not None
    assert 50 < seconds <= 60


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b'"text"', b'{"a":1', b'{"a":1,"a":2}', b"\xff\xfe"])
def test_success_that_is_no_object_leaves_a_change_unknown(body: bytes) -> None:
    """
    A 200 whose body cannot be read proves nothing about the effect.
    """
    with pytest.raises(ToolError) as caught:
        wire.read_object("Provider", reply(200, body), changes=True)

    assert ("REPLY_INVALID", "unknown", True) == (caught.value.reason, caught.value.effect, caught.value.retryable)


def test_message_of_a_provider_is_kept_short() -> None:
    """
    An error page does not end up whole in the journal.
    """
    failure = wire.failure("Provider", reply(500), changes=True, message="x" * 10_000, reason="x")

    assert len(failure.message) < 400
