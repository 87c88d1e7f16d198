"""The page of a plan: whole, closed to the outside, and safe whatever the plan says."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace

import pytest

from remit.diagnostics import Diagnostics
from remit.plans.plan import HumanGate, Plan, PlanPhase, PlanTask, Reference, Text
from remit.plans.showing import render_page
from remit.plans.texts import PlanReporter, read_text
from tests.unit.plans.showing.markup import read_page
from tests.unit.plans.showing.plans import after, claims, payments, plan_of, random_plan, view_of

TAGS = frozenset(
    {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "a",
        "header",
        "h1",
        "h2",
        "h3",
        "h4",
        "p",
        "dl",
        "div",
        "dt",
        "dd",
        "span",
        "br",
        "nav",
        "ul",
        "li",
        "main",
        "section",
        "svg",
        "desc",
        "defs",
        "marker",
        "path",
        "rect",
        "text",
        "tspan",
        "g",
        "table",
        "caption",
        "thead",
        "tr",
        "th",
        "tbody",
        "td",
        "article",
        "details",
        "summary",
        "code",
        "bdi",
        "pre",
        "strong",
        "footer",
    }
)

ATTRIBUTES = frozenset(
    {
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "class",
        "href",
        "id",
        "dir",
        "aria-label",
        "aria-labelledby",
        "aria-describedby",
        "aria-hidden",
        "role",
        "tabindex",
        "scope",
        "title",
        "width",
        "height",
        "viewbox",
        "refx",
        "refy",
        "markerwidth",
        "markerheight",
        "markerunits",
        "orient",
        "d",
        "x",
        "y",
        "rx",
        "transform",
        "text-anchor",
        "marker-end",
        "preserveaspectratio",
    }
)

ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><style>*{display:none}</style>",
    "</title></svg><iframe src='https://example.org'></iframe>",
    "]]><svg onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7*7 }}{% for x in y %}",
    "`<b>code</b>`",
    "url(https://example.org/x.png)",
    "a\u202eb\x00\x1b[31m\u2028c",
)


def attacked(text: str) -> Plan:
    """Return a plan that says the same text wherever a plan says anything."""
    texts = (Text(text=text),)
    task = PlanTask(
        id=text,
        title=text,
        phase=text,
        role=text,
        owner=text,
        objective=text,
        criteria=texts,
        files=claims(text),
        owns=claims(text),
        touches=claims(text),
        reads=claims(text),
        denied=claims(text),
        verify=texts,
        wiring=texts,
        assertions=texts,
        invariants=(Reference(id=text),),
        risks=texts,
        priority=text,
        scope=text,
        workstream=text,
        requirements=(Reference(id=text),),
        test_cases=(Reference(id=text),),
        decisions=texts,
    )
    gate = HumanGate(id=text, title=text, criteria=texts)
    phases = (PlanPhase(id=text, title=text, goal=text, exit_criteria=texts, gate=gate), PlanPhase(id="z", title=text))
    behind = replace(task, id=f"{text} 2", depends_on=after(text, "missing " + text))
    plan = plan_of(task, behind, task, title=text, phases=phases)
    return replace(plan, objective=text, requirements=(Reference(id=text + "!"),), risks=texts, decisions=texts)


def attacked_page(text: str) -> str:
    """Return the page of such a plan, with a finding that quotes it."""
    diagnostics = Diagnostics()
    read = read_text(f"{text}\n".encode(), path=f"{text}.md", diagnostics=diagnostics)
    assert read is not None
    PlanReporter(read, diagnostics).report(
        "FIELD_UNKNOWN", f"expected nothing, got {text}", at=(0, 3), replacement=text
    )
    return render_page(view_of(attacked(text), diagnostics=diagnostics, text=read))


@pytest.mark.parametrize("text", ATTACKS)
def test_text_of_a_plan_stays_text(text: str) -> None:
    """
    Nothing that a plan says becomes an element, an attribute, a style, a script or an address.
    """
    page = read_page(attacked_page(text))

    assert set() == page.tags() - TAGS
    assert set() == page.attribute_names() - ATTRIBUTES
    assert [] == [href for href in page.values("href") if not re.fullmatch(r"#[a-z]+(-\d+)?", href)]
    assert [] == [value for value in page.values("class") if not re.fullmatch(r"[a-z _-]*", value)]
    assert 1 == len(page.texts("style"))
    assert 0 == page.open_count


@pytest.mark.parametrize("text", ATTACKS[:-1])
def test_text_of_a_plan_is_shown(text: str) -> None:
    """
    Escaping loses nothing: the title is read as the plan has it, apart from backticks, which make code.
    """
    page = read_page(attacked_page(text))

    assert text in page.texts("title")[0]
    assert text.replace("`", "") in page.text


def test_characters_that_steer_are_replaced() -> None:
    """
    Control characters, bidirectional marks and line separators do not reach the page.
    """
    page = attacked_page(ATTACKS[-1])

    assert [] == re.findall(r"[\x00-\x08\x0b-\x1f\u2028\u2029\u202a-\u202e]", page)
    assert "a\N{REPLACEMENT CHARACTER}b" in page


@pytest.mark.parametrize(
    "plan",
    [payments(), plan_of(), random_plan(30, phase_count=4), random_plan(450, phase_count=3), random_plan(420)],
    ids=["small", "empty", "phases", "condensed-phases", "condensed-waves"],
)
def test_page_is_whole(plan: Plan) -> None:
    """
    Ids are unique, links lead somewhere, labels exist, and every task and requirement is there.
    """
    view = view_of(plan)
    page = read_page(render_page(view))
    ids = page.values("id")

    assert len(set(ids)) == len(ids)
    assert set() == {href.removeprefix("#") for href in page.values("href")} - set(ids)
    for name in ("aria-labelledby", "aria-describedby"):
        assert set() == set(page.values(name)) - set(ids)
    assert [f"task-{number + 1}" for number in range(len(plan.tasks))] == sorted(
        (name for name in ids if name.startswith("task-")), key=lambda name: int(name[5:])
    )
    headings = page.texts("h4")
    assert [] == [task.id for task in plan.tasks if not any(task.id in heading for heading in headings)]
    assert {reference.id for reference in plan.requirements} <= set(page.texts("th"))
    assert 0 == page.open_count


def test_page_reaches_for_nothing_outside() -> None:
    """
    The page holds no address at all, no script, and a policy that allows nothing but its own style.
    """
    markup = render_page(view_of(random_plan(30, phase_count=3)))
    page = read_page(markup)
    [style] = page.texts("style")
    policy = next(one.attributes["content"] for one in page.elements if "http-equiv" in one.attributes)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert [] == re.findall(r"(?:https?:)?//[a-z]|data:|@import|url\((?!#)", markup)
    assert f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'" == policy


def test_finding_is_shown_with_its_line() -> None:
    """
    A finding tells severity, code, place, message and fix, and the line it is about with a caret.
    """
    diagnostics = Diagnostics()
    text = read_text(b"# Plan\n- Risk: hgih\n", path="plan.md", diagnostics=diagnostics)
    assert text is not None
    PlanReporter(text, diagnostics).report("VALUE_INVALID", "expected high", at=(15, 19), replacement="high")
    page = read_page(render_page(view_of(payments(), diagnostics=diagnostics, text=text)))
    [excerpt] = page.texts("pre")

    assert "  2 | - Risk: hgih\n    |         ^^^^\n" == excerpt
    for part in ("1 error", "VALUE_INVALID", "line 2, column 9", "expected high", "Fix: write high"):
        assert part in page.text


def test_concealed_text_stays_concealed_in_excerpts() -> None:
    """
    A line that holds a secret shows stars, also for another finding on the same line.
    """
    diagnostics = Diagnostics()
    text = read_text(b"key: hunter2 here\n", path="plan.md", diagnostics=diagnostics)
    assert text is not None
    reporter = PlanReporter(text, diagnostics)
    reporter.report("SECRET_LITERAL", "expected no secret", at=(5, 12))
    reporter.report("FIELD_UNKNOWN", "expected no key", at=(0, 3))

    assert "hunter2" not in render_page(view_of(payments(), diagnostics=diagnostics, text=text))


def test_page_names_cycles_and_repeated_ids() -> None:
    """
    Tasks that can never run, or whose id is taken, are shown as such, and the rest of the plan with them.
    """
    plan = plan_of(
        PlanTask(id="a", title="A", depends_on=after("b")),
        PlanTask(id="b", title="B", depends_on=after("a")),
        PlanTask(id="c", title="C"),
        PlanTask(id="c", title="C again"),
    )
    page = read_page(render_page(view_of(plan)))

    assert "Cycles" in page.texts("h3")
    assert 2 == page.texts("span").count("in a cycle")
    assert 1 == page.texts("span").count("id repeated")
    assert "3 tasks in cycles or with a repeated id cannot be scheduled." in page.text


def test_page_grows_with_the_plan_only() -> None:
    """
    Twice the tasks make a page at most about twice as large.
    """
    small, large = (len(render_page(view_of(random_plan(count)))) for count in (500, 1000))

    assert large < 2.2 * small
