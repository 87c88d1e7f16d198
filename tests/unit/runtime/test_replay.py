"""A replay agrees with what was recorded, and names the place of whatever does not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from remit.core.chain import EntryHeader, commitment, entry_hash, genesis_hash
from remit.core.events import CancelAsked
from remit.core.facts import RunStarted, StepCompleted, decode_facts, encode_facts
from remit.core.program import Program
from remit.core.state import state_hash
from remit.ids import Digest
from remit.ports.store import JournalEntry, LoadedRun
from remit.runtime.actor import RunActor, kinds_of
from remit.runtime.replay import Place, ReplayReport, replay_run
from remit.runtime.rows import instant_of, microseconds_of
from remit.testing.definitions import PAY_TOOL, READ_TOOL, define, program_of, tool_step
from remit.testing.events import failed, intended, receipt_of, succeeded, suspended
from remit.testing.journals import SALT, Stored, stored
from remit.testing.rehearsal import START_US, Rehearsal
from tests.unit.core.situations import RETRY, SITUATIONS

PAYLOAD_STRIDE = 7
"""Every seventh byte of each payload is changed; a payload is some hundred bytes long."""


def order() -> Rehearsal:
    """Return a run with two effects, an approval, a retry and an output, that ended well."""
    run = Rehearsal.of(
        define(
            tool_step("draft", tool="tests.write", arguments={"order": "${{ input.order }}"}),
            tool_step("pay", "draft", tool=PAY_TOOL, retry=RETRY),
            output={"paid": "${{ steps.pay.output.id }}"},
        ),
        {"order": "o-1"},
    )
    run.send(intended(run.call("draft"), tool="tests.write"))
    run.send(succeeded(run.call("draft"), {"id": "d-1"}, receipt=receipt_of(run.call("draft"), tool="tests.write")))
    run.now_us += 1_000
    run.send(suspended(run.call("pay"), "approval-1"))
    run.approve("pay")
    run.send(intended(run.call("pay"), tool=PAY_TOOL))
    run.send(failed(run.call("pay"), "TIMED_OUT", effect="unknown"))
    run.wait_until_due()
    run.send(succeeded(run.call("pay"), {"id": "ch_1"}, receipt=receipt_of(run.call("pay"), tool=PAY_TOOL)))
    return run


def replayed(made: Stored, program: Program, **changes: Any) -> ReplayReport:
    run = msgspec.structs.replace(made.run, **changes)
    return replay_run(run, program, recorded_state_hash=made.state_hash, recorded_receipts=made.receipts)


def with_entry(run: LoadedRun, place: int, /, **changes: Any) -> tuple[JournalEntry, ...]:
    """Return the run's entries, one of them changed."""
    entries = list(run.entries)
    entries[place - 1] = msgspec.structs.replace(entries[place - 1], **changes)
    return tuple(entries)


def test_replay_of_a_finished_run_is_verified() -> None:
    """
    The journal folds to the recorded state hash, and to the stored receipts.
    """
    run = order()
    made = stored(run)

    report = replayed(made, run.program)

    assert report.is_verified, report.findings
    assert ("verified", None) == (report.verdict, report.place)
    assert state_hash(run.state) == report.state_hash == report.recorded_state_hash
    assert (len(run.entries), len(run.facts), 2) == (report.entries, report.facts, report.receipts)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_replay_of_every_situation_is_verified(situation: str) -> None:
    """
    A run that is still under way, or has not begun, agrees too; it has no state hash yet.
    """
    run = SITUATIONS[situation]()

    report = replayed(stored(run), run.program)

    assert report.is_verified, report.findings
    assert run.state.is_terminal is (report.state_hash is not None)


