"""The language server of plans, spoken to over standard input and output as an editor does."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.lsp.client import LanguageClient

FIXABLE = Path(__file__).parents[1] / "unit" / "diagnostics" / "examples" / "CONTRACT_FIELD_ALIAS.json"
URI = "file:///plans/a%20contract.json"
ANSWER_SECONDS_MAX = 30


class Editor(LanguageClient):
    """A client that keeps what the server says of documents."""

    def __init__(self) -> None:
        super().__init__("editor", "1")
        self.told: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()

        @self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def tell(params: types.PublishDiagnosticsParams) -> None:
            self.told.put_nowait(params)

    async def findings(self) -> list[types.Diagnostic]:
        """Return what the server says next."""
        told = await asyncio.wait_for(self.told.get(), ANSWER_SECONDS_MAX)
        assert URI == told.uri
        return list(told.diagnostics)

    def open(self, text: str) -> None:
        document = types.TextDocumentItem(uri=URI, language_id="json", version=1, text=text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(text_document=document))

    def change(self, text: str, *, version: int = 2) -> None:
        document = types.VersionedTextDocumentIdentifier(uri=URI, version=version)
        changes = [types.TextDocumentContentChangeWholeDocument(text=text)]
        self.text_document_did_change(
            types.DidChangeTextDocumentParams(text_document=document, content_changes=changes)
        )

    async def actions(
        self, place: types.Range, *, only: list[types.CodeActionKind | str] | None = None
    ) -> list[types.CodeAction]:
        """Return what the server offers at a place."""
        found = await asyncio.wait_for(
            self.text_document_code_action_async(
                types.CodeActionParams(
                    text_document=types.TextDocumentIdentifier(uri=URI),
                    range=place,
                    context=types.CodeActionContext(diagnostics=[], only=only),
                )
            ),
            ANSWER_SECONDS_MAX,
        )
        return [action for action in found or [] if isinstance(action, types.CodeAction)]


@pytest.fixture
async def editor() -> AsyncIterator[Editor]:
    client = Editor()
    await client.start_io(sys.executable, "-m", "remit.cli", "plan", "lsp")
    answer = await client.initialize_async(types.InitializeParams(capabilities=types.ClientCapabilities()))
    client.initialized(types.InitializedParams())
    assert answer.capabilities.code_action_provider is not None
    yield client
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()
    process = client._server
    assert process is not None
    assert 0 == await asyncio.wait_for(process.wait(), ANSWER_SECONDS_MAX)


def edited(text: str, action: types.CodeAction) -> str:
    """Return a text of ASCII with an action's single edit made."""
    assert action.edit is not None
    assert action.edit.changes is not None
    (edit,) = action.edit.changes[URI]
    lines = text.splitlines(keepends=True)
    line = lines[edit.range.start.line]
    lines[edit.range.start.line] = line[: edit.range.start.character] + edit.new_text + line[edit.range.end.character :]
    return "".join(lines)


async def test_editor_is_told_findings_and_offered_their_fixes(editor: Editor) -> None:
    """
    An opened plan has its findings with places; a fix at one's place, once made, takes the finding away.
    """
    text = FIXABLE.read_text(encoding="utf-8")
    editor.open(text)
    (alias,) = [finding for finding in await editor.findings() if finding.code == "CONTRACT_FIELD_ALIAS"]

    quick = next(action for action in await editor.actions(alias.range) if action.kind == "quickfix")
    editor.change(edited(text, quick))

    assert types.DiagnosticSeverity.Information == alias.severity
    assert "CONTRACT_FIELD_ALIAS" not in {finding.code for finding in await editor.findings()}


async def test_columns_are_counted_as_the_editor_does(editor: Editor) -> None:
    """
    Editors count UTF-16 units unless they say otherwise: a character beyond the basic plane is two.
    """
    line = " ".join(FIXABLE.read_text(encoding="utf-8").replace("cursor in", "\N{GRINNING FACE} in").split())
    before, _, _ = line.partition('"acceptance_criteria"')
    editor.open(line)

    (alias,) = [finding for finding in await editor.findings() if finding.code == "CONTRACT_FIELD_ALIAS"]

    assert types.Position(line=0, character=len(before) + 1) == alias.range.start


async def test_closed_plan_has_no_findings_left(editor: Editor) -> None:
    """
    What was said of a document is taken back when it is closed.
    """
    editor.open(FIXABLE.read_text(encoding="utf-8"))
    opened = await editor.findings()
    closed = types.DidCloseTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=URI))
    editor.text_document_did_close(closed)

    assert opened
    assert [] == await editor.findings()
    nowhere = types.Position(line=0, character=0)
    assert [] == await editor.actions(types.Range(start=nowhere, end=nowhere))


async def test_text_that_is_no_plan_has_no_findings(editor: Editor) -> None:
    """
    An editor shows all Markdown and JSON to the server; what is no plan is nobody's mistake.
    """
    editor.open("# Read me\n\nBuy milk.\n")

    assert [] == await editor.findings()


async def test_kinds_of_actions_are_those_that_were_asked_for(editor: Editor) -> None:
    """
    An editor that fixes all on saving asks for that kind; a kind stands for those below it.
    """
    editor.open(FIXABLE.read_text(encoding="utf-8"))
    (alias,) = [finding for finding in await editor.findings() if finding.code == "CONTRACT_FIELD_ALIAS"]

    offered = {
        only: {action.kind for action in await editor.actions(alias.range, only=[only])}
        for only in ("source", "source.fixAll", "quickfix", "refactor")
    }

    fix_all = {types.CodeActionKind.SourceFixAll}
    quick = {types.CodeActionKind.QuickFix}
    assert {"source": fix_all, "source.fixAll": fix_all, "quickfix": quick, "refactor": set()} == offered


async def test_tasks_are_the_outline(editor: Editor) -> None:
    """
    An editor's outline lists the tasks, and each reaches to the next.
    """
    editor.open(
        "# SPECTRA Execution Plan\n\n## Level: 1\n\n## Task 001: First\n- [x] 001: First\n\n## Task 002: Next\n"
    )
    await editor.findings()

    found = await asyncio.wait_for(
        editor.text_document_document_symbol_async(
            types.DocumentSymbolParams(text_document=types.TextDocumentIdentifier(uri=URI))
        ),
        ANSWER_SECONDS_MAX,
    )

    symbols = [symbol for symbol in found or [] if isinstance(symbol, types.DocumentSymbol)]
    assert [("001 First", "done"), ("002 Next", "pending")] == [(symbol.name, symbol.detail) for symbol in symbols]
    assert symbols[0].range.end == symbols[1].range.start
    assert [4, 7] == [symbol.selection_range.start.line for symbol in symbols]
