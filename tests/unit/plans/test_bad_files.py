"""Files with mistakes: every mistake is found, once, at its place.

Beside each `bad/*.yaml` stands a file with what is expected, a line `line:column CODE` for each finding.
"""

from pathlib import Path

import pytest

from remit.diagnostics import render_excerpts
from remit.governance.contracts import ToolContract
from remit.plans.codes import ALL_CODES, PLAN_GROUPS
from remit.plans.documents import DOCUMENT_BYTES_MAX
from remit.plans.kinds import Checked, check_document, check_file
from tests.unit.plans.reading import lines

BAD = Path(__file__).parent / "bad"
FILES = sorted(BAD.glob("*.yaml"))
VALID = b"name: fine\nversion: 1.0.0\nsteps:\n  - id: a\n    tool: mail.send\n"


def checked_text(text: bytes, contracts: dict[str, ToolContract]) -> Checked:
    return check_document(text, path="a.yaml", contracts=contracts)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_bad_file_has_its_findings(path: Path, contracts: dict[str, ToolContract]) -> None:
    """
    A file with several mistakes gives all of them, each once, at its line and column.
    """
    checked = check_file(path, contracts=contracts)
    expected = path.with_suffix(".findings").read_text(encoding="utf-8").splitlines()

    assert expected == lines(checked.diagnostics)
    assert checked.compiled is None
    assert checked.source is not None
    assert render_excerpts(checked.diagnostics, {checked.path: checked.source})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (VALID.replace(b"\n", b"\r\n"), ["1:11 LINE_ENDINGS"]),
        (b"\xef\xbb\xbf" + VALID, ["1:1 BYTE_ORDER_MARK"]),
        (VALID + b"description: 'tab\tinside'\n", []),
        (VALID + b"bounds:\n  steps_max: 010\n", ["7:14 NUMBER_AMBIGUOUS"]),
    ],
    ids=["crlf", "bom", "tab", "zero"],
)
def test_harmless_form_is_told_and_compiled(
    text: bytes, expected: list[str], contracts: dict[str, ToolContract]
) -> None:
    """
    What does not change the meaning is at most a warning.
    """
    checked = checked_text(text, contracts)

    assert expected == lines(checked.diagnostics)
    assert checked.compiled is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (VALID + b"#" * DOCUMENT_BYTES_MAX, ["1:1 DOCUMENT_TOO_LARGE"]),
        (VALID + b"output: " + b"[" * 65 + b"]" * 65, ["6:72 NESTING_TOO_DEEP"]),
        (
            VALID.replace(b"  - id", b"\t- id").replace(b"    tool", b"\t  tool"),
            ["4:1 TAB_INDENTATION", "5:1 TAB_INDENTATION"],
        ),
        (VALID + b"output: \x00\n", ["6:9 CHARACTER_FORBIDDEN"]),
        (VALID + b"output: \xff\n", ["6:9 ENCODING_INVALID"]),
        (VALID + "output: \u202ex\n".encode(), ["6:9 CHARACTER_FORBIDDEN"]),
        (VALID.decode().encode("utf-16"), ["1:1 ENCODING_INVALID"]),
        (b"", ["1:1 DOCUMENT_EMPTY"]),
        (b"- a\n", ["1:1 DOCUMENT_KIND_UNKNOWN"]),
        (b"steps: []\n", ["1:1 FIELD_MISSING", "1:1 FIELD_MISSING", "1:1 STEP_MISSING"]),
        (VALID.partition(b"steps")[0] + b"steps: []\n", ["3:1 STEP_MISSING"]),
    ],
    ids=["large", "deep", "tabs", "nul", "utf8", "bidi", "utf16", "empty", "list", "bare", "stepless"],
)
def test_bad_bytes_have_their_findings(text: bytes, expected: list[str], contracts: dict[str, ToolContract]) -> None:
    """
    What a text file in this repository cannot hold is refused as well.
    """
    checked = checked_text(text, contracts)

    assert expected == lines(checked.diagnostics)
    assert checked.compiled is None


def test_bad_files_know_most_codes() -> None:
    """
    Of the codes of front-ends and compile checks, files here show all but those that need other means.
    """
    shown = {line.split()[1] for path in BAD.glob("*.findings") for line in path.read_text().splitlines()}
    elsewhere = {
        "APPROVAL_MISSING", "BOUNDS_BELOW_ITERATIONS", "BYTE_ORDER_MARK", "CHARACTER_FORBIDDEN", "CONTRACT_CHANGED",
        "DEFINITION_UNRUNNABLE", "DOCUMENT_EMPTY", "DOCUMENT_TOO_LARGE", "DOCUMENT_UNFIXED", "DOCUMENT_UNREADABLE",
        "ENCODING_INVALID",
        "IDEMPOTENCY_REPEATED", "IDEMPOTENCY_SHARED", "LIMIT_EXCEEDED", "LINE_ENDINGS", "NESTING_TOO_DEEP",
        "PLACEHOLDER_LEFT", "PRINCIPAL_UNKNOWN", "SCOPE_MISSING", "STEP_MISSING", "TAB_INDENTATION", "YAML_DIRECTIVE",
        "YAML_MULTIPLE_DOCUMENTS",
    }  # fmt: skip

    assert set() == shown - ALL_CODES.keys()
    of_documents = {code for code, explanation in ALL_CODES.items() if explanation.group not in PLAN_GROUPS}
    assert set() == of_documents - shown - elsewhere
