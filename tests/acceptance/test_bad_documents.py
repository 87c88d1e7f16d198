"""Documents that are wrong: every finding with its place, exit code 2, nothing stored, nothing run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.acceptance.processes import Home

HEAD = "name: bad\nversion: 1.0.0\nsteps:\n"
STEP = "  - {id: a, tool: test.note, input: {text: x}}\n"

CORPUS: dict[str, tuple[str | bytes, set[str]]] = {
    "empty.yaml": ("", {"DOCUMENT_KIND_UNKNOWN", "DOCUMENT_EMPTY"}),
    "scalar.yaml": ("just words\n", {"DOCUMENT_KIND_UNKNOWN", "TYPE_MISMATCH"}),
    "syntax.yaml": (HEAD + "  - {id: a, tool: [\n", {"SYNTAX_INVALID"}),
    "syntax.json": ('{"name": "bad", "version": "1.0.0", "steps": [}', {"SYNTAX_INVALID"}),
    "duplicate_key.yaml": ("name: a\nname: b\nversion: 1.0.0\nsteps:\n" + STEP, {"KEY_DUPLICATE"}),
    "alias.yaml": ("name: bad\nversion: 1.0.0\nbase: &b {x: 1}\nsteps: *b\n", {"YAML_ALIAS"}),
    "nan.json": (
        '{"name": "bad", "version": "1.0.0", "steps": [{"id": "a", "tool": "test.note", "input": {"text": NaN}}]}',
        {"NUMBER_NOT_FINITE"},
    ),
    "surrogate.json": ('{"name": "\\ud800", "version": "1.0.0", "steps": []}', {"SURROGATE_LONE"}),
    "not_utf8.yaml": (b"name: \xff\xfe\n", {"ENCODING_INVALID"}),
    "deep.json": ('{"name": "bad", "version": "1.0.0", "steps": [' + "[" * 70 + "]" * 70 + "]}", {"NESTING_TOO_DEEP"}),
    "unknown_field.yaml": (HEAD + STEP + "color: blue\n", {"FIELD_UNKNOWN"}),
    "unknown_tool.yaml": (HEAD + "  - {id: a, tool: test.nothing}\n", {"TOOL_UNKNOWN"}),
    "wrong_argument.yaml": (
        HEAD + "  - {id: a, tool: test.note, input: {text: x, loud: true}}\n",
        {"ARGUMENT_UNKNOWN"},
    ),
    "dangling.yaml": (
        HEAD + "  - {id: a, tool: test.note, input: {text: x}, depends_on: [b]}\n",
        {"DEPENDENCY_UNKNOWN"},
    ),
    "cycle.yaml": (
        HEAD + "  - {id: a, tool: test.note, input: {text: x}, depends_on: [b]}\n"
        "  - {id: b, tool: test.note, input: {text: x}, depends_on: [a]}\n",
        {"DEPENDENCY_CYCLE"},
    ),
    "expression.yaml": (
        HEAD + '  - {id: a, tool: test.note, input: {text: "${{ input. }}"}}\n',
        {"EXPRESSION_INVALID"},
    ),
    "unclosed.yaml": (
        HEAD + '  - {id: a, tool: test.note, input: {text: "${{ input.x"}}\n',
        {"TEMPLATE_UNCLOSED", "EXPRESSION_INVALID"},
    ),
    "large.yaml": (HEAD + STEP + "# " + "x" * 4_200_000 + "\n", {"DOCUMENT_TOO_LARGE"}),
}
PLACE = re.compile(r"^(?P<file>[\w.]+):(?P<line>\d+):(?P<column>\d+) (?P<code>[A-Z_]+) \S")


@pytest.fixture
def corpus(home: Home) -> list[Path]:
    """The documents as files."""
    for name, (content, _) in CORPUS.items():
        (home.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return [Path(name) for name in CORPUS]


def test_every_bad_document_is_found_with_its_place(home: Home, corpus: list[Path]) -> None:
    """
    One `check` of all files gives every file's findings, each as `file:line:column CODE message`, with exit code 2.
    """
    said = home.remit("check", *corpus, "--tools", "tools.py")

    found: dict[str, set[str]] = {}
    for line in said.out.splitlines():
        place = PLACE.match(line)
        assert place is not None, line
        found.setdefault(place["file"], set()).add(place["code"])
    assert 2 == said.exit_code
    missed = {name: found.get(name, set()) for name, (_, codes) in CORPUS.items() if not codes & found.get(name, set())}
    assert {} == missed


def test_bad_documents_store_and_run_nothing(home: Home, corpus: list[Path]) -> None:
    """
    `run` and `apply` refuse each of them with exit code 2; afterwards there is no definition, no run and no effect.
    """
    home.must("apply", "remit.yaml", "--tools", "tools.py")
    exits = {home.remit("apply", *corpus, "note.yaml", "--tools", "tools.py").exit_code}
    for name in ("cycle.yaml", "unknown_tool.yaml", "large.yaml"):
        exits.add(home.remit("run", name, "--tools", "tools.py").exit_code)

    assert {2} == exits
    assert ([], []) == (home.must("definitions", "list")["definitions"], home.must("runs", "list")["runs"])
    assert not (home.folder / "notes.txt").exists()


def test_sound_document_that_cannot_run_stores_nothing(home: Home) -> None:
    """
    `check` says in a note what this version cannot run; `run`, `apply` and `simulate` refuse it whole, by name.
    """
    home.write("gate.yaml", HEAD + "  - {id: ask, gate: {question: Go on?, approvers: [ada]}}\n")
    checked = home.remit("check", "gate.yaml", "--tools", "tools.py")
    refused = [
        home.remit("run", "gate.yaml", "--remit", "remit.yaml", "--tools", "tools.py"),
        home.remit("apply", "remit.yaml", "note.yaml", "gate.yaml", "--tools", "tools.py"),
        home.remit("simulate", "gate.yaml", "--tools", "tools.py", "--seeds", "1"),
    ]

    assert (0, True) == (checked.exit_code, " DEFINITION_UNRUNNABLE note: " in checked.out)
    for said in refused:
        assert 2 == said.exit_code
        assert "error DEFINITION_UNRUNNABLE: " in said.err
        assert "a human gate (step ask)" in said.err
    assert ([], []) == (home.must("definitions", "list")["definitions"], home.must("runs", "list")["runs"])


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"text": "a", "text": "b"}',
        '{"text": NaN}',
        '{"text": "\\ud800"}',
        "[" * 70 + "]" * 70,
        '"' + "x" * 1_000_001 + '"',
    ],
    ids=["cut", "duplicate-key", "nan", "surrogate", "deep", "large"],
)
def test_bad_input_is_refused_with_its_place(home: Home, text: str) -> None:
    """
    Input that is no strict JSON is refused before anything is stored; the message names line and column.
    """
    home.write("input.json", text)

    said = home.remit("run", "note.yaml", "--tools", "tools.py", "--input", "input.json")

    assert 2 == said.exit_code
    assert re.match(r"error JSON_INVALID: input\.json:\d+:\d+ ", said.err)
