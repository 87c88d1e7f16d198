"""The lines of a delivery plan: headings of phases and sections, labels, references to phases.

Owns: what each of these looks like, in every spelling that is read.
Does not know: what belongs to which phase (``reading``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from remit.plans.delivery.marks import Mark, find_mark, last_mark
from remit.plans.delivery.record import Weeks
from remit.plans.markdown import Block, Heading, ListItem, Paragraph, Table
from remit.plans.plan import Place
from remit.plans.texts import Line, PlanText

_WORDS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_ROMAN: Final = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv")
_NUMBERS: Final = {
    **{word: str(number) for number, word in enumerate(_WORDS, start=1)},
    **{roman: str(number) for number, roman in enumerate(_ROMAN, start=1)},
}
_SPELLED: Final = "|".join(sorted(_NUMBERS, key=len, reverse=True))

_PHASE: Final = re.compile(
    r"[*_]{0,3}(?:\d{1,4}(?:\.\d{1,4}){0,3}[.)]? {1,3})?[*_]{0,3}(?P<word>phase|stage|sprint|milestone|iteration) {1,3}"
    rf"(?P<number>\d{{1,4}}(?:[a-z]|\.\d{{1,3}})?|{_SPELLED})\b[*_]{{0,3}}"
    r"(?P<dash> {0,3}(?:[–—:.|-]|--)(?= |[*_]|\Z)| {0,3}\Z| {1,3})[*_]{0,3}",
    re.IGNORECASE,
)
_WEEKS: Final = re.compile(
    r"\( {0,2}(?:weeks?|wks?|w) {0,2}(?P<first>\d{1,4})"
    r"(?: {0,2}(?:–|—|-|to|/|&|and|,) {0,2}(?:weeks? |w)?(?P<last>\d{1,4}))? {0,2}\)",
    re.IGNORECASE,
)
_WEEK_COUNT: Final = re.compile(r"\( {0,2}(?P<count>\d{1,3}) {0,2}(?:weeks?|wks?|w) {0,2}\)", re.IGNORECASE)
_WEEKS_LIKE: Final = re.compile(r"\([^()\n]{0,40}\bweeks?\b[^()\n]{0,40}\)", re.IGNORECASE)
_SECTION: Final = re.compile(
    r"(?P<number>\d{1,4}(?:\.\d{1,4}){1,3}[a-z]?)[.):]?(?:(?: {1,3}[–—:-])? {1,3}(?P<title>.*))?\Z"
)
_CRITERIA: Final = re.compile(
    r"(?:phase {1,2}(?P<phase>[\w.]{1,8}) {0,2}[–—:-]? {0,2})?"
    r"(?:(?:exit|completion)[ -]criteri(?:a|on)|definition of done)\Z",
    re.IGNORECASE,
)
_LABEL: Final = re.compile(
    r"(?P<bold>[*_]{1,3})?(?P<label>[^\W_][^*_:\n]{0,60})(?(bold)(?::[*_]{1,3}|[*_]{1,3}:?)|:)(?:[ \t]{1,4}|\Z)"
)
_GOALS: Final = frozenset({"goal", "goals", "objective", "objectives", "purpose"})
_TOTALS: Final = frozenset({"total", "timeline", "effort", "total effort", "estimate", "duration", "total duration"})

_PHASE_LIST: Final = re.compile(
    r"\b(?P<word>phases?) {1,2}(?P<first>\d{1,4})(?![\w.]\w)(?P<rest>(?: ?(?:[,&/+–-]|and|to|through) ?"
    r"(?:phases? {1,2})?\d{1,4}(?![\w.]\w)){0,20})",
    re.IGNORECASE,
)
_LIST_PART: Final = re.compile(
    r"(?P<link> ?(?:[,&/+–-]|and|to|through) ?)(?P<word>phases? {1,2})?(?P<number>\d{1,4})", re.IGNORECASE
)
_FOREIGN_BEFORE: Final = re.compile(r"(?:\b[A-Z][A-Z0-9]+|\b[A-Z][a-z]+[A-Z]\w{0,40})(?:'s)? \Z")
_FOREIGN_AFTER: Final = re.compile(r" (?:of|in) (?!this\b|the (?:plan|roadmap)\b)")
_BARE_ITEM: Final = re.compile(
    r"(?:[-*+•·–—](?=\[)|[•·–—] {1,3}|(?=\[[^\[\]\n]{0,3}\] {0,3}\*{0,3}[(\[][A-Z](?:/[A-Z]){0,3}[)\]]))"
    r"(?=\[[ xX~!]?\](?: |\*{0,3}[(\[][A-Z]))"
)
_CODE: Final = re.compile(r"(`[^`\n]*`)")
_STRUCK: Final = re.compile(r"~~([^~\n]{1,200})~~")
_EMPHASIS: Final = re.compile(
    r"(?<![\w*])\*(?=[^\s*])(?P<star>[^*\n]{1,200})(?<=\S)\*(?![\w*])"
    r"|(?<![\w/.])_{1,2}(?=[^\s_])(?P<line>[^\n]{1,200}?)(?<=[^\s_])_{1,2}(?![\w/.])"
)
_LINK: Final = re.compile(r"\[([^\[\]\n]{1,200})\]\([^()\s]{1,500}\)")


class Label(Enum):
    """What a label such as ``**Goal:**`` announces."""

    GOAL = auto()
    CRITERIA = auto()
    TOTAL = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseHeading:
    """A heading that begins a phase. ``weeks_like`` is the place of weeks that cannot be read.

    ``canonical`` is the heading as it should be, where only what stands between number and title is not.
    """

    number: str
    title: str
    weeks: Weeks | None
    weeks_like: Place | None
    mark: Mark | None
    is_canonical: bool
    canonical: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelLine:
    """A line that begins with a label; ``rest`` begins at ``start``. ``phase`` is the number that the label names.

    ``name`` is the label in small letters, ``written`` as it stands.
    """

    label: Label
    name: str
    written: str
    rest: str
    start: int
    place: Place
    phase: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """A line of a paragraph."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLine:
    """An item of any list with the lines that continue it.

    ``bullet`` is set for a line that is meant as an item and is none for want of ``- `` before its mark: the place of
    what stands there instead.
    """

    text: str
    place: Place
    depth: int
    number: int | None
    bullet: Place | None = None


