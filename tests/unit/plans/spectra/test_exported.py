"""Plans as `plan.json`: what a plan says survives the way there and back, and mistakes are found at their place."""

import hashlib
import json
from typing import Any

import jsonschema
import pytest

from remit.plans.converting import Conversion, Refusal, Target, convert
from remit.plans.fields import FieldTable
from remit.plans.formats import PlanReading, read_plan
from remit.plans.plan import PlanFormat, TaskState
from remit.plans.publishing import SchemaKind, schema_text
from remit.plans.spectra.exported import words
from remit.plans.spectra.names import SCOPES
from tests.unit.plans.reading import lines
from tests.unit.plans.spectra.records import HEAD, SEED, TASK

RAW = SEED.read_bytes()
SCHEMA: dict[str, Any] = json.loads(schema_text(SchemaKind.SPECTRA))


def exported(raw: bytes) -> str:
    """Return a plan as JSON."""
    result = convert(read_plan(raw, path="plan.md"), Target.SPECTRA_JSON)
    assert isinstance(result, Conversion), result
    return result.files[0].text


def read(value: dict[str, Any]) -> PlanReading:
    return read_plan(json.dumps(value, indent=1).encode(), path="plan.json")


SEED_JSON: dict[str, Any] = json.loads(exported(RAW))


def test_seed_goes_there_and_back_without_a_difference() -> None:
    """
    The payments-audit plan as JSON is valid, has the same plan and findings, and becomes the same Markdown again.
    """
    reading = read_plan(exported(RAW).encode(), path="plan.json")
    back = convert(reading, Target.SPECTRA)

    jsonschema.validate(SEED_JSON, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert PlanFormat.SPECTRA == reading.format
    assert reading.plan == read_plan(RAW, path="plan.md").plan
    assert ["5:12 SPECTRA_FORCED_FAILURE_MISSING", "47:10 SPECTRA_FILE_UNLISTED"] == lines(reading.diagnostics)
    assert isinstance(back, Conversion)
    assert RAW.decode() == back.files[0].text


def test_json_names_the_markdown_that_it_was_made_of() -> None:
    """
    Hash and lines are those of the document, and stay when the JSON is written again.
    """
    again = convert(read_plan(exported(RAW).encode(), path="plan.json"))

    assert hashlib.sha256(RAW).hexdigest() == SEED_JSON["source_hash"]
    assert "- [ ] 002: Emit success audit events" == RAW.decode().split("\n")[SEED_JSON["tasks"][1]["line_number"] - 1]
    assert isinstance(again, Conversion)
    assert exported(RAW) == again.files[0].text


def test_dependencies_of_all_three_places_are_in_the_json() -> None:
    """
    Who executes the JSON needs every task that comes first, whichever place says so; who reads it back, the place.
    """
    tasks = "".join(TASK.replace("001", f"00{number}") for number in (1, 2, 3, 4))
    text = f"{HEAD}{tasks}- Dependencies: Task 001\n\n## Dependency Graph\n- 002 -> 004\n\n## Parallelism Assessment\n"
    raw = f"{text}- Sequential dependencies: [003 -> 004]\n".encode()
    value = json.loads(exported(raw))

    assert ["001", "003", "002"] == value["tasks"][3]["deps"]
    assert read_plan(raw, path="plan.md").plan == read(value).plan


def test_dependencies_that_only_the_json_has_are_read() -> None:
    """
    Another program's JSON says in `deps` alone what comes first.
    """
    tasks = [
        {"id": f"00{number}", "title": "Do it", "status": "complete", "line_number": number, "deps": deps}
        for number, deps in ((1, []), (2, ["001"]))
    ]
    reading = read({"version": "1.0", "project": "Shop", "level": 0, "generated": "2026-02-10", "tasks": tasks})

    assert reading.plan is not None
    assert [[], ["001"]] == [[one.id for one in task.depends_on] for task in reading.plan.tasks]
    assert {TaskState.DONE} == {task.state for task in reading.plan.tasks}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"level": 7}, "VALUE_INVALID"),
        ({"version": "2"}, "VALUE_INVALID"),
        ({"source_hash": "abc"}, "VALUE_INVALID"),
        ({"generated": "soon"}, "SPECTRA_DATE_INVALID"),
        ({"tasks": []}, "SPECTRA_TASKS_MISSING"),
        ({"tasks": 5}, "TYPE_WRONG"),
        ({"tasks": [5]}, "TYPE_WRONG"),
        ({"parallelism": None}, "TYPE_WRONG"),
        ({"parallelism": {"sequential": [["001"], "x"]}}, "TYPE_WRONG"),
        ({"parallelism": {"recommendation": "BANANA"}}, "SPECTRA_RECOMMENDATION_UNKNOWN"),
        ({"marks": ["STUCK"]}, "VALUE_INVALID"),
        ({"owner": "Ann"}, "FIELD_UNKNOWN"),
    ],
)
def test_mistakes_of_the_plan_are_found(change: dict[str, Any], code: str) -> None:
    """
    Whatever is wrong with a field is said, and nothing raises.
    """
    assert code in [finding.code for finding in read({**SEED_JSON, **change}).diagnostics]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": "1"}, "SPECTRA_ID_FORM"),
        ({"id": 1}, "TYPE_WRONG"),
        ({"status": "done"}, "VALUE_INVALID"),
        ({"risk": "High"}, "SPECTRA_RISK_FORM"),
        ({"risk": "severe"}, "SPECTRA_RISK_INVALID"),
        ({"max_iterations": 0}, "SPECTRA_ITERATIONS_INVALID"),
        ({"max_iterations": 21}, "SPECTRA_ITERATIONS_RANGE"),
        ({"max_iterations": "5"}, "TYPE_WRONG"),
        ({"scope": "all"}, "VALUE_INVALID"),
        ({"files": "the whole thing"}, "SPECTRA_PATH_PROSE"),
        ({"owns": ["../x"]}, "SPECTRA_PATH_OUTSIDE"),
        ({"deps": ["099"]}, "DEPENDENCY_UNKNOWN"),
        ({"verify": "echo 'x"}, "SPECTRA_COMMAND_SYNTAX"),
        ({"assertions": ["LOOK x"]}, "SPECTRA_ASSERTION_INVALID"),
        ({"ac": []}, "SPECTRA_FIELD_EMPTY"),
        ({"wiring_proof": {}}, "SPECTRA_WIRING_PART_MISSING"),
    ],
)
def test_mistakes_of_a_task_are_found(change: dict[str, Any], code: str) -> None:
    """
    The checks of the Markdown form hold for the JSON as well.
    """
    first, *others = SEED_JSON["tasks"]
    reading = read({**SEED_JSON, "tasks": [{**first, **change}, *others]})

    assert code in [finding.code for finding in reading.diagnostics]


