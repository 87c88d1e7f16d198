"""Fields of a task that hold lists: criteria, files, ownership, wiring, dependencies, assertions.

Owns: reading each in every form, and saying which was expected.
Does not know: which fields a level wants, or whether paths and ids exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from remit.plans.plan import PathClaim, Reference, Text
from remit.plans.spectra import names
from remit.plans.spectra.assertions import read_assertion
from remit.plans.spectra.body import RawField
from remit.plans.spectra.ids import References, ids_of_range, read_references, same_id
from remit.plans.spectra.items import Item, read_item
from remit.plans.spectra.paths import read_paths
from remit.plans.spectra.pieces import Piece, line_end_at
from remit.plans.spectra.record import Assertion, Ownership, Wiring
from remit.plans.texts import Line, PlanReporter

_RANGE_SHOWN_MAX: Final = 1000
"""No range of three digits stands for more ids."""

_SUB: Final = "  - "


def read_criteria(raw: RawField, reporter: PlanReporter) -> tuple[Text, ...]:
    """Read acceptance criteria: one in each sub-item; the older form has one on the line of the field."""
    found: list[Text] = []
    if raw.value.text:
        _report_one_line(raw, reporter)
        found.append(Text(text=raw.value.text, at=raw.value.place))
    for item in raw.subs:
        if item.bullet or not found:
            found.append(Text(text=item.content.text, at=item.content.place))
        else:
            last = found.pop()
            found.append(Text(text=f"{last.text} {item.content.text}".strip(), at=(last.at[0], item.content.end)))
    _check_subs(raw, reporter)
    return tuple(found)


def _report_one_line(raw: RawField, reporter: PlanReporter) -> None:
    end = line_end_at(reporter.text.text, raw.item.line.end)
    reporter.report(
        "SPECTRA_CRITERIA_ONE_LINE",
        "expected criteria on lines of their own below '- AC:', got the older form with one on the same line",
        at=(raw.item.line.start, raw.value.end),
        replacement=f"- {names.CRITERIA}:{end}{_SUB}{raw.value.text}",
    )


def _check_subs(raw: RawField, reporter: PlanReporter) -> None:
    """Say once for a field how its sub-items should be written."""
    for item in raw.subs if not raw.item.is_heading else ():
        start = item.content.start - item.line.start
        if item.line.text[:start] == _SUB or not item.content.text:
            continue
        how = "it is read as one" if item.bullet else "it is read as part of the one before"
        replacement = _SUB if item.bullet and item.indent <= len(_SUB) - 1 and item.content.text else None
        reporter.report(
            "SPECTRA_ITEM_FORM",
            f"expected sub-items of {raw.name or raw.key.text!r} to begin with {_SUB!r}, got "
            f"{item.line.text[:start]!r}; {how}",
            at=(item.line.start, item.content.start),
            replacement=replacement,
        )
        return


@dataclass(frozen=True, slots=True, kw_only=True)
class FileList:
    """The files of a task; ``ownership`` is set when the list says how each is changed."""

    files: tuple[PathClaim, ...]
    ownership: Ownership | None = None


def read_files(raw: RawField, reporter: PlanReporter) -> FileList:
    """Read the files that a task changes, from one line or from sub-items."""
    found = list(read_paths(raw.value, reporter).claims)
    changes: dict[str, list[PathClaim]] = {}
    if raw.subs:
        reporter.report(
            "SPECTRA_FILES_NESTED",
            "expected the files on one line, separated by commas, got sub-items; those that create or delete are read "
            "as owned, those that touch as touched",
            at=raw.item.place,
        )
    for item in raw.subs:
        kind = None if item.key is None else names.CHANGE_KEYS.get(names.plain_key(item.key.text))
        value = item.content if kind is None or item.value is None else item.value
        claims = read_paths(value, reporter).claims
        if kind is not None:
            changes.setdefault(kind, []).extend(claims)
        if kind != names.READS:
            found.extend(claims)
    ownership = None
    if changes:
        ownership = Ownership(**{key: tuple(changes[key]) for key in names.OWNERSHIP_KEYS if key in changes})
    return FileList(files=tuple(found), ownership=ownership)


def read_ownership(
    raw: RawField, *, level: int, places: dict[str, tuple[int, int]], reporter: PlanReporter
) -> Ownership:
    """Read ownership: ``owns``, ``touches`` and ``reads``, each a list in brackets."""
    lists: dict[str, list[PathClaim]] = {}
    current: str | None = None
    if raw.value.text:
        _report_unread(raw.value, raw, reporter)
    for item in raw.subs:
        key = None if item.key is None else names.plain_key(item.key.text)
        if key in names.OWNERSHIP_KEYS and item.value is not None:
            current = str(key)
            known = lists.get(current)
            found = read_paths(item.value, reporter)
            places.setdefault(current, item.value.place)
            lists[current] = [*(known or ()), *found.claims]
            if found.is_bare and item.value.text:
                _report_bare(item.value, current, level, reporter)
        elif current is not None and item.bullet and item.key is None:
            lists[current] += read_paths(item.content, reporter).claims
            _report_nested(item, current, reporter)
        else:
            _report_unread(item.content, raw, reporter)
    _check_subs(RawField(name=raw.name, item=raw.item, key=raw.key, value=raw.value, subs=raw.subs[:1]), reporter)
    return Ownership(**{key: tuple(found) for key, found in lists.items()})


def _report_bare(value: Piece, key: str, level: int, reporter: PlanReporter) -> None:
    message = f"expected {key} as a list in brackets, got {value.text!r}; it is read as one"
    if key == names.OWNS and level >= names.OWNERSHIP_LEVEL:
        reporter.report("SPECTRA_OWNS_BARE", message, at=value.place, replacement=f"[{value.text}]")
    else:
        reporter.report("SPECTRA_LIST_BARE", message, at=value.place, replacement=f"[{value.text}]")


def _report_nested(item: Item, key: str, reporter: PlanReporter) -> None:
    reporter.report(
        "SPECTRA_LIST_BARE",
        f"expected {key} as a list in brackets on one line, got sub-items; they are read",
        at=item.place,
    )


def _report_unread(content: Piece, raw: RawField, reporter: PlanReporter) -> None:
    reporter.report(
        "SPECTRA_ITEM_UNKNOWN",
        f"expected sub-items {', '.join(names.OWNERSHIP_KEYS)} of {raw.name}, got {content.text!r}; it is not "
        "read, take it out",
        at=content.place,
    )


def read_wiring(raw: RawField, places: dict[str, tuple[int, int]], reporter: PlanReporter) -> Wiring:
    """Read the proof of wiring: a command, and an assertion across modules."""
    found: dict[str, Text] = {}
    others: list[Text] = []
    same_line = [read_item(Line(raw.item.line.number, raw.value.start, raw.value.text))] if raw.value.text else []
    for item in (*same_line, *raw.subs):
        key = None if item.key is None else names.plain_key(item.key.text)
        name = {"cli": names.CLI, "integration": names.INTEGRATION}.get(key or "")
        if name is None or item.value is None or name in found:
            others.append(Text(text=item.content.text, at=item.content.place))
            continue
        value = item.value.without_markup() if name == names.CLI else item.value
        found[name] = Text(text=value.text, at=value.place)
        places[name] = value.place
    _check_subs(raw, reporter)
    return Wiring(command=found.get(names.CLI), integration=found.get(names.INTEGRATION), others=tuple(others))


def read_dependencies(raw: RawField, reporter: PlanReporter) -> tuple[Reference, ...]:
    """Read the tasks that come first, from one line or from sub-items."""
    found: list[Reference] = []
    for value in (raw.value, *(item.content for item in raw.subs)):
        references = read_references(value)
        report_references(references, reporter)
        found.extend(references.found)
    return tuple(found)


def report_references(references: References, reporter: PlanReporter) -> None:
    """Report ids in another spelling, and words that are no ids."""
    report_words(references.loose, references.unread, reporter)


def report_words(loose: tuple[Piece, ...], unread: tuple[Piece, ...], reporter: PlanReporter) -> None:
    """Report ids in another spelling, and the first word that is no id."""
    for word in loose:
        ids = ids_of_range(word.text, _RANGE_SHOWN_MAX)
        reporter.report(
            "SPECTRA_ID_FORM",
            f"expected each id by itself, got the range {word.text!r}; other readers see no ids in it"
            if ids
            else f"expected an id of three digits, got {word.text!r}",
            at=word.place,
            replacement=", ".join(ids) or same_id(word.text),
        )
    if unread:
        more = and_more(len(unread) - 1, "word")
        reporter.report(
            "SPECTRA_REFERENCE_UNREAD",
            f"expected ids of tasks separated by commas, got {unread[0].text!r}{more}; such words are not read",
            at=unread[0].place,
        )


def read_assertions(raw: RawField, reporter: PlanReporter) -> tuple[Assertion, ...]:
    """Read assertions, one in each sub-item."""
    contents = [item.content for item in raw.subs]
    if raw.value.text:
        contents.insert(0, raw.value)
    _check_subs(raw, reporter)
    return tuple(read_assertion(content, reporter) for content in contents if content.text)


def and_more(count: int, what: str) -> str:
    """Return how many things there are beside the one that is shown."""
    return f" and {count} more {what}{'s' if count > 1 else ''}" if count else ""


def path_lists(ownership: Ownership) -> tuple[tuple[str, tuple[PathClaim, ...]], ...]:
    """Return the lists of an ownership that the document has, by their keys."""
    pairs = ((names.OWNS, ownership.owns), (names.TOUCHES, ownership.touches), (names.READS, ownership.reads))
    return tuple((key, claims) for key, claims in pairs if claims is not None)
