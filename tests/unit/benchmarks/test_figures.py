"""The arithmetic between what engines answer and what is reported."""

import pytest

from benchmarks.peers.contestants import BY_NAME
from benchmarks.peers.figures import (
    Turn,
    costs_per_step,
    latencies,
    quantile,
    rounded,
    spread,
    steps_per_second,
    summarise,
)


def w1(*passes: float, steps: int = 2_000) -> dict[str, object]:
    costs = {"client_cpu_seconds": 0.2, "server_cpu_seconds": 0.1, "transactions": 40, "wal_bytes": 1_000_000}
    shares = {"others_share": 0.02, "stolen_share": 0.0}
    return {"passes": list(passes), "steps": steps * len(passes), "lap_seconds": [0.01, 0.02], **costs, **shares}


def turn(number: int, seconds: float) -> Turn:
    works = {
        "w1": w1(seconds),
        "w2": {"run_seconds": [0.01, 0.03], "steps": 20},
        "w3": {"seconds": 0.25, "steps": 500},
        "w4": {"start_seconds": [0.002, 0.004], "steps": 2},
    }
    sweep = {1: w1(2.0), 256: w1(0.5)}
    return Turn(
        contestant="remit", number=number, loadavg=0.1, works=works, sweep=sweep, resident_mib=80, checked_runs=7
    )


def test_rate_is_that_of_the_median_pass() -> None:
    """
    One slow pass among three does not move the rate, and neither does one quick one.
    """
    assert 1_000 == steps_per_second(w1(2.0, 10.0, 1.0))


@pytest.mark.parametrize(("part", "expected"), [(0.0, 1.0), (0.25, 2.0), (0.5, 3.0), (0.875, 4.5), (1.0, 5.0)])
def test_quantile_lies_between_neighbours_in_proportion(part: float, expected: float) -> None:
    """
    A quantile of ordered samples is one of them, or as far between two as its part says.
    """
    assert expected == quantile([1.0, 2.0, 3.0, 4.0, 5.0], part)


def test_latencies_take_the_median_of_rounds_and_quantiles_of_all_samples() -> None:
    """
    The figure is the median of the rounds' medians; the distribution is that of every sample.
    """
    figures = latencies([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 90.0]])

    assert (5.0, 2.0, 8.0) == (figures["median"], figures["min"], figures["max"])
    assert (1.0, 90.0, 9) == (figures["quantiles"]["0"], figures["quantiles"]["1"], figures["samples"])


def test_spread_keeps_four_digits() -> None:
    """
    Figures are written with as many digits as they mean, the rounds in the order in which they were measured.
    """
    assert {"median": 1235.0, "min": 1.0, "max": 99990.0, "rounds": [99990.0, 1.0, 1235.0]} == spread(
        [99_991, 1, 1_234.56]
    )
    assert 0.001235 == rounded(0.00123456)


def test_costs_are_per_step() -> None:
    """
    CPU is counted in microseconds of each side for one step; transactions and bytes for one step as well.
    """
    costs = costs_per_step([w1(1.0)])

    assert (100.0, 50.0) == (costs["client_cpu_us"]["median"], costs["server_cpu_us"]["median"])
    assert (0.02, 500.0) == (costs["transactions"]["median"], costs["wal_bytes"]["median"])


def test_summary_has_every_figure_of_an_engine() -> None:
    """
    Medians are taken over the rounds that succeeded; a step alone is a tenth of its run of ten.
    """
    turns = [turn(0, 1.0), turn(1, 4.0), turn(2, 2.0)]

    (engine,) = summarise([BY_NAME["remit"]], turns)["engines"]

    assert 1_000 == engine["w1_steps_per_second"]["median"]
    assert 2.0 == engine["w2_step_ms"]["median"]
    assert 2_000 == engine["w3_steps_per_second"]["median"]
    assert 3.0 == engine["w4_start_ms"]["median"]
    assert {"1", "256"} == set(engine["steps_per_second_by_in_flight"])
    assert 21 == engine["runs_checked"]


def test_failed_turns_are_told_and_not_counted() -> None:
    """
    A round in which an engine failed is no figure of it; an engine that never succeeded has none at all.
    """
    failed = Turn(contestant="remit", number=0, loadavg=0.1, failure="RuntimeError: it ended")

    (once,) = summarise([BY_NAME["remit"]], [failed, turn(1, 2.0)])["engines"]
    (never,) = summarise([BY_NAME["remit"]], [failed])["engines"]

    assert [1_000] == once["w1_steps_per_second"]["rounds"]
    assert ["RuntimeError: it ended"] == once["failures"] == never["failures"]
    assert "w1_steps_per_second" not in never
