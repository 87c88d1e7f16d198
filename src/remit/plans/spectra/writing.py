"""Writing a SPECTRA execution plan: record to canonical text.

Owns: the canonical form. Reading what is written gives an equal record.
Does not know: files; a document that exists is changed in place by ``updates``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from remit.plans.plan import PathClaim, Reference, Text
from remit.plans.spectra import names
from remit.plans.spectra.ids import ALL
from remit.plans.spectra.markers import COMPLETE, SPLIT
from remit.plans.spectra.pieces import Piece, bracketed
from remit.plans.spectra.record import Marker, OtherField, Ownership, Parallelism, SpectraPlan, SpectraTask, Wiring

_TICKS: Final = re.compile(r"`+")


def write(plan: SpectraPlan) -> str:
    """Return the canonical text of a plan."""
    lines = [f"# {plan.title}", "", *_header(plan), "", "---", ""]
    for task in plan.tasks:
        lines += [*_task(task), ""]
    tail = [*_parallelism(plan.parallelism), *_graph(plan), *_markers(plan.markers)]
    if tail:
        lines += ["---", "", *tail]
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join(lines) + "\n"


def _header(plan: SpectraPlan) -> Iterator[str]:
    level = None if plan.level is None else str(plan.level)
    pairs = (
        (names.PROJECT, plan.project),
        (names.LEVEL, level),
        (names.GENERATED, plan.generated),
        (names.SOURCE, plan.source),
    )
    for key, value in pairs:
        if value is not None:
            yield f"## {key}: {value}".rstrip()
    for other in plan.others:
        yield f"## {other.key}: {other.value}".rstrip()


def _task(task: SpectraTask) -> Iterator[str]:
    yield f"## Task {task.id}: {task.title}".rstrip()
    if task.description is not None:
        yield f"- [{names.MARK_OF[task.state]}] {task.id}: {task.description}".rstrip()
    if task.criteria is not None:
        yield f"- {names.CRITERIA}:"
        yield from (f"  - {criterion.text}".rstrip() for criterion in task.criteria)
    if task.files is not None:
        yield f"- {names.FILES}: {_paths(task.files)}".rstrip()
    if task.verify is not None:
        yield from _verify(task.verify)
    yield from _simple(task)
    if task.ownership is not None:
        yield from _ownership(task.ownership)
    if task.wiring is not None:
        yield from _wiring(task.wiring)
    if task.assertions is not None:
        yield f"- {names.ASSERTIONS}:"
        yield from (f"  - {assertion.text}" for assertion in task.assertions)
    for other in task.others:
        yield from _other(other)


def _simple(task: SpectraTask) -> Iterator[str]:
    pairs = (
        (names.RISK, None if task.risk is None else task.risk.value),
        (names.ITERATIONS, None if task.iterations_max is None else str(task.iterations_max)),
        (names.SCOPE, task.scope),
        (names.DEPENDENCIES, None if task.dependencies is None else _references(task.dependencies)),
    )
    return (f"- {key}: {value}" for key, value in pairs if value is not None)


def _verify(command: Text) -> Iterator[str]:
    if "`" not in command.text and "\n" not in command.text:
        yield f"- {names.VERIFY}: `{command.text}`"
        return
    longest = max((len(ticks) for ticks in _TICKS.findall(command.text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"- {names.VERIFY}:"
    yield f"  {fence}bash"
    yield from (f"  {line}" for line in command.text.split("\n"))
    yield f"  {fence}"


def _ownership(ownership: Ownership) -> Iterator[str]:
    yield f"- {names.OWNERSHIP}:"
    for key, claims in (
        (names.OWNS, ownership.owns),
        (names.TOUCHES, ownership.touches),
        (names.READS, ownership.reads),
    ):
        if claims is not None:
            yield f"  - {key}: {_list(_paths(claims))}"


def _wiring(wiring: Wiring) -> Iterator[str]:
    yield f"- {names.WIRING}:"
    if wiring.command is not None:
        yield f"  - {names.CLI}: {wiring.command.text}".rstrip()
    if wiring.integration is not None:
        yield f"  - {names.INTEGRATION}: {wiring.integration.text}".rstrip()
    yield from (f"  - {other.text}".rstrip() for other in wiring.others)


def _other(other: OtherField) -> Iterator[str]:
    yield f"- {other.key}: {other.value}".rstrip()
    yield from (f"  - {item}" for item in other.items)


def _paths(claims: Iterable[PathClaim]) -> str:
    return ", ".join(claim.written for claim in claims)


def _list(inside: str) -> str:
    """Return a list in brackets; one whose own brackets are in disorder stands without."""
    whole = f"[{inside}]"
    return whole if bracketed(Piece(whole, 0)) is not None else inside


def _references(references: tuple[Reference, ...]) -> str:
    ids = [reference.id for reference in references]
    if not ids:
        return "none"
    return ", ".join(ids) if ids[0] == ALL else f"Task {', '.join(ids)}"


def _parallelism(parallelism: Parallelism | None) -> Iterator[str]:
    if parallelism is None:
        return
    yield f"## {names.PARALLELISM}"
    if parallelism.independent is not None:
        ids = ", ".join(reference.id for reference in parallelism.independent)
        yield f"- {names.INDEPENDENT}: [{ids or 'none'}]"
    if parallelism.chains is not None:
        chains = ", ".join(_chain(chain) for chain in parallelism.chains)
        yield f"- {names.SEQUENTIAL}: [{chains or 'none'}]"
    if parallelism.recommendation is not None:
        yield f"- {names.RECOMMENDATION}: {parallelism.recommendation}"
    for other in parallelism.others:
        yield from _other(other)
    yield ""


def _chain(chain: tuple[Reference, ...]) -> str:
    return " -> ".join(reference.id for reference in chain)


def _graph(plan: SpectraPlan) -> Iterator[str]:
    if plan.graph is None:
        return
    yield f"## {names.GRAPH}"
    for entry in plan.graph:
        first, *others = entry.chain
        if first.id == ALL and others:
            yield f"- Task {others[0].id} depends on {ALL}"
        else:
            yield f"- {_chain(entry.chain)}"
    if not plan.graph:
        yield "- none"
    yield ""


def _markers(markers: tuple[Marker, ...]) -> Iterator[str]:
    return map(marker_text, markers)


def marker_text(marker: Marker) -> str:
    """Return a mark of a tool as a line."""
    if marker.task is None:
        return COMPLETE
    parts = ", ".join(part.id for part in marker.parts) if marker.word == SPLIT else ""
    return f"{marker.word}:{marker.task.id}" + (f" -> {parts}" if parts else "")
