"""Messages of the inbox, read as events.

Owns: the shape of each kind of message's body. Bodies were written by the store's functions and the kernel's own calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from remit.core.canonical import JsonValue
from remit.core.events import ApprovalDecided, CancelAsked, EffectResolved, Event, MessageArrived
from remit.errors import InvariantViolated
from remit.ports.store import InboxMessage


class _SignalBody(msgspec.Struct, kw_only=True):
    name: str
    payload: Any = None
    sent_by: str | None = None


class _EventBody(msgspec.Struct, kw_only=True):
    name: str
    payload: Any = None
    correlations: tuple[str, ...] | None = None


class _ApprovalBody(msgspec.Struct, kw_only=True):
    approval_id: str
    decision: Literal["approved", "denied", "expired"]
    digest: str = ""
    decided_by: str | None = None
    reason: str | None = None


class _CancelBody(msgspec.Struct, kw_only=True):
    requested_by: str
    reason: str = ""


class _SettleBody(msgspec.Struct, kw_only=True):
    step: str
    slot: int = 1
    outcome: Literal["happened", "absent"]
    decided_by: str
    output: Any = None
    reason: str = ""


def event_of(message: InboxMessage) -> Event:
    """Return the event that a message stands for.

    Raises:
        InvariantViolated: the message's kind or body is not one that the kernel writes.
    """
    try:
        return _READERS[message.kind](message)
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvariantViolated(f"inbox message {message.inbox_id} is of no known kind or shape: {error}") from error


def _signal(message: InboxMessage) -> MessageArrived:
    body = msgspec.json.decode(message.body, type=_SignalBody)
    payload: JsonValue = body.payload
    return MessageArrived(
        source="signal", name=body.name, message_id=message.message_id, payload=payload, sent_by=body.sent_by
    )


def _event(message: InboxMessage) -> MessageArrived:
    body = msgspec.json.decode(message.body, type=_EventBody)
    payload: JsonValue = body.payload
    return MessageArrived(
        source="event",
        name=body.name,
        message_id=message.message_id,
        payload=payload,
        correlations=body.correlations,
    )


def _approval(message: InboxMessage) -> ApprovalDecided:
    body = msgspec.json.decode(message.body, type=_ApprovalBody)
    return ApprovalDecided(
        approval_id=body.approval_id,
        decision=body.decision,
        digest=body.digest,
        decided_by=body.decided_by,
        reason=body.reason or "",
    )


def _cancel(message: InboxMessage) -> CancelAsked:
    body = msgspec.json.decode(message.body, type=_CancelBody)
    return CancelAsked(requested_by=body.requested_by, reason=body.reason)


def _settle(message: InboxMessage) -> EffectResolved:
    body = msgspec.json.decode(message.body, type=_SettleBody)
    return EffectResolved(
        step=body.step,
        slot=body.slot,
        outcome=body.outcome,
        decided_by=body.decided_by,
        output=body.output,
        reason=body.reason,
    )


_READERS: Final[dict[str, Callable[[InboxMessage], Event]]] = {
    "signal": _signal,
    "event": _event,
    "approval": _approval,
    "cancel": _cancel,
    "settle": _settle,
}
