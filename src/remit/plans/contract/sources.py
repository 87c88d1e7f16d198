"""The JSON of a contract in its file: the whole file, or a code fence of a Markdown page.

Owns: where the JSON stands, and how much a file looks like each kind.
Does not know: what the JSON says beyond a few names of fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from remit.plans.contract.words import HEADER_FIELDS
from remit.plans.documents import Entry, Mapping, Scalar, Sequence, describe, read_json_within
from remit.plans.plan import Place
from remit.plans.texts import Line, PlanReporter, PlanText

_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})\s*([\w+.-]*)")
_HEAD: Final = 65_536
"""So many characters of a JSON text are looked at; contracts name their fields early."""

_HEADER_LINES_MAX: Final = 40
_SCORE_MIN: Final = 40
_TELLING: Final = frozenset(HEADER_FIELDS) - {"id", "role", "status", "priority", "depends_on", "title", "non_goals"}
"""Fields that only issue contracts have."""

_FENCES_MAX: Final = 100
"""So many fences of a page are looked at: it is there to show a contract, not to hide it."""

_JSON_WORDS: Final = frozenset({"", "json", "jsonc", "json5"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonPart:
    """Where JSON stands in a text; ``fence`` is the line that opens its code fence, if it stands in one."""

    at: Place
    fence: Line | None


def contract_likeness(text: PlanText) -> int:
    """Return how much a text looks like a planning contract."""
    return _likeness(text, "planning-contract")


def fanout_likeness(text: PlanText) -> int:
    """Return how much a text looks like a fanout file."""
    return _likeness(text, "fanout")


def issue_likeness(text: PlanText) -> int:
    """Return how much a text looks like an issue contract, in either form."""
    return max(_likeness(text, "issue"), _header_likeness(text))


def find_json(text: PlanText, kind: str) -> JsonPart | None:
    """Return the JSON of a kind in a text: the whole, else the fence that looks most like it; ``None`` without any."""
    parts = list(_parts(text))
    return max(parts, key=lambda part: _score(_shown(text, part), kind), default=None)


def read_root(text: PlanText, reporter: PlanReporter, kind: str, *, what: str) -> Mapping | None:
    """Return the object that a text holds; what is wrong with its JSON is reported.

    ``None`` also when reading ended early: what is missing then may only be unread.
    """
    part = find_json(text, kind)
    if part is None:
        reporter.report("TYPE_WRONG", f"expected {what} as JSON, got a text without any; begin with '{{'", at=(0, 0))
        return None
    if part.fence is not None:
        reporter.report(
            "CONTRACT_FENCED",
            f"expected {what} as a file of JSON, got it inside a page; it is read, and so is nothing else of the page",
            at=part.fence.place,
        )
    document = read_json_within(reporter, text.text, at=part.at)
    root = document.root
    if root is None or not document.is_complete:
        return None
    if isinstance(root, Sequence) and kind == "fanout":
        reporter.report(
            "TYPE_WRONG",
            f'expected {what}, {{"tasks": [ … ]}}, got the list alone, which is read as its tasks; write that around',
            at=(root.start, root.start + 1),
        )
        name = Scalar(value="tasks", start=root.start, end=root.start + 1)
        return Mapping(entries={"tasks": Entry(key=name, value=root)}, start=root.start, end=root.end)
    if not isinstance(root, Mapping):
        reporter.report(
            "TYPE_WRONG", f"expected {what}, got {describe(root)}; write {{ }}", at=(root.start, root.start + 1)
        )
        return None
    return root


def has_header(text: PlanText) -> bool:
    """Whether a text begins with header lines of an issue contract."""
    return _header_likeness(text) > 0


def is_json(text: PlanText) -> bool:
    """Whether a text is, or has in a fence, JSON."""
    return next(_parts(text), None) is not None


def _parts(text: PlanText) -> Iterator[JsonPart]:
    start = len(text.text) - len(text.text.lstrip())
    if text.text[start : start + 1] in ("{", "["):
        yield JsonPart(at=(start, len(text.text)), fence=None)
        return
    yield from islice(_fenced(text), _FENCES_MAX)


def _fenced(text: PlanText) -> Iterator[JsonPart]:
    opening: Line | None = None
    marks = ""
    is_wanted = False
    for line in text.lines:
        found = _FENCE.match(line.text)
        if found is None:
            continue
        if opening is None:
            opening, marks, is_wanted = line, found[1], found[2].lower() in _JSON_WORDS
        elif found[1].startswith(marks) and not line.text.strip().strip(marks[0]):
            part = _fence_part(text, opening, line.start) if is_wanted else None
            if part is not None:
                yield part
            opening = None
    if opening is not None and is_wanted:
        part = _fence_part(text, opening, len(text.text))
        if part is not None:
            yield part


def _fence_part(text: PlanText, opening: Line, end: int) -> JsonPart | None:
    start = min(opening.end + 1, end)
    written = text.text[start : start + 200].lstrip()
    return JsonPart(at=(start, end), fence=opening) if written[:1] == "{" else None


def _likeness(text: PlanText, kind: str) -> int:
    part = find_json(text, kind)
    if part is None:
        return 0
    score = _score(_shown(text, part), kind)
    return score if part.fence is None else score // 2


def _shown(text: PlanText, part: JsonPart) -> str:
    start, end = part.at
    return text.text[start : min(end, start + _HEAD)]


def _score(written: str, kind: str) -> int:
    """Return how much a JSON text tells of a kind; a field or two that any JSON may have tell nothing."""
    score = sum(worth for name, worth in _SIGNS[kind] if f'"{name}"' in written)
    return score if score >= _SCORE_MIN else 0


_SIGNS: Final = {
    "planning-contract": (("roadmap", 40), ("milestones", 20), ("contract_defaults", 30), ("max_diff_scope", 5)),
    "fanout": (("tasks", 20), ("role", 20), ("acceptance", 20), ("acceptance_criteria", 20), ("chains", 10),
               ("max_diff_scope", 10), ("summary", 5), ("labels", 5)),
    "issue": (("sections", 40), ("complexity", 15), ("acceptance_tests", 10), ("role", 10), ("depends_on", 5),
              ("denied_paths", 10)),
}  # fmt: skip
"""Names of fields, and how much each tells."""


def _header_likeness(text: PlanText) -> int:
    known: set[str] = set()
    for line in text.lines[:_HEADER_LINES_MAX]:
        key, colon, _ = line.text.partition(":")
        if colon:
            known |= {header_key(key)} & set(HEADER_FIELDS)
        elif known and line.text.startswith("#"):
            break
    return min(100, 20 * len(known)) if known & _TELLING and len(known) > 1 else 0


def header_key(written: str) -> str:
    """Return the field that a written key means, without marks of lists, emphasis, case and spaces."""
    return "_".join(written.strip(" \t-*>_`").lower().replace("-", " ").split())
