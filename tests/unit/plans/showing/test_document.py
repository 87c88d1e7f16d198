"""A plan as data, and the schema that it follows."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from remit.diagnostics import Diagnostics
from remit.plans.plan import Plan, PlanTask
from remit.plans.showing import document_schema, plan_document
from remit.plans.texts import PlanReporter, read_text
from tests.unit.plans.showing.plans import after, payments, plan_of, random_plan, view_of

CYCLIC = plan_of(
    PlanTask(id="a", title="A", depends_on=after("b", "nobody")),
    PlanTask(id="b", title="B", depends_on=after("a", "b")),
    PlanTask(id="b", title="B"),
)


@pytest.mark.parametrize(
    "plan", [payments(), plan_of(), CYCLIC, random_plan(40, phase_count=3)], ids=["small", "empty", "cyclic", "phases"]
)
def test_document_follows_its_schema(plan: Plan) -> None:
    """
    Every field is there and no other, also when the data went through JSON.
    """
    document = json.loads(json.dumps(plan_document(view_of(plan))))
    validator = jsonschema.Draft202012Validator(document_schema())

    assert [] == [error.message for error in validator.iter_errors(document)]


def test_schema_refuses_what_the_document_never_is() -> None:
    """
    A field too many or too few is no document of this version.
    """
    validator = jsonschema.Draft202012Validator(document_schema())
    document = json.loads(json.dumps(plan_document(view_of(payments()))))

    assert validator.is_valid(document)
    for name in ("plan", "analysis"):
        assert not validator.is_valid({**document, name: {**document[name], "other": 1}})
        less = dict(document[name])
        less.popitem()
        assert not validator.is_valid({**document, name: less})


def test_places_are_of_the_file() -> None:
    """
    Offsets become lines and columns; what stands nowhere has no place.
    """
    diagnostics = Diagnostics()
    text = read_text(b"# Plan\n\n- [ ] a\n", path="plan.md", diagnostics=diagnostics)
    assert text is not None
    PlanReporter(text, diagnostics).report("FIELD_UNKNOWN", "expected nothing", at=(8, 15))
    plan = replace(plan_of(PlanTask(id="a", title="A", at=(8, 15))), level_at=(2, 6))
    document = plan_document(view_of(plan, diagnostics=diagnostics, text=text))
    place = {"line": 3, "column": 1, "end_line": 3, "end_column": 8}

    assert place == document["plan"]["tasks"][0]["at"]
    assert {"line": 1, "column": 3, "end_line": 1, "end_column": 7} == document["plan"]["level_at"]
    assert document["plan"]["tasks"][0]["state_at"] is None
    assert 3 == document["diagnostics"]["findings"][0]["line"]


def test_decimals_are_exact() -> None:
    """
    Estimates are strings, so that no reader rounds them.
    """
    document = plan_document(view_of(payments()))

    assert ("0.5", "0.5") == tuple(document["plan"]["tasks"][1]["estimate"][name] for name in ("days_min", "days_max"))
    assert "2.5" == document["analysis"]["critical_by_days_max"]["length"]
