"""Criteria that nobody can check, and places that were never filled in.

Owns: words that say nothing, and where placeholders are looked for.
Does not know: commands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from remit.plans.plan import Text
from remit.plans.spectra import names
from remit.plans.spectra.lists import path_lists
from remit.plans.spectra.placeholders import is_placeholder
from remit.plans.spectra.record import SpectraPlan, SpectraTask
from remit.plans.texts import PlanReporter

_VAGUE: Final = (
    re.compile(
        r"\b(?:works?|working|functions?|behaves?|runs?|looks?|performs?)[ ]+(?:as[ ]+(?:expected|intended|designed)"
        r"|correctly|properly|well|fine|good|nicely|reliably|smoothly|better)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:handles?|handled)[ ]+(?:\w+[ ]+){0,3}(?:gracefully|properly|correctly|appropriately|well)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:user[ -]friendly|intuitive|easy[ ]+to[ ]+use|good[ ]+quality|high[ ]+quality|clean[ ]+code"
        r"|best[ ]+practices?|state[ -]of[ -]the[ -]art|seamless(?:ly)?|as[ ]+needed|as[ ]+appropriate"
        r"|where[ ]+appropriate|and[ ]+so[ ]+on|etc)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:is|are|be)[ ]+(?:fast|quick|simple|scalable|performant|good|nice|better|improved|optimi[sz]ed|correct"
        r"|reasonable|acceptable|sufficient|adequate)(?:[ ]+enough)?[.!]?$",
        re.IGNORECASE,
    ),
)
_MEASURE: Final = re.compile(r"[0-9`\"]|=|<|>")
_SINGLE_WORDS: Final = re.compile(
    r"\W*(?:done|works?|ok|okay|yes|complete[d]?|implemented|finished|pass(?:es)?)\W*", re.IGNORECASE
)


def check_criteria(plan: SpectraPlan, reporter: PlanReporter) -> None:
    """Report criteria that are empty or vague, and placeholders wherever they stand."""
    if plan.project is not None and is_placeholder(plan.project):
        _report_placeholder(Text(text=plan.project, at=plan.project_at), reporter)
    for task in plan.tasks:
        for criterion in task.criteria or ():
            _check_criterion(criterion, task, reporter)
        for text in _other_texts(task):
            if is_placeholder(text.text):
                _report_placeholder(text, reporter)


def _check_criterion(criterion: Text, task: SpectraTask, reporter: PlanReporter) -> None:
    if not criterion.text.strip("*_`-. "):
        reporter.report(
            "SPECTRA_CRITERION_EMPTY",
            f"expected a criterion of task {task.id}, got nothing; write what must hold, or remove the line",
            at=criterion.at,
        )
    elif is_placeholder(criterion.text):
        _report_placeholder(criterion, reporter)
    elif (vague := _vague(criterion.text)) is not None:
        reporter.report(
            "SPECTRA_CRITERION_VAGUE",
            f"expected a criterion that a check can decide, got {vague!r}; say what is observed, and with which value",
            at=criterion.at,
        )


def _vague(text: str) -> str | None:
    """Return the words that cannot be checked; a criterion that names a value, a command or a file can be."""
    if _SINGLE_WORDS.fullmatch(text):
        return text
    if _MEASURE.search(text):
        return None
    found = [match for match in (pattern.search(text) for pattern in _VAGUE) if match is not None]
    return found[0].group() if found else None


def _report_placeholder(text: Text, reporter: PlanReporter) -> None:
    reporter.report(
        "SPECTRA_PLACEHOLDER",
        f"expected what it stands for, got the placeholder {text.text!r}; fill it in",
        at=text.at,
    )


def _other_texts(task: SpectraTask) -> Iterator[Text]:
    start = task.description_at
    if task.title:
        yield Text(text=task.title, at=task.at)
    if task.description and task.description != task.title:
        yield Text(text=task.description, at=start)
    lists = () if task.ownership is None or names.OWNERSHIP not in task.places else path_lists(task.ownership)
    for claims in (task.files or (), *(claims for _, claims in lists)):
        yield from (Text(text=claim.written, at=claim.at) for claim in claims)
    if task.wiring is not None and task.wiring.integration is not None:
        yield task.wiring.integration
