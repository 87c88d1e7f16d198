"""The definition: an immutable, digest-addressed graph of steps.

Owns: the records that every front-end compiles to, and the bytes that are stored and hashed.
Does not know: YAML, positions in files, tools' code. Field names are those of stored documents.
Expressions are CEL inside ``${{ … }}``; templates are JSON values whose strings may hold them.
"""

from __future__ import annotations

import hashlib
from typing import Final, Literal

import msgspec

from remit.core.canonical import JsonValue, canonical_bytes
from remit.errors import DefinitionInvalidError
from remit.ids import Digest

SCHEMA_VERSION: Final = 1
DEFINITION_BYTES_MAX: Final = 4 * 1024 * 1024
"""Of the compiled bytes. Ten thousand compiled steps are 3.3 MB."""
STEPS_MAX: Final = 10_000
"""Most steps of one definition; ten thousand keep a fold under a second."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hard limits of one run. Zero forbids; there is no value for "unlimited".

    ``active_seconds_max`` counts time inside actions, not time spent waiting for people, timers or events.
    ``loop_repeats_max`` is how often the same sequence of calls may repeat in a row.
    """

    steps_max: int = 50
    active_seconds_max: int = 300
    tokens_max: int = 50_000
    tool_calls_max: int = 100
    tool_calls_max_by_tool: dict[str, int] = {}
    cost_usd_micros_max: int = 1_000_000
    loop_repeats_max: int = 10

    def tightened(self, other: Bounds) -> Bounds:
        """Return the bounds that satisfy both: the smaller of each limit."""
        by_tool = dict(self.tool_calls_max_by_tool)
        for tool, limit in other.tool_calls_max_by_tool.items():
            by_tool[tool] = min(limit, by_tool.get(tool, limit))
        return Bounds(
            steps_max=min(self.steps_max, other.steps_max),
            active_seconds_max=min(self.active_seconds_max, other.active_seconds_max),
            tokens_max=min(self.tokens_max, other.tokens_max),
            tool_calls_max=min(self.tool_calls_max, other.tool_calls_max),
            tool_calls_max_by_tool=by_tool,
            cost_usd_micros_max=min(self.cost_usd_micros_max, other.cost_usd_micros_max),
            loop_repeats_max=min(self.loop_repeats_max, other.loop_repeats_max),
        )


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a failed attempt is tried again.

    Attempt n + 1 starts ``min(delay_max_ms, delay_initial_ms * multiplier ** (n - 1)) * (1 + jitter)`` later, where
    jitter is drawn from [0, ``jitter_ratio``] by the shell and recorded. ``reasons`` empty means every retryable
    failure.
    """

    attempts_max: int = 1
    delay_initial_ms: int = 1_000
    delay_max_ms: int = 60_000
    multiplier: float = 2.0
    jitter_ratio: float = 0.2
    reasons: tuple[str, ...] = ()


class _StepFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every step has.

    ``condition`` is the text of a boolean expression (without ``${{ }}``); false skips the step.
    A dependency is satisfied when it is completed or skipped.
    ``on_failure`` ``fail`` fails the run once steps in flight have ended; ``continue`` lets dependents go on with a
    null output.
    """

    id: str
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    on_failure: Literal["fail", "continue"] = "fail"


class ToolStep(_StepFields, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="tool"):
    """Calls one tool.

    ``input`` is a template of its arguments; ``output_mapping`` maps its result (root ``output``).
    ``principal`` is in whose name the step acts, if not in that of the run; without one the stored bytes have no such
    field, so that definitions from before it kept their digests.
    """

    tool: str
    tool_version: str
    contract_digest: str
    input: dict[str, JsonValue] = {}
    output_mapping: dict[str, JsonValue] | None = None
    retry: RetryPolicy = RetryPolicy()
    timeout_ms: int | None = None
    principal: str | msgspec.UnsetType = msgspec.UNSET


class TimerStep(_StepFields, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="timer"):
    """Waits for ``duration_ms`` on the database's clock."""

    duration_ms: int


class SignalStep(_StepFields, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="signal"):
    """Waits for a signal sent to this run; its payload is the step's output."""

    signal: str
    timeout_ms: int | None = None
    on_timeout: Literal["fail", "continue"] = "fail"


