"""The language server of plans: what `remit plan check` says, as an editor shows it.

Owns: the protocol's requests, and places in the units that the editor counts in.
Does not know: any format. It needs the extra ``lsp``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from itertools import zip_longest
from typing import Final

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path
from pygls.workspace import TextDocument

from remit.diagnostics import Diagnostic, Fix, Position, Severity, Source, Span
from remit.diagnostics.edits import Edit, without_overlaps
from remit.plans.formats import PlanReading, read_plan
from remit.plans.options import AS_WRITTEN, PlanOptions
from remit.plans.plan import NOWHERE

SOURCE: Final = "remit"

_SEVERITIES: Final = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.NOTE: types.DiagnosticSeverity.Information,
}
_UNITS: Final = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
"""How an editor counts columns: the encoding, and the bytes of one unit."""


CALM_SECONDS: Final = 0.2
"""A plan is checked when nothing was typed for so long: findings of every letter would only flicker."""


def make_server(options: PlanOptions = AS_WRITTEN) -> LanguageServer:
    """Return a server that checks each plan that is opened or changed, offers fixes, and lists its tasks.

    Args:
        options: How plans are read.
    """
    server = LanguageServer(SOURCE, version("remit"), text_document_sync_kind=types.TextDocumentSyncKind.Full)
    pages = _Pages(server, options)

    def publish(uri: str) -> None:
        page = pages.find(uri)
        if page is not None:
            server.text_document_publish_diagnostics(_told(page))

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        pages.note(params.text_document.uri, params.text_document.version)
        publish(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def did_change(params: types.DidChangeTextDocumentParams) -> None:
        uri, changed = params.text_document.uri, params.text_document.version
        pages.note(uri, changed)
        await asyncio.sleep(CALM_SECONDS)
        if pages.version(uri) == changed:
            publish(uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        pages.forget(params.text_document.uri)
        empty = types.PublishDiagnosticsParams(uri=params.text_document.uri, diagnostics=[])
        server.text_document_publish_diagnostics(empty)

    kinds = [types.CodeActionKind.QuickFix, types.CodeActionKind.SourceFixAll]

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=kinds))
    def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        page = pages.find(params.text_document.uri)
        actions = () if page is None else _actions(page, params.range)
        return [action for action in actions if _is_wanted(action, params.context.only)]

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def document_symbol(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        page = pages.find(params.text_document.uri)
        return [] if page is None else list(_symbols(page))

    return server


def _told(page: _Page) -> types.PublishDiagnosticsParams:
    # Most Markdown and JSON that an editor has open is no plan; nothing is wrong with it.
    is_plan = page.reading.format is not None
    found = [page.diagnostic(finding) for finding in page.reading.diagnostics if is_plan]
    return types.PublishDiagnosticsParams(uri=page.uri, diagnostics=found, version=page.version)


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


def _is_wanted(action: types.CodeAction, only: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Whether an action is of a kind that was asked for: a kind stands for those below it, too."""
    kind = _kind_word(action.kind or "")
    return only is None or any(f"{kind}.".startswith(f"{_kind_word(wanted)}.") for wanted in only)


def _kind_word(kind: types.CodeActionKind | str) -> str:
    return kind.value if isinstance(kind, types.CodeActionKind) else kind


def _symbols(page: _Page) -> Iterator[types.DocumentSymbol]:
    """Yield the tasks in the order of the text; each reaches to the next."""
    plan, text = page.reading.plan, page.reading.text
    if plan is None or text is None:
        return
    tasks = sorted((task for task in plan.tasks if task.at != NOWHERE), key=lambda task: task.at)
    heads = [page.range(text.span(*task.at)) for task in tasks]
    for task, head, following in zip_longest(tasks, heads, heads[1:]):
        risk = "" if task.risk is None else f", {task.risk.value} risk"
        yield types.DocumentSymbol(
            name=f"{task.id} {task.title}".strip() or "task",
            detail=f"{task.state.value.replace('_', ' ')}{risk}",
            kind=types.SymbolKind.Event,
            range=types.Range(start=head.start, end=head.end if following is None else following.start),
            selection_range=head,
        )


def _touches(one: types.Range, other: types.Range) -> bool:
    return _order(one.start) <= _order(other.end) and _order(other.start) <= _order(one.end)


def _order(position: types.Position) -> tuple[int, int]:
    return position.line, position.character


class _Pages:
    """Documents that an editor has open; each is read once for each version of it."""

    def __init__(self, server: LanguageServer, options: PlanOptions) -> None:
        self._server = server
        self._options = options
        self._versions: dict[str, int] = {}
        self._read: dict[str, _Page] = {}

    def note(self, uri: str, version: int) -> None:
        """Know that a document is open, in this version."""
        self._versions[uri] = version

    def version(self, uri: str) -> int | None:
        """Return the version of a document; ``None`` if it is not open."""
        return self._versions.get(uri)

    def find(self, uri: str) -> _Page | None:
        """Return a document as it is now; ``None`` if it is not open."""
        version = self._versions.get(uri)
        if version is None:
            return None
        known = self._read.get(uri)
        if known is None or known.version != version:
            known = self._read[uri] = _Page(self._server, uri, self._options)
        return known

    def forget(self, uri: str) -> None:
        """Keep nothing of a document that was closed."""
        self._versions.pop(uri, None)
        self._read.pop(uri, None)


class _Page:
    """A document of an editor, as it was read."""

    def __init__(self, server: LanguageServer, uri: str, options: PlanOptions) -> None:
        self.uri = uri
        self.document: TextDocument = server.workspace.get_text_document(uri)
        self.version = self.document.version
        encoding = str(getattr(server.workspace.position_encoding, "value", server.workspace.position_encoding))
        self._encoding, self._unit_bytes = _UNITS[encoding]
        raw = self.document.source.encode("utf-8", "replace")
        self.reading: PlanReading = read_plan(raw, path=to_fs_path(uri) or uri, options=options)
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
