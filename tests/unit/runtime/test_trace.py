"""A trace says what happened, with times, costs and proof, and nothing that is nobody's business."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from remit.core.canonical import JsonValue
from remit.core.definition import EventStep, SignalStep, TimerStep, ToolStep
from remit.core.events import ApprovalVoided, CancelAsked, EffectResolved
from remit.core.facts import OutboxMessage, Usage
from remit.errors import JournalCorruptError
from remit.governance.contracts import ToolContract
from remit.governance.redaction import MARK_FIELD, Redactor
from remit.runtime.rows import instant_of
from remit.runtime.spans import ATTRIBUTES, Span, Trace, render_tree
from remit.runtime.trace import project_trace
from remit.runtime.trace_redaction import ContractRedaction
from remit.testing.definitions import PAY_TOOL, WRITE_TOOL, define, program_of, tool_step
from remit.testing.events import failed, intended, lost, receipt_of, refused, succeeded, suspended
from remit.testing.journals import stored
from remit.testing.rehearsal import START_US, Rehearsal
from tests.unit.core.situations import RETRY, SITUATIONS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "trace.md"


class Shown:
    """A redaction that shows all and remembers what passed it."""

    def __init__(self) -> None:
        self.passed: list[object] = []

    def arguments(self, step: ToolStep, value: JsonValue) -> JsonValue:
        return self.value(value)

    def output(self, step: object, value: JsonValue) -> JsonValue:
        return self.value(value)

    def value(self, value: JsonValue) -> JsonValue:
        self.passed.append(value)
        return value

    def text(self, text: str) -> str:
        self.passed.append(text)
        return text


def traced(run: Rehearsal) -> Trace:
    return project_trace(stored(run).run, run.program, redact=Shown())


def spans_of(run: Rehearsal) -> dict[str, Span]:
    return {span.key: span for span in traced(run).spans}


def order() -> Rehearsal:
    """Return a run with an approval of two seconds, a failed attempt, its pause and a receipt."""
    run = Rehearsal.of(
        define(
            tool_step("look", arguments={"id": "${{ input.id }}"}),
            tool_step("pay", "look", tool=PAY_TOOL, retry=RETRY),
            output="${{ steps.pay.output }}",
        ),
        {"id": 7},
    )
    run.now_us += 500_000
    run.send(succeeded(run.call("look"), {"n": 1}, usage=Usage(tokens=5, cost_usd_micros=30, duration_ms=400)))
    run.send(suspended(run.call("pay"), "approval-1", now_us=run.now_us))
    run.now_us += 2_000_000
    run.approve("pay")
    run.send(intended(run.call("pay"), tool=PAY_TOOL, now_us=run.now_us))
    run.send(failed(run.call("pay"), "TIMED_OUT", effect="unknown"))
    run.wait_until_due()
    call = run.call("pay")
    usage = Usage(cost_usd_micros=12, duration_ms=80)
    run.send(succeeded(call, {"id": "ch_1"}, usage=usage, receipt=receipt_of(call, tool=PAY_TOOL)))
    return run


def test_trace_has_a_span_for_each_piece_of_work_and_waiting() -> None:
    """
    Run, steps, attempts, approvals and pauses, each below the one that it is part of.
    """
    assert [
        "run",
        "run/look",
        "run/look/attempt-1",
        "run/pay",
        "run/pay/attempt-1",
        "run/pay/attempt-1/approval-1",
        "run/pay/wait-1",
        "run/pay/attempt-2",
    ] == [span.key for span in traced(order()).spans]


def test_spans_say_how_long_and_how_much() -> None:
    """
    Durations include waiting, active time does not; a step adds up its attempts and the run its steps.
    """
    spans = spans_of(order())

    assert [500, 2_000, 1_000] == [
        spans[key].duration_ms for key in ("run/look", "run/pay/attempt-1/approval-1", "run/pay/wait-1")
    ]
    assert (400, 81, 481) == (spans["run/look"].active_ms, spans["run/pay"].active_ms, spans["run"].active_ms)
    assert (30, 12, 42, 5) == (
        spans["run/look"].cost_usd_micros,
        spans["run/pay/attempt-2"].cost_usd_micros,
        spans["run"].cost_usd_micros,
        spans["run"].tokens,
    )
    assert instant_of(START_US) == spans["run"].started_at
    assert timedelta(milliseconds=3_500) == spans["run"].ended_at - spans["run"].started_at


def test_spans_say_how_they_ended() -> None:
    """
    Status, verdict, reason, effect and receipt are those of the facts.
    """
    spans = spans_of(order())
    first, second = spans["run/pay/attempt-1"], spans["run/pay/attempt-2"]

    assert ("failed", "TIMED_OUT", "unknown") == (first.status, first.reason, first.attributes["effect"])
    assert ("completed", None, None) == (second.status, second.reason, second.attributes["effect"])
    assert "resolve contract permission bounds loop act result" == second.verdict == spans["run/pay"].verdict
    assert second.receipt_id == spans["run/pay"].receipt_id
    assert second.receipt_id is not None
    assert "approved" == spans["run/pay/attempt-1/approval-1"].status
    assert "approver" == spans["run/pay/attempt-1/approval-1"].attributes["decided_by"]
    assert first.attributes["idempotency_key"] == "tenant:run:pay:1"


def test_spans_show_arguments_and_outputs() -> None:
    """
    What went in and what came out is there, as far as the redaction lets it.
    """
    spans = spans_of(order())

    assert {"id": 7} == spans["run"].attributes["input"] == spans["run/look"].attributes["arguments"]
    assert {"n": 1} == spans["run/look"].attributes["output"]
    assert {"id": "ch_1"} == spans["run"].attributes["output"]
    assert ("operator", "rehearsal") == (spans["run"].attributes["principal_id"], spans["run"].name)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_span_has_the_same_fields(situation: str) -> None:
    """
    Fields and attributes of a kind of span do not depend on how it ended, or whether it did.
    """
    for span in traced(SITUATIONS[situation]()).spans:
        fields = span.trace_fields()

        assert set(ATTRIBUTES[span.kind]) == set(span.attributes)
        assert {f"{span.kind}.{name}" for name in ATTRIBUTES[span.kind]} == {name for name in fields if "." in name}
        assert f"remit.{span.kind}" == fields["event"]
        assert msgspec.json.encode(fields)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_spans_fold_to_the_states_of_the_run(situation: str) -> None:
    """
    The trace, which knows facts only, agrees with the folded state about the status of the run and of each step.
    """
    run = SITUATIONS[situation]()
    spans = spans_of(run)
    expected = {step_id: step.status.value for step_id, step in run.state.steps.items()}

    assert expected == {span.name: span.status for span in spans.values() if span.kind == "step" and span.started_at}
    assert run.state.status.value == spans["run"].status


@pytest.mark.parametrize("situation", SITUATIONS)
def test_longer_journal_only_adds_keys(situation: str) -> None:
    """
    Keys are stable: every prefix of a journal gives a part of the keys that the whole gives.
    """
    run = SITUATIONS[situation]()
    whole = stored(run).run
    keys = [span.key for span in project_trace(whole, run.program, redact=Shown()).spans]
    for count in range(len(whole.entries)):
        part = msgspec.structs.replace(whole, entries=whole.entries[:count])

        assert set(keys) >= {span.key for span in project_trace(part, run.program, redact=Shown()).spans}
    assert len(set(keys)) == len(keys)


def test_parents_come_before_their_children() -> None:
    """
    Whoever reads spans in order knows the parent of each.
    """
    seen: set[str | None] = {None}
    for span in traced(order()).spans:
        assert span.parent in seen
        seen.add(span.key)


def test_step_that_has_not_begun_is_pending() -> None:
    """
    Steps to come are in the trace, without a start.
    """
    span = spans_of(SITUATIONS["calling"]())["run/b"]

    assert ("pending", None, None, None) == (span.status, span.started_at, span.ended_at, span.duration_ms)


def test_skipped_step_takes_no_time() -> None:
    """
    A step whose condition was false begins and ends at once.
    """
    span = spans_of(Rehearsal.of(define(tool_step("a", condition="false"))))["run/a"]

    assert ("skipped", 0, "condition") == (span.status, span.duration_ms, span.reason)


def test_failure_is_on_the_attempt_the_step_and_the_run() -> None:
    """
    Each level says why it failed.
    """
    spans = spans_of(SITUATIONS["failed_for_good"]())

    assert {"PERMISSION_DENIED"} == {spans[key].reason for key in ("run", "run/a", "run/a/attempt-1")}
    assert "permission:refused" == spans["run/a"].verdict
    assert "failed" == spans["run"].status


def test_waits_say_for_what_and_until_when() -> None:
    """
    Timers, signals and inbound events are spans of their step.
    """
    event = EventStep(id="e", event="shop.paid", correlation="${{ input }}")
    run = Rehearsal.of(
        define(TimerStep(id="t", duration_ms=1_000), SignalStep(id="s", signal="go", timeout_ms=9_000), event), "o-1"
    )
    run.wait(1_000)
    run.signal("go", {"n": 1}, message_id="m-1")
    spans = spans_of(run)

    timer, signal, wait = (spans[f"run/{step}/wait-1"] for step in ("t", "s", "e"))
    assert [("timer", "ended"), ("signal go", "ended"), ("event shop.paid", "waiting")] == [
        (span.name, span.status) for span in (timer, signal, wait)
    ]
    assert instant_of(START_US + 1_000_000).isoformat() == timer.attributes["due_at"]
    assert ("event", "shop.paid", "o-1", None) == tuple(wait.attributes[name] for name in ATTRIBUTES["wait"])
    assert ("m-1", "operator") == (spans["run/s"].attributes["message_id"], spans["run/s"].attributes["sent_by"])


def test_parked_effect_and_its_settlement_are_spans() -> None:
    """
    The attempt stays unknown; who settled it, and how, is a span of its own, and the next attempt goes on from there.
    """
    run = SITUATIONS["parked"]()
    run.now_us += 60_000_000
    run.send(EffectResolved(step="a", slot=1, outcome="absent", decided_by="approver", reason="not in the books"))
    spans = spans_of(run)

    settlement = spans["run/a/settlement-1"]
    assert ("unknown", "EFFECT_UNKNOWN") == (spans["run/a/attempt-1"].status, spans["run/a/attempt-1"].reason)
    assert {"outcome": "absent", "decided_by": "approver"} == settlement.attributes
    assert (60_000, "not in the books") == (settlement.duration_ms, settlement.message)
    assert "running" == spans["run/a/attempt-2"].status == spans["run/a"].status


def test_void_approval_shows_as_a_second_request() -> None:
    """
    Asked twice, there are two spans, each with its own word.
    """
    run = SITUATIONS["approved"]()
    run.send(ApprovalVoided(step="a", slot=1, approval_id="approval-1", reason="the policy changed"))
    run.send(suspended(run.call("a"), "approval-2"))
    spans = spans_of(run)

    assert ["approved", "pending"] == [spans[f"run/a/attempt-1/approval-{n}"].status for n in (1, 2)]


def test_end_of_the_run_ends_what_is_open() -> None:
    """
    A cancelled run leaves no span open; each keeps the status in which it was left.
    """
    run = SITUATIONS["timing"]()
    run.now_us += 300_000
    run.send(CancelAsked(requested_by="operator", reason="no longer wanted"))
    spans = spans_of(run)

    assert all(span.ended_at for span in spans.values() if span.started_at)
    assert ("cancelled", "operator") == (spans["run"].status, spans["run"].attributes["cancel_requested_by"])
    assert ("waiting", 300) == (spans["run/a/wait-1"].status, spans["run/a/wait-1"].duration_ms)


def test_published_messages_show_their_topics_only() -> None:
    """
    What a step publishes is named; the bodies are for the subscribers.
    """
    run = Rehearsal.of(define(tool_step("a")))
    publication = (OutboxMessage(topic="orders.paid", body={"secret": 1}),)
    run.send(msgspec.structs.replace(succeeded(run.call("a")), outbox=publication))

    assert ["orders.paid"] == spans_of(run)["run/a"].attributes["published"]


def test_erased_payload_is_counted() -> None:
    """
    What was erased is not in the spans, and the trace says so.
    """
    run = order()
    whole = stored(run).run
    erased = msgspec.structs.replace(
        whole, entries=tuple(msgspec.structs.replace(entry, payload=None) for entry in whole.entries)
    )

    trace = project_trace(erased, run.program, redact=Shown())

    assert len(whole.entries) == trace.erased
    assert {"pending"} == {span.status for span in trace.spans}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_single_erased_payload_leaves_the_rest(situation: str) -> None:
    """
    Whichever entry's payload is gone, what the others tell is still in the trace.
    """
    run = SITUATIONS[situation]()
    whole = stored(run).run
    for index, entry in enumerate(whole.entries):
        entries = list(whole.entries)
        entries[index] = msgspec.structs.replace(entry, payload=None)
        trace = project_trace(msgspec.structs.replace(whole, entries=tuple(entries)), run.program, redact=Shown())

        assert 1 == trace.erased
        assert set(ATTRIBUTES) >= {span.kind for span in trace.spans}


def test_fact_about_an_unknown_step_is_damage() -> None:
    """
    A journal is traced with its own definition.
    """
    run = order()

    with pytest.raises(JournalCorruptError, match="'look'"):
        project_trace(stored(run).run, program_of(define(tool_step("other"))), redact=Shown())


# --- redaction --------------------------------------------------------------------------------------------------------

CONTRACT = ToolContract(
    name=WRITE_TOOL,
    input_schema={"type": "object"},
    sensitive_input_fields=("card.number",),
    sensitive_output_fields=("token",),
)
SECRET = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"


def redaction(contract: ToolContract | None = CONTRACT) -> ContractRedaction:
    return ContractRedaction(Redactor([SECRET]), lambda step: contract)


def leaking(**mapping: Any) -> Rehearsal:
    """Return a run that has a secret in every value that comes from outside."""
    step = tool_step("a", tool=WRITE_TOOL, arguments={"card": {"number": "${{ input.key }}"}, "n": 1}, retry=RETRY)
    step = msgspec.structs.replace(step, output_mapping=mapping or None)
    wait = EventStep(id="e", depends_on=("b",), event="x", correlation="${{ input.key }}")
    last = SignalStep(id="s", depends_on=("e",), signal="go")
    definition = define(step, tool_step("b", "a", on_failure="continue"), wait, last, output="${{ input.key }}")
    run = Rehearsal.of(definition, {"key": SECRET})
    run.send(failed(run.call("a"), SECRET))
    run.wait_until_due()
    run.send(suspended(run.call("a"), "approval-1"))
    run.approve("a", decided_by="approver")
    run.send(lost(run.call("a"), SECRET))
    run.send(EffectResolved(step="a", slot=1, outcome="absent", decided_by="approver", reason=SECRET))
    run.send(succeeded(run.call("a"), {"token": "t", "key": SECRET}))
    run.send(msgspec.structs.replace(refused(run.call("b")), message=SECRET, evidence={"was": SECRET}))
    run.inbound("x", {"key": SECRET}, message_id=f"m-{SECRET}")
    run.signal("go", SECRET)
    return run


def test_no_secret_leaves_through_any_field() -> None:
    """
    A secret in inputs, arguments, outputs, correlations, messages, reasons or evidence is nowhere in a trace.
    """
    run = leaking()
    trace = project_trace(stored(run).run, run.program, redact=redaction())
    text = msgspec.json.encode([span.trace_fields() for span in trace.spans]).decode()
    text += msgspec.json.encode(render_tree(trace)).decode()

    assert run.state.is_terminal
    assert SECRET in str(run.facts)
    assert SECRET not in text
    assert text.count("redacted") > 8


def test_sensitive_fields_are_masked_by_contract() -> None:
    """
    What the contract calls sensitive is masked in arguments and outputs, the rest is shown.
    """
    run = leaking()
    trace = project_trace(stored(run).run, run.program, redact=redaction())
    step = next(span for span in trace.spans if span.key == "run/a")

    assert {"card": {"number": MARK_FIELD}, "n": 1} == step.attributes["arguments"]
    assert isinstance(step.attributes["output"], dict)
    assert MARK_FIELD == step.attributes["output"]["token"]


def test_mapped_output_of_a_sensitive_tool_is_hidden() -> None:
    """
    The contract's paths do not fit a mapped output, so nothing of it is shown.
    """
    run = leaking(renamed="${{ output.token }}")
    trace = project_trace(stored(run).run, run.program, redact=redaction())

    assert MARK_FIELD == next(span for span in trace.spans if span.key == "run/a").attributes["output"]


def test_values_of_an_unknown_tool_are_hidden() -> None:
    """
    When the registry no longer has the tool, nobody knows what was sensitive.
    """
    run = leaking()
    trace = project_trace(stored(run).run, run.program, redact=redaction(None))
    step = next(span for span in trace.spans if span.key == "run/a")

    assert MARK_FIELD == step.attributes["arguments"] == step.attributes["output"]


# --- the tree and the page --------------------------------------------------------------------------------------------


def test_tree_shows_steps_and_what_happened_inside() -> None:
    """
    A step's only attempt is its own line; several attempts, pauses and approvals are lines below it.
    """
    rows = render_tree(traced(order()))

    assert [
        (0, "rehearsal", "completed"),
        (1, "look", "completed"),
        (1, "pay", "completed"),
        (2, "attempt 1", "failed"),
        (3, "large-amounts", "approved"),
        (2, "retry", "ended"),
        (2, "attempt 2", "completed"),
    ] == [(row.indent, row.name, row.status) for row in rows]
    assert [3_500, 500, 3_000, 2_000, 2_000, 1_000, 0] == [row.duration_ms for row in rows]
    assert [42, 30, 12] == [row.cost_usd_micros for row in rows[:3]]
    assert f"{PAY_TOOL}, receipt rcpt_" in rows[2].note
    assert "effect unknown, TIMED_OUT: the tool said TIMED_OUT" == rows[3].note
    assert "by approver" == rows[4].note


def test_tree_lifts_what_is_inside_an_only_attempt() -> None:
    """
    An approval inside the only attempt stands right below its step.
    """
    rows = render_tree(traced(SITUATIONS["asking"]()))

    assert [(1, "a"), (2, "large-amounts"), (1, "b")] == [(row.indent, row.name) for row in rows[1:]]


def test_page_lists_every_event_and_attribute() -> None:
    """
    The reference names exactly the spans that there are, with exactly their attributes, in order.
    """
    text = PAGE.read_text(encoding="utf-8")
    section = text[text.index("## Attributes by event") :]
    listed = {
        row["event"]: tuple(re.findall(r"`(\w+)`", row["names"]))
        for row in re.finditer(r"^\| `remit\.(?P<event>\w+)` \| (?P<names>`.*`) \|$", section, re.MULTILINE)
    }

    assert ATTRIBUTES == listed


def test_page_lists_every_field() -> None:
    """
    The reference explains each field that every span has.
    """
    text = PAGE.read_text(encoding="utf-8")
    section = text[text.index("## Fields of every span") : text.index("## Attributes by event")]
    listed = {
        name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    span = traced(order()).run

    assert {name for name in span.trace_fields() if "." not in name} == listed