def test_replay_verifies_what_an_actor_seals() -> None:
    """
    The entries that a worker stores, several events in one, verify and fold to the hash that it recorded.
    """
    rehearsal = order()
    made = stored(rehearsal).run
    actor = RunActor.loaded(
        rehearsal.program,
        msgspec.structs.replace(made, entries=(), sequence=0),
        core_policy=rehearsal.policy,
    )
    entries, receipts, last = [], [], None
    for number, event in enumerate(rehearsal.events):
        actor.handle(event, now=instant_of(START_US) + timedelta(minutes=number))
        if number % 3 and not actor.state.is_terminal:
            continue
        last, _ = actor.seal(may_release=True)
        actor.is_sealed = False
        actor.sequence, actor.hash = last.sequence, last.hash
        receipts += last.receipts
        columns = ("sequence", "epoch", "at", "hash", "commitment", "fact_count", "kinds", "payload")
        entries.append(JournalEntry(**{name: getattr(last, name) for name in columns}))
    assert last is not None
    run = msgspec.structs.replace(made, entries=tuple(entries), sequence=last.sequence, hash=last.hash)

    report = replay_run(run, rehearsal.program, recorded_state_hash=last.state_hash, recorded_receipts=receipts)

    assert report.is_verified, report.findings
    assert state_hash(rehearsal.state) == report.state_hash


# --- a changed byte ---------------------------------------------------------------------------------------------------


def flipped(data: bytes, index: int) -> bytes:
    return data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :]


COLUMNS: dict[str, Callable[[JournalEntry], Any]] = {
    "epoch": lambda entry: entry.epoch + 1,
    "at": lambda entry: entry.at + timedelta(microseconds=1),
    "hash": lambda entry: flipped(entry.hash, 31),
    "commitment": lambda entry: flipped(entry.commitment, 0),
    "fact_count": lambda entry: entry.fact_count + 1,
    "kinds": lambda entry: entry.kinds.replace("_", "-", 1),
    "format_version": lambda entry: entry.format_version + 1,
}


@pytest.mark.parametrize("column", COLUMNS)
def test_changed_column_is_reported_with_its_entry(column: str) -> None:
    """
    A change to any column of any entry breaks the chain there.
    """
    rehearsal = order()
    made = stored(rehearsal)
    for entry in made.run.entries:
        entries = with_entry(made.run, entry.sequence, **{column: COLUMNS[column](entry)})

        report = replayed(made, rehearsal.program, entries=entries)

        assert Place(sequence=entry.sequence, part="hash") == report.place
        assert "does not agree" == report.verdict
        assert report.findings[0].startswith(f"entry {entry.sequence}: ")


def test_every_byte_of_hash_and_commitment_counts() -> None:
    """
    No bit of an entry's digests is left out of the check.
    """
    rehearsal = order()
    made = stored(rehearsal)
    for column in ("hash", "commitment"):
        for index in range(32):
            changed = flipped(getattr(made.run.entries[2], column), index)

            report = replayed(made, rehearsal.program, entries=with_entry(made.run, 3, **{column: changed}))

            assert Place(sequence=3, part="hash") == report.place


def test_changed_payload_byte_is_reported_with_its_entry() -> None:
    """
    Whatever byte of a payload is changed, the entry that holds it is named.
    """
    rehearsal = order()
    made = stored(rehearsal)
    sampled = 0
    for entry in made.run.entries:
        assert entry.payload is not None
        for index in range(0, len(entry.payload), PAYLOAD_STRIDE):
            changed = flipped(entry.payload, index)

            report = replayed(made, rehearsal.program, entries=with_entry(made.run, entry.sequence, payload=changed))

            assert Place(sequence=entry.sequence, part="payload") == report.place
            sampled += 1

    assert sampled > 300


@pytest.mark.parametrize("byte", [0, 15, 31])
def test_changed_salt_is_reported_as_the_first_payload(byte: int) -> None:
    """
    Without its salt no payload is what was committed to.
    """
    rehearsal = order()

    report = replayed(stored(rehearsal), rehearsal.program, salt=flipped(SALT, byte))

    assert Place(sequence=1, part="payload") == report.place


def test_payload_without_its_salt_is_reported() -> None:
    """
    Erasing takes both; a salt that is gone alone is damage.
    """
    rehearsal = order()

    report = replayed(stored(rehearsal), rehearsal.program, salt=b"")

    assert Place(sequence=1, part="payload") == report.place


