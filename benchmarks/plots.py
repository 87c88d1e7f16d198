"""The plots of the performance page, as small SVG files that can be read in light and in dark.

Owns: how figures become pictures. The same figures give the same bytes: ids are salted, no date is written, text stays
text. Ink, grid and paper are variables that follow the reader's colour scheme.
Does not know: where figures come from.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

INK, GRID, PAPER = "#1f2328", "#d8dee4", "#fefefe"
DARK_INK, DARK_GRID, DARK_PAPER = "#e6edf3", "#3d444d", "#0d1117"
ACCENT: Final = "#2f81f7"
MUTED: Final = "#8b949e"
COLOURS: Final = {
    "remit": ACCENT,
    "absurd": "#d97706",
    "restate": "#a855f7",
    "langgraph": "#16a34a",
    "langgraph-tasks": "#65a30d",
    "dbos": "#e5484d",
    "floor": MUTED,
    "bare": MUTED,
}
STYLE: Final = (
    f"<style>svg{{--ink:{INK};--grid:{GRID};--paper:{PAPER}}}"
    f"@media(prefers-color-scheme:dark){{svg{{--ink:{DARK_INK};--grid:{DARK_GRID};--paper:{DARK_PAPER}}}}}</style>"
)
SETTINGS: Final[dict[str, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "remit",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "axes.facecolor": PAPER,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "path.simplify": False,
}
WIDTH: Final = 7.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One dot: its place, how far rounds were apart, and what is written beside it."""

    name: str
    label: str
    value: float
    low: float
    high: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: its points, and the name that is written at its end."""

    name: str
    label: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One distribution: quantiles by their part, as ``{"0.5": 1.2}``."""

    name: str
    label: str
    quantiles: Mapping[str, float]


def dots(rows: Sequence[Dot], *, title: str, unit: str) -> str:
    """Return a dot for each median on a logarithmic axis, with a line from the lowest to the highest round."""
    canvas, axes = _canvas(0.36 * len(rows) + 1.1, title)
    for place, row in enumerate(reversed(rows)):
        colour = COLOURS.get(row.name, ACCENT)
        axes.plot([row.low, row.high], [place, place], color=colour, linewidth=2.5, solid_capstyle="butt")
        axes.plot([row.value], [place], color=colour, marker="o", markersize=8)
        axes.text(row.high * 1.14, place, row.text, va="center")
    _name_rows(axes, [row.label for row in rows])
    axes.set_xscale("log")
    axes.set_xlim(min(row.low for row in rows) * 0.6, max(row.high for row in rows) * 2.2)
    _number_axis(axes.xaxis)
    axes.set_xlabel(f"{unit}, logarithmic")
    axes.grid(axis="x", linewidth=0.6)
    return _svg(canvas)


def stacked(rows: Sequence[tuple[str, float, float]], *, title: str, unit: str, parts: tuple[str, str]) -> str:
    """Return horizontal bars of two parts; the first one's share is dark, the second's light."""
    canvas, axes = _canvas(0.42 * len(rows) + 1.1, title)
    longest = max(first + second for _, first, second in rows)
    for place, (_, first, second) in enumerate(reversed(rows)):
        axes.barh(place, first, height=0.62, color=ACCENT, linewidth=0)
        axes.barh(place, second, left=first, height=0.62, color=MUTED, linewidth=0)
        axes.text(first + second + longest * 0.012, place, f"{first:,.0f} + {second:,.0f}", va="center")
    _name_rows(axes, [label for label, _, _ in rows])
    axes.set_xlim(0, longest * 1.22)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel(f"{unit}: {parts[0]} (blue) + {parts[1]} (grey)")
    axes.grid(axis="x", linewidth=0.6)
    return _svg(canvas)


def lines(rows: Sequence[Line], *, title: str, x_label: str, y_label: str) -> str:
    """Return lines on two logarithmic axes, each named at its right end."""
    canvas, axes = _canvas(4.3, title)
    ends = _apart([row.points[-1][1] for row in rows], factor=1.24)
    for row, end in zip(rows, ends, strict=True):
        xs, ys = zip(*row.points, strict=True)
        is_reference = row.name in {"floor", "bare"}
        colour = COLOURS.get(row.name, ACCENT)
        style = {
            "linestyle": (0, (4, 3)) if is_reference else "solid",
            "linewidth": 2.4 if row.name == "remit" else 1.5,
        }
        axes.plot(xs, ys, color=colour, marker="o", markersize=3.5, **style)
        axes.text(xs[-1] * 1.15, end, row.label, va="center", color=INK if is_reference else colour)
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticks = sorted({x for row in rows for x, _ in row.points})
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(ticks[0] * 0.8, ticks[-1] * 4.2)
    _number_axis(axes.yaxis)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(linewidth=0.6)
    return _svg(canvas)


