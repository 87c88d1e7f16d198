"""Reading texts in tests: findings as short lines."""

from remit.core.canonical import JsonValue
from remit.diagnostics import Diagnostics
from remit.plans.documents import Document, plain_value, read_document


def read(text: str | bytes, *, path: str = "a.yaml") -> tuple[Document | None, Diagnostics]:
    """Return the document of a text, and its findings."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    diagnostics = Diagnostics()
    return read_document(raw, path=path, diagnostics=diagnostics), diagnostics


def value_of(text: str | bytes, *, path: str = "a.yaml") -> JsonValue:
    """Return the value of a text without findings."""
    document, diagnostics = read(text, path=path)
    assert [] == lines(diagnostics)
    assert document is not None
    assert document.root is not None
    return plain_value(document.root)


def lines(diagnostics: Diagnostics) -> list[str]:
    """Return findings as `line:column CODE`."""
    return [f"{finding.span.start} {finding.code}" for finding in diagnostics]


def findings_of(text: str | bytes, *, path: str = "a.yaml") -> list[str]:
    """Return the findings of a text as `line:column CODE`."""
    return lines(read(text, path=path)[1])