def test_sequence_that_is_changed_missing_or_doubled_is_reported() -> None:
    """
    Entries stand in their order without gaps.
    """
    rehearsal = order()
    made = stored(rehearsal)
    entries = made.run.entries
    cases = {
        3: [
            (*entries[:2], *entries[3:]),
            (*entries[:2], entries[3], entries[2], *entries[4:]),
            with_entry(made.run, 3, sequence=4),
        ],
        2: [(*entries[:2], entries[1], *entries[2:])],
    }
    for sequence, changed in cases.items():
        for damaged in changed:
            report = replayed(made, rehearsal.program, entries=damaged)

            assert Place(sequence=sequence, part="sequence") == report.place


def test_tail_that_was_cut_off_is_reported() -> None:
    """
    A shorter chain is whole in itself; the head, stored elsewhere, says what is missing.
    """
    rehearsal = order()
    made = stored(rehearsal)
    count = len(made.run.entries)

    cut = replayed(made, rehearsal.program, entries=made.run.entries[:-2])
    head = replayed(made, rehearsal.program, hash=flipped(made.run.hash, 5))
    behind = replayed(made, rehearsal.program, sequence=count - 1)

    assert Place(sequence=count - 1, part="head") == cut.place
    assert Place(sequence=count, part="head") == head.place == behind.place


@pytest.mark.parametrize("column", ["tenant_id", "run_id", "definition_digest"])
def test_journal_of_another_run_is_reported(column: str) -> None:
    """
    The chain begins with tenant, run and definition: it belongs nowhere else.
    """
    rehearsal = order()

    report = replayed(stored(rehearsal), rehearsal.program, **{column: "0" * 64})

    assert not report.is_verified
    assert Place(sequence=0 if column == "definition_digest" else 1, part=report.place.part) == report.place


def test_another_definition_is_reported() -> None:
    """
    A run is replayed with the definition that it began with.
    """
    rehearsal = order()

    report = replayed(stored(rehearsal), program_of(define(tool_step("draft"), tool_step("pay"))))

    assert Place(sequence=0, part="definition") == report.place


@pytest.mark.parametrize(
    ("column", "value", "name"),
    [
        ("principal_id", "mallory", "principal"),
        ("policy_digest", Digest("0" * 64), "policy"),
        ("trigger", "shop.paid", "trigger"),
        ("input", b'{"order":"o-2"}', "input"),
        ("input", b"{", "input"),
    ],
)
def test_row_of_the_run_that_differs_from_its_journal_is_reported(column: str, value: object, name: str) -> None:
    """
    What people query of a run is what its first fact says.
    """
    rehearsal = order()

    report = replayed(stored(rehearsal), rehearsal.program, **{column: value})

    assert Place(sequence=1, part="run") == report.place
    assert f"another {name}" in report.findings[0]


# --- a forged chain that is whole in itself ---------------------------------------------------------------------------


def forged(run: LoadedRun, sequence: int, **changes: Any) -> LoadedRun:
    """Return the run with one entry changed and every hash from there on made anew, as an administrator could."""
    previous = genesis_hash(run.tenant_id, run.run_id, run.definition_digest)
    entries = []
    for entry in with_entry(run, sequence, **changes):
        header = EntryHeader(
            format_version=entry.format_version,
            tenant_id=run.tenant_id,
            run_id=run.run_id,
            sequence=entry.sequence,
            epoch=entry.epoch,
            at_us=microseconds_of(entry.at),
            fact_count=entry.fact_count,
            kinds=entry.kinds,
        )
        commits = commitment(run.salt, entry.payload or b"")
        previous = entry_hash(previous, header, commits)
        entries.append(msgspec.structs.replace(entry, hash=previous, commitment=commits))
    return msgspec.structs.replace(run, entries=tuple(entries), hash=previous)


