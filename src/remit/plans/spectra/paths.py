"""Paths in fields: lists of them, and when two spellings are the same file.

Owns: reading ``Files`` and the lists of ownership.
Does not know: which task has which path.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import Final

from remit.plans.plan import PathClaim
from remit.plans.spectra.ids import is_none
from remit.plans.spectra.pieces import Piece, bracketed
from remit.plans.spectra.placeholders import is_placeholder
from remit.plans.texts import PlanReporter

_COMMENT: Final = re.compile(r"(?<![ \t])[ \t]+(?:\([^()]*\)|#.*|(?:--|\N{EM DASH}|\N{EN DASH})[ \t].*)$")
_SEPARATOR: Final = re.compile(r"[ \t]*;[ \t]*|[ \t]+(?:(?:and|&)[ \t]+)?")
_FILE: Final = re.compile(r"[^\s()#`]*\.[A-Za-z0-9]{1,8}")
_PATH: Final = re.compile(r"[^\s()#`]*(?:/[^\s()#`]*|\.[A-Za-z0-9]{1,8})")
_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PathList:
    """Paths in the order in which they are written. ``is_bare`` says that no brackets stand around them."""

    claims: tuple[PathClaim, ...]
    is_bare: bool


def read_paths(value: Piece, reporter: PlanReporter) -> PathList:
    """Read a list of paths, with or without brackets; ``none`` is an empty list."""
    inside = bracketed(value)
    found = _without_loose_brackets(value) if inside is None else inside
    if is_none(found) or is_none(Piece(_COMMENT.sub("", found.text), found.start)):
        return PathList(claims=(), is_bare=inside is None)
    parts = [part for part in found.split(",") if part.text]
    claims = [read_path(one, reporter) for part in parts for one in _apart(part, reporter)]
    return PathList(claims=tuple(claim for claim in claims if claim.path), is_bare=inside is None)


def _apart(part: Piece, reporter: PlanReporter) -> list[Piece]:
    """Return the paths of a part, also those between other separators than commas where they cannot be one path."""
    ends = [(separator.start(), separator.end()) for separator in _SEPARATOR.finditer(part.text)]
    starts = [0, *(end for _, end in ends)]
    pieces = [part.cut(start, end) for start, (end, _) in zip(starts, [*ends, (len(part.text), 0)], strict=True)]
    words = [piece for piece in pieces if piece.text]
    is_certain = any(not part.text[start:end].isspace() for start, end in ends)
    form = _PATH if is_certain else _FILE
    if len(words) < 2 or not all(form.fullmatch(word.text.strip("`")) for word in words):
        return [part]
    reporter.report(
        "SPECTRA_PATH_FORM",
        f"expected commas between paths, got {part.text!r}; they are read as {len(words)} paths",
        at=part.place,
        replacement=", ".join(word.text for word in words),
    )
    return words


def read_path(part: Piece, reporter: PlanReporter) -> PathClaim:
    """Read one path: without quotes or backticks, without words behind it."""
    if is_prose(part.text):
        return _prose(part, reporter)
    found = _without_comment(part, reporter)
    bare = found.without_markup()
    if bare.text[:1] in {'"', "'"} and len(bare.text) > 2 and bare.text[-1] == bare.text[0]:
        bare = bare.cut(1, len(bare.text) - 1)
    bare = _without_loose_brackets(bare)
    if bare.text != found.text:
        reporter.report(
            "SPECTRA_PATH_FORM",
            f"expected the path {bare.text!r} alone, got {found.text!r}",
            at=found.place,
            replacement=bare.text,
        )
    _check_form(bare, reporter)
    return PathClaim(path=comparable(bare.text), written=bare.text, at=bare.place)


def _prose(part: Piece, reporter: PlanReporter) -> PathClaim:
    """Return words that stand where a path should; they are kept, and claim no file."""
    if not is_placeholder(part.text):
        reporter.report(
            "SPECTRA_PATH_PROSE",
            f"expected a path, got words: {part.text!r}; name the file, the directory or the pattern, or take them out",
            at=part.place,
        )
    return PathClaim(path=part.text, written=part.text, at=part.place)


def _without_loose_brackets(path: Piece) -> Piece:
    """Return a text without square brackets at its ends that have no partner: parts of a list that is not closed."""
    loose = path.text.count("[") - path.text.count("]")
    size = len(path.text)
    if loose > 0:
        return path.cut(min(loose, size - len(path.text.lstrip("[")))).strip()
    return path.cut(0, size - min(-loose, size - len(path.text.rstrip("]")))).strip()


def _without_comment(part: Piece, reporter: PlanReporter) -> Piece:
    comment = _COMMENT.search(part.text)
    if comment is None or comment.start() == 0:
        return part
    path = part.cut(0, comment.start()).strip()
    reporter.report(
        "SPECTRA_PATH_FORM",
        f"expected a path alone, got {part.text!r}; the words behind {path.text!r} are not read",
        at=part.place,
        replacement=path.text,
    )
    return path


def _check_form(path: Piece, reporter: PlanReporter) -> None:
    text = path.text
    if leaves(text):
        return
    if "\\" in text:
        reporter.report(
            "SPECTRA_PATH_FORM",
            f"expected '/' between directories, got {text!r}; it is compared as {comparable(text)!r}",
            at=path.place,
            replacement=text.replace("\\", "/"),
        )


def names_files(claim: PathClaim) -> bool:
    """Whether a claim is one of files: neither words nor a placeholder."""
    return not is_prose(claim.written) and not is_placeholder(claim.written)


def is_prose(written: str) -> bool:
    """Whether what stands in the place of a path is words: with spaces and without any mark that paths have."""
    if written[:1] == "(" and written[-1:] == ")" and " " in written:
        return True
    words = _COMMENT.sub("", written)
    return " " in words and not any(mark in words for mark in "/\\.*")


def leaves(written: str) -> bool:
    """Whether a path leads out of the project: it is absolute, or goes up beyond the project's folder."""
    if written.startswith(("/", "~")) or _DRIVE.match(written):
        return True
    parts = written.replace("\\", "/")
    return ".." in parts and posixpath.normpath(parts).split("/")[0] == ".."


def comparable(written: str) -> str:
    """Return the spelling under which a path compares: ``./a`` is ``a``, a directory ends in ``/``."""
    text = written.replace("\\", "/")
    is_directory = text.endswith(("/", "/.", "/..")) or text in {".", ".."}
    normal = posixpath.normpath(text) if text else ""
    return f"{normal}/" if is_directory and normal != "/" else normal
