"""Converting: the canonical form, fanouts to issues, and refusals that say why."""

from __future__ import annotations

import json

import pytest

from remit.diagnostics import Diagnostics
from remit.plans.contract import ContractDefaults, read_contract
from remit.plans.converting import AS_IT_IS, Conversion, ConvertOptions, Refusal, Target, convert
from remit.plans.formats import PlanReading, read_plan
from remit.plans.plan import PlanFormat, RiskClass, TaskKind, Text
from remit.plans.publishing import SchemaKind, template_text
from remit.plans.texts import PlanReporter, read_text

LOOSE = b"""{"roadmap": {"version": "1", "objective": "fees", "milestones": [
 {"id": "M1", "title": "Add fees", "outcome": "stored", "depends_on": [], "acceptance_criteria": ["make test"],
  "risks": [], "risk_class": "low", "max_diff_scope": 9.0}]},
 "contract_defaults": {"risk_class": "low", "max_diff_scope": 9, "acceptance_tests": "make test, make lint",
  "invariants": "cursor_monotonic,replay_idempotent", "evidence_required": "false"},
 "decisions": []}"""
FANOUT = b"""{"tasks": [
 {"title": "Add fees in internal/fees/", "role": "developer", "objective": "Fees are stored.", "chain": "base",
  "acceptance": ["stored", "listed\\nin order"], "notes": "slow", "labels": ["priority/p0", "decision/major"],
  "risk_class": "low", "max_diff_scope": 9, "invariants": ["cursor_monotonic"]},
 {"title": "Plan splits", "role": "planner", "acceptance": ["planned"]}]}"""


def read(raw: bytes, name: str = "a.json") -> PlanReading:
    return read_plan(raw, path=name)


def converted(raw: bytes, target: Target | None = None, options: ConvertOptions = AS_IT_IS) -> Conversion:
    result = convert(read(raw), target, options)
    assert isinstance(result, Conversion), result
    return result


def test_loose_contract_becomes_canonical() -> None:
    """
    Lists with commas, a boolean and a number as text, and other names become what they mean, without a finding.
    """
    written = converted(LOOSE).files[0].text

    defaults = json.loads(written)["contract_defaults"]
    assert ["make test", "make lint"] == defaults["acceptance_tests"]
    assert ["cursor_monotonic", "replay_idempotent"] == defaults["invariants"]
    assert defaults["evidence_required"] is False
    assert ["make test"] == json.loads(written)["roadmap"]["milestones"][0]["acceptance"]
    assert [] == list(read(written.encode()).diagnostics)
    assert written == converted(written.encode()).files[0].text


def test_fanout_becomes_an_issue_for_each_task() -> None:
    """
    Each task has a file under its own id; what neither it nor the defaults say is left open, and said.
    """
    options = ConvertOptions(first_number=41, defaults=ContractDefaults(acceptance_tests=(Text(text="make test"),)))

    result = converted(FANOUT, Target.ISSUE_CONTRACT, options)

    assert ["I-0041.md", "I-0042.md"] == [file.name for file in result.files]
    assert [
        "I-0041 leaves open: complexity, evidence_required",
        "I-0042 leaves open: complexity, risk_class, max_diff_scope, invariants, evidence_required",
    ] == list(result.remarks)
    header, _, body = result.files[0].text.partition("---\n")
    assert "status: blocked\npriority: p0\n" in header
    assert "complexity: <low|medium|high|critical>\n" in header
    assert "- [ ] stored\n- [ ] listed\n  in order\n" in body
    assert "## Notes\n\nslow\n\n## Labels\n\n- priority/p0\n- decision/major\n" in body


def test_open_fields_of_issues_are_reported_as_placeholders() -> None:
    """
    A file that leaves something open does not pass for a finished one.
    """
    result = converted(FANOUT, Target.ISSUE_CONTRACT)

    for file in result.files:
        found = read(file.text.encode(), file.name).diagnostics
        assert {"PLACEHOLDER_LEFT"} == {finding.code for finding in found}


@pytest.mark.parametrize(
    ("raw", "target", "reason"),
    [
        (LOOSE, Target.FANOUT, "does not say who does it"),
        (LOOSE, Target.ISSUE_CONTRACT, "a milestone is no task"),
        (LOOSE, Target.ISSUE_CONTRACT_JSON, "does not hold what"),
        (FANOUT, Target.PLANNING_CONTRACT, "knows no outcomes"),
        (FANOUT, Target.ISSUE_CONTRACT_JSON, "cannot stand in JSON"),
        (FANOUT.replace(b'"slow"', b'"## Objective"'), Target.ISSUE_CONTRACT, "would say something else"),
        (FANOUT.replace(b'"notes"', b'"colour"'), None, "FIELD_UNKNOWN"),
        (FANOUT.replace(b"slow", b"slo\xff"), None, "ENCODING_INVALID"),
        (b'{"a": 1}', None, "could not be read"),
        (b"", None, "could not be read"),
    ],
    ids=["fanout", "issue", "json", "contract", "open", "heading", "unknown", "bytes", "other", "empty"],
)
def test_conversion_that_would_guess_or_lose_is_refused(raw: bytes, target: Target | None, reason: str) -> None:
    """
    What another form has no place for, or what cannot be read for certain, is refused with the reason.
    """
    result = convert(read(raw), target)

    assert isinstance(result, Refusal)
    assert reason in result.reason


