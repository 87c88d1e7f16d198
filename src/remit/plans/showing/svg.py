"""The graph of a plan as a file of its own.

Owns: title, description and legend of the drawing.
Does not know: where boxes stand.
"""

from __future__ import annotations

from typing import Final

from remit.plans.showing.graph import PlanGraph, graph_of
from remit.plans.showing.measuring import wrap
from remit.plans.showing.routing import draw
from remit.plans.showing.templating import render, style_sheet
from remit.plans.showing.view import PlanView
from remit.plans.showing.wording import counted, shown

LEGEND: Final = (
    "[ ] pending  [~] in progress  [x] done  [!] stuck · ◆ and thick lines: critical path · round corners: test · "
    "double frame: human gate · the word in the corner: risk"
)

_LEGEND_SIZE: Final = 11
_LINE_HEIGHT: Final = 16
_LINES_MAX: Final = 4


def render_svg(view: PlanView) -> str:
    """Return the dependency graph as SVG: readable by itself, without a script, and escaped."""
    graph = graph_of(view)
    drawing = draw(graph)
    texts = [LEGEND, *graph.remarks]
    legend = [
        line for text in texts for line in wrap(text, width=drawing.width - 40, size=_LEGEND_SIZE, lines_max=_LINES_MAX)
    ]
    return render(
        "plan.svg.jinja",
        drawing=drawing,
        title=title_of(view),
        description=describe(view, graph),
        legend=legend,
        foot=_LINE_HEIGHT * len(legend) + 12,
        css=style_sheet("graph.css"),
    )


def title_of(view: PlanView) -> str:
    """Return the plan's title; that of the file if it has none."""
    return shown(view.plan.title) or shown(view.path)


def describe(view: PlanView, graph: PlanGraph) -> str:
    """Return what the drawing shows, in sentences."""
    critical = view.critical
    tasks, waves = counted(len(view.tasks), "task"), counted(len(view.analysis.waves), "wave")
    sentences = [f"Dependency graph of {tasks} in {waves}, from top to bottom."]
    if critical is not None:
        sentences.append(f"Critical path: {', '.join(map(shown, critical.tasks[:50]))}.")
    return " ".join([*sentences, *graph.remarks])
