"""Readers of plans never raise, and never take long; the campaign `plans` tries fifty times as many documents."""

from __future__ import annotations

import pytest

from remit.plans.formats import FRONTS, read_plan
from remit.plans.options import PlanOptions
from remit.plans.plan import PlanFormat
from tests.plans.fuzzing import CPU_SECONDS_MAX, document, fuzz
from tests.plans.generated import of_size
from tests.processor import least_seconds

SEED = 20261129
COUNT = 2_000

SMALL_BYTES = 30_000
GROWTH = 16
"""So much larger is the large document: quadratic work takes 256 times as long, linear work 16 times."""

GROWTH_SECONDS_MAX = 64


@pytest.mark.slow
@pytest.mark.parametrize("name", FRONTS)
def test_mutated_documents_only_yield_findings(name: PlanFormat) -> None:
    """
    Two thousand mutated documents of each format are read without an exception, each within 250 ms of processor.
    """
    tried = {index: fuzz(name, document(name, seed=SEED, index=index)) for index in range(COUNT)}

    assert {} == {index: one.failure for index, one in tried.items() if one.failure}
    assert {} == {index: one.seconds for index, one in tried.items() if one.seconds > CPU_SECONDS_MAX}


@pytest.mark.slow
@pytest.mark.parametrize("name", FRONTS)
def test_reading_time_grows_with_the_text(name: PlanFormat) -> None:
    """
    Sixteen times the text takes nowhere near 256 times the processor, in each format, analysis and checks included.
    """
    small = reading_seconds(name, SMALL_BYTES, rounds=3)
    large = reading_seconds(name, SMALL_BYTES * GROWTH, rounds=2)

    assert large / small < GROWTH_SECONDS_MAX


def reading_seconds(name: PlanFormat, size: int, *, rounds: int) -> float:
    raw = of_size(name, size)

    def read() -> None:
        reading = read_plan(raw, path="plan", options=PlanOptions(format=name))
        assert reading.plan is not None
        assert reading.plan.tasks

    return least_seconds(read, rounds=rounds)