def test_forged_output_is_reported_by_the_state_hash() -> None:
    """
    A journal rewritten with all its hashes still does not fold to the recorded state.
    """
    rehearsal = order()
    made = stored(rehearsal)
    last = made.run.entries[-1]
    payload = (last.payload or b"").replace(b"ch_1", b"ch_2")

    report = replay_run(
        forged(made.run, last.sequence, payload=payload),
        rehearsal.program,
        recorded_state_hash=made.state_hash,
        recorded_receipts=made.receipts,
    )

    assert Place(sequence=last.sequence, part="state_hash") == report.place


@pytest.mark.parametrize(
    ("payload", "part"),
    [
        (b"[", "facts"),
        (b'[{"fact":"step_completed","step":"pay"}]', "kinds"),
        (b'[{"fact":"step_started","step":"draft","arguments":{}}]', "kinds"),
        (b'[{"fact":"run_completed"}]', "kinds"),
    ],
)
def test_facts_that_cannot_have_happened_are_reported(payload: bytes, part: str) -> None:
    """
    Payloads that do not decode, are not what their columns say, or cannot follow, are named by entry.
    """
    rehearsal = order()
    made = stored(rehearsal)

    report = replay_run(
        forged(made.run, 2, payload=payload),
        rehearsal.program,
        recorded_state_hash=made.state_hash,
        recorded_receipts=made.receipts,
    )

    assert Place(sequence=2, part=part) == report.place


def test_impossible_fact_with_fitting_columns_is_reported() -> None:
    """
    Also when its columns were made to fit, a fact that cannot follow is named.
    """
    rehearsal = order()
    made = stored(rehearsal)
    facts = decode_facts(b'[{"fact":"step_completed","step":"pay"}]')
    run = forged(made.run, 2, payload=encode_facts(facts), kinds=kinds_of(facts), fact_count=1)

    report = replay_run(run, rehearsal.program, recorded_state_hash=made.state_hash, recorded_receipts=made.receipts)

    assert Place(sequence=2, part="facts") == report.place


def test_instant_or_epoch_that_goes_back_is_reported() -> None:
    """
    A rewritten entry cannot be dated before, or written under an older claim than, the one before it.
    """
    rehearsal = order()
    made = stored(rehearsal)
    earlier = forged(made.run, 3, at=made.run.created_at - timedelta(seconds=1))
    older = forged(made.run, 3, epoch=0)

    places = [
        replay_run(run, rehearsal.program, recorded_state_hash=made.state_hash, recorded_receipts=made.receipts).place
        for run in (earlier, older)
    ]

    assert [Place(sequence=3, part="instant"), Place(sequence=3, part="epoch")] == places


def test_output_without_a_hash_is_reported() -> None:
    """
    A journal forged to hold what no state can hash is a finding, not a crash.
    """
    rehearsal = Rehearsal.of(define(tool_step("a")))
    rehearsal.send(succeeded(rehearsal.call("a"), {"n": 1}))
    made = stored(rehearsal)
    payload = (made.run.entries[1].payload or b"").replace(b'"n":1', b'"n":9007199254740993')

    report = replay_run(
        forged(made.run, 2, payload=payload),
        rehearsal.program,
        recorded_state_hash=made.state_hash,
        recorded_receipts=made.receipts,
    )

    assert Place(sequence=2, part="state_hash") == report.place


# --- state hash and receipts ------------------------------------------------------------------------------------------


def test_recorded_state_hash_that_differs_is_reported() -> None:
    """
    Both the missing and the wrong hash of an ended run are findings; so is a hash of a run that has not ended.
    """
    rehearsal = order()
    made = stored(rehearsal)
    ended = [
        replay_run(made.run, rehearsal.program, recorded_state_hash=recorded, recorded_receipts=made.receipts)
        for recorded in (None, "0" * 64)
    ]
    waiting = SITUATIONS["asking"]()
    under_way = replay_run(stored(waiting).run, waiting.program, recorded_state_hash="0" * 64, recorded_receipts=())

    assert {"state_hash"} == {report.place.part for report in (*ended, under_way)}
    assert state_hash(rehearsal.state) == ended[0].state_hash
    assert under_way.state_hash is None


