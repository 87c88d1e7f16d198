"""What a plan says about order: the parallelism assessment and the dependency graph.

Owns: reading both.
Does not know: whether what they say is so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from remit.plans.documents import shorten
from remit.plans.drawing import EDGES_MAX, is_drawn, is_drawn_in_ascii, read_picture, words_of
from remit.plans.plan import NOWHERE, Place, Reference
from remit.plans.spectra import names
from remit.plans.spectra.header import is_rule
from remit.plans.spectra.hidden import Hidden
from remit.plans.spectra.ids import Chains, has_arrow, is_canonical, is_id, read_chains, read_references, same_id
from remit.plans.spectra.items import Item, read_item
from remit.plans.spectra.lists import and_more, report_references, report_words
from remit.plans.spectra.markers import read_marker
from remit.plans.spectra.pieces import Piece, bracketed
from remit.plans.spectra.record import GraphEntry, Marker, OtherField, Parallelism
from remit.plans.spectra.sections import Section, read_heading, section_lines
from remit.plans.texts import Line, PlanReporter

_KEYS: Final = {
    "independent tasks": names.INDEPENDENT,
    "independent": names.INDEPENDENT,
    "sequential dependencies": names.SEQUENTIAL,
    "sequential": names.SEQUENTIAL,
    "recommendation": names.RECOMMENDATION,
}
_DEPENDS: Final = re.compile(r"\b(?:depends?|dependent)[ \t]{1,8}on\b:?", re.IGNORECASE)
_SUBJECT: Final = re.compile(
    r"(?:(?:tasks?|and|&)[ \t]+|(?P<id>[A-Za-z0-9._-]{1,40})(?:[ \t]*,|(?=[ \t]|$))[ \t]*)", re.IGNORECASE
)
_BACKWARDS: Final = ("<", "\N{LEFTWARDS ARROW}")
_RECOMMENDATION: Final = re.compile(r"[A-Za-z_]+(?:[ -](?:only|ok|eligible|required)\b)?", re.IGNORECASE)


@dataclass(slots=True, kw_only=True)
class Order:
    """What the assessment and the graph say, gathered from all parts of the document."""

    independent: list[Reference] | None = None
    chains: list[tuple[Reference, ...]] | None = None
    recommendation: Piece | None = None
    others: list[OtherField] = field(default_factory=list)
    assessment_at: Place = NOWHERE
    has_assessment: list[Place] = field(default_factory=list)
    has_heading: list[Place] = field(default_factory=list)
    graph: list[GraphEntry] | None = None
    markers: list[Marker] = field(default_factory=list)
    current: str | None = None

    def parallelism(self, reporter: PlanReporter) -> Parallelism | None:
        """Return the assessment, or ``None`` if the document has none."""
        if not self.has_assessment:
            return None
        word = None if self.recommendation is None else read_recommendation(self.recommendation, reporter)
        return Parallelism(
            independent=None if self.independent is None else tuple(self.independent),
            chains=None if self.chains is None else tuple(self.chains),
            recommendation=word,
            others=tuple(self.others),
            recommendation_at=NOWHERE if self.recommendation is None else self.recommendation.place,
            at=self.has_assessment[0],
        )


def read_assessment(section: Section, order: Order, reporter: PlanReporter) -> None:
    """Read the lines of a parallelism assessment."""
    lines = list(section_lines(section))
    if section.heading is not None:
        order.has_heading.append(section.heading.place)
    order.has_assessment.append(section.heading.place if section.heading is not None else lines[0].place)
    order.current = None
    strays: list[Item] = []
    for line in lines:
        marker = read_marker(line)
        item = read_item(line)
        if marker is not None:
            order.markers.append(marker)
        elif is_rule(line):
            order.current = None
        elif not _read_line(item, order, reporter):
            strays.append(item)
    _report_strays(strays, reporter)


def _read_line(item: Item, order: Order, reporter: PlanReporter) -> bool:
    """Read a line of an assessment; return whether it is one of the format's."""
    name = None if item.key is None else _KEYS.get(names.plain_key(item.key.text))
    if name is not None and item.value is not None:
        order.current = name
        _check_form(item, name, reporter)
        _take(name, item.value, item, order=order, reporter=reporter)
        return True
    if item.indent and order.current is not None and order.current != names.RECOMMENDATION:
        _take(order.current, item.content, item, order=order, reporter=reporter)
        return True
    order.current = None
    if item.key is None or item.value is None or not item.bullet or item.indent:
        return False
    order.others.append(OtherField(key=item.key.text, value=item.value.text, at=item.place))
    return True


