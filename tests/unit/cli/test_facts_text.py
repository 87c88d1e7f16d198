"""Every fact has its line."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from remit.cli.facts_text import line_of
from remit.core.definition import Bounds
from remit.core.facts import Fact, OutboxMessage, StepCompleted

KINDS = get_args(Fact)
SAMPLES: dict[str, Any] = {
    "bounds": Bounds(),
    "arguments": msgspec.Raw(b"{}"),
    "outcome": "happened",
    "source": "signal",
}


def sample(kind: type[Any]) -> Fact:
    """Return a fact of a kind with something in each required field."""
    fields = msgspec.structs.fields(kind)
    required = [field for field in fields if field.required]
    values = {field.name: SAMPLES.get(field.name, 1 if field.type is int else "word") for field in required}
    fact: Fact = kind(**values)
    return fact


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_fact_has_a_line(kind: type[Any]) -> None:
    """
    A line names the step or the run, says in a word what happened, and gives details on one line.
    """
    subject, word, details = line_of(sample(kind))

    assert subject in {"word", "run"}
    assert word.isalpha()
    assert "\n" not in details


def test_adopted_outcome_says_that_nothing_was_done_again() -> None:
    """
    A step that took the outcome of a finished duplicate names its receipt.
    """
    _, _, details = line_of(StepCompleted(step="a", adopted_from="rcpt_0123456789"))

    assert "01234567" in details
    assert "not done again" in details


def test_completed_step_says_what_it_published() -> None:
    """
    Each topic once; a step that publishes nothing says nothing of it.
    """
    messages = tuple(OutboxMessage(topic=topic) for topic in ("orders.paid", "orders.paid", "orders.sent"))

    assert ("a", "completed", "published orders.paid, orders.sent") == line_of(StepCompleted(step="a", outbox=messages))
    assert ("a", "completed", "") == line_of(StepCompleted(step="a"))
