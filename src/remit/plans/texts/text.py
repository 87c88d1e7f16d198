"""The text of a plan document: bytes become lines, however messy they are.

Owns: what is tolerated (byte-order mark, CRLF, tabs, mojibake) and said, and the places of what is read in the file.
Does not know: any format. Offsets of ``PlanText.text`` are those that readers use; ``PlanReporter`` turns them into
places in the file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from remit.diagnostics import Diagnostic, Diagnostics, Explanation, Reporter, Severity, Source, Span
from remit.plans.codes import ALL_CODES
from remit.plans.documents.decoding import decode_document, without_forbidden
from remit.plans.texts.mojibake import Repair, repair

PLAN_BYTES_MAX: Final = 8 * 1024 * 1024
"""Largest plan document; reading 5 MB takes seconds."""

_CODEC_NAMES: Final = {
    "macroman": "Mac Roman",
    "sloppy-windows-1252": "Windows-1252",
    "sloppy-windows-1251": "Windows-1251",
    "latin-1": "Latin-1",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its ending. ``number`` counts from 1; ``start`` is the offset of its first character."""

    number: int
    start: int
    text: str

    @property
    def end(self) -> int:
        """Return the offset after its last character."""
        return self.start + len(self.text)

    @property
    def place(self) -> tuple[int, int]:
        """Return the offsets of what is written on it, without the space around."""
        stripped = self.text.strip()
        start = self.start + self.text.find(stripped)
        return start, start + len(stripped)


class PlanText:
    """A text as it is read.

    ``source`` is the file's text, which findings point into; ``text`` is the same with mojibake repaired, so its
    offsets may differ, never its lines.
    """

    __slots__ = ("_repair", "lines", "source", "text")

    def __init__(self, source: Source, mended: Repair | None = None) -> None:
        self.source = source
        self._repair = mended
        self.text = source.text if mended is None else mended.text
        read = source if mended is None else Source(source.path, mended.text)
        self.lines = tuple(
            Line(number, read.line_start(number), read.line(number)) for number in range(1, read.line_count + 1)
        )

    def written(self, offset: int) -> int:
        """Return the offset in the file's text of what stands at an offset of ``text``."""
        return offset if self._repair is None else self._repair.written(offset)

    def line_number(self, offset: int) -> int:
        """Return the number of the line that an offset of ``text`` is on."""
        return bisect_right(self.lines, offset, key=lambda line: line.start)

    def in_kind(self, characters: str, start: int, end: int) -> str:
        """Return characters as the file would write them instead of a stretch: misread alike if that stretch was."""
        if self._repair is None or self.source.text[self.written(start) : self.written(end)] == self.text[start:end]:
            return characters
        return self._repair.misread(characters)

    def span(self, start: int, end: int) -> Span:
        """Return the place in the file of a stretch of ``text``."""
        return self.source.span(self.written(start), self.written(end))


class PlanReporter(Reporter):
    """Reports findings about a plan document; places are offsets of the text as it is read."""

    __slots__ = ("text",)

    def __init__(
        self, text: PlanText, diagnostics: Diagnostics, *, codes: Mapping[str, Explanation] = ALL_CODES
    ) -> None:
        super().__init__(text.source, diagnostics, codes=codes)
        self.text = text

    def _span(self, at: tuple[int, int]) -> Span:
        return self.text.span(*at)


def read_text(raw: bytes, *, path: str, diagnostics: Diagnostics) -> PlanText | None:
    """Return the text of a plan document, or ``None`` when reading on makes no sense.

    What is odd and harmless is said and read on: a byte-order mark, CRLF, characters that hide, mojibake, tabs.
    """
    found = Diagnostics()
    source = decode_document(raw, path=path, diagnostics=found, bytes_max=PLAN_BYTES_MAX)
    if source is None:
        diagnostics.extend(found)
        return None
    written = _written_text(raw, source)
    mended = repair(written)
    if mended is not None:
        mended = replace(mended, text=without_forbidden(mended.text))
    for finding in found:
        if mended is None or not _is_of_mojibake(finding, source, mended):
            diagnostics.add(_tolerated(finding))
    text = PlanText(source, mended)
    if mended is not None:
        _report_mojibake(source, written, mended, diagnostics)
    _report_tabs(text, PlanReporter(text, diagnostics))
    return text


def _written_text(raw: bytes, source: Source) -> str:
    """Return the text with the control characters that stand for bytes in mojibake; as long as the source's."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return source.text
    return text if len(text) == len(source.text) else source.text


def _is_of_mojibake(finding: Diagnostic, source: Source, mended: Repair) -> bool:
    return finding.code == "CHARACTER_FORBIDDEN" and mended.has_repaired(source.offset(finding.span.start))


def _tolerated(finding: Diagnostic) -> Diagnostic:
    """Return a finding about a character as a warning: a plan is read by people, and is read on."""
    return replace(finding, severity=Severity.WARNING) if finding.code == "CHARACTER_FORBIDDEN" else finding


def _report_mojibake(source: Source, written: str, mended: Repair, diagnostics: Diagnostics) -> None:
    start, end = mended.first
    meant = mended.text[start : start + 1]
    codec = _CODEC_NAMES.get(mended.codec, mended.codec)
    finding = Diagnostic(
        code="MOJIBAKE_REPAIRED",
        message=(
            f"expected UTF-8 text, got UTF-8 that was once read as {codec}: {written[start:end]!r} here was "
            f"{meant!r}; it is read as it was meant, save the file from its origin again"
        ),
        path=source.path,
        span=source.span(start, end),
        severity=Severity.WARNING,
    )
    diagnostics.add(finding)


def _report_tabs(text: PlanText, reporter: PlanReporter) -> None:
    tabbed = [line for line in text.lines if "\t" in line.text[: len(line.text) - len(line.text.lstrip())]]
    if not tabbed:
        return
    first = tabbed[0]
    rest = "" if len(tabbed) == 1 else f" (and {len(tabbed) - 1} more lines)"
    reporter.report(
        "TAB_INDENTATION",
        f"expected indentation by spaces, got a tab{rest}; it counts up to the next column of four",
        at=(first.start, first.start + len(first.text) - len(first.text.lstrip())),
        severity=Severity.WARNING,
    )