def _check_form(item: Item, name: str, reporter: PlanReporter) -> None:
    start, end = item.line.start, item.key_at[1]
    written = item.line.text[: end - start]
    if written != f"- {name}:":
        reporter.report(
            "SPECTRA_LINE_FORM",
            f"expected '- {name}:' at the beginning of the line, got {written!r}",
            at=(start, end),
            replacement=f"- {name}:",
        )


def _take(name: str, value: Piece, item: Item, *, order: Order, reporter: PlanReporter) -> None:
    inside = bracketed(value) or value.without_markup()
    if name == names.INDEPENDENT:
        references = read_references(inside)
        report_references(references, reporter)
        order.independent = [*(order.independent or ()), *references.found]
    elif name == names.SEQUENTIAL:
        chains = read_chains(inside)
        report_chains(chains, reporter)
        order.chains = [*(order.chains or ()), *chains.found]
    elif order.recommendation is None:
        order.recommendation = value
    else:
        reporter.report(
            "SPECTRA_FIELD_REPEATED",
            "expected one recommendation, got another; the first one is taken",
            at=item.place,
            related={"first": order.recommendation.place},
        )


def report_chains(chains: Chains, reporter: PlanReporter) -> None:
    """Report arrows of other shapes, ids in another spelling, and words that are no ids."""
    for arrow in chains.arrows:
        reporter.report(
            "SPECTRA_ARROW",
            f"expected '->' between tasks, got {arrow.text!r}; it is read, other readers see no dependency",
            at=arrow.place,
            replacement=None if arrow.text.startswith(_BACKWARDS) else "->",
        )
    if chains.alone:
        reporter.report(
            "SPECTRA_REFERENCE_UNREAD",
            f"expected tasks with '->' between them, got {shorten(chains.alone[0].text)} alone, which says no order; "
            "write what comes before it, or take it out",
            at=chains.alone[0].place,
        )
    report_words(chains.loose, chains.unread, reporter)


def read_recommendation(value: Piece, reporter: PlanReporter) -> str | None:
    """Return the recommendation as one of the format's words, or as it is written."""
    bare = value.without_markup()
    inside = bracketed(bare) or bare
    found = _RECOMMENDATION.match(inside.text.lstrip("*_`"))
    word = "" if found is None else found.group().upper().replace(" ", "_").replace("-", "_")
    known = names.RECOMMENDATIONS.get(word)
    if known is None:
        reporter.report(
            "SPECTRA_RECOMMENDATION_UNKNOWN",
            f"expected {names.TEAM_ELIGIBLE} or {names.SEQUENTIAL_ONLY}, got {value.text!r}; choose one",
            at=value.place,
        )
        return value.text or None
    if value.text != known:
        reporter.report(
            "SPECTRA_RECOMMENDATION_FORM",
            f"expected {known}, got {value.text!r}, which is read so",
            at=value.place,
            replacement=known,
        )
    return known


def read_graph(
    section: Section, hidden: Hidden, order: Order, *, known: frozenset[str], reporter: PlanReporter
) -> None:
    """Read the lines of a dependency graph, also those of a block of code in it; ``known`` are the plan's tasks."""
    order.graph = order.graph or []
    strays: list[Item] = []
    blocks = [(lines, is_drawn(_text(lines))) for lines in _paragraphs(section.lines)]
    fences = [(lines, is_drawn(_text(lines)) or is_drawn_in_ascii(_text(lines))) for lines in _fences(section, hidden)]
    for lines, is_drawing in blocks + fences:
        if is_drawing:
            _read_drawing(lines, order.graph, known=known, reporter=reporter)
            continue
        for line in (line for line in lines if line.text.strip()):
            marker = read_marker(line)
            if marker is not None:
                order.markers.append(marker)
            elif not is_rule(line) and read_heading(line) is None:
                _read_graph_line(read_item(line), order.graph, strays, reporter)
    _report_strays(strays, reporter)


def _text(lines: Iterable[Line]) -> str:
    return "\n".join(line.text for line in lines)


