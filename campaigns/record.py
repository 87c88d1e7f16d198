"""The record of a campaign: its figures with their bounds, seed, date, machine, duration and command, as JSON.

Owns: what a figure is, whether it holds, and the files in ``docs/assurance/campaigns``.
Does not know: what any campaign does.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import orjson

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "docs" / "assurance" / "campaigns"

Sense = Literal["at least", "at most", "exactly"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a campaign is to run.

    ``scale`` multiplies the campaign's full numbers: 1 is what the record should show, less is for trying it out.
    """

    seed: int
    scale: float = 1.0

    def count(self, full: int) -> int:
        """Return a full number at this scale, at least 1."""
        return max(1, round(full * self.scale))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of a campaign; without a ``bound`` it is there to be read, not to be judged."""

    name: str
    value: float
    bound: float | None = None
    sense: Sense = "at least"

    @property
    def holds(self) -> bool:
        """Whether the value keeps to its bound."""
        if self.bound is None:
            return True
        match self.sense:
            case "at least":
                return self.value >= self.bound
            case "at most":
                return self.value <= self.bound
            case "exactly":
                return self.value == self.bound


def at_least(name: str, value: float, bound: float) -> Figure:
    """Return a figure with a floor."""
    return Figure(name=name, value=value, bound=bound, sense="at least")


def at_most(name: str, value: float, bound: float) -> Figure:
    """Return a figure with a ceiling."""
    return Figure(name=name, value=value, bound=bound, sense="at most")


def exactly(name: str, value: float, bound: float = 0) -> Figure:
    """Return a figure that may only have one value, most often none at all."""
    return Figure(name=name, value=value, bound=bound, sense="exactly")


def reading(name: str, value: float) -> Figure:
    """Return a figure without a bound."""
    return Figure(name=name, value=value)


def write_record(
    name: str, *, promise: str, options: Options, started: datetime, duration: timedelta, figures: list[Figure]
) -> Path:
    """Write ``docs/assurance/campaigns/<name>.json`` and return its path."""
    document: dict[str, Any] = {
        "campaign": name,
        "promise": promise,
        "command": f"make campaign-{name} SEED={options.seed} SCALE={options.scale:g}",
        "seed": options.seed,
        "scale": options.scale,
        "started": started.isoformat(timespec="seconds"),
        "duration_seconds": round(duration.total_seconds(), 1),
        "machine": machine(),
        "holds": all(figure.holds for figure in figures),
        "figures": [
            {"name": figure.name, "value": figure.value}
            | ({} if figure.bound is None else {"bound": f"{figure.sense} {figure.bound:g}"})
            for figure in figures
        ],
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.json"
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    return path


def machine() -> dict[str, Any]:
    """Return what a reader needs to know of the machine: no names, only kinds and sizes."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "processor": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def render(figures: list[Figure]) -> str:
    """Return the table for people."""
    width = max(len(figure.name) for figure in figures)
    lines = []
    for figure in figures:
        judged = "" if figure.bound is None else f"{figure.sense} {figure.bound:,g}"
        verdict = "" if figure.bound is None else ("holds" if figure.holds else "DOES NOT HOLD")
        lines.append(f"{figure.name:{width}}  {figure.value:16,.10g}  {judged:20}  {verdict}".rstrip())
    return "\n".join(lines)
