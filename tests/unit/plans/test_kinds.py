"""Files are recognised by what is in them."""

from pathlib import Path

import pytest

from remit.core.definition import Definition, encode_definition
from remit.governance.contracts import ToolContract
from remit.governance.policy import BusinessConfig
from remit.plans.kinds import DocumentKind, check_document, check_file, kind_of
from tests.unit.plans.reading import lines

ORCHESTRATION = b"name: x\nversion: 1.0.0\nsteps:\n  - {id: a, tool: mail.send}\n"
BUSINESS = b"business: b\nversion: 1.0.0\nbounds: {}\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (ORCHESTRATION, DocumentKind.ORCHESTRATION),
        (BUSINESS, DocumentKind.BUSINESS),
        (b"steps: [", DocumentKind.ORCHESTRATION),
        (b"bounds: {}\nscopes: []\nsteps:\ncredentials: {}\n", DocumentKind.BUSINESS),
        (b"approvalRules: []\n", DocumentKind.BUSINESS),
        (b'{"steps": []}', DocumentKind.ORCHESTRATION),
        (b"name: x\n", None),
        (b"- steps\n", None),
        (b"\xff" * 100, None),
        (b"", None),
    ],
)
def test_kind_is_told_by_the_fields(text: bytes, kind: DocumentKind | None) -> None:
    """
    A document is what it has most fields of, even if it is broken; nothing tells for others.
    """
    assert kind is kind_of(text, path="a")


def test_files_of_both_kinds_are_compiled(tmp_path: Path, contracts: dict[str, ToolContract]) -> None:
    """
    `check_file` returns what the file compiles to.
    """
    (tmp_path / "a.yaml").write_bytes(ORCHESTRATION)
    (tmp_path / "b.yaml").write_bytes(BUSINESS)

    assert isinstance(check_file(tmp_path / "a.yaml", contracts=contracts).compiled, Definition)
    assert isinstance(check_file(tmp_path / "b.yaml", contracts=contracts).compiled, BusinessConfig)


def test_compiled_definition_is_told_in_one_finding(contracts: dict[str, ToolContract]) -> None:
    """
    What an orchestration compiles to is no orchestration, and each of its fields is not a mistake of its own.
    """
    compiled = check_document(ORCHESTRATION, path="a.yaml", contracts=contracts).compiled
    assert isinstance(compiled, Definition)
    checked = check_document(encode_definition(compiled), path="a.json", contracts=contracts)

    assert ["1:1 DOCUMENT_KIND_UNKNOWN"] == lines(checked.diagnostics)


def test_unreadable_file_is_a_finding(tmp_path: Path) -> None:
    """
    A missing file, and a folder, are told like any other mistake.
    """
    for path in (tmp_path / "none.yaml", tmp_path):
        assert ["1:1 DOCUMENT_UNREADABLE"] == lines(check_file(path, contracts={}).diagnostics)


def test_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    """
    Of a file beyond the limit only as much is read as shows it.
    """
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(10_000_000_000)

    assert ["1:1 DOCUMENT_TOO_LARGE"] == lines(check_file(path, contracts={}).diagnostics)


def test_findings_name_the_path_as_given() -> None:
    """
    Findings name the file as the user did.
    """
    (finding,) = check_document(b"name: x\n", path="some/where.yaml", contracts={}).diagnostics

    assert "some/where.yaml" == finding.path
