"""From the figures of the reports to the page's pictures.

Owns: which figures are drawn, in which order, and how a figure is written. Does not know: how pictures are made.
"""

from __future__ import annotations

from typing import Any, Final

from benchmarks import plots

REFERENCES: Final = frozenset({"floor", "bare"})
"""What is measured beside the engines to compare with, and is none."""
HISTORY_BAND: Final = 0.15
"""How far from that of an empty database the throughput beside a history may be."""
TWO_WORKERS_MIN: Final = 0.9
"""How many of one worker's steps two workers make at least."""
RESIDENT_MIB_MAX: Final = 300

Figures = dict[str, Any]


def measured(peers: Figures) -> list[Figures]:
    """Return the engines that have figures."""
    return [engine for engine in peers.get("engines", []) if "w1_steps_per_second" in engine]


def number(value: float) -> str:
    """Return a figure with the digits that mean something."""
    if value >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}" if value >= 1 else f"{value:.2g}"


def by_number(figures: Figures) -> list[tuple[str, Any]]:
    """Return figures in the order of what their names count."""
    return sorted(figures.items(), key=lambda item: float(item[0]))


def pictures(peers: Figures, wide: Figures) -> dict[str, str]:
    """Return the text of each picture by its name."""
    drawn: dict[str, str] = {}
    engines = measured(peers)
    if engines:
        drawn |= _peer_pictures(sorted(engines, key=lambda engine: -engine["w1_steps_per_second"]["median"]))
    rows = _condition_rows(wide)
    if rows:
        drawn["conditions"] = plots.ratios(rows, title="What could slow Remit down", band=HISTORY_BAND)
    return drawn


def _peer_pictures(engines: list[Figures]) -> dict[str, str]:
    durable = [engine for engine in engines if engine["name"] not in REFERENCES]
    return {
        "w1": plots.dots(
            [_dot(engine) for engine in engines], title="200 runs of ten steps, 64 in flight", unit="steps per second"
        ),
        "in-flight": plots.lines(
            [_line(engine) for engine in engines],
            title="Steps per second by runs in flight",
            x_label="runs in flight, logarithmic",
            y_label="steps per second, logarithmic",
        ),
        "latency": plots.spans(
            {
                "a step of one run alone": [_span(engine, "w2_step_ms") for engine in durable],
                "from submission to the first step, idle": [_span(engine, "w4_start_ms") for engine in durable],
            },
            title="Latency: median, middle half, and p5 to p99",
            unit="ms, logarithmic",
        ),
        "cost": plots.stacked(
            [
                (
                    engine["title"],
                    engine["cost_per_step"]["client_cpu_us"]["median"],
                    engine["cost_per_step"]["server_cpu_us"]["median"],
                )
                for engine in sorted(engines, key=_cpu)
            ],
            title="CPU time per step, 64 runs in flight",
            unit="µs per step",
            parts=("client and engine", "database or server"),
        ),
    }


def _cpu(engine: Figures) -> float:
    cost = engine["cost_per_step"]
    total: float = cost["client_cpu_us"]["median"] + cost["server_cpu_us"]["median"]
    return total


def _dot(engine: Figures) -> plots.Dot:
    rate = engine["w1_steps_per_second"]
    text = number(rate["median"])
    return plots.Dot(
        name=engine["name"], label=engine["title"], value=rate["median"], low=rate["min"], high=rate["max"], text=text
    )


def _line(engine: Figures) -> plots.Line:
    rates = {**engine["steps_per_second_by_in_flight"], "64": engine["w1_steps_per_second"]}
    points = [(float(in_flight), rate["median"]) for in_flight, rate in by_number(rates)]
    return plots.Line(name=engine["name"], label=engine["title"], points=points)


def _span(engine: Figures, key: str) -> plots.Span:
    return plots.Span(name=engine["name"], label=engine["title"], quantiles=engine[key]["quantiles"])


def _condition_rows(wide: Figures) -> list[tuple[str, float]]:
    rows = []
    if "history" in wide:
        rows.append(("a million past runs, not none", wide["history"]["ratios"]["w1_steps_per_second"]))
    if "tenants" in wide:
        rows.append(("a hundred tenants, not one", wide["tenants"]["ratio"]))
    if "tables" in wide:
        rows.append(("grown tables, never analysed", wide["tables"]["ratios"]["grown"]))
        rows.append(("grown tables, analysed", wide["tables"]["ratios"]["analysed"]))
    if "workers" in wide:
        rows += [(f"{count} workers, not one", wide["workers"]["ratios"][count]) for count in ("2", "4")]
    return rows
