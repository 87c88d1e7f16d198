"""The table of codes is complete."""

import ast
import re
from pathlib import Path

from remit.governance.findings import CHECK_CODES
from remit.plans.codes import ALL_CODES, explain

ROOT = Path(__file__).parents[3]
CODE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
PACKAGES = ("diagnostics", "cli", "plans")


def reported_codes() -> set[str]:
    """Return every code that the front-ends report."""
    found: set[str] = set()
    paths = [path for package in PACKAGES for path in (ROOT / "src" / "remit" / package).rglob("*.py")]
    for path in paths:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        found |= {value for call in calls for value in code_arguments(call) if CODE.fullmatch(value)}
    return found


def code_arguments(call: ast.Call) -> list[str]:
    """Return the strings that a call passes as a code: first to a `report`, or by name."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    candidates = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
    if name in {"report", "_report", "_report_file", "Unfit"}:
        candidates += call.args[:3]
    return [node.value for node in candidates if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def test_every_reported_code_is_explained() -> None:
    """
    No front-end reports a code that the table lacks, and every code of the compile checks is in it.
    """
    reported = reported_codes()

    assert len(reported) > 30
    assert set() == (reported | CHECK_CODES.keys()) - ALL_CODES.keys()


def test_every_explained_code_is_reported() -> None:
    """
    The table explains nothing that cannot happen.
    """
    assert set() == ALL_CODES.keys() - reported_codes() - CHECK_CODES.keys()


def test_explain_takes_any_case() -> None:
    """
    `field_unknown` finds FIELD_UNKNOWN.
    """
    found = explain("field_unknown")

    assert found is not None
    assert "FIELD_UNKNOWN" == found.code
    assert explain("NOT_A_CODE") is None
