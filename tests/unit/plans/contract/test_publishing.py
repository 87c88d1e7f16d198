"""Published schemas: valid, in step with the fields that are read, and with the words that are taken."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from remit.plans.contract import words
from remit.plans.fields import FieldTable
from remit.plans.plan import RiskClass
from remit.plans.publishing import SchemaKind, schema_text


def schema(kind: SchemaKind) -> Any:
    return json.loads(schema_text(kind))


CONTRACT = schema(SchemaKind.PLANNING_CONTRACT)
FANOUT = schema(SchemaKind.FANOUT)
ISSUE = schema(SchemaKind.ISSUE_CONTRACT)


@pytest.mark.parametrize("kind", list(SchemaKind))
def test_schema_is_one_of_2020_12(kind: SchemaKind) -> None:
    """
    Each published schema is a valid one of draft 2020-12.
    """
    jsonschema.Draft202012Validator.check_schema(schema(kind))

    assert "https://json-schema.org/draft/2020-12/schema" == schema(kind)["$schema"]


@pytest.mark.parametrize(
    ("place", "table"),
    [
        (CONTRACT, words.CONTRACT), (CONTRACT["$defs"]["roadmap"], words.ROADMAP),
        (CONTRACT["$defs"]["milestone"], words.MILESTONE), (CONTRACT["$defs"]["defaults"], words.DEFAULTS),
        (FANOUT, words.FANOUT), (FANOUT["$defs"]["task"], words.FANOUT_TASK),
        (ISSUE, words.ISSUE_JSON), (ISSUE["$defs"]["section"], words.SECTION),
    ],
    ids=["contract", "roadmap", "milestone", "defaults", "fanout", "task", "issue", "section"],
)  # fmt: skip
def test_schema_has_the_fields(place: dict[str, Any], table: FieldTable) -> None:
    """
    A schema lists exactly the canonical fields that are read.
    """
    assert table.names == set(place["properties"])
    assert place["additionalProperties"] is False


def test_schema_has_the_words() -> None:
    """
    Choices in schemas are those of the reader.
    """
    assert list(RiskClass) == CONTRACT["$defs"]["risk_class"]["enum"]
    assert list(words.ROLES) == FANOUT["$defs"]["task"]["properties"]["role"]["enum"]
    assert list(words.STATUSES) == ISSUE["properties"]["status"]["enum"]
    assert list(words.PRIORITIES) == ISSUE["properties"]["priority"]["enum"]
    titles = [one["contains"]["properties"]["title"]["const"] for one in ISSUE["properties"]["sections"]["allOf"]]
    assert list(words.SECTIONS) == titles