Piece = Heading | ListLine | LabelLine | TextLine | Table


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseReference:
    """A phase that a text names, and where; ``is_end_of_range`` for the second number of a range."""

    number: str
    at: Place
    is_end_of_range: bool = False


def pieces(text: PlanText, blocks: tuple[Block, ...]) -> Iterator[Piece]:
    """Return what a document consists of, with paragraphs line by line and list items whole."""
    for index, block in enumerate(blocks):
        following = blocks[index + 1].first if index + 1 < len(blocks) else block.last + 1
        match block:
            case Heading() | Table():
                yield block
            case Paragraph():
                for number in range(block.first, block.last + 1):
                    yield from _text_line(text, number, depth=block.depth + 1)
            case ListItem():
                yield from _list_line(text, block, following)
            case _:
                pass


def phase_heading(written: str, start: int) -> PhaseHeading | None:
    """Return what a heading that begins at an offset says about a phase, or ``None`` if it begins none."""
    leading = find_mark(written, start)
    skipped = 0 if leading is None else leading.end - start
    match = _PHASE.match(written, skipped)
    if match is None:
        return None
    word = match["number"].lower()
    rest = written[match.end() :]
    if _CRITERIA.match(rest.strip(" *_:")):
        return None
    weeks, cut = _weeks(rest, start + match.end())
    trailing = last_mark(rest, start + match.end())
    title = rest if cut is None else rest[: cut[0]] + rest[cut[1] :]
    if trailing is not None:
        title = title.rstrip()[: -len(trailing.written)]
    like = None if weeks is not None else _WEEKS_LIKE.search(rest)
    return PhaseHeading(
        number=_NUMBERS.get(word, word),
        title=" ".join(title.strip(" *_–—:-").split()),
        weeks=weeks,
        weeks_like=None if like is None else (start + match.end() + like.start(), start + match.end() + like.end()),
        mark=leading or trailing,
        is_canonical=_is_canonical(match, rest),
        canonical=_canonical(match, written, rest),
    )


def section_heading(written: str) -> tuple[str, str]:
    """Return number and title of a heading inside a phase; the number is empty where it has none."""
    match = _SECTION.match(written)
    if match is None:
        return "", " ".join(written.split())
    return match["number"], " ".join((match["title"] or "").split())


def label_line(line: str, place: Place) -> LabelLine | None:
    """Return the label that a line begins with, or ``None``."""
    match = _LABEL.match(line)
    if match is None:
        return None
    name = " ".join(match["label"].lower().split())
    criteria = _CRITERIA.match(name)
    label = _label(name, is_criteria=criteria is not None)
    if label is Label.OTHER and match["bold"] is None:
        return None
    return LabelLine(
        label=label,
        name=name,
        written=match["label"],
        rest=line[match.end() :].rstrip(),
        start=place[0] + match.end(),
        place=place,
        phase=None if criteria is None else criteria["phase"],
    )


def criteria_heading(written: str) -> re.Match[str] | None:
    """Return the match of a heading that announces exit criteria; its group ``phase`` is the number it names."""
    return _CRITERIA.match(written.strip(" *_:"))


