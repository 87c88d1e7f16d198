"""From what engines answered to figures: medians over rounds with minimum and maximum, costs per step, distributions.

Owns: the arithmetic of the report. Pure: no clock, no process.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.peers.contestants import Contestant, versions

QUANTILES: Final = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)


@dataclass(slots=True, kw_only=True)
class Turn:
    """What one engine answered in one round; ``failure`` says why there is no more."""

    contestant: str
    number: int
    loadavg: float
    works: dict[str, dict[str, Any]] = field(default_factory=dict)
    sweep: dict[int, dict[str, Any]] = field(default_factory=dict)
    statistics: dict[str, Any] | None = None
    resident_mib: float = 0.0
    checked_runs: int = 0
    failure: str | None = None

    def rate(self, work: str) -> float:
        """Return steps per second of a workload; 0 if it did not come to that."""
        answer = self.works.get(work)
        return 0.0 if answer is None else steps_per_second(answer)


def steps_per_second(answer: dict[str, Any]) -> float:
    """Return the rate of the median pass."""
    passes: list[float] = answer.get("passes") or [answer["seconds"]]
    steps: int = answer["steps"]
    return steps / len(passes) / statistics.median(passes)


def summarise(contestants: Iterable[Contestant], turns: Sequence[Turn]) -> dict[str, Any]:
    """Return the report's figures of all engines, and how quiet the machine was."""
    return {
        "engines": [
            _engine(contestant, [turn for turn in turns if turn.contestant == contestant.name])
            for contestant in contestants
        ],
        "noise": [
            {
                "round": turn.number + 1,
                "engine": turn.contestant,
                "loadavg": round(turn.loadavg, 2),
                "others_share": round(turn.works["w1"]["others_share"], 3) if "w1" in turn.works else None,
                "stolen_share": round(turn.works["w1"]["stolen_share"], 3) if "w1" in turn.works else None,
            }
            for turn in turns
        ],
    }


def _engine(contestant: Contestant, turns: list[Turn]) -> dict[str, Any]:
    good = [turn for turn in turns if turn.failure is None]
    figures: dict[str, Any] = {
        "name": contestant.name,
        "title": contestant.title,
        "guarantee": contestant.guarantee,
        "versions": versions(contestant),
        "failures": [turn.failure for turn in turns if turn.failure is not None],
    }
    if not good:
        return figures
    figures["w1_steps_per_second"] = spread([turn.rate("w1") for turn in good])
    figures["w2_step_ms"] = latencies([_per_step_ms(turn.works["w2"]) for turn in good])
    laps = [turn.works["w1"]["lap_seconds"] for turn in good if turn.works["w1"].get("lap_seconds")]
    if laps:
        figures["w1_run_ms"] = latencies([_to_ms(seconds) for seconds in laps])
    if "w3" in contestant.works:
        figures["w3_steps_per_second"] = spread([turn.rate("w3") for turn in good])
    if "w4" in contestant.works:
        figures["w4_start_ms"] = latencies([_to_ms(turn.works["w4"]["start_seconds"]) for turn in good])
    figures["steps_per_second_by_in_flight"] = _by_in_flight(good)
    figures["cost_per_step"] = _costs(good)
    figures["resident_mib"] = round(max(turn.resident_mib for turn in good))
    figures["runs_checked"] = sum(turn.checked_runs for turn in good)
    return figures


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Return median, minimum and maximum over rounds, and the rounds."""
    return {
        "median": rounded(statistics.median(values)),
        "min": rounded(min(values)),
        "max": rounded(max(values)),
        "rounds": [rounded(value) for value in values],
    }


def latencies(rounds: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Return the spread of the rounds' medians, and quantiles of all samples together."""
    samples = sorted(sample for values in rounds for sample in values)
    return {
        **spread([statistics.median(values) for values in rounds]),
        "samples": len(samples),
        "quantiles": {f"{part:g}": rounded(quantile(samples, part)) for part in QUANTILES},
    }


def quantile(ordered: Sequence[float], part: float) -> float:
    """Return the sample at a part of an ordered list, between neighbours in proportion."""
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def rounded(value: float) -> float:
    """Return a figure with four significant digits: more would pretend."""
    return float(f"{value:.4g}")


def _by_in_flight(turns: list[Turn]) -> dict[str, Any]:
    answers: dict[int, list[float]] = {}
    for turn in turns:
        for in_flight, answer in turn.sweep.items():
            answers.setdefault(in_flight, []).append(steps_per_second(answer))
    return {str(in_flight): spread(values) for in_flight, values in sorted(answers.items())}


def _costs(turns: list[Turn]) -> dict[str, Any]:
    """Return what a step of W1 cost; rows and fsyncs are counted in one round only."""
    costs = costs_per_step([turn.works["w1"] for turn in turns])
    for turn in turns:
        if turn.statistics is not None:
            steps = turn.statistics["steps"]
            costs |= {name: rounded(turn.statistics[name] / steps) for name in ("fsyncs", "rows")}
    return costs


def costs_per_step(answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the spread of what a step cost: CPU of both sides, writing transactions and bytes of the log."""
    names = {
        "client_cpu_us": ("client_cpu_seconds", 1e6),
        "server_cpu_us": ("server_cpu_seconds", 1e6),
        "transactions": ("transactions", 1.0),
        "wal_bytes": ("wal_bytes", 1.0),
    }
    return {
        name: spread([answer[source] * factor / answer["steps"] for answer in answers])
        for name, (source, factor) in names.items()
    }


def _per_step_ms(answer: dict[str, Any]) -> list[float]:
    steps = answer["steps"] / len(answer["run_seconds"])
    return [seconds * 1e3 / steps for seconds in answer["run_seconds"]]


def _to_ms(seconds: Iterable[float]) -> list[float]:
    return [value * 1e3 for value in seconds]