class EventStep(_StepFields, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="event"):
    """Waits for an inbound event of this tenant.

    ``correlation`` is a template whose value finds this run among all (it is looked up in the event's correlation
    keys); ``match`` is the text of a boolean expression over ``event`` and the run, asked of each candidate; the event
    is the output.
    """

    event: str
    correlation: JsonValue = None
    match: str | None = None
    timeout_ms: int | None = None
    on_timeout: Literal["fail", "continue"] = "fail"


RunnableStep = ToolStep | TimerStep | SignalStep | EventStep
"""The kinds of steps that this version can run: programs, and so the core, have no others."""


class LoopStep(_StepFields, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="loop"):
    """Runs the steps of ``body`` again and again: one *iteration* after the other, until a condition holds.

    After each iteration ``until`` (the text of a boolean expression) is asked; true completes the step. False starts
    the next iteration with what ``feedback`` (a template) gives, which the body reads as ``iteration.feedback``; the
    first one reads null. After ``iterations_max`` iterations the step fails. A step of the body that fails fails the
    loop, unless it says ``continue``. ``output`` is the template of the step's output.

    ``until``, ``feedback`` and ``output`` see the body's outputs of the iteration that ended; nothing else outside of
    the body sees them. Ids are unique across the definition, bodies included.
    """

    body: tuple[RunnableStep, ...]
    until: str
    iterations_max: int
    feedback: JsonValue = None
    output: JsonValue = None


class GateStep(_StepFields, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="gate"):
    """A human gate: people answer a question, and their answer decides whether the run goes on.

    ``approvers`` are principals, or roles written ``role:<name>``; ``approvers_required`` of them choose the same one
    of ``options``. Choosing one of ``passing`` completes the step (its output says which); any other fails it, and so
    does time running out: nothing passes by itself. ``criteria`` are what people look at before they answer.
    """

    question: str
    approvers: tuple[str, ...]
    criteria: tuple[str, ...] = ()
    approvers_required: int = 1
    options: tuple[str, ...] = ("approve", "deny")
    passing: tuple[str, ...] = ("approve",)
    timeout_ms: int | None = None


Step = RunnableStep | LoopStep | GateStep


class Trigger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What starts a run: an inbound event of this name whose ``condition`` (root ``event``) holds.

    ``input`` is the template of the run's input and ``key`` that of its submission key (both root ``event``):
    the same key submits once.
    """

    event: str
    input: dict[str, JsonValue]
    key: str
    condition: str | None = None


class Definition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One compiled definition. Everything that has a default in a document is filled in here."""

    schema_version: int = SCHEMA_VERSION
    name: str
    version: str
    description: str = ""
    input_schema: dict[str, JsonValue] = {}
    bounds: Bounds = Bounds()
    steps: tuple[Step, ...]
    output: JsonValue = None
    triggers: tuple[Trigger, ...] = ()


def encode_definition(definition: Definition) -> bytes:
    """Return the canonical bytes that are stored and never compiled again.

    Raises:
        DefinitionInvalidError: the bytes exceed ``DEFINITION_BYTES_MAX``.
    """
    data = canonical_bytes(msgspec.to_builtins(definition))
    if len(data) > DEFINITION_BYTES_MAX:
        raise DefinitionInvalidError(
            f"expected a definition of at most {DEFINITION_BYTES_MAX} bytes, got {len(data)}; split it",
            bytes=len(data),
        )
    return data


def decode_definition(data: bytes) -> Definition:
    """Return the definition stored as ``data``.

    Raises:
        DefinitionInvalidError: the bytes are not a definition of a schema version that this kernel knows.
    """
    try:
        definition = msgspec.json.decode(data, type=Definition)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DefinitionInvalidError(f"stored definition does not decode: {error}") from error
    if definition.schema_version != SCHEMA_VERSION:
        raise DefinitionInvalidError(
            f"expected schema version {SCHEMA_VERSION}, got {definition.schema_version}; upgrade the kernel",
        )
    return definition


def definition_digest(data: bytes) -> Digest:
    """Return the digest of stored definition bytes."""
    return Digest(hashlib.sha256(data).hexdigest())
