"""Steps of an orchestration: one mapping becomes one step.

Owns: what a step's fields mean, and the defaults that are filled in.
Does not know: whether the graph of steps makes sense (the compile checks do).

A step that cannot be read becomes a stand-in, so that checks of the others still see its id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from remit.core.canonical import JsonValue
from remit.core.definition import EventStep, RetryPolicy, RunnableStep, SignalStep, Step, TimerStep, ToolStep
from remit.core.program import LOOP_ROOTS, RUN_ROOTS
from remit.diagnostics import Reporter
from remit.governance.contracts import contract_digest
from remit.plans.catalogue import Catalogue
from remit.plans.documents import Node, Scalar, shorten
from remit.plans.expressions import condition_of, template_of
from remit.plans.fields import PRINCIPAL_NAME, STEP_ID, VERSION, WORD, Fields, fields_of, place, text_of
from remit.plans.orchestration.nesting import CommonFields, Outcome, read_gate, read_loop
from remit.plans.orchestration.tables import RETRY, STEP, STEP_TYPES, UNSUPPORTED_TYPES, WAIT

ATTEMPTS_MAX: Final = 100
"""Most attempts of one step: with pauses of a minute they take more than an hour."""

_FAIL_OR_CONTINUE: Final = ("fail", "continue")
_TOOL_FIELDS: Final = ("input", "output_mapping", "principal", "retry", "timeout", "tool_version")
_KINDS: Final = ("gate", "loop", "wait", "tool")
_NESTED: Final = {
    "loop": "loops do not nest; put the steps into one body",
    "gate": "people decide before or after a loop; write the gate beside it",
}
_ATTEMPTS_DEFAULT: Final = 3
"""Attempts of a step that has `retry` without a number, as in the seed documents; without `retry` there is one."""

_UNREADABLE: Final = "unreadable"
_DELAY_MS_MAX: Final = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    """Where a step stands: which tools there are, and what its expressions may use."""

    catalogue: Catalogue
    roots: frozenset[str] = RUN_ROOTS

    @property
    def is_in_loop(self) -> bool:
        """Whether the step is part of a loop's body."""
        return self.roots == LOOP_ROOTS


def read_step(reporter: Reporter, node: Node, *, number: int, catalogue: Catalogue) -> Step:
    """Return one step; ``number`` counts from 1 and names a step whose id is unusable."""
    context = StepContext(catalogue=catalogue)
    read = _read_fields(reporter, node, f"step_{number}", context)
    if read is None:
        return TimerStep(id=f"step_{number}", duration_ms=1)
    fields, common = read
    if "gate" in fields:
        return read_gate(fields, common)
    if "loop" in fields:
        inside = StepContext(catalogue=catalogue, roots=LOOP_ROOTS)

        def read_inner(item: Node, place: int) -> RunnableStep:
            return _read_inner(reporter, item, f"{common['id']}_{place}", inside)

        return read_loop(fields, common, read_inner=read_inner)
    return _read_plain(fields, common, context)


def _read_inner(reporter: Reporter, node: Node, stand_in: str, context: StepContext) -> RunnableStep:
    """Return one step of a loop's body."""
    read = _read_fields(reporter, node, stand_in, context)
    if read is None:
        return TimerStep(id=stand_in, duration_ms=1)
    return _read_plain(*read, context)


def _read_fields(
    reporter: Reporter, node: Node, stand_in: str, context: StepContext
) -> tuple[Fields, CommonFields] | None:
    """Return a step's fields and what every step has; ``None`` for what is no step at all."""
    fields = fields_of(reporter, node, STEP)
    if fields is None:
        return None
    fields.require("id")
    common = CommonFields(
        id=_id(fields) or stand_in,
        depends_on=_dependencies(fields),
        condition=_condition(fields, "if"),
        on_failure=_outcome(fields, "on_failure"),
    )
    fields.text("name", length_max=200)
    fields.text("description")
    kind = next((name for name in _KINDS if name in fields), None)
    if kind is not None and kind != "tool":
        fields.exclude(kind, *(name for name in _KINDS if name != kind), *_TOOL_FIELDS)
    if context.is_in_loop and kind in _NESTED:
        fields.reporter.report(
            "KIND_UNSUPPORTED",
            f"expected a step with `tool` or `wait` in a loop, got {kind!r}; {_NESTED[kind]}",
            at=fields.key(kind),
        )
    return fields, common