def spans(panels: Mapping[str, Sequence[Span]], *, title: str, unit: str) -> str:
    """Return distributions: a dot at the median, a thick line over the middle half, a thin one from p5 to p99."""
    count = max(len(rows) for rows in panels.values())
    canvas = _figure(0.4 * count + 1.3, title)
    for number, (heading, rows) in enumerate(panels.items(), 1):
        axes = canvas.add_subplot(1, len(panels), number)
        _quiet(axes)
        for place, row in enumerate(reversed(rows)):
            colour = COLOURS.get(row.name, ACCENT)
            at = {float(part): value for part, value in row.quantiles.items()}
            axes.plot([at[0.05], at[0.99]], [place, place], color=colour, linewidth=1.2)
            axes.plot([at[0.25], at[0.75]], [place, place], color=colour, linewidth=5, solid_capstyle="butt")
            axes.plot([at[0.5]], [place], color=INK, marker="o", markersize=4)
            axes.text(at[0.99] * 1.12, place, f"{at[0.5]:.2g}", va="center")
        _name_rows(axes, [row.label for row in rows])
        axes.set_xscale("log")
        lows = [float(row.quantiles["0.05"]) for row in rows]
        highs = [float(row.quantiles["0.99"]) for row in rows]
        axes.set_xlim(min(lows) * 0.7, max(highs) * 2.4)
        _number_axis(axes.xaxis)
        axes.set_xlabel(unit)
        axes.set_title(heading, fontsize=10, loc="left")
        axes.grid(axis="x", linewidth=0.6)
    return _svg(canvas)


def ratios(rows: Sequence[tuple[str, float]], *, title: str, band: float) -> str:
    """Return how far conditions move a figure: dots around 1, with the band in which they are to stay."""
    canvas, axes = _canvas(0.4 * len(rows) + 1.1, title)
    axes.axvspan(1 - band, 1 + band, color=GRID, alpha=0.55, linewidth=0)
    axes.axvline(1, color=INK, linewidth=1)
    for place, (_, value) in enumerate(reversed(rows)):
        axes.plot([1, value], [place, place], color=ACCENT, linewidth=1.5)
        axes.plot([value], [place], color=ACCENT, marker="o", markersize=6)
        is_left = value < 1
        axes.text(
            value + (-0.02 if is_left else 0.02),
            place,
            f"{value:.2f}",
            va="center",
            ha="right" if is_left else "left",
        )
    _name_rows(axes, [label for label, _ in rows])
    values = [value for _, value in rows]
    axes.set_xlim(min(0.6, *values) - 0.12, max(1.4, *values) + 0.15)
    axes.set_xlabel(f"steps per second, as a ratio; the band is ±{band:.0%}")
    axes.grid(axis="x", linewidth=0.6)
    return _svg(canvas)


def _canvas(height: float, title: str) -> tuple[Canvas, Any]:
    canvas = _figure(height, title)
    axes = canvas.add_subplot()
    _quiet(axes)
    return canvas, axes


def _figure(height: float, title: str) -> Canvas:
    mpl.rcParams.update(SETTINGS)
    canvas = Canvas(figsize=(WIDTH, height), layout="constrained")
    canvas.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return canvas


def _quiet(axes: Any) -> None:
    """Leave only what is read."""
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _name_rows(axes: Any, labels: Sequence[str]) -> None:
    """Name rows from the top down."""
    axes.set_yticks(range(len(labels)), list(reversed(labels)))
    axes.set_ylim(-0.6, len(labels) - 0.4)


def _number_axis(axis: Any) -> None:
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(_plain))
    axis.set_minor_locator(NullLocator())


def _plain(value: float, _: int) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _apart(values: Sequence[float], *, factor: float) -> list[float]:
    """Return where labels go on a logarithmic axis so that no two of them lie on each other."""
    placed = dict.fromkeys(range(len(values)), 0.0)
    lowest = 0.0
    for index in sorted(placed, key=lambda index: values[index]):
        placed[index] = max(values[index], lowest)
        lowest = placed[index] * factor
    return [placed[index] for index in range(len(values))]


def _svg(canvas: Canvas) -> str:
    """Return the picture's text, with variables for ink, grid and paper, and without what changes from day to day."""
    with io.StringIO() as file:
        canvas.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    for colour, name in ((INK, "ink"), (GRID, "grid"), (PAPER, "paper")):
        text = text.replace(colour, f"var(--{name})")
    text = re.sub(r"-?\d+\.\d{3,}", _shortened, text)
    head, close, rest = text.partition(">")
    return f"{head}{close}\n{STYLE}{_tidy(rest)}"


def _shortened(match: re.Match[str]) -> str:
    return f"{float(match.group()):.2f}".rstrip("0").rstrip(".")


def _tidy(text: str) -> str:
    return re.sub(r"\n\s*", "\n", text).rstrip() + "\n"
