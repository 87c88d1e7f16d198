"""Facts, events and commands are closed unions, and a journal entry reads back as what was written."""

from typing import get_args

import msgspec
import pytest

from remit.core import commands, decide, events, evolve, facts
from remit.core.definition import Bounds
from remit.core.facts import Fact, OutboxMessage, Receipt, StepCompleted, StepStarted, Usage, decode_facts, encode_facts
from remit.core.state import RunState, project_state, state_hash
from remit.errors import JournalCorruptError
from tests.unit.core.situations import SITUATIONS, facts_for

RECEIPT = Receipt(
    receipt_id="rcpt_1",
    tool="pay",
    tool_version="1",
    side_effect_level="FINANCIAL",
    delivery_class="keyed",
    idempotency_key="k",
    arguments_digest="a",
    result_digest="r",
    external_key="remit:1",
    external_reference="ch_1",
    amount_minor=-5,
    currency="EUR",
    approval_id="approval-1",
)
EVERY_FACT = list(facts_for(SITUATIONS["asking"]()).values())
FULL = [
    StepCompleted(
        step="a",
        attempt=3,
        output={"text": "ü\u2028\U0001f600", "numbers": [0, -1, 2**53 - 1, 1.5, 1e-7], "none": None, "deep": [[[{}]]]},
        checks="resolve contract",
        policy_digest="p",
        usage=Usage(tokens=1, cost_usd_micros=2, duration_ms=3),
        receipt=RECEIPT,
        adopted_from="rcpt_0",
        message_id="m",
        outbox=(
            OutboxMessage(topic="orders.paid", body={"order": 7}, key="7", destinations=("warehouse",)),
            OutboxMessage(topic="orders.paid"),
        ),
    ),
    facts.RunStarted(
        definition_digest="d",
        policy_digest="p",
        principal_id="x",
        input={"a": [1]},
        bounds=Bounds(tool_calls_max_by_tool={"pay": 1}),
        trigger="shop.paid",
    ),
]


def test_builders_know_every_fact() -> None:
    """
    The lists of this suite have an instance of each fact of the union, so nothing below is left out.
    """
    assert set(get_args(Fact)) == {type(fact) for fact in EVERY_FACT}


@pytest.mark.parametrize(
    "fact", EVERY_FACT + FULL, ids=[f"{type(fact).__name__}-{index}" for index, fact in enumerate(EVERY_FACT + FULL)]
)
def test_fact_reads_back_as_written(fact: Fact) -> None:
    """
    Encoding and decoding gives an equal fact, and the same bytes again.
    """
    payload = encode_facts([fact])

    assert [comparable(fact)] == [comparable(read) for read in decode_facts(payload)]
    assert payload == encode_facts(decode_facts(payload))


def comparable(fact: Fact) -> Fact:
    """Return a fact whose arguments are bytes: a raw buffer equals nothing but itself."""
    if isinstance(fact, StepStarted):
        return msgspec.structs.replace(fact, arguments=bytes(fact.arguments))
    return fact


def test_several_facts_keep_their_order() -> None:
    """
    An entry is a list: what was decided first is read first.
    """
    assert [type(fact) for fact in EVERY_FACT] == [type(fact) for fact in decode_facts(encode_facts(EVERY_FACT))]


def test_empty_entry_reads_back() -> None:
    """
    An entry may hold no facts at all: then only messages were consumed with it.
    """
    assert [] == decode_facts(encode_facts([]))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b'[{"fact":"step_exploded","step":"a"}]',
        b'[{"step":"a"}]',
        b'[{"fact":"step_skipped"}]',
        b'[{"fact":"step_skipped","step":1}]',
        b'[{"fact":"step_skipped","step":"a"}',
        b'[{"fact":"step_skipped","step":"\xff"}]',
        b'[{"fact":"run_completed","output":1e999}]',
        b'[{"fact":"run_completed","output":' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
        b'[{"fact":"effect_settled","step":"a","slot":1,"outcome":"perhaps","decided_by":"x"}]',
    ],
)
def test_payload_that_is_no_list_of_facts_is_refused(payload: bytes) -> None:
    """
    Nothing is revived from bytes that are not exactly the facts that this version knows.
    """
    with pytest.raises(JournalCorruptError):
        decode_facts(payload)


def test_tags_are_distinct_and_in_the_past_tense() -> None:
    """
    Each fact has a tag of its own: its name in snake case.
    """
    tags = {kind.__struct_config__.tag: kind.__name__ for kind in get_args(Fact)}

    assert len(get_args(Fact)) == len(tags)
    assert all(tag.replace("_", "") == name.lower() for tag, name in tags.items())


def test_every_fact_can_be_folded() -> None:
    """
    evolve's table has each fact of the union and nothing else.
    """
    assert set(get_args(Fact)) == set(evolve._APPLY)


def test_every_fact_about_a_step_says_what_it_resolves() -> None:
    """
    evolve knows, for each fact that names a step, what must be open for it; the others concern the run.
    """
    of_the_run = {kind for kind in get_args(Fact) if kind.__name__.startswith("Run")}
    without_step = of_the_run | {facts.MessageReceived, facts.CancelRequested}

    assert set(get_args(Fact)) - without_step == set(evolve._RESOLVES)


def test_every_event_can_be_decided() -> None:
    """
    decide's table has each event of the union and nothing else.
    """
    assert set(get_args(events.Event)) == set(decide._HANDLERS)


def test_every_command_is_opened_in_some_situation() -> None:
    """
    The situations that this suite tests cover each command of the union.
    """
    opened = {type(command) for make in SITUATIONS.values() for command in make().open}

    assert set(get_args(commands.Command)) == opened


@pytest.mark.parametrize("situation", SITUATIONS)
def test_journal_read_back_folds_to_the_same_state(situation: str) -> None:
    """
    A state folded from stored payloads equals the live one, hash and commands.
    """
    live = SITUATIONS[situation]()
    start = RunState(live.program, tenant_id=live.state.tenant_id, run_id=live.state.run_id)

    replayed = evolve.evolve_many(start, [fact for entry in live.entries for fact in decode_facts(encode_facts(entry))])

    assert project_state(live.state) == project_state(replayed)
    assert state_hash(live.state) == state_hash(replayed)
    assert list(live.state.open.values()) == list(replayed.open.values())
