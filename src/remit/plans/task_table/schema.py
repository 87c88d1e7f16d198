"""The Schema table of a document: what it says about its own fields.

Owns: which fields are required, which values an enumeration has, which forms of ids a list may have.
Does not know: the tasks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from remit.plans.plan import Place
from remit.plans.task_table.columns import TaskField, field_named, plain
from remit.plans.task_table.ids import ID_LENGTH_MAX
from remit.plans.task_table.record import Entry, SideKind, SideTable, TaskTable

_VALUES_MAX: Final = 200
_FORMS_MAX: Final = 40
"""So many values and forms of one field are read."""

_YES: Final = frozenset({"✓", "✔", "✅", "yes", "y", "x", "true", "required", "mandatory", "must", "*"})
_WORDS: Final = re.compile(r"[^\s,;/`()|]+")
_SPAN: Final = re.compile(r"(\d{1,9})\s?(?:[-\u2013\u2014]|\.{2,3})\s?(\d{1,9})")


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaField:
    """What a document declares about one field.

    ``values`` are those of an enumeration (empty: it is none, or does not say them), ``spellings`` finds one as it
    compares; ``forms`` are the forms of ids that it may hold, with ``#`` for a digit; ``numbers`` the first and last
    number of an id.
    """

    name: str
    meant: TaskField | None
    is_required: bool
    values: tuple[str, ...]
    spellings: Mapping[str, str]
    forms: tuple[str, ...]
    numbers: tuple[int, int] | None
    at: Place
    notes_at: Place


def schema_of(record: TaskTable) -> Mapping[str, SchemaField]:
    """Return the declared fields by their plain names; the first of two with the same name."""
    found: dict[str, SchemaField] = {}
    for table in record.of_kind(SideKind.SCHEMA):
        columns = _columns(table)
        for row in table.rows:
            declared = _field(row, columns)
            if declared is not None:
                found.setdefault(plain(declared.name), declared)
    return found


_ROLES: Final = {
    "name": ("column", "field", "name", "attribute", "fieldname", "columnname"),
    "type": ("type", "kind", "datatype"),
    "required": ("required", "mandatory", "req", "must"),
    "notes": ("notes", "note", "values", "description", "allowed", "allowedvalues", "format", "comment"),
}


def schema_columns(header: tuple[str, ...]) -> Mapping[str, int]:
    """Return which column of a Schema table says what."""
    names = [plain(name) for name in header]
    return {role: names.index(name) for role, options in _ROLES.items() for name in options[::-1] if name in names}


def _columns(table: SideTable) -> Mapping[str, int]:
    return schema_columns(tuple(entry.text for entry in table.header))


def _field(row: tuple[Entry, ...], columns: Mapping[str, int]) -> SchemaField | None:
    cells = {role: row[index] for role, index in columns.items() if index < len(row)}
    name = cells.get("name")
    if name is None or not name.text.strip("`* "):
        return None
    notes = cells.get("notes", name)
    kind = cells.get("type")
    written = kind.text if kind is not None else ""
    required = cells["required"].text.strip("`* ").casefold() if "required" in cells else ""
    is_enum = plain(written).startswith(("enum", "choice"))
    values = _values(notes.text if is_enum else "", written)[:_VALUES_MAX]
    words = (word for word in _WORDS.findall(f"{written} {notes.text}") if "#" in word and word.strip("#"))
    return SchemaField(
        name=name.text.strip("`* "),
        meant=field_named(name.text),
        is_required=required in _YES,
        values=values,
        spellings={plain(value): value for value in reversed(values)},
        forms=tuple(islice((word for word in words if len(word) <= ID_LENGTH_MAX), _FORMS_MAX)),
        numbers=_numbers(notes.text),
        at=name.at,
        notes_at=notes.at,
    )


def _values(notes: str, kind: str) -> tuple[str, ...]:
    """Return the values of an enumeration, which are written ``A/B/C`` or ``A, B, C``; or the one word of a type."""
    text = notes.strip().replace("`", "")
    for separator in ("/", "|", ","):
        parts = tuple(part.strip() for part in text.split(separator))
        if len(parts) > 1 and all(part and len(part.split()) <= 3 and "." not in part for part in parts):
            return parts
    fixed = kind.strip()
    is_word = fixed.startswith("`") and fixed.endswith("`") and "#" not in fixed and len(fixed) > 2
    return (fixed.strip("`"),) if is_word else ()


def _numbers(notes: str) -> tuple[int, int] | None:
    found = _SPAN.search(notes) if "sequential" in notes.casefold() else None
    return None if found is None else (int(found[1]), int(found[2]))
