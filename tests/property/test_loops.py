"""Laws of loop detection: it equals the definition of a loop, and costs little."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hypothesis import given
from hypothesis import strategies as st

from remit.governance.loops import PERIOD_MAX, detect_loop

calls = st.lists(st.sampled_from("abc"), max_size=60) | st.builds(
    lambda head, cycle, times, cut: (head + cycle * times)[: len(head) + len(cycle) * times - cut],
    st.lists(st.sampled_from("abc"), max_size=10),
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=10),
    st.integers(1, 12),
    st.integers(0, 2),
)


def naive(fingerprints: list[str], repeats_max: int, period_max: int) -> int | None:
    """Return the shortest period whose sequence ends the calls more than repeats_max times, by comparing copies."""
    for period in range(1, period_max + 1):
        times = repeats_max + 1
        tail = fingerprints[-period * times :]
        if len(tail) == period * times and tail == tail[-period:] * times:
            return period
    return None


@given(calls, st.integers(0, 8), st.integers(1, PERIOD_MAX))
def test_loop_detection_equals_its_definition(fingerprints: list[str], repeats_max: int, period_max: int) -> None:
    """
    A loop is found exactly when the calls end with more than repeats_max copies of one sequence, the shortest first.
    """
    found = detect_loop(fingerprints, repeats_max=repeats_max, period_max=period_max)

    expected = naive(fingerprints, repeats_max, period_max)
    assert expected == (None if found is None else found.period)
    if found is not None:
        assert tuple(fingerprints[-found.period :]) == found.sequence
        assert repeats_max + 1 == found.repeats


class CountingCalls(Sequence[str]):
    """Calls that count how often one is looked at."""

    def __init__(self, fingerprints: list[str]) -> None:
        self.fingerprints = fingerprints
        self.read_count = 0

    def __len__(self) -> int:
        return len(self.fingerprints)

    def __getitem__(self, index: int) -> str:  # type: ignore[override]
        self.read_count += 1
        return self.fingerprints[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self.fingerprints)


@given(calls, st.integers(1, 32))
def test_loop_detection_looks_at_few_calls(fingerprints: list[str], repeats_max: int) -> None:
    """
    The cost depends on the longest period and the allowed repeats, not on how many calls the run made.
    """
    counting = CountingCalls([f"other-{number}" for number in range(10_000)] + fingerprints)

    detect_loop(counting, repeats_max=repeats_max)

    assert counting.read_count <= 2 * repeats_max * PERIOD_MAX * (PERIOD_MAX + 1)


def test_calls_that_differ_cost_two_looks_for_each_period() -> None:
    """
    Calls that do not repeat, the usual case, are told apart at the first comparison.
    """
    counting = CountingCalls([f"call-{number}" for number in range(500)])

    assert detect_loop(counting, repeats_max=10) is None
    assert 2 * PERIOD_MAX == counting.read_count
