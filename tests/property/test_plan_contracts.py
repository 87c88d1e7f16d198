"""Laws of contracts, fanouts and issues: reading gives back what was written, and schemas agree with checks."""

import json
from functools import cache
from typing import Any

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from remit.diagnostics import Diagnostics
from remit.plans.codes import ALL_CODES
from remit.plans.contract import (
    Fanout,
    IssueContract,
    PlanningContract,
    Record,
    mark_criterion,
    read_contract,
    read_fanout,
    read_issue,
    set_status,
    write,
    write_issue_json,
)
from remit.plans.converting import Conversion, Target, convert
from remit.plans.formats import read_plan
from remit.plans.options import PlanOptions
from remit.plans.plan import PlanFormat
from remit.plans.publishing import SchemaKind, schema_text, template_text
from remit.plans.texts import PlanReporter, PlanText, apply_edits, read_text
from tests.property.contract_records import CONTRACTS, FANOUTS, ISSUES, TEXTS, issues, nearly

SOUND = {
    PlanFormat.PLANNING_CONTRACT: {
        "roadmap": {
            "version": "1", "objective": "fees are complete",
            "milestones": [
                {"id": "M1", "title": "Add fees", "outcome": "fees are stored", "dependencies": [],
                 "acceptance": ["make test"], "risks": ["none known"], "risk_class": "low", "max_diff_scope": 9},
                {"id": "M2", "title": "Add splits", "outcome": "splits are stored", "dependencies": ["M1"],
                 "acceptance": ["make test"], "risks": [], "risk_class": "low", "max_diff_scope": 9},
            ],
        },
        "contract_defaults": {"risk_class": "low", "max_diff_scope": 9, "acceptance_tests": ["make test"],
                              "invariants": ["cursor_monotonic"], "evidence_required": True},
        "decisions": ["which chain first?"],
    },
    PlanFormat.FANOUT: {
        "tasks": [
            {"title": "Add fees in internal/fees/", "role": "developer", "summary": "fees", "labels": ["area/fees"],
             "acceptance": ["make test"], "notes": "slow", "chains": ["base"], "risk_class": "low",
             "max_diff_scope": 9, "invariants": ["cursor_monotonic"]},
            {"title": "Plan splits", "role": "planner", "acceptance": ["it is planned"]},
        ],
    },
    PlanFormat.ISSUE_CONTRACT: {
        "id": "I-0001", "role": "developer", "status": "ready", "priority": "p1", "depends_on": [],
        "title": "Add fees in internal/fees/", "complexity": "low", "risk_class": "low", "max_diff_scope": 9,
        "allowed_paths": ["internal/fees/"], "acceptance_tests": ["make test"], "invariants": ["cursor_monotonic"],
        "evidence_required": False,
        "sections": [
            {"title": "Objective", "text": "fees"}, {"title": "In Scope", "text": "fees"},
            {"title": "Out of Scope", "text": "splits"}, {"title": "Acceptance Criteria", "text": "- [ ] stored"},
            {"title": "Non Goals", "text": "speed"},
        ],
    },
}  # fmt: skip

GRAPH = "Plans: texts, tasks and their graph"
BEYOND_SCHEMAS = {
    "CONTRACT_NUMBER_FORM", "DEPENDENCY_CYCLE", "DEPENDENCY_SELF", "DEPENDENCY_UNKNOWN", "FANOUT_CUT",
    "FANOUT_MARKER_SHARED", "INVARIANT_UNKNOWN", "LABEL_DROPPED", "MILESTONES_UNORDERED", "MILESTONE_DUPLICATE",
    "MILESTONE_RISKS_MISSING", "OBJECTIVE_VAGUE", "OBJECTIVE_VERIFIES", "PLANNER_IMPLEMENTS", "PLAN_VERIFIES_ONLY",
    "VERIFICATION_EARLY",
} | {code for code, explanation in ALL_CODES.items() if explanation.group == GRAPH}  # fmt: skip
"""What no schema can say; docs/reference/plans-contract.md lists it."""


def text_of(raw: str) -> PlanText:
    text = read_text(raw.encode(), path="a", diagnostics=Diagnostics())
    assert text is not None
    return text


def quiet(text: PlanText) -> PlanReporter:
    return PlanReporter(text, Diagnostics())


@cache
def validator(kind: str) -> Any:
    schema = json.loads(schema_text(SchemaKind(kind)))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@given(CONTRACTS)
