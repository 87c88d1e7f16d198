"""A plan as one page: self-contained, without a script, everything of the document escaped.

Owns: which sections there are, links among them, and the page's own security policy.
Does not know: what the sections say.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Final

from markupsafe import Markup

from remit.plans.showing import sections
from remit.plans.showing.gantt import gantt_of
from remit.plans.showing.graph import graph_of, task_anchor
from remit.plans.showing.routing import draw
from remit.plans.showing.svg import LEGEND, describe, title_of
from remit.plans.showing.templating import chip, render, style_sheet
from remit.plans.showing.view import PlanView, ShownTask
from remit.plans.showing.wording import KIND_WORDS, STATE_MARKS, STATE_WORDS, day_range, shown

_SECTIONS: Final = (
    ("top", "Summary"),
    ("graph", "Graph"),
    ("waves", "Waves"),
    ("schedule", "Schedule"),
    ("ownership", "Ownership"),
    ("traceability", "Traceability"),
    ("sums", "Sums"),
    ("risk", "Risk"),
    ("findings", "Findings"),
    ("tasks", "Tasks"),
)

_TO_TASK: Final = Markup('<a class="{}" href="#{}">{}</a>')
_TO_NOWHERE: Final = Markup('<span class="{}">{}</span>')


def render_page(view: PlanView) -> str:
    """Return the page of a plan as HTML; it grows with the plan, and with nothing else."""
    graph = graph_of(view)
    style = style_sheet("page.css") + style_sheet("graph.css")
    links = _Links(view)
    return render(
        "page.html.jinja",
        view=view,
        title=title_of(view),
        style=style,
        # A browser runs no style but the one whose digest this is.
        style_digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        sections=_SECTIONS,
        facts=sections.facts_of(view),
        legend=LEGEND,
        graph=graph,
        drawing=draw(graph),
        description=describe(view, graph),
        waves=view.by_wave(),
        groups=view.groups(),
        gantt=gantt_of(view),
        sums=sections.sums_of(view),
        risks=sections.risk_counts(view),
        states=sections.state_counts(view),
        findings=sections.findings_of(view),
        conflict_words=sections.CONFLICT_WORDS,
        trace_states=sections.trace_states,
        sum_range=sections.sum_range,
        longest=sections.longest_of,
        task_line=task_line,
        anchor=task_anchor,
        link=links.one,
        links=links.several,
        marks=STATE_MARKS,
        state_words=STATE_WORDS,
        kind_words=KIND_WORDS,
    )


def task_line(task: ShownTask) -> str:
    """Return the small facts of a task on one line."""
    one = task.task
    estimate = "" if one.estimate is None else day_range(one.estimate.days_min, one.estimate.days_max)
    parts = (
        "" if task.wave is None else f"wave {task.wave}",
        STATE_WORDS[one.state],
        estimate,
        sections.slack_line(task),
        *(shown(text) for text in (one.role, one.owner, one.workstream, one.priority, one.scope) if text),
    )
    return " · ".join(part for part in parts if part)


class _Links:
    """Links to the tasks that ids mean; an id that means none is shown as it is."""

    def __init__(self, view: PlanView) -> None:
        self._first = view.first
        self._made: dict[str, Markup] = {}

    def one(self, task_id: str) -> Markup:
        link = self._made.get(task_id)
        if link is None:
            number = self._first.get(task_id)
            text = shown(task_id)
            if number is None:
                link = _TO_NOWHERE.format(chip(task_id), text)
            else:
                link = _TO_TASK.format(chip(task_id), task_anchor(number), text)
            self._made[task_id] = link
        return link

    def several(self, ids: Iterable[str]) -> Markup:
        return Markup(" ").join(map(self.one, ids))