def test_certain_fixes_are_made_on_the_way() -> None:
    """
    What `--fix` would correct does not hinder a conversion, and is said; a mistake that only a person can correct does.
    """
    loose = LOOSE.replace(b'"risk_class": "low", "max_diff_scope": 9.0', b'"risk_class": "Low", "max_diff_scope": "9",')

    result = converted(loose)

    assert converted(LOOSE).files == result.files
    assert [True] == ["corrected on the way" in remark for remark in result.remarks]
    assert isinstance(convert(read(loose.replace(b'"Low"', b'"lowish"'))), Refusal)


def test_wrong_invariant_is_converted_as_it_stands() -> None:
    """
    A mistake that hides nothing does not hinder: the canonical form has it too.
    """
    written = converted(LOOSE.replace(b"cursor_monotonic", b"cursor_monotone")).files[0].text

    assert "cursor_monotone" in written


def test_page_around_a_contract_is_said_to_be_left_out() -> None:
    """
    The words of a page are not lost without one about it.
    """
    result = converted(b"# Page\n\n```json\n" + LOOSE + b"\n```\n")

    assert ("the page around the JSON is left out",) == result.remarks


def test_issue_keeps_its_form() -> None:
    """
    Without a target an issue stays what it is, JSON or header file.
    """
    page = (template_text(SchemaKind.ISSUE_CONTRACT) or "").replace("<I-0001>", "I-0042")
    filled = "\n".join(
        line if "<" not in line else line[: line.index("<")] + FILLED.get(line.split(":")[0], "words")
        for line in page.split("\n")
    )

    data = converted(filled.encode(), Target.ISSUE_CONTRACT_JSON)

    assert "I-0042.json" == data.files[0].name
    assert data.files == converted(data.files[0].text.encode()).files
    back = converted(data.files[0].text.encode(), Target.ISSUE_CONTRACT)
    assert back.files == converted(filled.encode()).files


FILLED = {
    "role": "qa", "priority": "p2", "complexity": "low", "risk_class": "low", "max_diff_scope": "3",
    "invariants": "cursor_monotonic", "evidence_required": "true",
}  # fmt: skip


def test_contract_becomes_a_plan_with_its_defaults() -> None:
    """
    Milestones are tasks that carry the defaults of their contract.
    """
    plan = read(LOOSE.replace(b'"risk_class": "low", "max_diff_scope": 9.0', b'"risk_class": "high"')).plan

    assert plan is not None
    assert PlanFormat.PLANNING_CONTRACT == plan.format
    (task,) = plan.tasks
    assert ("M1", RiskClass.HIGH, 9) == (task.id, task.risk, task.files_max)
    assert ["make test", "make lint"] == [text.text for text in task.verify]
    assert ["cursor_monotonic", "replay_idempotent"] == [reference.id for reference in task.invariants]


def test_fanout_becomes_a_plan_without_order() -> None:
    """
    Tasks of a fanout are known by role and title, wait for none, and carry the decisions that their labels ask for.
    """
    plan = read(FANOUT.replace(b'"planner"', b'"qa"')).plan

    assert plan is not None
    assert ["developer-add-fees-in-internal-fees", "qa-plan-splits"] == [task.id for task in plan.tasks]
    assert [TaskKind.WORK, TaskKind.TEST] == [task.kind for task in plan.tasks]
    assert ["decision/major"] == [text.text for text in plan.tasks[0].decisions]
    assert ("base", "p0") == (plan.tasks[0].scope, plan.tasks[0].priority)


def test_defaults_are_read_from_a_contract() -> None:
    """
    The defaults of a contract complete a fanout so far that only complexity is left open.
    """
    text = read_text(LOOSE, path="a.json", diagnostics=Diagnostics())
    assert text is not None
    contract = read_contract(text, PlanReporter(text, Diagnostics()))
    assert contract is not None

    result = converted(FANOUT, Target.ISSUE_CONTRACT, ConvertOptions(defaults=contract.defaults))

    assert ["I-0001 leaves open: complexity", "I-0002 leaves open: complexity"] == list(result.remarks)
