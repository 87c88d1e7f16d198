"""Findings as SARIF: valid against the standard's schema, with places and fixes that point right."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from remit.diagnostics import Diagnostic, Diagnostics, Reporter, Source, to_sarif
from remit.diagnostics.sarif import uri_of
from remit.plans.codes import ALL_CODES
from tests.unit.diagnostics.catalogue import examples

SCHEMA = Path(__file__).with_name("schemas") / "sarif-2.1.0-rtm.5.json"


@pytest.fixture(scope="module")
def validator() -> Draft4Validator:
    return Draft4Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def log_of(diagnostics: Diagnostics, *paths: str) -> dict[str, Any]:
    """Return the log as a reader gets it."""
    return json.loads(json.dumps(to_sarif(diagnostics, paths=paths, codes=ALL_CODES, version="1.2.3")))


def errors_in(validator: Draft4Validator, log: dict[str, Any]) -> list[str]:
    return [error.message for error in validator.iter_errors(log)]


def one_finding(path: str = "a.yaml") -> Diagnostics:
    diagnostics = Diagnostics()
    reporter = Reporter(Source(path, "abc: 1\nabd: 2"), diagnostics)
    reporter.report("FIELD_UNKNOWN", "expected ${{ x }}", at=(0, 3), related={"here": (7, 10)}, replacement="abd")
    return diagnostics


def test_findings_of_every_example_are_valid_sarif(validator: Draft4Validator) -> None:
    """
    Whatever the checker can find, its log is one that the standard's schema accepts.
    """
    for code, example in examples().items():
        assert [] == errors_in(validator, log_of(example.findings, *example.files)), code


def test_no_finding_is_valid_sarif(validator: Draft4Validator) -> None:
    """
    A clean file is a run without results, not an empty log: the run says that it was checked.
    """
    log = log_of(Diagnostics(), "a b.yaml")

    assert [] == errors_in(validator, log)
    assert [] == log["runs"][0]["results"]
    assert [{"location": {"uri": "a%20b.yaml"}}] == log["runs"][0]["artifacts"]


def test_schema_refuses_what_is_no_sarif(validator: Draft4Validator) -> None:
    """
    The schema is one that can fail.
    """
    log = log_of(one_finding(), "a.yaml")
    log["runs"][0]["results"][0]["level"] = "catastrophe"

    assert errors_in(validator, log)


def test_result_has_rule_place_related_place_and_fix() -> None:
    """
    A result names its rule and has lines and columns that count from 1; the end is behind the last character.
    """
    run = log_of(one_finding(), "a.yaml")["runs"][0]
    result = run["results"][0]

    assert "unicodeCodePoints" == run["columnKind"]
    assert "FIELD_UNKNOWN" == run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    region = {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 4}
    assert region == result["locations"][0]["physicalLocation"]["region"]
    assert 2 == result["relatedLocations"][0]["physicalLocation"]["region"]["startLine"]
    replacement = result["fixes"][0]["artifactChanges"][0]["replacements"][0]
    assert {"deletedRegion": region, "insertedContent": {"text": "abd"}} == replacement


def test_braces_of_messages_are_no_placeholders() -> None:
    """
    In SARIF `{0}` stands for an argument, so that braces of a message are doubled.
    """
    assert "expected ${{{{ x }}}}" == log_of(one_finding())["runs"][0]["results"][0]["message"]["text"]


def test_message_holds_no_link_and_hides_nothing() -> None:
    """
    A document's text becomes no link that a viewer would follow, and turns no text around.
    """
    found = Diagnostic(code="TYPE_WRONG", message="got '[safe](https://x.test) [x] \u202e'", path="a.md")

    message = log_of(Diagnostics([found]))["runs"][0]["results"][0]["message"]["text"]

    assert "got '\\[safe](https://x.test) [x] \ufffd'" == message


def test_rule_has_help_in_text_and_markdown() -> None:
    """
    Code hosts show the help beside a finding; there is no site to lead to, so that the log brings it.
    """
    (rule,) = log_of(one_finding())["runs"][0]["tool"]["driver"]["rules"]

    meaning = ALL_CODES["FIELD_UNKNOWN"].text
    assert f"{meaning} It blocks." == rule["help"]["text"]
    assert f"**FIELD_UNKNOWN** · Fields and values · error\n\n{meaning}\n\nIt blocks." == rule["help"]["markdown"]


def test_findings_left_out_are_told(validator: Draft4Validator) -> None:
    """
    A log that does not show everything says how much is missing.
    """
    diagnostics = Diagnostics(findings_max=1)
    for number in range(3):
        diagnostics.add(Diagnostic(code="TYPE_WRONG", message=f"expected {number}", path="a.yaml"))
    log = log_of(diagnostics, "a.yaml")

    assert [] == errors_in(validator, log)
    notice = log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    assert "2 more findings are not shown; correct these first" == notice


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("plans/a.md", "plans/a.md"),
        ("../a.md", "../a.md"),
        ("näh/50%.md", "n%C3%A4h/50%25.md"),
        ("a:b.md", "a%3Ab.md"),
        ("<stdin>", "%3Cstdin%3E"),
        ("/srv/a b.md", "file:///srv/a%20b.md"),
    ],
)
def test_path_becomes_a_reference(path: str, expected: str) -> None:
    """
    A relative path stays relative, so that a log can be read on another machine; what URIs reserve is escaped.
    """
    assert expected == uri_of(path)
