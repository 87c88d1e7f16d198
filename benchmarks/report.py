"""``make bench-page``: the performance page and its plots, from the figures that were measured.

    python -m benchmarks.report [--folder docs/assurance] [--check]

Owns: which figures are shown and in which words. Nothing on the page is typed in by hand: what the JSON files do not
hold is not shown. Does not know: how anything is measured.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks import method
from benchmarks.pictures import (
    HISTORY_BAND,
    REFERENCES,
    RESIDENT_MIB_MAX,
    TWO_WORKERS_MIN,
    Figures,
    by_number,
    measured,
    number,
    pictures,
)
from benchmarks.run import TARGETS, holds

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "assurance"
PAGE: Final = "performance.md"
PICTURES: Final = "plots"


def render(folder: Path) -> dict[str, str]:
    """Return every file of the page by its path below the folder."""
    drawn = pictures(_read(folder / "bench-peers.json"), _read(folder / "bench-wide.json"))
    return {PAGE: render_page(folder), **{f"{PICTURES}/{name}.svg": text for name, text in drawn.items()}}


def render_page(folder: Path) -> str:
    """Return the page's text, which shows what the folder's figures hold and nothing else."""
    budget, peers, wide = (_read(folder / f"{name}.json") for name in ("bench", "bench-peers", "bench-wide"))
    parts = [
        "# Performance",
        "<!-- Written by `make bench-page` from bench.json, bench-peers.json and bench-wide.json: do not edit. -->",
        _summary(peers),
        *_peers_part(peers),
        *_budget_part(budget),
        *_wide_part(wide),
        *method.sections(peers, wide),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _read(path: Path) -> Figures:
    figures: Figures = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return figures


# --- beside peers -----------------------------------------------------------------------------------------------------


def _engine(peers: Figures, name: str) -> Figures | None:
    return next((engine for engine in measured(peers) if engine["name"] == name), None)


def _summary(peers: Figures) -> str:
    remit, floor = _engine(peers, "remit"), _engine(peers, "floor")
    others = [engine for engine in measured(peers) if engine["name"] not in {"remit", *REFERENCES}]
    if remit is None or not others:
        return ""
    rate = remit["w1_steps_per_second"]["median"]
    fastest = max(others, key=lambda engine: engine["w1_steps_per_second"]["median"])
    times = rate / fastest["w1_steps_per_second"]["median"]
    compared = f"{times:.1f} times fewer" if times >= 1 else f"{1 / times:.1f} times as many"
    share = "" if floor is None else f", {rate / floor['w1_steps_per_second']['median']:.0%} of its own floor"
    return (
        f"With 64 runs in flight Remit makes **{number(rate)} durable steps a second**{share}; the fastest of the "
        f"peers "
        f"measured beside it, {fastest['title']}, makes {number(fastest['w1_steps_per_second']['median'])} "
        f"({compared}). Two cores hold client, engine and database together, and the disk is really "
        "asked to keep what it is told: these are figures for comparing, not the most that a larger machine could do."
    )


PEER_ROWS: Final[Sequence[tuple[str, str, Sequence[str]]]] = (
    ("many runs at once (W1), steps per second", "more", ("w1_steps_per_second",)),
    ("one run alone (W2), ms per step", "less", ("w2_step_ms",)),
    ("one wide run (W3), steps per second", "more", ("w3_steps_per_second",)),
    ("idle to the first step (W4), ms", "less", ("w4_start_ms",)),
    ("client CPU, µs per step of W1", "less", ("cost_per_step", "client_cpu_us")),
    ("server CPU, µs per step of W1", "less", ("cost_per_step", "server_cpu_us")),
    ("writing transactions per step of W1", "less", ("cost_per_step", "transactions")),
    ("log fsyncs per step of W1", "less", ("cost_per_step", "fsyncs")),
    ("rows written per step of W1", "less", ("cost_per_step", "rows")),
    ("bytes of log per step of W1", "less", ("cost_per_step", "wal_bytes")),
    ("memory of the client, MiB", "less", ("resident_mib",)),
)
NOT_FOR_RESTATE: Final = frozenset({"transactions", "fsyncs", "rows", "wal_bytes"})


def _peers_part(peers: Figures) -> list[str]:
    engines = measured(peers)
    if not engines:
        return []
    header = ["", *(engine["title"] for engine in engines)]
    rows = [[label, *(_peer_cell(engine, path) for engine in engines)] for label, _, path in PEER_ROWS]
    checked = sum(engine["runs_checked"] for engine in engines)
    missing = [engine["title"] for engine in peers["engines"] if engine not in engines]
    return [
        "## Beside its peers",
        f"Medians of {peers['rounds']} alternating rounds, the lowest and highest in brackets. The result of every one "
        f"of {checked:,} runs was compared with what it had to be."
        + (f" Not measured, because they did not run here: {', '.join(missing)}." if missing else ""),
        _table(header, rows),
        (
            "*floor* is what Remit's own rows cost when a bare loop sends them through its append function; *bare "
            "asyncpg* is "
            "one small row a step that nothing could be recovered from. [What each engine promises in this "
            "mode](#what-differs) is part of the comparison."
        ),
        _picture("w1", "Steps per second of each engine with 64 runs in flight"),
        _picture("in-flight", "Steps per second by runs in flight, for each engine"),
        _picture("latency", "Time of a step and time to the first step, as distributions, for each engine"),
        _picture("cost", "CPU time per step, client and server, for each engine"),
        "### Ratios",
        _ratio_table(peers),
    ]


def _peer_cell(engine: Figures, path: Sequence[str]) -> str:
    if engine["name"] == "restate" and path[-1] in NOT_FOR_RESTATE:
        return "–"
    value: Any = engine
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return _cell(value)


def _ratio_table(peers: Figures) -> str:
    remit = _engine(peers, "remit")
    if remit is None:
        return ""
    rows = []
    for engine in measured(peers):
        if engine is remit:
            continue
        cells = [engine["title"]]
        for key, sense in (
            ("w1_steps_per_second", "more"),
            ("w2_step_ms", "less"),
            ("w3_steps_per_second", "more"),
            ("w4_start_ms", "less"),
        ):
            cells.append(_ratio(remit, engine, key, sense))
        rows.append(cells)
    return "How many times better Remit's median is (below 1: worse).\n\n" + _table(
        ["against", "W1", "W2", "W3", "W4"], rows
    )


def _ratio(remit: Figures, engine: Figures, key: str, sense: str) -> str:
    if key not in engine:
        return "–"
    ours, theirs = remit[key]["median"], engine[key]["median"]
    value = ours / theirs if sense == "more" else theirs / ours
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


# --- budget and conditions --------------------------------------------------------------------------------------------


def _budget_part(budget: Figures) -> list[str]:
    if not budget:
        return []
    rows = []
    for name, (target, sense) in TARGETS.items():
        value = budget[name]
        rounds = budget.get(f"{name}_rounds")
        spread = f" ({number(min(rounds))}–{number(max(rounds))})" if rounds else ""
        verdict = "holds" if holds(value, target, sense) else "**does not hold**"
        rows.append([name.replace("_", " "), f"{number(value)}{spread}", f"{sense} {number(target)}", verdict])
    share = budget["w1_steps_per_second"] / budget["floor_steps_per_second"]
    return [
        "## The budget",
        "What `make bench` measures, against what the architecture asks for.",
        _table(["figure", "measured", "budget", ""], rows),
        (
            f"W1 is {share:.0%} of the floor in the same run ({number(budget['floor_steps_per_second'])} steps per "
            f"second); "
            "the aim is 60 %."
        ),
    ]


def _wide_part(wide: Figures) -> list[str]:
    parts = ["## Remit under load", *_load_part(wide["load"])] if "load" in wide else []
    conditions = [part for name, write in _CONDITIONS.items() if name in wide for part in write(wide[name])]
    if conditions:
        parts += [
            "## What could slow it down",
            "Each pair is measured in turns. The band of the first plot is the budget for history.",
            _picture("conditions", "How far each condition moves steps per second"),
            *conditions,
        ]
    return parts


def _load_part(load: Figures) -> list[str]:
    rows = [
        [in_flight, _cell(rate), *_quantile_cells(load["run_ms_by_in_flight"][in_flight])]
        for in_flight, rate in by_number(load["steps_per_second_by_in_flight"])
    ]
    alone, idle = load["step_ms_alone"], load["start_ms_idle"]
    cost = load["cost_per_step"]
    return [
        _table(["runs in flight", "steps per second", "run of ten steps, ms: p50", "p90", "p99", "max"], rows),
        _table(
            ["latency, ms", "p50", "p90", "p99", "max"],
            [
                ["a step of one run alone", *_quantile_cells(alone)],
                ["from submission to the first call, idle", *_quantile_cells(idle)],
            ],
        ),
        (
            f"A step with 64 runs in flight costs {_cell(cost['client_cpu_us'])} µs of the worker's CPU and "
            f"{_cell(cost['server_cpu_us'])} µs of the server's, {number(cost['rows'])} rows, "
            f"{number(cost['wal_bytes']['median'])} bytes of log, {number(cost['transactions']['median'])} writing "
            f"transactions and {number(cost['fsyncs'])} fsyncs. {cost['hot_share_of_updates']:.0%} of the updates of "
            f"heads "
            "touch no index."
        ),
    ]


def _history_part(history: Figures) -> list[str]:
    ratio = history["ratios"]["w1_steps_per_second"]
    inside = abs(ratio - 1) <= HISTORY_BAND
    return [
        "### History",
        (
            f"{history['finished_runs']:,} finished and {history['waiting_runs']:,} waiting runs, {history['rows']:,} "
            f"rows "
            f"in {number(history['database_gib'])} GiB, loaded with COPY; their journals replay. Throughput beside "
            f"them is "
            f"{ratio:.2f} of that of an empty database ({'within' if inside else '**not within**'} "
            f"±{HISTORY_BAND:.0%}). "
            f"The worker's memory peaked at {history['worker_resident_mib']} MiB (budget: below {RESIDENT_MIB_MAX})."
        ),
        _variant_table(history["variants"]),
    ]


def _workers_part(workers: Figures) -> list[str]:
    rows = [
        [count, _cell(rate), f"{workers['ratios'][count]:.2f}", *_worker_costs(workers, count)]
        for count, rate in by_number(workers["steps_per_second"])
    ]
    two = workers["ratios"]["2"]
    verdict = "holds" if two >= TWO_WORKERS_MIN else "**does not hold**"
    return [
        "### Workers",
        (
            f"{workers['runs']} runs of ten steps, submitted at once by another process, worked on by worker "
            f"processes that "
            f"share two cores with it and the server. Two workers make {two:.2f} of one's steps; that they make at "
            f"least "
            f"{TWO_WORKERS_MIN:g} of them {verdict}."
        ),
        _table(
            ["workers", "steps per second", "of one", "workers' CPU, µs per step", "server's", "transactions per step"],
            rows,
        ),
    ]


def _worker_costs(workers: Figures, count: str) -> list[str]:
    cost = workers["cost_per_step"][count]
    return [number(cost[name]["median"]) for name in ("client_cpu_us", "server_cpu_us", "transactions")]


def _tenants_part(tenants: Figures) -> list[str]:
    return [
        "### Tenants",
        f"Runs of a hundred tenants in turn make {tenants['ratio']:.2f} of the steps of one tenant's.",
        _variant_table(tenants["variants"], names={"1": "1 tenant", "100": "100 tenants"}),
    ]


def _tables_part(tables: Figures) -> list[str]:
    return [
        "### Tables",
        (
            f"With autovacuum off: fresh, grown by {tables['grown_runs']:,} runs of ten steps and never analysed, and "
            f"the same "
            "vacuumed and analysed. Each database's connection made its plans while its tables were empty."
        ),
        _variant_table(tables["variants"], names=TABLE_NAMES),
    ]


TABLE_NAMES: Final = {"fresh": "fresh", "grown": "grown, never analysed", "analysed": "grown, analysed"}

_CONDITIONS: Final = {
    "history": _history_part,
    "workers": _workers_part,
    "tenants": _tenants_part,
    "tables": _tables_part,
}


def _variant_table(variants: Figures, *, names: dict[str, str] | None = None) -> str:
    rows = [
        [title, _cell(variants[name]["w1_steps_per_second"]), _cell(variants[name]["w2_step_ms"])]
        for name, title in (names or {name: name for name in variants}).items()
    ]
    return _table(["", "W1, steps per second", "W2, ms per step"], rows)


def _quantile_cells(figures: Figures) -> list[str]:
    return [number(figures["quantiles"][part]) for part in ("0.5", "0.9", "0.99", "1")]


# --- text -------------------------------------------------------------------------------------------------------------


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, dict):
        return f"{number(value['median'])} ({number(value['min'])}–{number(value['max'])})"
    return number(value)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _picture(name: str, alternative: str) -> str:
    return f"![{alternative}]({PICTURES}/{name}.svg)"


def main() -> int:
    """Write the page, or say whether it is what the figures yield."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if something would change")
    arguments = parser.parse_args()
    stale = 0
    for name, text in render(arguments.folder).items():
        path = arguments.folder / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        print(f"{'stale' if arguments.check else 'written'}: {path}")
        if not arguments.check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if arguments.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