def test_contract_is_read_as_it_was_written(contract: PlanningContract) -> None:
    """
    Whatever its texts hold, a planning contract that was written is read as the same record.
    """
    text = text_of(write(contract))

    assert contract == read_contract(text, quiet(text))
    assert validator("planning-contract").is_valid(json.loads(text.text))


@given(FANOUTS)
def test_fanout_is_read_as_it_was_written(fanout: Fanout) -> None:
    """
    Whatever its texts hold, a fanout that was written is read as the same record.
    """
    text = text_of(write(fanout))

    assert fanout == read_fanout(text, quiet(text))


@given(ISSUES)
def test_issue_is_read_as_it_was_written(issue: IssueContract) -> None:
    """
    An issue contract that was written, in either form, is read as the same record.
    """
    header, data = text_of(write(issue)), text_of(write_issue_json(issue))

    assert issue == read_issue(header, quiet(header))
    assert issue == read_issue(data, quiet(data))


@given(issues(TEXTS, TEXTS.map(str.strip)))
def test_conversion_loses_nothing(issue: IssueContract) -> None:
    """
    An issue in JSON with any texts becomes a header file that says the same, or is refused.
    """
    reading = read_plan(write_issue_json(issue).encode(), path="a.json")
    result = convert(reading, Target.ISSUE_CONTRACT)

    if isinstance(result, Conversion):
        text = text_of(result.files[0].text)
        assert issue == read_issue(text, quiet(text))
    else:
        assert result.reason


@given(CONTRACTS | FANOUTS | ISSUES)
def test_conversion_is_idempotent(record: Record) -> None:
    """
    The canonical form of a document is its own canonical form, to the byte.
    """
    written = write(record)
    result = convert(read_plan(written.encode(), path="a"))

    if isinstance(result, Conversion):
        assert written == result.files[0].text


@given(st.sampled_from(sorted(SOUND)).flatmap(lambda kind: st.tuples(st.just(kind), nearly(json.dumps(SOUND[kind])))))
def test_schema_agrees_with_checks(document: tuple[PlanFormat, str]) -> None:
    """
    A document fits the schema exactly if nothing is found in it but what no schema can say.
    """
    kind, raw = document
    reading = read_plan(raw.encode(), path="a.json", options=PlanOptions(format=kind))
    found = {finding.code for finding in reading.diagnostics} - BEYOND_SCHEMAS

    assert validator(kind.value).is_valid(json.loads(raw)) == (found == set()), (raw, list(reading.diagnostics))


@given(ISSUES, st.sampled_from(["done", "blocked"]))
def test_new_status_changes_only_the_status(issue: IssueContract, status: str) -> None:
    """
    Another status in the file is another status of the issue; no other byte changes.
    """
    for raw in (write(issue).replace("\n", "\r\n").encode(), write_issue_json(issue).encode()):
        text = text_of(raw.decode())
        read = read_issue(text, quiet(text))
        assert read is not None

        changed = apply_edits(raw, text, [set_status(read, status)])

        again = read_issue(text_of(changed.decode()), quiet(text))
        assert again is not None
        assert status == again.status
        assert len(raw) - len(issue.status) == len(changed) - len(status)


@given(ISSUES)
def test_new_mark_changes_one_character(issue: IssueContract) -> None:
    """
    Ticking off a criterion changes one byte of the file.
    """
    raw = write(issue).encode()
    text = text_of(raw.decode())
    read = read_issue(text, quiet(text))
    assert read is not None

    for criterion in read.criteria:
        changed = apply_edits(raw, text, [mark_criterion(criterion, "x")])
        assert 1 == sum(before != after for before, after in zip(raw, changed, strict=True))


@given(
    st.sampled_from(["planning-contract", "fanout", "issue-contract"]),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 12), st.text(max_size=6)), max_size=6),
)
def test_no_text_makes_a_reader_raise(kind: str, changes: list[tuple[int, int, str]]) -> None:
    """
    Whatever stands in a file, reading it gives findings and no exception.
    """
    raw = template_text(SchemaKind(kind)) or ""
    for place, length, inserted in changes:
        raw = raw[:place] + inserted + raw[place + length :]

    for name in (PlanFormat.PLANNING_CONTRACT, PlanFormat.FANOUT, PlanFormat.ISSUE_CONTRACT):
        reading = read_plan(raw.encode("utf-8", "surrogatepass"), path="a", options=PlanOptions(format=name))
        convert(reading)