@pytest.mark.parametrize(
    "field", [name for name in stored(order()).receipts[0].__struct_fields__ if name != "receipt_id"]
)
def test_receipt_that_differs_is_reported_with_its_entry(field: str) -> None:
    """
    Whatever of a stored receipt was changed, the entry that proves it is named.
    """
    rehearsal = order()
    made = stored(rehearsal)
    value = getattr(made.receipts[1], field)
    changed = value + 1 if isinstance(value, int) else f"{value}x"
    receipts = (made.receipts[0], msgspec.structs.replace(made.receipts[1], **{field: changed}))

    report = replay_run(made.run, rehearsal.program, recorded_state_hash=made.state_hash, recorded_receipts=receipts)

    assert Place(sequence=len(made.run.entries), part="receipt") == report.place
    assert f"another {field}" in report.findings[0]


def test_missing_and_invented_receipts_are_reported() -> None:
    """
    Each proven effect has its receipt, and each receipt its proof.
    """
    rehearsal = order()
    made = stored(rehearsal)
    invented = msgspec.structs.replace(made.receipts[0], receipt_id="rcpt_invented")

    reports = [
        replay_run(made.run, rehearsal.program, recorded_state_hash=made.state_hash, recorded_receipts=receipts)
        for receipts in (made.receipts[1:], (*made.receipts, invented), (*made.receipts, made.receipts[0]))
    ]

    assert [3, 0, 0] == [report.place.sequence for report in reports]
    assert {"receipt"} == {report.place.part for report in reports}


def test_order_of_stored_receipts_does_not_matter() -> None:
    """
    Rows have no order of their own.
    """
    rehearsal = order()
    made = stored(rehearsal)

    report = replay_run(
        made.run, rehearsal.program, recorded_state_hash=made.state_hash, recorded_receipts=made.receipts[::-1]
    )

    assert report.is_verified


# --- erasure ----------------------------------------------------------------------------------------------------------


def test_erased_journal_is_still_verified() -> None:
    """
    When a person was erased, payloads and salt are gone: the chain still verifies, and the report says what is gone.
    """
    rehearsal = order()
    made = stored(rehearsal)
    entries = tuple(msgspec.structs.replace(entry, payload=None) for entry in made.run.entries)

    report = replayed(made, rehearsal.program, entries=entries, salt=b"", input=b"null")

    assert report.is_verified
    assert "verified, payload erased" == report.verdict
    assert (len(entries), 0, None) == (report.erased, report.facts, report.state_hash)


def test_change_in_an_erased_journal_is_reported() -> None:
    """
    What remains after an erasure is protected as before.
    """
    rehearsal = order()
    made = stored(rehearsal)
    erased = msgspec.structs.replace(
        made.run,
        entries=tuple(msgspec.structs.replace(entry, payload=None) for entry in made.run.entries),
        salt=b"",
    )

    report = replayed(made, rehearsal.program, entries=with_entry(erased, 4, kinds="step_skipped"), salt=b"")

    assert Place(sequence=4, part="hash") == report.place


def test_erasure_of_one_payload_leaves_the_others_checked() -> None:
    """
    A single missing payload is no damage; a changed one beside it is.
    """
    rehearsal = order()
    made = stored(rehearsal)
    entries = with_entry(made.run, 2, payload=None)
    damaged = with_entry(msgspec.structs.replace(made.run, entries=entries), 4, payload=b"[]")

    assert "verified, payload erased" == replayed(made, rehearsal.program, entries=entries).verdict
    assert Place(sequence=4, part="payload") == replayed(made, rehearsal.program, entries=damaged).place


def test_cancelled_run_replays() -> None:
    """
    Runs that did not end well are proven like those that did.
    """
    rehearsal = Rehearsal.of(define(tool_step("a", tool=READ_TOOL), tool_step("b", "a")), {"n": 1})
    rehearsal.send(CancelAsked(requested_by="operator"))
    rehearsal.send(succeeded(rehearsal.call("a")))

    report = replayed(stored(rehearsal), rehearsal.program)

    assert report.is_verified, report.findings
    assert isinstance(rehearsal.facts[0], RunStarted)
    assert isinstance(rehearsal.facts[-2], StepCompleted)
