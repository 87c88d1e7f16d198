"""Steps of an orchestration: one mapping becomes one step.

Owns: what a step's fields mean, and the defaults that are filled in.
Does not know: whether the graph of steps makes sense (the compile checks do).

A step that cannot be read becomes a stand-in, so that checks of the others still see its id.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypedDict

from remit.core.canonical import JsonValue
from remit.core.definition import EventStep, RetryPolicy, SignalStep, Step, TimerStep, ToolStep
from remit.core.program import OUTPUT_ROOTS, RUN_ROOTS
from remit.diagnostics import Reporter
from remit.governance.contracts import contract_digest
from remit.plans.catalogue import Catalogue
from remit.plans.documents import Node, Scalar, shorten
from remit.plans.expressions import condition_of, template_of
from remit.plans.fields import STEP_ID, VERSION, WORD, Fields, fields_of, place, text_of
from remit.plans.orchestration.tables import RETRY, STEP, STEP_TYPES, UNSUPPORTED_TYPES, WAIT

ATTEMPTS_MAX: Final = 100
"""Most attempts of one step: with pauses of a minute they take more than an hour."""

_FAIL_OR_CONTINUE: Final = ("fail", "continue")
_TOOL_FIELDS: Final = ("input", "output_mapping", "retry", "timeout", "tool_version")
_ATTEMPTS_DEFAULT: Final = 3
"""Attempts of a step that has `retry` without a number, as in the seed documents; without `retry` there is one."""

_UNREADABLE: Final = "unreadable"
_DELAY_MS_MAX: Final = 86_400_000

Outcome = Literal["fail", "continue"]


class _Common(TypedDict):
    """What every step has."""

    id: str
    depends_on: tuple[str, ...]
    condition: str | None
    on_failure: Outcome


def read_step(reporter: Reporter, node: Node, *, number: int, catalogue: Catalogue) -> Step:
    """Return one step; ``number`` counts from 1 and names a step whose id is unusable."""
    stand_in = f"step_{number}"
    fields = fields_of(reporter, node, STEP)
    if fields is None:
        return TimerStep(id=stand_in, duration_ms=1)
    fields.require("id")
    common = _Common(
        id=_id(fields) or stand_in,
        depends_on=_dependencies(fields),
        condition=_condition(fields, "if"),
        on_failure=_outcome(fields, "on_failure"),
    )
    fields.text("name", length_max=200)
    fields.text("description")
    if "wait" in fields:
        fields.exclude("wait", "tool", *_TOOL_FIELDS)
    if not _is_supported(fields):
        return TimerStep(**common, duration_ms=1)
    if "wait" in fields:
        return _read_wait(fields, common)
    if "tool" in fields:
        return _read_tool(fields, common, catalogue)
    reporter.report(
        "KIND_MISSING",
        "expected 'tool' or 'wait' in the step, got neither; write what it calls or waits for",
        at=fields.key("id"),
    )
    return TimerStep(**common, duration_ms=1)


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
            f"expected a kind of step that this version can run, got {shorten(node.value)}; write `tool` or `wait`",
            at=place(node),
        )
        return False
    kind = fields.choice("type", STEP_TYPES)
    if kind is not None and kind not in fields:
        fields.require(kind)
        return False
    return "wait" in fields or "tool" in fields or not fields.has_unsupported


def _read_tool(fields: Fields, common: _Common, catalogue: Catalogue) -> Step:
    tool = fields.text("tool", rule=WORD)
    version = fields.text("tool_version", rule=VERSION)
    contract = None if tool is None else catalogue.find_contract(tool, version)
    return ToolStep(
        **common,
        tool=tool or "",
        tool_version=(version or "") if contract is None else contract.version,
        contract_digest="" if contract is None else contract_digest(contract),
        input=_template_object(fields, "input", RUN_ROOTS) or {},
        output_mapping=_template_object(fields, "output_mapping", OUTPUT_ROOTS),
        retry=_retry(fields),
        timeout_ms=fields.duration_ms("timeout"),
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


def _read_wait(fields: Fields, common: _Common) -> Step:
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
    return _WAIT_READERS[kinds[0]](wait, common)


def _read_timer(wait: Fields, common: _Common) -> Step:
    return TimerStep(**common, duration_ms=wait.duration_ms("timer") or 1)


def _read_signal(wait: Fields, common: _Common) -> Step:
    signal = wait.text("signal", rule=WORD)
    timeout_ms, on_timeout = _deadline(wait)
    return SignalStep(**common, signal=signal or _UNREADABLE, timeout_ms=timeout_ms, on_timeout=on_timeout)


def _read_event(wait: Fields, common: _Common) -> Step:
    event = wait.text("event", rule=WORD)
    timeout_ms, on_timeout = _deadline(wait)
    correlation = wait.node("correlation")
    match = _condition(wait, "match")
    value = None if correlation is None else template_of(wait.reporter, correlation, roots=RUN_ROOTS)
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
_WAIT_READERS: Final[dict[str, Callable[[Fields, _Common], Step]]] = {
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
