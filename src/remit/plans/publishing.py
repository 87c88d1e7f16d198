"""What is published about plan documents: JSON Schemas for editors, and templates to begin with.

Owns: which kinds have which.
Does not know: what the files say. They are part of the package, so they are what this version reads.
"""

from __future__ import annotations

from enum import StrEnum
from importlib import resources
from typing import Final


class SchemaKind(StrEnum):
    """The kinds of documents that have a schema."""

    PLANNING_CONTRACT = "planning-contract"
    FANOUT = "fanout"
    ISSUE_CONTRACT = "issue-contract"
    ORCHESTRATION = "orchestration"


_SCHEMAS: Final = {
    SchemaKind.PLANNING_CONTRACT: ("remit.plans.contract", "schemas/planning-contract.json"),
    SchemaKind.FANOUT: ("remit.plans.contract", "schemas/fanout.json"),
    SchemaKind.ISSUE_CONTRACT: ("remit.plans.contract", "schemas/issue-contract.json"),
    SchemaKind.ORCHESTRATION: ("remit.plans.orchestration", "schema.json"),
}
_TEMPLATES: Final = {
    SchemaKind.PLANNING_CONTRACT: ("remit.plans.contract", "templates/planning-contract.json"),
    SchemaKind.FANOUT: ("remit.plans.contract", "templates/fanout.json"),
    SchemaKind.ISSUE_CONTRACT: ("remit.plans.contract", "templates/issue-contract.md"),
}


def schema_text(kind: SchemaKind) -> str:
    """Return the JSON Schema (2020-12) of a kind."""
    return _text(*_SCHEMAS[kind])


def template_text(kind: SchemaKind) -> str | None:
    """Return a document of a kind in which placeholders stand for what is to be written; ``None`` if there is none."""
    place = _TEMPLATES.get(kind)
    return None if place is None else _text(*place)


def _text(package: str, path: str) -> str:
    return resources.files(package).joinpath(path).read_text(encoding="utf-8")
