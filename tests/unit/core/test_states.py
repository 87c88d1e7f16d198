"""The transition tables are complete, closed, and what evolve holds every journal to."""

import itertools
from enum import StrEnum

import pytest

from remit.core.states import (
    APPROVAL_TRANSITIONS,
    OUTBOX_TRANSITIONS,
    RUN_TERMINAL,
    RUN_TRANSITIONS,
    STEP_SATISFIED,
    STEP_TERMINAL,
    STEP_TRANSITIONS,
    ApprovalStatus,
    OutboxStatus,
    RunStatus,
    StepStatus,
)

TABLES = {
    "run": (RunStatus, RUN_TRANSITIONS, RUN_TERMINAL),
    "step": (StepStatus, STEP_TRANSITIONS, STEP_TERMINAL),
    "approval": (ApprovalStatus, APPROVAL_TRANSITIONS, frozenset(ApprovalStatus) - {ApprovalStatus.PENDING}),
    "outbox": (OutboxStatus, OUTBOX_TRANSITIONS, frozenset({OutboxStatus.DELIVERED})),
}
Table = tuple[type[StrEnum], dict[StrEnum, frozenset[StrEnum]], frozenset[StrEnum]]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_table_names_every_state(table: Table) -> None:
    """
    Each state has its row, also those that lead nowhere.
    """
    states, transitions, _ = table

    assert set(states) == set(transitions)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_table_reaches_every_state(table: Table) -> None:
    """
    Every state can be reached from `pending`.
    """
    states, transitions, _ = table
    reached = {states("pending")}
    for _step in states:
        reached |= {target for source in reached for target in transitions[source]}

    assert set(states) == reached


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_terminal_states_lead_nowhere_but_to_compensation(table: Table) -> None:
    """
    Terminal states absorb; only a completed step can still be compensated.
    """
    _, transitions, terminal = table
    ways_out = {(source, target) for source in terminal for target in transitions[source]}

    assert ways_out <= {(StepStatus.COMPLETED, StepStatus.COMPENSATED)}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_other_state_can_reach_a_terminal_one(table: Table) -> None:
    """
    There is no state that a run, step, approval or outbox message could be stuck in.
    """
    states, transitions, terminal = table
    ending = set(terminal)
    for _step in states:
        ending |= {source for source, targets in transitions.items() if targets & ending}

    assert set(states) == ending


def test_satisfied_steps_are_finished() -> None:
    """
    A dependency is satisfied by a step that will not change any more.
    """
    assert STEP_SATISFIED < STEP_TERMINAL


def test_tables_say_no_more_than_is_written_here() -> None:
    """
    Every pair of states is either named here as legal or illegal: a new transition is a decision, not an accident.
    """
    pending, running, waiting, checkpoint = "pending", "running", "waiting", "checkpoint"
    ends = {"completed", "failed", "aborted", "cancelled"}
    legal_runs = {
        *itertools.product([pending], {running, waiting, "completed", "failed", "cancelled"}),
        *itertools.product([running], {waiting, checkpoint} | ends),
        *itertools.product([waiting], {running, checkpoint} | ends),
        *itertools.product([checkpoint], {running, waiting} | ends - {"failed"}),
    }
    legal_steps = {
        *itertools.product([pending, "ready"], {running, waiting, "skipped", "failed"}),
        *itertools.product([running], {running, waiting, "completed", "failed", "unknown", "ready"}),
        *itertools.product([waiting], {running, "completed", "failed", "skipped", "unknown"}),
        *itertools.product(["unknown"], {running, "completed", "failed"}),
        ("completed", "compensated"),
    }

    assert legal_runs == pairs(RUN_TRANSITIONS)
    assert legal_steps == pairs(STEP_TRANSITIONS)
    assert set(itertools.product([pending], {"approved", "denied", "expired", "withdrawn"})) == pairs(
        APPROVAL_TRANSITIONS
    )
    assert {(pending, "delivered"), (pending, "dead"), ("dead", pending)} == pairs(OUTBOX_TRANSITIONS)


def pairs(transitions: dict[StrEnum, frozenset[StrEnum]]) -> set[tuple[str, str]]:
    return {(source.value, target.value) for source, targets in transitions.items() for target in targets}