def _paragraphs(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Return the runs of lines between blank ones."""
    runs = groupby(lines, key=lambda line: bool(line.text.strip()))
    return (list(run) for is_filled, run in runs if is_filled)


def _fences(section: Section, hidden: Hidden) -> Iterator[list[Line]]:
    """Return the lines of the blocks of code between and right behind a part's lines."""
    assert section.heading is not None
    number = section.heading.number + 1
    last = section.lines[-1].number if section.lines else section.heading.number
    while number <= last or number in hidden.fences:
        fence = hidden.fences.get(number)
        if fence is not None:
            yield list(fence.lines)
        number = number + 1 if fence is None else fence.last + 1


def _read_drawing(lines: list[Line], graph: list[GraphEntry], *, known: frozenset[str], reporter: PlanReporter) -> None:
    """Read a drawing of lines and arrows; where a line cannot be followed, that is told and nothing read from it."""
    text = _text(lines)
    ids = frozenset(word for word in words_of(text) if same_id(word) in known or is_canonical(word))
    picture = read_picture(text, [line.start for line in lines], ids)
    drawn = {node for pair in picture.edges for node in pair}
    unread = [node for node in picture.nodes if node not in drawn]
    for source, target in picture.edges:
        ends = (Reference(id=same_id(node.id), at=node.at) for node in (source, target))
        graph.append(GraphEntry(chain=tuple(ends)))
    if picture.loose is not None:
        at = lines[picture.loose[0]].start + picture.loose[1]
        _report_drawing((at, at + 1), "an arrowhead that points at nothing; its line is not read", reporter)
    elif unread:
        _report_drawing(unread[0].at, f"{unread[0].id!r} without a line that can be followed", reporter)
    elif not picture.edges:
        _report_drawing(lines[0].place, "a drawing without the id of a task", reporter)
    if not picture.is_complete:
        _report_drawing(lines[0].place, f"more than {EDGES_MAX} lines; some of them are not read", reporter)


def _report_drawing(at: Place, got: str, reporter: PlanReporter) -> None:
    reporter.report(
        "SPECTRA_DRAWING_UNREAD",
        f"expected lines from task to task in the drawing, got {got}; write the order as chains such as 001 -> 002",
        at=at,
    )


def _read_graph_line(item: Item, graph: list[GraphEntry], strays: list[Item], reporter: PlanReporter) -> None:
    depends = _DEPENDS.search(item.content.text)
    subjects = [] if depends is None else _subjects(item.content.cut(0, depends.start()))
    if depends is not None and subjects:
        references = read_references(item.content.cut(depends.end()).strip())
        report_references(references, reporter)
        room = len(item.content.text)
        for subject in subjects:
            tasks = read_references(subject)
            report_references(tasks, reporter)
            room -= len(tasks.found) * len(references.found)
            if room < 0:
                _report_crowd(item, reporter)
                break
            graph += [GraphEntry(chain=(before, after)) for after in tasks.found for before in references.found]
        return
    value = bracketed(item.content) or item.content
    if has_arrow(value.text):
        chains = read_chains(value)
        report_chains(chains, reporter)
        graph += [GraphEntry(chain=chain) for chain in chains.found if len(chain) > 1]
    elif item.content.text.strip("*_`[]() .").casefold() not in names.NONE_WORDS:
        strays.append(item)


def _report_crowd(item: Item, reporter: PlanReporter) -> None:
    """Report a line that says more pairs of tasks than it has characters; a plan is not written so by hand."""
    reporter.report(
        "SPECTRA_REFERENCE_UNREAD",
        "expected a line of the graph to name a few tasks, got more pairs than it has characters; the rest is not "
        "read, write it on lines of its own",
        at=item.place,
    )


def _subjects(before: Piece) -> list[Piece]:
    """Return the ids that a line such as ``Tasks 003, 004 and 005 (tests) depend on 001`` begins with."""
    found: list[Piece] = []
    offset = 0
    while (match := _SUBJECT.match(before.text, offset)) is not None:
        if match["id"] is not None:
            if not is_id(match["id"].rstrip(".-")):
                break
            found.append(before.cut(*match.span("id")))
        offset = match.end()
    return found


def _report_strays(strays: list[Item], reporter: PlanReporter) -> None:
    if not strays:
        return
    more = and_more(len(strays) - 1, "line")
    reporter.report(
        "SPECTRA_LINE_UNKNOWN",
        f"expected lines of the assessment or the graph, got {shorten(strays[0].content.text)}{more}; it is not read",
        at=strays[0].place,
    )
