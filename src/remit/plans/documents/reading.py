"""Reading a document: bytes in, tree and findings out.

Owns: the choice of syntax.
Does not know: the fields of any document.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from remit.diagnostics import Diagnostics, Reporter
from remit.plans.documents.decoding import DOCUMENT_BYTES_MAX, decode_document
from remit.plans.documents.json_reader import read_json
from remit.plans.documents.tree import Document, Mapping, Scalar
from remit.plans.documents.yaml_reader import read_yaml

_YAML_SUFFIXES: Final = frozenset({".yaml", ".yml"})
_JSON_SUFFIXES: Final = frozenset({".json"})


def read_document(
    raw: bytes, *, path: str, diagnostics: Diagnostics, bytes_max: int = DOCUMENT_BYTES_MAX
) -> Document | None:
    """Return the tree of a document, or ``None`` if there is nothing to look at.

    Args:
        raw: The file's bytes.
        path: Names the file in findings; its ending chooses the syntax. Without a known ending a text that begins with
            a bracket is JSON, any other YAML.
        diagnostics: Gets everything that is wrong. Nothing is raised because of the text.
        bytes_max: Largest accepted size, checked before anything else.
    """
    errors = diagnostics.error_count
    source = decode_document(raw, path=path, diagnostics=diagnostics, bytes_max=bytes_max)
    if source is None:
        return None
    read = read_json if is_json(path, source.text) else read_yaml
    document = read(source, diagnostics)
    if document.is_complete and is_blank(document) and diagnostics.error_count == errors:
        Reporter(source, diagnostics).report("DOCUMENT_EMPTY", "expected a document, got nothing; write one", at=(0, 0))
        return None
    return document


def is_json(path: str, text: str) -> bool:
    """Tell whether a text is to be read as JSON."""
    suffix = PurePath(path).suffix.lower()
    if suffix in _YAML_SUFFIXES | _JSON_SUFFIXES:
        return suffix in _JSON_SUFFIXES
    return text.lstrip()[:1] in ("{", "[")


def is_blank(document: Document) -> bool:
    """Tell whether a document says nothing."""
    root = document.root
    if root is None or (isinstance(root, Mapping) and not root.entries):
        return True
    return isinstance(root, Scalar) and root.value is None
