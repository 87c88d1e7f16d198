"""Facts: what the core decided, in the past tense. They are the journal.

Owns: the closed union of facts and their encoding as one entry's payload.
Does not know: who stores them. Whatever could come out differently a second time is a field here.
Instants are integer microseconds since the epoch (``_us``), durations milliseconds.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from remit.core.canonical import JsonValue
from remit.core.definition import Bounds
from remit.errors import JournalCorruptError

FORMAT_VERSION: Final = 1
"""Version of the journal's format; the state projection that is hashed belongs to it."""


class _Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="fact"):
    pass


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one action used; ``duration_ms`` is the time inside the action."""

    tokens: int = 0
    cost_usd_micros: int = 0
    duration_ms: int = 0


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Proof of one effect. Digests are SHA-256 in hex; amounts are in minor units of ``currency`` (ISO 4217)."""

    receipt_id: str
    tool: str
    tool_version: str
    side_effect_level: str
    delivery_class: str
    idempotency_key: str
    arguments_digest: str
    result_digest: str
    external_key: str | None = None
    external_reference: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    approval_id: str | None = None


class OutboxMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that a step publishes, durable with the step or not at all, and delivered at least once.

    ``topic`` is lower-case words joined by dots; ``key`` says what it is about, such as an order's id.
    ``destinations`` are the subscriptions that it goes to; the pipeline fills them in when the step completes.
    """

    topic: str
    body: JsonValue = None
    key: str | None = None
    destinations: tuple[str, ...] = ()


class RunStarted(_Fact, frozen=True, kw_only=True, tag="run_started"):
    """The run exists. ``principal_id`` is who asked, and in whose name every action runs."""

    definition_digest: str
    policy_digest: str
    principal_id: str
    input: JsonValue
    bounds: Bounds
    trigger: str | None = None


class StepStarted(_Fact, frozen=True, kw_only=True, tag="step_started"):
    """A tool step's arguments are fixed: exactly these canonical bytes are checked, approved and sent."""

    step: str
    arguments: msgspec.Raw


class AttemptStarted(_Fact, frozen=True, kw_only=True, tag="attempt_started"):
    """The pause before another attempt is over."""

    step: str
    attempt: int


class IntentRecorded(_Fact, frozen=True, kw_only=True, tag="intent_recorded"):
    """An effect is about to be asked for, with this key; from here on it may have happened.

    ``recorded_us`` starts the provider's idempotency window.
    """

    step: str
    attempt: int
    slot: int
    tool: str
    contract_digest: str
    policy_digest: str
    delivery_class: str
    idempotency_key: str
    external_key: str
    arguments_digest: str
    recorded_us: int
    reserves_key: bool = False


class ApprovalRequested(_Fact, frozen=True, kw_only=True, tag="approval_requested"):
    """A person is asked before the action; ``digest`` covers everything that will run."""

    step: str
    attempt: int
    slot: int
    approval_id: str
    rule_id: str
    reason: str
    digest: str
    nonce: str
    policy_digest: str
    contract_digest: str
    endpoint: str
    credential: str
    approvers_required: int
    expires_us: int
    on_timeout: Literal["fail", "escalate"] = "fail"


class ApprovalGiven(_Fact, frozen=True, kw_only=True, tag="approval_given"):
    """A person agreed to exactly what ``digest`` covers."""

    step: str
    slot: int
    approval_id: str
    digest: str
    decided_by: str
    reason: str = ""


class ApprovalDenied(_Fact, frozen=True, kw_only=True, tag="approval_denied"):
    """A person refused."""

    step: str
    slot: int
    approval_id: str
    decided_by: str
    reason: str = ""


class ApprovalExpired(_Fact, frozen=True, kw_only=True, tag="approval_expired"):
    """Nobody decided in time, by the database's clock."""

    step: str
    slot: int
    approval_id: str


class ApprovalWithdrawn(_Fact, frozen=True, kw_only=True, tag="approval_withdrawn"):
    """The request no longer stands: the run ends, or the policy that asked has changed."""

    step: str
    slot: int
    approval_id: str
    reason: str


class StepCompleted(_Fact, frozen=True, kw_only=True, tag="step_completed"):
    """The step has its output. ``checks`` names the pipeline's stages and verdicts, under ``policy_digest``.

    ``outbox`` is what it publishes: the outbox's rows follow from it.
    """

    step: str
    attempt: int = 1
    output: JsonValue = None
    checks: str = ""
    policy_digest: str = ""
    usage: Usage = Usage()
    receipt: Receipt | None = None
    adopted_from: str | None = None
    message_id: str | None = None
    outbox: tuple[OutboxMessage, ...] = ()