def _read_plain(fields: Fields, common: CommonFields, context: StepContext) -> RunnableStep:
    """Return a step that calls a tool or waits; one of another kind becomes a stand-in."""
    stand_in = TimerStep(**common, duration_ms=1)
    if not _is_supported(fields) or (context.is_in_loop and any(kind in fields for kind in _NESTED)):
        return stand_in
    if "wait" in fields:
        return _read_wait(fields, common, context)
    if "tool" in fields:
        return _read_tool(fields, common, context)
    fields.reporter.report(
        "KIND_MISSING",
        "expected 'tool', 'wait', 'loop' or 'gate' in the step, got none; write what it does",
        at=fields.key("id"),
    )
    return stand_in


def _id(fields: Fields) -> str | None:
    """Return the id also if it is no good one: other steps may depend on it, and are right to."""
    fields.text("id", rule=STEP_ID)
    node = fields.node("id")
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None


def _dependencies(fields: Fields) -> tuple[str, ...]:
    """Return all ids; one that is no text is reported and keeps its place."""
    items = fields.items("depends_on") or ()
    return tuple(text_of(fields.reporter, item) or "" for item in items)


def _is_supported(fields: Fields) -> bool:
    """Whether the step is of a kind that can be run; an unsupported ``type`` is reported here."""
    node = fields.node("type")
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.value.lower() in UNSUPPORTED_TYPES:
        fields.reporter.report(
            "KIND_UNSUPPORTED",
            f"expected a kind of step that this version knows, got {shorten(node.value)}; "
            "write `tool`, `wait`, `loop` or `gate`",
            at=place(node),
        )
        return False
    kind = fields.choice("type", STEP_TYPES)
    if kind is not None and kind not in fields:
        fields.require(kind)
        return False
    return any(name in fields for name in _KINDS) or not fields.has_unsupported


def _read_tool(fields: Fields, common: CommonFields, context: StepContext) -> RunnableStep:
    tool = fields.text("tool", rule=WORD)
    version = fields.text("tool_version", rule=VERSION)
    contract = None if tool is None else context.catalogue.find_contract(tool, version)
    return ToolStep(
        **common,
        tool=tool or "",
        tool_version=(version or "") if contract is None else contract.version,
        contract_digest="" if contract is None else contract_digest(contract),
        input=_template_object(fields, "input", context.roots) or {},
        output_mapping=_template_object(fields, "output_mapping", context.roots | {"output"}),
        retry=_retry(fields),
        timeout_ms=fields.duration_ms("timeout"),
        principal=fields.text("principal", rule=PRINCIPAL_NAME) or msgspec.UNSET,
    )


def _retry(fields: Fields) -> RetryPolicy:
    retry = fields.fields("retry", RETRY)
    if retry is None:
        return RetryPolicy()
    default = RetryPolicy()
    initial = retry.duration_ms("delay_initial", maximum_ms=_DELAY_MS_MAX)
    maximum = retry.duration_ms("delay_max", maximum_ms=_DELAY_MS_MAX)
    if maximum is not None and maximum < (initial or default.delay_initial_ms):
        node = retry.node("delay_max")
        assert node is not None
        retry.reporter.report(
            "VALUE_INVALID", "expected delay_max of at least delay_initial, got less; raise it", at=place(node)
        )
    return RetryPolicy(
        attempts_max=retry.integer("attempts_max", minimum=1, maximum=ATTEMPTS_MAX) or _ATTEMPTS_DEFAULT,
        delay_initial_ms=initial or default.delay_initial_ms,
        delay_max_ms=maximum or max(default.delay_max_ms, initial or 0),
        multiplier=retry.number("multiplier", minimum=1, maximum=100) or default.multiplier,
        jitter_ratio=_or_default(retry.number("jitter_ratio", minimum=0, maximum=1), default.jitter_ratio),
        reasons=retry.texts("reasons", rule=WORD) or (),
    )


