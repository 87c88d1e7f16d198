"""The rows that people query follow from the facts of an entry, and from nothing else."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from remit.core.definition import EventStep, SignalStep
from remit.core.events import CancelAsked, EffectResolved
from remit.core.facts import Fact, OutboxMessage, Usage
from remit.ports.outbox import message_id_of
from remit.ports.store import ReceiptRow
from remit.runtime.rows import EntryRows, instant_of, microseconds_of, rows_of
from remit.testing.definitions import PAY_TOOL, WRITE_TOOL, define, tool_step
from remit.testing.events import failed, intended, lost, receipt_of, refused, succeeded, suspended
from remit.testing.rehearsal import RUN_ID, START_US, Rehearsal
from tests.unit.core.situations import RETRY, SITUATIONS

AT = datetime(2026, 7, 1, 12, 0, 0, 123_456, tzinfo=UTC)
EVENT = EventStep(id="e", event="shop.paid", correlation="${{ input }}")
NOTHING = EntryRows()


def rows(run: Rehearsal, facts: list[Fact]) -> EntryRows:
    return rows_of(run.state, facts, at=AT)


def reserving(run: Rehearsal, step: str) -> str:
    """Record an intent that reserves its key; returns the key."""
    event = intended(run.call(step), tool=WRITE_TOOL)
    intent = msgspec.structs.replace(event.intent, reserves_key=True)
    run.send(msgspec.structs.replace(event, intent=intent))
    return intent.idempotency_key


@pytest.mark.parametrize("microseconds", [0, 1, -1, START_US, 253_402_300_799_999_999])
def test_instants_are_exact(microseconds: int) -> None:
    """
    Microseconds become an aware instant and come back unchanged: no float in between rounds them.
    """
    assert microseconds == microseconds_of(instant_of(microseconds))
    assert timedelta(0) == instant_of(microseconds).utcoffset()


def test_completed_step_leaves_a_row() -> None:
    """
    The row says which attempt ended when, how long its action took and what it cost.
    """
    run = Rehearsal.of(define(tool_step("a")))
    usage = Usage(tokens=3, cost_usd_micros=40, duration_ms=250)
    (row,) = rows(run, run.send(succeeded(run.call("a"), "out", usage=usage))).steps

    assert ("a", 1, "completed", "tests.read", 3, 40, None) == (
        row.step,
        row.attempt,
        row.status,
        row.tool,
        row.tokens,
        row.cost_usd_micros,
        row.reason,
    )
    assert (AT - timedelta(milliseconds=250), AT) == (row.started_at, row.finished_at)


def test_every_end_of_an_attempt_leaves_a_row() -> None:
    """
    Failed attempts, failed steps, skipped ones and parked effects have their status and reason.
    """
    run = Rehearsal.of(define(tool_step("a", retry=RETRY), tool_step("b", condition="false"), tool_step("c")))
    begun = rows(run, run.facts)
    retried = rows(run, run.send(failed(run.call("a"))))
    refusal = rows(run, run.send(refused(run.call("c"))))
    parked = SITUATIONS["parked"]()

    found = [(row.step, row.status, row.reason) for made in (begun, retried, refusal) for row in made.steps]
    assert [("b", "skipped", "condition"), ("a", "failed", "FLAKY"), ("c", "failed", "PERMISSION_DENIED")] == found
    assert ["unknown"] == [row.status for row in rows(parked, parked.entries[-1]).steps]


def test_receipt_row_holds_the_whole_receipt() -> None:
    """
    Every field of the receipt is a column, beside the step, slot and attempt that it belongs to.
    """
    run = SITUATIONS["intending"]()
    receipt = receipt_of(run.call("a"), tool=PAY_TOOL)

    made = rows(run, run.send(succeeded(run.call("a"), receipt=receipt)))

    expected = ReceiptRow(step="a", slot=1, attempt=1, **msgspec.structs.asdict(receipt))
    assert [expected] == made.receipts


def test_approval_row_holds_exactly_what_would_run() -> None:
    """
    The person decides about the very bytes, under the very digest, that the journal holds.
    """
    run = Rehearsal.of(define(tool_step("a", tool=PAY_TOOL, arguments={"amount": "${{ input }}"})), 500)
    event = suspended(run.call("a"), "approval-1", now_us=START_US)

    (row,) = rows(run, run.send(event)).approvals

    assert (b'{"amount":500}', event.request.digest, event.request.nonce) == (row.arguments, row.digest, row.nonce)
    assert (PAY_TOOL, "operator", 1) == (row.tool, row.requested_by, row.approvers_required)
    assert event.request.expires_us == microseconds_of(row.expires_at)


def test_withdrawn_request_is_named() -> None:
    """
    A run that ends withdraws what nobody decided.
    """
    run = SITUATIONS["asking"]()

    assert ["approval-1"] == rows(run, run.send(CancelAsked(requested_by="operator"))).withdrawn


def test_key_is_reserved_with_the_intent_and_settled_with_the_step() -> None:
    """
    The reservation, and what the call returned, are part of the entries that say so.
    """
    run = Rehearsal.of(define(tool_step("a", tool=WRITE_TOOL)))
    key = reserving(run, "a")
    reserved = rows(run, run.entries[-1]).keys
    receipt = receipt_of(run.call("a"), tool=WRITE_TOOL)
    settled = rows(run, run.send(succeeded(run.call("a"), {"id": 1}, receipt=receipt))).keys

    assert [("reserve", key, "a", None)] == [(c.action, c.key, c.step, c.outcome) for c in reserved]
    assert [("succeed", key, b'{"id":1}', receipt.receipt_id)] == [
        (c.action, c.key, c.outcome, c.receipt_id) for c in settled
    ]


def test_key_is_released_when_the_step_failed_without_effect() -> None:
    """
    A failure that is proven free of effect frees the key for others.
    """
    run = Rehearsal.of(define(tool_step("a", tool=WRITE_TOOL)))
    key = reserving(run, "a")

    (change,) = rows(run, run.send(failed(run.call("a"), retryable=False))).keys

    assert ("release", key) == (change.action, change.key)


def test_key_of_a_parked_effect_is_parked() -> None:
    """
    Whoever wants the same waits until a person has settled it; then the key remembers what happened.
    """
    run = Rehearsal.of(define(tool_step("a", tool=WRITE_TOOL)))
    key = reserving(run, "a")
    (parked,) = rows(run, run.send(lost(run.call("a")))).keys
    happened = EffectResolved(step="a", slot=1, outcome="happened", decided_by="approver", output="seen")
    (settled,) = rows(run, run.send(happened)).keys

    assert [("park", key), ("succeed", key)] == [(parked.action, parked.key), (settled.action, settled.key)]
    assert b'"seen"' == settled.outcome


def test_step_without_a_reserved_key_changes_no_key() -> None:
    """
    Keys of run and step need no row.
    """
    run = SITUATIONS["intending"]()

    made = rows(run, [*run.entries[-1], *run.send(succeeded(run.call("a")))])

    assert [] == made.keys


def test_messages_become_rows_for_their_subscribers() -> None:
    """
    Each message that somebody subscribes to is a row with the exact bytes that go out; its id follows from its place.
    """
    run = Rehearsal.of(define(tool_step("a")))
    outbox = (
        OutboxMessage(topic="orders.paid", body={"b": 1, "a": "ü"}, key="7", destinations=("warehouse", "ledger")),
        OutboxMessage(topic="orders.lost", body=1),
        OutboxMessage(topic="orders.sent", destinations=("ledger",)),
    )
    first, second = rows(run, run.send(succeeded(run.call("a"), outbox=outbox))).outbox

    assert ("a", "orders.paid", ("warehouse", "ledger")) == (first.step, first.topic, first.destinations)
    assert message_id_of(RUN_ID, "a", 1, 1) == first.message_id
    assert message_id_of(RUN_ID, "a", 1, 3) == second.message_id
    assert (
        '{"data":{"a":"ü","b":1},"key":"7","timestamp":"2026-07-01T12:00:00.123456Z","type":"orders.paid"}'
        == first.body.decode()
    )
    assert '{"data":null,"timestamp":"2026-07-01T12:00:00.123456Z","type":"orders.sent"}' == second.body.decode()


def test_message_ids_differ_by_every_part() -> None:
    """
    Run, step, slot and ordinal each make another id, and nothing else does.
    """
    ids = {
        message_id_of(run, step, slot, ordinal)
        for run in "rs"
        for step in "ab"
        for slot in (1, 2)
        for ordinal in (1, 2)
    }

    assert 16 == len(ids)
    assert message_id_of("r", "a", 1, 1) in ids


def test_event_wait_can_be_found_until_it_ends() -> None:
    """
    A correlation starts with the wait and stops with its step; signals need none.
    """
    run = Rehearsal.of(define(EVENT, SignalStep(id="s", signal="go")), "o-1")
    started = rows(run, run.facts).correlations
    stopped = rows(run, run.inbound("shop.paid", {})).correlations

    assert [("start", "e", "shop.paid", "o-1")] == [(c.action, c.step, c.name, c.correlation) for c in started]
    assert [("stop", "e", "shop.paid")] == [(c.action, c.step, c.name) for c in stopped]


def test_end_of_the_run_stops_every_wait_once() -> None:
    """
    A run that is over is not found any more, whichever of its waits were still open.
    """
    other = EventStep(id="f", event="shop.sent")
    run = Rehearsal.of(define(EVENT, other, EventStep(id="g", depends_on=("e", "f"), event="never.begun")), "o-1")
    run.inbound("shop.sent", {})

    changes = rows(run, run.send(CancelAsked(requested_by="operator"))).correlations

    assert [("stop", "e")] == [(change.action, change.step) for change in changes]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_rows_follow_from_every_entry(situation: str) -> None:
    """
    Each entry of each situation has its rows, and the same ones every time.
    """
    run = SITUATIONS[situation]()
    for entry in run.entries:
        assert rows(run, entry) == rows(run, entry)


def test_facts_that_nobody_queries_leave_no_rows() -> None:
    """
    What is only in the journal costs no row.
    """
    run = SITUATIONS["calling"]()

    assert NOTHING == rows(run, run.facts)
