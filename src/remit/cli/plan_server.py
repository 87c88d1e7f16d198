"""The language server of plans: what `remit plan check` says, as an editor shows it.

Owns: the protocol's requests, and places in the units that the editor counts in.
Does not know: any format. It needs the extra ``lsp``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Final

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path
from pygls.workspace import TextDocument

from remit.diagnostics import Diagnostic, Fix, Position, Severity, Source, Span
from remit.diagnostics.edits import Edit, without_overlaps
from remit.plans.formats import PlanReading, read_plan

SOURCE: Final = "remit"

_SEVERITIES: Final = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.NOTE: types.DiagnosticSeverity.Information,
}
_UNITS: Final = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
"""How an editor counts columns: the encoding, and the bytes of one unit."""


def make_server() -> LanguageServer:
    """Return a server that checks each plan that is opened or changed, and offers fixes."""
    server = LanguageServer(SOURCE, version("remit"), text_document_sync_kind=types.TextDocumentSyncKind.Full)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        _publish(server, params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        _publish(server, params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        empty = types.PublishDiagnosticsParams(uri=params.text_document.uri, diagnostics=[])
        server.text_document_publish_diagnostics(empty)

    kinds = [types.CodeActionKind.QuickFix, types.CodeActionKind.SourceFixAll]

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=kinds))
    def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        return list(_actions(_Page(server, params.text_document.uri), params.range))

    return server


def _publish(server: LanguageServer, uri: str) -> None:
    page = _Page(server, uri)
    # Most Markdown and JSON that an editor has open is no plan; nothing is wrong with it.
    is_plan = page.reading.format is not None
    found = [page.diagnostic(finding) for finding in page.reading.diagnostics if is_plan]
    answer = types.PublishDiagnosticsParams(uri=uri, diagnostics=found, version=page.document.version)
    server.text_document_publish_diagnostics(answer)


def _actions(page: _Page, place: types.Range) -> Iterator[types.CodeAction]:
    fixable = [finding for finding in page.reading.diagnostics if finding.fix is not None]
    for finding in fixable:
        shown = page.diagnostic(finding)
        if finding.fix is not None and _touches(shown.range, place):
            yield types.CodeAction(
                title=f"{finding.code}: {finding.fix.message}",
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[shown],
                is_preferred=True,
                edit=page.edit([finding.fix]),
            )
    if fixable:
        fixes = [finding.fix for finding in fixable if finding.fix is not None]
        yield types.CodeAction(
            title="Make all fixes of remit", kind=types.CodeActionKind.SourceFixAll, edit=page.edit(fixes)
        )


def _touches(one: types.Range, other: types.Range) -> bool:
    return _order(one.start) <= _order(other.end) and _order(other.start) <= _order(one.end)


def _order(position: types.Position) -> tuple[int, int]:
    return position.line, position.character


class _Page:
    """A document that an editor has open, as it was read just now."""

    def __init__(self, server: LanguageServer, uri: str) -> None:
        self.uri = uri
        self.document: TextDocument = server.workspace.get_text_document(uri)
        encoding = str(getattr(server.workspace.position_encoding, "value", server.workspace.position_encoding))
        self._encoding, self._unit_bytes = _UNITS[encoding]
        raw = self.document.source.encode("utf-8", "replace")
        self.reading: PlanReading = read_plan(raw, path=to_fs_path(uri) or uri)
        self._source = self.reading.source or Source(uri, "")

    def diagnostic(self, finding: Diagnostic) -> types.Diagnostic:
        return types.Diagnostic(
            range=self.range(finding.span),
            message=finding.message,
            severity=_SEVERITIES[finding.severity],
            code=finding.code,
            source=SOURCE,
            related_information=[
                types.DiagnosticRelatedInformation(
                    location=types.Location(uri=self.uri, range=self.range(related.span)), message=related.message
                )
                for related in finding.related
            ],
        )

    def edit(self, fixes: Sequence[Fix]) -> types.WorkspaceEdit:
        """Return fixes as one edit; of two that overlap the first."""
        ranges = {
            Edit(
                start=self._source.offset(fix.span.start),
                end=self._source.offset(fix.span.end),
                replacement=fix.replacement,
            ): self.range(fix.span)
            for fix in fixes
        }
        edits = [types.TextEdit(range=ranges[edit], new_text=edit.replacement) for edit in without_overlaps(ranges)]
        return types.WorkspaceEdit(changes={self.uri: edits})

    def range(self, span: Span) -> types.Range:
        return types.Range(start=self._position(span.start), end=self._position(span.end))

    def _position(self, position: Position) -> types.Position:
        """Return a place as the editor counts it: from 0, in its units instead of characters."""
        before = self._source.line(position.line)[: position.column - 1]
        units = len(before.encode(self._encoding, "surrogatepass")) // self._unit_bytes
        return types.Position(line=position.line - 1, character=units)