def phase_references(line: str, start: int) -> Iterator[PhaseReference]:
    """Return the phases that a line names; those of another document, such as ``PRD Phase 3``, are none."""
    for match in _PHASE_LIST.finditer(line):
        before = line[max(0, match.start() - 60) : match.start()]
        if _FOREIGN_BEFORE.search(before) or _FOREIGN_AFTER.match(line, match.end()):
            continue
        is_plural = match["word"].lower() == "phases"
        yield PhaseReference(number=match["first"], at=(start + match.start("first"), start + match.end("first")))
        for part in _LIST_PART.finditer(match["rest"]):
            link = part["link"]
            is_tight = link.strip() in {"–", "-", "/", "&", "+"} and (link == link.strip() or "&" in link)
            if not (is_plural or part["word"] or is_tight):
                break
            begin = start + match.start("rest") + part.start("number")
            yield PhaseReference(
                number=part["number"],
                at=(begin, begin + len(part["number"])),
                is_end_of_range=link.strip().lower() in {"–", "-", "to", "through"},
            )


def plain(text: str) -> str:
    """Return a text without emphasis, code marks, addresses of links and struck-out words; all words if all are."""
    parts = _CODE.split(text) if "`" in text else [text]
    # Inside code underscores and asterisks are the code's own, such as those of `__tests__`.
    said = " ".join("".join(part[1:-1] if index % 2 else _plain(part) for index, part in enumerate(parts)).split())
    return said if said or "~~" not in text else plain(text.replace("~~", ""))


def is_struck_out(text: str) -> bool:
    """Whether all words of a text are struck out."""
    return "~~" in text and not _STRUCK.sub("", text).strip(" *_.:–—-")


def _plain(text: str) -> str:
    if "~~" in text:
        text = _STRUCK.sub("", text)
    if "](" in text:
        text = _LINK.sub(r"\1", text)
    if "**" in text:
        text = text.replace("**", "")
    if "*" in text or "_" in text:
        text = _EMPHASIS.sub(lambda found: found["star"] or found["line"], text)
    return text.replace("`", "")


def _is_canonical(match: re.Match[str], rest: str) -> bool:
    has_dash = match["dash"].strip() in {"–", "—", "-"} or not rest.strip()
    return match["word"].lower() == "phase" and match["number"][0].isdigit() and has_dash


def _canonical(match: re.Match[str], written: str, rest: str) -> str | None:
    is_certain = match["word"] == "Phase" and match["number"][0].isdigit() and bool(match["dash"].strip())
    return f"{written[: match.start('dash')]} – {rest.lstrip()}" if is_certain and rest.strip() else None


def _weeks(rest: str, start: int) -> tuple[Weeks | None, Place | None]:
    match = _WEEKS.search(rest)
    if match is not None:
        first, last = int(match["first"]), int(match["last"] or match["first"])
        if last < first:
            return None, None
        place = (start + match.start(), start + match.end())
        return Weeks(first=first, count=last - first + 1, at=place), match.span()
    match = _WEEK_COUNT.search(rest)
    if match is None:
        return None, None
    place = (start + match.start(), start + match.end())
    return Weeks(first=None, count=max(1, int(match["count"])), at=place), match.span()


def _label(name: str, *, is_criteria: bool) -> Label:
    if is_criteria:
        return Label.CRITERIA
    if name in _GOALS:
        return Label.GOAL
    return Label.TOTAL if name in _TOTALS else Label.OTHER


def _text_line(text: PlanText, number: int, *, depth: int) -> Iterator[Piece]:
    line = text.lines[number - 1]
    stripped = line.text.strip()
    if stripped:
        bare = _bare_item(line, depth=depth) if "[" in stripped else None
        yield bare or label_line(stripped, line.place) or TextLine(text=stripped, place=line.place)


def _bare_item(line: Line, *, depth: int) -> ListLine | None:
    """Return the item that a line is meant to be which lacks the space or the sign of a list."""
    start, end = line.place
    match = _BARE_ITEM.match(line.text, start - line.start)
    if match is None:
        return None
    begin = line.start + match.end()
    written = line.text[match.end() : end - line.start]
    return ListLine(text=written, place=(begin, end), depth=depth, number=None, bullet=(start, begin))


def _depth_of(text: PlanText, line: Line, item: ListItem) -> int:
    """Return how deep a line below an item stands: within it if it begins where its words do."""
    is_nested = line.place[0] - line.start >= item.place[0] - text.lines[item.first - 1].start
    return item.depth + 1 if is_nested else item.depth


def _list_line(text: PlanText, item: ListItem, following: int) -> Iterator[Piece]:
    """Return an item with its continuation; a label that merely lacks the blank line before it stands for itself."""
    end = item.place[1]
    after: list[Piece] = []
    for number in range(item.first + 1, min(item.last, following - 1) + 1):
        line = text.lines[number - 1]
        if not line.text.strip() or line.text.lstrip().startswith("<"):
            break
        bare = _bare_item(line, depth=_depth_of(text, line, item)) if "[" in line.text else None
        label = label_line(line.text.strip(), line.place) if line.place[0] == line.start else None
        if bare is not None or label is not None or after:
            after.append(bare or label or TextLine(text=line.text.strip(), place=line.place))
        else:
            end = line.place[1]
    yield ListLine(
        text=text.text[item.place[0] : end], place=(item.place[0], end), depth=item.depth, number=item.number
    )
    yield from after