def _read_wait(fields: Fields, common: CommonFields, context: StepContext) -> RunnableStep:
    stand_in = TimerStep(**common, duration_ms=1)
    wait = fields.fields("wait", WAIT)
    if wait is None:
        return stand_in
    kinds = [kind for kind in _WAITS if kind in wait]
    if not kinds:
        if not wait.has_unsupported:
            wait.reporter.report(
                "KIND_MISSING",
                "expected 'timer', 'signal' or 'event' in wait, got none; write what it waits for",
                at=fields.key("wait"),
            )
        return stand_in
    wait.exclude(kinds[0], *(name for name in wait if name not in _WAITS[kinds[0]]))
    return _WAIT_READERS[kinds[0]](wait, common, context)


def _read_timer(wait: Fields, common: CommonFields, _context: StepContext) -> RunnableStep:
    return TimerStep(**common, duration_ms=wait.duration_ms("timer") or 1)


def _read_signal(wait: Fields, common: CommonFields, _context: StepContext) -> RunnableStep:
    signal = wait.text("signal", rule=WORD)
    timeout_ms, on_timeout = _deadline(wait)
    return SignalStep(**common, signal=signal or _UNREADABLE, timeout_ms=timeout_ms, on_timeout=on_timeout)


def _read_event(wait: Fields, common: CommonFields, context: StepContext) -> RunnableStep:
    event = wait.text("event", rule=WORD)
    timeout_ms, on_timeout = _deadline(wait)
    correlation = wait.node("correlation")
    match = _condition(wait, "match")
    value = None if correlation is None else template_of(wait.reporter, correlation, roots=context.roots)
    return EventStep(
        **common,
        event=event or _UNREADABLE,
        correlation=value,
        match=match,
        timeout_ms=timeout_ms,
        on_timeout=on_timeout,
    )


_WAITS: Final = {
    "timer": frozenset({"timer"}),
    "signal": frozenset({"signal", "timeout", "on_timeout"}),
    "event": frozenset({"event", "correlation", "match", "timeout", "on_timeout"}),
}
_WAIT_READERS: Final[dict[str, Callable[[Fields, CommonFields, StepContext], RunnableStep]]] = {
    "timer": _read_timer,
    "signal": _read_signal,
    "event": _read_event,
}


def _deadline(wait: Fields) -> tuple[int | None, Outcome]:
    if "on_timeout" in wait and "timeout" not in wait:
        wait.reporter.report(
            "FIELD_MISSING",
            "expected the field 'timeout' beside 'on_timeout', got none; write it",
            at=wait.key("on_timeout"),
        )
    return wait.duration_ms("timeout"), _outcome(wait, "on_timeout")


def _condition(fields: Fields, name: str) -> str | None:
    node = fields.node(name)
    return None if node is None else condition_of(fields.reporter, node)


def _template_object(fields: Fields, name: str, roots: frozenset[str]) -> dict[str, JsonValue] | None:
    mapping = fields.object(name)
    if mapping is None:
        return None
    value = template_of(fields.reporter, mapping, roots=roots)
    assert isinstance(value, dict)
    return value


def _outcome(fields: Fields, name: str) -> Outcome:
    return "continue" if fields.choice(name, _FAIL_OR_CONTINUE) == "continue" else "fail"


def _or_default(value: float | None, default: float) -> float:
    return default if value is None else value
