"""Kinds of documents: which front-end a file is for, and checking any file.

Owns: telling documents apart by their top-level fields.
Does not know: what the fields mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Final

from remit.core.definition import Definition
from remit.diagnostics import Diagnostic, Diagnostics, Source
from remit.governance.contracts import ToolContract
from remit.governance.policy import BusinessConfig
from remit.plans.business import compiling as business
from remit.plans.catalogue import Catalogue
from remit.plans.documents import DOCUMENT_BYTES_MAX, Document, read_document
from remit.plans.documents import Mapping as MappingNode
from remit.plans.fields import snake_case
from remit.plans.files import read_file, shown_path
from remit.plans.orchestration import compiling as orchestration


class DocumentKind(StrEnum):
    """The kinds of documents that can be compiled."""

    ORCHESTRATION = "orchestration"
    BUSINESS = "business"


_MARKDOWN: Final = frozenset({".md", ".markdown"})
_NO_MARKDOWN: Final = "expected an orchestration or a remit file, got Markdown; plans are checked by `remit plan check`"

_COMPILED: Final = (
    "expected an orchestration or a remit file, got a definition, which is what an orchestration compiles to; check "
    "the orchestration (of a plan `remit plan compile` writes it, without --format json)"
)
_DEFINITION: Final = frozenset({"schema_version", "name", "version", "steps"})
"""Fields that a definition's JSON always has; orchestrations have no schema version."""

_SIGNS: Final = {
    DocumentKind.ORCHESTRATION: frozenset({"steps", "triggers", "parameters", "input", "output", "orchestration"}),
    DocumentKind.BUSINESS: frozenset(
        {"business", "scopes", "approval_rules", "hitl_rules", "breakers", "endpoints", "credentials"}
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of one file. ``compiled`` is ``None`` if any finding is an error; ``source`` if it was not read."""

    path: str
    kind: DocumentKind | None
    compiled: Definition | BusinessConfig | None
    diagnostics: Diagnostics
    source: Source | None


def kind_of(text: bytes, *, path: str) -> DocumentKind | None:
    """Return what a document is, by the fields it has more of; ``None`` if nothing tells.

    A document with mistakes is recognised by what can be read of it.
    """
    return kind_of_tree(read_document(text, path=path, diagnostics=Diagnostics()))


def kind_of_tree(document: Document | None) -> DocumentKind | None:
    """Return what a document is that was read."""
    if document is None or not isinstance(document.root, MappingNode):
        return None
    names = {snake_case(name) for name in document.root.entries}
    counts = {kind: len(names & signs) for kind, signs in _SIGNS.items()}
    best = max(counts, key=lambda kind: counts[kind])
    return best if counts[best] else None


def _is_compiled(document: Document | None) -> bool:
    root = None if document is None else document.root
    return isinstance(root, MappingNode) and root.entries.keys() >= _DEFINITION


def check_file(
    path: str | Path,
    *,
    contracts: Mapping[str, ToolContract] | Catalogue,
    policy: BusinessConfig | None = None,
) -> Checked:
    """Read and check one file of any kind; what is wrong with it, also that it cannot be read, is in the findings."""
    shown = shown_path(path)
    text = read_file(path, bytes_max=DOCUMENT_BYTES_MAX)
    if isinstance(text, Diagnostic):
        return Checked(path=shown, kind=None, compiled=None, diagnostics=Diagnostics([text]), source=None)
    return check_document(text, path=shown, contracts=contracts, policy=policy)


def check_document(
    text: bytes,
    *,
    path: str,
    contracts: Mapping[str, ToolContract] | Catalogue,
    policy: BusinessConfig | None = None,
) -> Checked:
    """Check a document of any kind."""
    diagnostics = Diagnostics()
    if PurePath(path).suffix.lower() in _MARKDOWN:
        diagnostics.add(Diagnostic(code="DOCUMENT_KIND_UNKNOWN", message=_NO_MARKDOWN, path=path))
        return Checked(path=path, kind=None, compiled=None, diagnostics=diagnostics, source=None)
    document = read_document(text, path=path, diagnostics=diagnostics)
    kind = kind_of_tree(document)
    compiled: Definition | BusinessConfig | None = None
    if _is_compiled(document):
        diagnostics.add(Diagnostic(code="DOCUMENT_KIND_UNKNOWN", message=_COMPILED, path=path))
    elif kind is DocumentKind.BUSINESS:
        compiled = business.compile_tree(document, diagnostics, contracts=contracts)
    elif kind is DocumentKind.ORCHESTRATION:
        compiled = orchestration.compile_tree(document, diagnostics, contracts=contracts, policy=policy)
    elif not diagnostics.has_errors:
        diagnostics.add(
            Diagnostic(
                code="DOCUMENT_KIND_UNKNOWN",
                message=(
                    "expected an orchestration (with `steps`) or a remit file (with `business`), got neither; "
                    "plans are checked by `remit plan check`"
                ),
                path=path,
            )
        )
    source = None if document is None else document.source
    return Checked(path=path, kind=kind, compiled=compiled, diagnostics=diagnostics, source=source)
