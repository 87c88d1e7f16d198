"""Laws of showing: any plan, whatever its graph and texts, is shown whole and safely in every form."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from xml.etree import ElementTree as ET

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.plans.plan import Plan, PlanTask, Reference, TaskKind, Text
from remit.plans.showing import document_schema, plan_document, render_page, render_svg, tree_text
from tests.property.plan_graphs import plans
from tests.unit.plans.showing.markup import read_page
from tests.unit.plans.showing.plans import view_of

TEXTS = st.text(max_size=40) | st.text(st.sampled_from("<>&'\"`{}%#;/*\\ \n\x00\x1b\u202e"), max_size=12)


@st.composite
def told_plans(draw: st.DrawFn) -> Plan:
    """Draw a plan with any texts, some ids used twice."""
    plan = draw(plans())

    def told(task: PlanTask) -> PlanTask:
        return replace(
            task,
            title=draw(TEXTS),
            kind=draw(st.sampled_from(TaskKind)),
            role=draw(st.none() | TEXTS),
            objective=draw(TEXTS),
            criteria=(Text(text=draw(TEXTS)),),
            requirements=(Reference(id=draw(TEXTS)),),
        )

    tasks = [told(task) for task in plan.tasks]
    again = draw(st.lists(st.sampled_from(tasks), max_size=2))
    requirements = tuple(Reference(id=text) for text in draw(st.lists(TEXTS, max_size=2)))
    return replace(plan, title=draw(TEXTS), tasks=(*tasks, *again), requirements=requirements)


@cache
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(document_schema())


@settings(max_examples=60, deadline=None)
@given(told_plans())
def test_any_plan_is_shown_in_every_form(plan: Plan) -> None:
    """
    The page is balanced and holds no element of the plan's, the drawing is XML, the data follow the schema, and the
    tree steers no terminal.
    """
    view = view_of(plan)
    page = read_page(render_page(view))
    drawing = ET.fromstring(render_svg(view))
    document = json.loads(json.dumps(plan_document(view)))
    tree = tree_text(view)

    assert 0 == page.open_count
    assert {f"task-{number + 1}" for number in range(len(plan.tasks))} <= set(page.values("id"))
    assert set() == {href.removeprefix("#") for href in page.values("href")} - set(page.values("id"))
    assert len(plan.tasks) == sum(group.get("role") == "img" for group in drawing.iter("{http://www.w3.org/2000/svg}g"))
    assert [] == [error.message for error in validator().iter_errors(document)]
    assert [] == [character for character in tree if (character < " " and character != "\n") or character == "\u202e"]