class AttemptFailed(_Fact, frozen=True, kw_only=True, tag="attempt_failed"):
    """One attempt failed and another one starts at ``retry_us``."""

    step: str
    attempt: int
    reason: str
    message: str
    retry_us: int
    effect: str = "none"
    checks: str = ""
    usage: Usage = Usage()


class StepFailed(_Fact, frozen=True, kw_only=True, tag="step_failed"):
    """The step failed for good. ``reason`` is a stable code; ``evidence`` is data for people, redacted.

    ``message_id`` names the message that the step took and could not use.
    """

    step: str
    attempt: int
    reason: str
    message: str
    checks: str = ""
    usage: Usage = Usage()
    evidence: JsonValue = None
    message_id: str | None = None


class StepSkipped(_Fact, frozen=True, kw_only=True, tag="step_skipped"):
    """The step's condition was false."""

    step: str
    reason: str = "condition"


class EffectParked(_Fact, frozen=True, kw_only=True, tag="effect_parked"):
    """Nobody can know whether the effect happened; a person settles it."""

    step: str
    attempt: int
    slot: int
    reason: str
    message: str = ""


class EffectSettled(_Fact, frozen=True, kw_only=True, tag="effect_settled"):
    """A person looked: the effect ``happened``, or is ``absent`` and may be tried again.

    ``released_key`` is the idempotency key that was reserved for the effect and is free again, because it is absent.
    """

    step: str
    slot: int
    outcome: Literal["happened", "absent"]
    decided_by: str
    reason: str = ""
    released_key: str | None = None


class TimerStarted(_Fact, frozen=True, kw_only=True, tag="timer_started"):
    """A timer step waits until ``due_us``."""

    step: str
    due_us: int


class WaitStarted(_Fact, frozen=True, kw_only=True, tag="wait_started"):
    """A step waits for a signal or inbound event; ``correlation`` finds the run, ``due_us`` ends the wait."""

    step: str
    source: Literal["signal", "event"]
    name: str
    correlation: str | None = None
    due_us: int | None = None


class MessageReceived(_Fact, frozen=True, kw_only=True, tag="message_received"):
    """A signal or inbound event reached the run; kept until a step takes it.

    ``correlations`` are what an event may be found by; null of a message that says nothing of it.
    """

    source: Literal["signal", "event"]
    name: str
    message_id: str
    payload: JsonValue = None
    sent_by: str | None = None
    correlations: tuple[str, ...] | None = None


class CancelRequested(_Fact, frozen=True, kw_only=True, tag="cancel_requested"):
    """Somebody asked to stop: nothing new starts, what is in flight ends first."""

    requested_by: str
    reason: str = ""


class RunCompleted(_Fact, frozen=True, kw_only=True, tag="run_completed"):
    """Every step ended well."""

    output: JsonValue = None


class RunFailed(_Fact, frozen=True, kw_only=True, tag="run_failed"):
    """A step failed for good, or the run's own output cannot be computed (then ``step`` is null)."""

    reason: str
    message: str
    step: str | None = None


class RunCancelled(_Fact, frozen=True, kw_only=True, tag="run_cancelled"):
    """The run stopped because somebody asked."""

    requested_by: str
    reason: str = ""


Fact = (
    RunStarted
    | StepStarted
    | AttemptStarted
    | IntentRecorded
    | ApprovalRequested
    | ApprovalGiven
    | ApprovalDenied
    | ApprovalExpired
    | ApprovalWithdrawn
    | StepCompleted
    | AttemptFailed
    | StepFailed
    | StepSkipped
    | EffectParked
    | EffectSettled
    | TimerStarted
    | WaitStarted
    | MessageReceived
    | CancelRequested
    | RunCompleted
    | RunFailed
    | RunCancelled
)

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[Fact])


def encode_facts(facts: list[Fact]) -> bytes:
    """Return the payload bytes of one journal entry."""
    return _encoder.encode(facts)


def decode_facts(payload: bytes) -> list[Fact]:
    """Return the facts of one journal entry's payload.

    Raises:
        JournalCorruptError: the payload is not a list of facts that this version knows.
    """
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise JournalCorruptError(f"the payload is no list of known facts: {error}", part="payload") from error
