"""What is published about plan documents: JSON Schemas for editors, and templates to begin with.

Owns: which kinds have which.
Does not know: what the files say. They are part of the package, so they are what this version reads and prints.
"""

from __future__ import annotations

import json
from enum import StrEnum
from importlib import resources
from typing import Final

from remit.plans.showing import document_schema


class SchemaKind(StrEnum):
    """The kinds of documents that have a schema."""

    PLANNING_CONTRACT = "planning-contract"
    FANOUT = "fanout"
    ISSUE_CONTRACT = "issue-contract"
    SPECTRA = "spectra"
    ORCHESTRATION = "orchestration"
    SHOWN_PLAN = "shown-plan"


_SCHEMAS: Final = {
    SchemaKind.PLANNING_CONTRACT: ("remit.plans.contract", "schemas/planning-contract.json"),
    SchemaKind.FANOUT: ("remit.plans.contract", "schemas/fanout.json"),
    SchemaKind.ISSUE_CONTRACT: ("remit.plans.contract", "schemas/issue-contract.json"),
    SchemaKind.SPECTRA: ("remit.plans.spectra", "schemas/spectra.json"),
    SchemaKind.ORCHESTRATION: ("remit.plans.orchestration", "schema.json"),
}
_TEMPLATES: Final = {
    SchemaKind.PLANNING_CONTRACT: ("remit.plans.contract", "templates/planning-contract.json"),
    SchemaKind.FANOUT: ("remit.plans.contract", "templates/fanout.json"),
    SchemaKind.ISSUE_CONTRACT: ("remit.plans.contract", "templates/issue-contract.md"),
}


def schema_text(kind: SchemaKind) -> str:
    """Return the JSON Schema (2020-12) of a kind."""
    if kind is SchemaKind.SHOWN_PLAN:
        # It is made from the records, so that it cannot differ from what is printed.
        return json.dumps(document_schema(), indent=2, ensure_ascii=False) + "\n"
    return _text(*_SCHEMAS[kind])


def template_text(kind: SchemaKind) -> str | None:
    """Return a document of a kind in which placeholders stand for what is to be written; ``None`` if there is none."""
    place = _TEMPLATES.get(kind)
    return None if place is None else _text(*place)


def _text(package: str, path: str) -> str:
    return resources.files(package).joinpath(path).read_text(encoding="utf-8")