@pytest.mark.parametrize(
    ("field", "name"), [("ac", "ac"), ("verify", "verify"), ("wiring_proof", "wiring_proof"), ("owns", "owns")]
)
def test_missing_fields_are_called_by_their_json_names(field: str, name: str) -> None:
    """
    A reader of JSON is not told of lines of Markdown.
    """
    first, *others = SEED_JSON["tasks"]
    left = {key: value for key, value in first.items() if key != field}
    (finding,) = (
        one for one in read({**SEED_JSON, "tasks": [left, *others]}).diagnostics if one.code == "SPECTRA_FIELD_MISSING"
    )

    assert f"expected {name!r} in task 001" in finding.message


@pytest.mark.parametrize(
    "text",
    [
        HEAD.replace("## Project: Shop\n", "") + TASK,
        HEAD.replace("## Generated: 2026-02-10\n", "") + TASK,
        HEAD + TASK.replace("Task 001: Add login", "Task 001:"),
        HEAD,
    ],
    ids=["project", "day", "title", "tasks"],
)
def test_plan_without_what_the_json_must_have_is_refused(text: str) -> None:
    """
    Nothing is invented for a field that must be there.
    """
    reading = read_plan(text.encode(), path="plan.md")
    result = convert(reading, Target.SPECTRA_JSON)

    assert isinstance(result, Refusal)
    assert "plan.json must have" in result.reason


@pytest.mark.parametrize(
    ("place", "table"),
    [
        (SCHEMA, words.PLAN),
        (SCHEMA["$defs"]["task"], words.TASK),
        (SCHEMA["$defs"]["parallelism"], words.PARALLELISM),
        (SCHEMA["$defs"]["wiring"], words.WIRING),
        (SCHEMA["$defs"]["field"], words.FIELD),
    ],
    ids=["plan", "task", "parallelism", "wiring", "field"],
)
def test_schema_has_the_fields_that_are_read(place: dict[str, Any], table: FieldTable) -> None:
    """
    The published schema lists exactly the fields that are read, and the words that are taken.
    """
    assert table.names == set(place["properties"])
    assert place["additionalProperties"] is False
    assert list(SCOPES) == SCHEMA["$defs"]["task"]["properties"]["scope"]["enum"]
    assert list(words.STATUSES) == SCHEMA["$defs"]["task"]["properties"]["status"]["enum"]
