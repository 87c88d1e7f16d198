"""From bytes to text: size, encoding and characters are judged before any parser runs.

Owns: what bytes may become a text, and which characters a text may hold.
Does not know: YAML or JSON beyond the set of characters that each allows.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from remit.diagnostics import Diagnostic, Diagnostics, Reporter, Source
from remit.diagnostics.positions import FILE_START

DOCUMENT_BYTES_MAX: Final = 4 * 1024 * 1024
"""Largest definition or business config, as large as a stored definition may be: compiled plans of a thousand tasks."""

VALUES_MAX: Final = 1 << 18
"""Most values of a document, keys, lists and mappings counted: these take time, not bytes. 4 MB of the worst text that
has no more take two seconds; ten thousand steps of ten fields have fewer."""

EXPRESSIONS_MAX: Final = 1 << 15
"""Most openings of expressions in a document: compiling as many takes about four seconds."""

_OPENING: Final = "${{"

_INVALID_BYTES_MAX: Final = 20
"""So many places that are no UTF-8 are reported; a text with more is binary and not read on."""

_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_UTF_8_MARK: Final = "\ufeff"
_FOREIGN_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
# Control characters; separators that some readers take for line ends; marks that turn text around or cannot be seen.
_FORBIDDEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
_LONE_RETURN: Final = re.compile(r"\r(?!\n)")
_LINE_SEPARATORS: Final = frozenset("\x85\u2028\u2029")
_TURNING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")


def decode_document(raw: bytes, *, path: str, diagnostics: Diagnostics, bytes_max: int) -> Source | None:
    """Return the text of a document, or ``None`` when reading on makes no sense.

    Refused characters are reported and replaced one by one, so that offsets stay and reading goes on.
    """
    if len(raw) > bytes_max:
        _report_file(
            diagnostics,
            path,
            "DOCUMENT_TOO_LARGE",
            f"expected at most {bytes_max} bytes, got {len(raw)}; split the document",
        )
        return None
    for mark, encoding in _FOREIGN_MARKS:
        if raw.startswith(mark):
            _report_file(
                diagnostics, path, "ENCODING_INVALID", f"expected UTF-8, got {encoding}; save the file as UTF-8"
            )
            return None
    text, invalid = _decode_utf_8(raw)
    has_mark = text.startswith(_UTF_8_MARK)
    source = Source(path, text[1:] if has_mark else text)
    reporter = Reporter(source, diagnostics)
    if has_mark:
        reporter.report(
            "BYTE_ORDER_MARK", "expected UTF-8 without byte-order mark, got one; save the file without it", at=(0, 0)
        )
    for offset, byte in invalid:
        _report_invalid_byte(reporter, raw, byte=byte, offset=offset - has_mark)
    if len(invalid) > _INVALID_BYTES_MAX:
        return None
    if text.count(_OPENING) > EXPRESSIONS_MAX:
        message = f"expected at most {EXPRESSIONS_MAX} expressions, got {text.count(_OPENING)}; split the document"
        _report_file(diagnostics, path, "DOCUMENT_TOO_LARGE", message)
        return None
    _report_line_ends(reporter)
    return Source(path, _without_forbidden(reporter))


def _report_file(diagnostics: Diagnostics, path: str, code: str, message: str) -> None:
    diagnostics.add(Diagnostic(code=code, message=message, path=path, span=FILE_START))


def _decode_utf_8(raw: bytes) -> tuple[str, list[tuple[int, int]]]:
    """Return the text and, for each place that is no UTF-8, its offset in characters and in bytes."""
    parts: list[str] = []
    invalid: list[tuple[int, int]] = []
    done = characters = 0
    while done < len(raw):
        try:
            parts.append(raw[done:].decode())
            break
        except UnicodeDecodeError as error:
            parts.append(raw[done : done + error.start].decode() + _REPLACEMENT)
            characters += len(parts[-1])
            invalid.append((characters - 1, done + error.start))
            done += error.end
        if len(invalid) > _INVALID_BYTES_MAX:
            break
    return "".join(parts), invalid


def _report_invalid_byte(reporter: Reporter, raw: bytes, *, byte: int, offset: int) -> None:
    reporter.report(
        "ENCODING_INVALID",
        f"expected UTF-8, got byte 0x{raw[byte]:02x} at byte {byte} of the file; save the file as UTF-8",
        at=(offset, offset + 1),
    )


def _report_line_ends(reporter: Reporter) -> None:
    text = reporter.source.text
    windows = text.find("\r\n")
    if windows >= 0:
        reporter.report(
            "LINE_ENDINGS", "expected lines ended by LF, got CRLF; both are read alike", at=(windows, windows + 1)
        )
    for found in _LONE_RETURN.finditer(text):
        reporter.report(
            "CHARACTER_FORBIDDEN",
            "expected lines ended by LF, got a carriage return alone, which hides text in many viewers; remove it",
            at=found.span(),
        )
        if reporter.diagnostics.is_full:
            return


def _without_forbidden(reporter: Reporter) -> str:
    text = reporter.source.text
    for found in _FORBIDDEN.finditer(text):
        reporter.report("CHARACTER_FORBIDDEN", _about(found.group()), at=found.span())
        if reporter.diagnostics.is_full:
            break
    return without_forbidden(text)


def without_forbidden(text: str) -> str:
    """Return a text with what decoding refuses replaced, character by character."""
    return _FORBIDDEN.sub(_REPLACEMENT, text)


def _about(character: str) -> str:
    name = f"U+{ord(character):04X}"
    escape = f'"\\u{ord(character):04x}"'
    if character in _LINE_SEPARATORS:
        return f"expected lines ended by LF, got {name}, which ends lines for some readers only; write it as {escape}"
    if _TURNING.match(character):
        return f"expected text that reads as it is shown, got {name}, which turns text around; write it as {escape}"
    return f"expected printable text, got the control character {name}; remove it or write it as an escape"
