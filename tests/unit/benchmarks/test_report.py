"""The performance page: it says what the figures say, and the one in the repository is what they yield."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report import FOLDER, render, render_page
from benchmarks.wide import broken_bounds

SPREAD = {"median": 100.0, "min": 90.0, "max": 110.0, "rounds": [90.0, 100.0, 110.0]}
QUANTILES = {
    part: 1.0 + index
    for index, part in enumerate(("0", "0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95", "0.99", "1"))
}
LATENCIES = {**SPREAD, "samples": 9, "quantiles": QUANTILES}
COSTS = dict.fromkeys(("client_cpu_us", "server_cpu_us", "transactions", "wal_bytes"), SPREAD)


def engine(name: str, title: str, *, rate: float) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "guarantee": "something",
        "versions": {name: "1.2.3"},
        "failures": [],
        "w1_steps_per_second": {**SPREAD, "median": rate},
        "w2_step_ms": LATENCIES,
        "w3_steps_per_second": SPREAD,
        "w4_start_ms": LATENCIES,
        "steps_per_second_by_in_flight": {"1": SPREAD, "256": SPREAD},
        "cost_per_step": {**COSTS, "rows": 4.5, "fsyncs": 0.03},
        "resident_mib": 70,
        "runs_checked": 1_000,
    }


def peers(*, rate: float = 6_000.0) -> dict[str, Any]:
    return {
        "engines": [
            engine("remit", "Remit", rate=rate),
            engine("absurd", "Absurd", rate=1_500),
            {"name": "dbos", "title": "DBOS", "guarantee": "a row", "versions": {}, "failures": ["it ended"]},
        ],
        "noise": [{"others_share": 0.01, "stolen_share": 0.0}, {"others_share": 0.03, "stolen_share": 0.002}],
        "rounds": 3,
        "scale": 1.0,
        "started": "2026-11-29T06:35:00+00:00",
        "duration_seconds": 600,
    }


def wide(*, two_workers: float = 1.1, history: float = 0.97) -> dict[str, Any]:
    variants = {name: {"w1_steps_per_second": SPREAD, "w2_step_ms": SPREAD} for name in ("empty", "full")}
    return {
        "workers": {
            "runs": 600,
            "steps_per_second": {"1": SPREAD, "2": SPREAD},
            "ratios": {"1": 1.0, "2": two_workers, "4": 1.0},
            "cost_per_step": {"1": COSTS, "2": COSTS},
        },
        "history": {
            "finished_runs": 1_000_000,
            "waiting_runs": 100_000,
            "rows": 12_600_000,
            "database_gib": 4.4,
            "variants": variants,
            "ratios": {"w1_steps_per_second": history},
            "worker_resident_mib": 90,
        },
    }


def page(folder: Path, **files: dict[str, Any]) -> str:
    """Return the page of these figures."""
    for name, figures in files.items():
        (folder / f"{name.replace('_', '-')}.json").write_text(json.dumps(figures), encoding="utf-8")
    return render_page(folder)


def test_page_in_the_repository_is_what_the_figures_yield() -> None:
    """
    Nobody edited the page or a plot, and nobody measured without writing them anew: run `make bench-page`.
    """
    files = render(FOLDER)

    stale = [name for name, text in files.items() if (FOLDER / name).read_text(encoding="utf-8") != text]
    forgotten = {path.name for path in (FOLDER / "plots").glob("*")} - {Path(name).name for name in files}

    assert [] == stale
    assert set() == forgotten


def test_page_says_the_same_of_the_same_figures(tmp_path: Path) -> None:
    """
    Rendering twice gives the same bytes: no date, no random id. Plots can be searched, and read in the dark.
    """
    page(tmp_path, bench_peers=peers(), bench_wide=wide())

    first = render(tmp_path)

    assert first == render(tmp_path)
    plots = {name: text for name, text in first.items() if name.endswith(".svg")}
    assert {"w1", "in-flight", "latency", "cost", "conditions"} == {Path(name).stem for name in plots}
    assert [] == [name for name, text in plots.items() if not is_good_plot(text)]
    assert "Absurd" in plots["plots/w1.svg"]


def is_good_plot(text: str) -> bool:
    """Whether a plot is small, has text that can be searched, and takes ink and paper from the reader's scheme."""
    follows = "prefers-color-scheme:dark" in text and "var(--ink)" in text
    return len(text) < 40_000 and "<text" in text and follows


def test_page_begins_with_the_comparison(tmp_path: Path) -> None:
    """
    The first paragraph has Remit's rate and how far the fastest peer is from it.
    """
    text = page(tmp_path, bench_peers=peers(rate=6_000))

    assert "makes **6,000 durable steps a second**" in text
    assert "Absurd, makes 1,500 (4.0 times fewer)" in text
    assert "| Absurd | 4 |" in text


def test_page_tells_when_a_peer_is_faster(tmp_path: Path) -> None:
    """
    A comparison that Remit loses is written as one.
    """
    text = page(tmp_path, bench_peers=peers(rate=750))

    assert "Absurd, makes 1,500 (2.0 times as many)" in text
    assert "| Absurd | 0.5 |" in text


def test_page_names_engines_that_did_not_run(tmp_path: Path) -> None:
    """
    An engine without figures is not left out silently.
    """
    assert "Not measured, because they did not run here: DBOS." in page(tmp_path, bench_peers=peers())


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (wide(two_workers=0.95), "at least 0.9 of them holds"),
        (wide(two_workers=0.89), "at least 0.9 of them **does not hold**"),
        (wide(history=0.86), "(within ±15%)"),
        (wide(history=0.84), "(**not within** ±15%)"),
    ],
    ids=["two-workers-hold", "two-workers-fail", "history-holds", "history-fails"],
)
def test_page_judges_figures_by_their_bounds(tmp_path: Path, figures: dict[str, Any], words: str) -> None:
    """
    What the issue promises is compared with what was measured, and a promise that is not kept stands in bold.
    """
    assert words in page(tmp_path, bench_wide=figures)


@pytest.mark.parametrize(
    ("changes", "count"),
    [({}, 0), ({"two_workers": 0.89}, 1), ({"history": 1.16}, 1), ({"history": 0.84, "two_workers": 0.5}, 2)],
    ids=["all-hold", "two-workers", "history", "both"],
)
def test_bench_fails_by_its_bounds(changes: dict[str, float], count: int) -> None:
    """
    The command that measures ends with an error for each promise that its figures break.
    """
    report = wide(**changes)

    assert count == len(broken_bounds(report))
    report["history"]["worker_resident_mib"] = 300
    assert count + 1 == len(broken_bounds(report))


def test_page_marks_figures_of_a_trial(tmp_path: Path) -> None:
    """
    Figures that were not measured at the full numbers say so.
    """
    assert "a trial" in page(tmp_path, bench_peers={**peers(), "scale": 0.2})
