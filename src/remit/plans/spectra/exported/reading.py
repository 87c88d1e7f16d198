"""Reading ``plan.json``: a tree becomes the record that the Markdown form has as well.

Owns: telling the form, and what is said about its fields.
Does not know: checks of plans; they are those of the Markdown form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from remit.plans.documents import read_json_within
from remit.plans.fields import Fields, TextRule, fields_of
from remit.plans.plan import NOWHERE
from remit.plans.spectra import names
from remit.plans.spectra.conversion import edges
from remit.plans.spectra.exported import words
from remit.plans.spectra.exported.record import ExportedPlan, Origin
from remit.plans.spectra.exported.tasks import TaskPart, read_others, read_task_part
from remit.plans.spectra.exported.values import Values
from remit.plans.spectra.header import check_date
from remit.plans.spectra.ids import ALL
from remit.plans.spectra.markers import read_marker
from remit.plans.spectra.parallelism import read_recommendation
from remit.plans.spectra.record import GraphEntry, HeaderField, Marker, Parallelism, SpectraPlan, SpectraTask
from remit.plans.texts import Line, PlanReporter, PlanText

_SHA256: Final = TextRule(pattern=re.compile(r"[0-9a-f]{64}"), words="a SHA-256 of 64 hexadecimal digits")
_HEAD: Final = 65_536
"""So many characters are looked at to tell the form."""

_SCORE_MIN: Final = 50
_HEADER: Final = ('"project"', '"level"', '"generated"')
_SIGNS: Final = ('"line_number"', '"max_iterations"', '"source_hash"', '"ac"', '"deps"', '"owns"')


def is_exported(text: PlanText) -> bool:
    """Whether a text is JSON."""
    return text.text.lstrip()[:1] == "{"


def likeness(text: PlanText) -> int:
    """Return how much a text looks like ``plan.json``: by the names of its fields."""
    if not is_exported(text):
        return 0
    head = text.text[:_HEAD]
    score = 25 * sum(sign in head for sign in _SIGNS) + 50 * all(sign in head for sign in _HEADER)
    return min(100, score) if '"tasks"' in head and score >= _SCORE_MIN else 0


def read_exported(text: PlanText, reporter: PlanReporter) -> ExportedPlan | None:
    """Return the plan of a ``plan.json``; ``None`` if it is no object or reading ended early."""
    start = len(text.text) - len(text.text.lstrip())
    document = read_json_within(reporter, text.text, at=(start, len(text.text)))
    if document.root is None or not document.is_complete:
        return None
    fields = fields_of(reporter, document.root, words.PLAN)
    if fields is None:
        return None
    for name in ("version", "project", "level", "generated", "tasks"):
        fields.require(name)
    fields.choice("version", (words.VERSION,))
    values = Values(fields, reporter)
    source_hash = fields.text("source_hash", rule=_SHA256)
    parts = [part for part in (read_task_part(node, reporter) for node in values.children("tasks")) if part is not None]
    if "tasks" in fields and not parts:
        reporter.report("SPECTRA_TASKS_MISSING", "expected tasks, got none; write one", at=fields.key("tasks"))
    plan = _plan(values, parts)
    return ExportedPlan(
        plan=_with_dependencies(plan, parts),
        origin=Origin(source_hash=source_hash, lines=tuple(part.line_number for part in parts)),
    )


def _plan(values: Values, parts: list[TaskPart]) -> SpectraPlan:
    fields, reporter = values.fields, values.reporter
    generated = values.piece("generated")
    if generated is not None and generated.text:
        check_date(generated, reporter)
    graph = values.chains("graph")
    return SpectraPlan(
        title=values.text("title") or names.TITLE,
        project=values.text("project"),
        level=fields.integer("level", minimum=0, maximum=names.LEVEL_MAX),
        generated=None if generated is None else generated.text or None,
        source=values.text("source"),
        others=tuple(HeaderField(key=one.key, value=one.value, at=one.at) for one in read_others(values)),
        tasks=tuple(part.task for part in parts),
        parallelism=_parallelism(fields, reporter),
        graph=None if graph is None else tuple(GraphEntry(chain=chain) for chain in graph if len(chain) > 1),
        markers=tuple(_markers(values)),
        at=fields.key("project"),
        project_at=fields.value_place("project"),
        level_at=fields.value_place("level") if "level" in fields else NOWHERE,
    )


def _with_dependencies(plan: SpectraPlan, parts: list[TaskPart]) -> SpectraPlan:
    """Return the plan in which each task has those of ``deps`` that neither chains nor graph say."""
    bare = replace(plan, tasks=tuple(replace(task, dependencies=None) for task in plan.tasks))
    said = {(after, before.id) for after, before, _ in edges(bare)}
    tasks: list[SpectraTask] = []
    for part in parts:
        task = part.task
        known = {one.id for one in task.dependencies or ()}
        left = tuple(
            one for one in part.deps if one.id not in known and ALL not in known and (task.id, one.id) not in said
        )
        tasks.append(replace(task, dependencies=(*(task.dependencies or ()), *left)) if left else task)
    return replace(plan, tasks=tuple(tasks))


def _parallelism(fields: Fields, reporter: PlanReporter) -> Parallelism | None:
    inner = fields.fields("parallelism", words.PARALLELISM)
    if inner is None:
        return None
    values = Values(inner, reporter)
    word = values.piece("recommendation")
    return Parallelism(
        independent=values.references("independent"),
        chains=values.chains("sequential"),
        recommendation=None if word is None else read_recommendation(word, values.reporter_of(word)),
        others=tuple(read_others(values)),
        recommendation_at=NOWHERE if word is None else values.place(word),
        at=fields.key("parallelism"),
    )


def _markers(values: Values) -> Iterator[Marker]:
    for piece in values.pieces("marks") or ():
        marker = read_marker(Line(1, piece.start, piece.text))
        if marker is not None:
            yield marker
        else:
            values.reporter.report(
                "VALUE_INVALID",
                f"expected a mark such as STUCK:002, got {piece.text!r}; it is not read",
                at=values.place(piece),
            )
