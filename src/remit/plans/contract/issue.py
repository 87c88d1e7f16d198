"""Reading issue contracts, in both forms: header lines with sections, and JSON.

Owns: which fields and sections must be there.
Does not know: the planning rules, and what a plan makes of a record.
"""

from __future__ import annotations

from remit.plans.contract import words
from remit.plans.contract.header import read_header
from remit.plans.contract.records import IssueContract, Section
from remit.plans.contract.rules import DECLARED, RULED, require_declared
from remit.plans.contract.sections import Body, read_body, read_criteria, require_criteria, require_sections
from remit.plans.contract.sources import has_header, is_json, read_root
from remit.plans.contract.values import Values, inside, is_placeholder, report_spelling
from remit.plans.documents import Scalar, shorten
from remit.plans.fields import Fields
from remit.plans.texts import PlanReporter, PlanText

_REQUIRED = (
    "id", "role", "title", "priority", "status", "complexity", "risk_class", "max_diff_scope", "evidence_required",
)  # fmt: skip


def read_issue(text: PlanText, reporter: PlanReporter) -> IssueContract | None:
    """Return the issue contract that a text is, as far as it can be read; ``None`` if nothing can."""
    if is_whole_json(text):
        return _read_json(text, reporter)
    header = read_header(text, reporter)
    values = Values(Fields(reporter, header.fields, words.ISSUE_HEADER))
    body = read_body(text, reporter, first_line=header.body_line)
    end = text.lines[min(header.body_line, len(text.lines)) - 1].place
    require_sections(body.sections, reporter, at=end)
    require_criteria(body.criteria, body.sections, reporter)
    return _issue(values, body)


def is_whole_json(text: PlanText) -> bool:
    """Whether an issue contract is in JSON: all of the text, or a fence of a page that has no header lines."""
    return text.text.lstrip()[:1] == "{" or (is_json(text) and not has_header(text))


def _read_json(text: PlanText, reporter: PlanReporter) -> IssueContract | None:
    root = read_root(text, reporter, "issue", what="an issue contract")
    if root is None:
        return None
    values = Values(Fields(reporter, root, words.ISSUE_JSON))
    sections = tuple(map(_section, values.each("sections", words.SECTION)))
    criteria = read_criteria(sections)
    if sections:
        require_sections(sections, reporter, at=values.fields.key("sections"))
        require_criteria(criteria, sections, reporter)
    preamble = values.text("preamble") if "preamble" in values.fields else ""
    return _issue(values, Body(preamble=preamble, sections=sections, criteria=criteria))


def _section(values: Values) -> Section:
    values.require("title", "text")
    node = values.fields.node("text")
    text = node.value if isinstance(node, Scalar) and isinstance(node.value, str) else values.text("text")
    return Section(
        title=values.text("title"),
        text=text.strip(),
        at=values.fields.value_place("text"),
        title_at=values.fields.value_place("title"),
    )


def _issue(values: Values, body: Body) -> IssueContract:
    role = values.choice("role", words.ROLES)
    # What rule 6 asks of developers and QA, its own finding says.
    ruled = DECLARED if role in RULED else ()
    values.require(*(name for name in _REQUIRED if name not in ruled))
    for name in ("acceptance_tests", "invariants"):
        if name not in ruled:
            values.require_some(name)
    if role is not None:
        require_declared(values, role)
    return IssueContract(
        id=_id(values),
        role=role,
        status=_status(values),
        priority=values.choice("priority", words.PRIORITIES),
        depends_on=values.comma_references("depends_on"),
        title=values.text("title"),
        complexity=values.choice("complexity", words.CLASSES),
        risk_class=values.choice("risk_class", words.CLASSES),
        max_diff_scope=values.files_max("max_diff_scope"),
        allowed_paths=values.comma_texts("allowed_paths"),
        denied_paths=values.comma_texts("denied_paths"),
        acceptance_tests=values.comma_texts("acceptance_tests"),
        invariants=values.comma_references("invariants"),
        non_goals=values.text("non_goals"),
        evidence_required=values.truth("evidence_required"),
        preamble=body.preamble,
        sections=body.sections,
        schema=values.text(words.SCHEMA_FIELD),
        criteria=body.criteria,
        at=values.fields.value_place("id"),
        status_at=inside(values, "status"),
    )


def _id(values: Values) -> str:
    written = values.text("id")
    if written and not words.ISSUE_ID.fullmatch(written) and not is_placeholder(values, "id"):
        values.reporter.report(
            "VALUE_INVALID",
            f"expected an id such as I-0042 (I, a hyphen, four digits or more), got {shorten(written)}; rename it",
            at=values.fields.value_place("id"),
        )
    return written


def _status(values: Values) -> str:
    written = values.text("status")
    if not written or written in words.STATUSES or is_placeholder(values, "status"):
        return written
    folded = written.strip().lower().replace("_", "-").replace(" ", "-")
    if folded in words.STATUSES:
        report_spelling(values, "status", written, folded)
        return folded
    values.reporter.report(
        "CONTRACT_STATUS_UNKNOWN",
        f"expected {', '.join(words.STATUSES)} as status, got {shorten(written)}; only 'ready' issues are picked up",
        at=values.fields.value_place("status"),
    )
    return written
