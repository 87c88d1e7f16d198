"""Files of documents: read whole, and replaced whole or not at all.

Owns: what is said of a file that cannot be read, and how a changed one is written.
Does not know: what is in them.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from remit.diagnostics import Diagnostic
from remit.errors import OperationError, UsageError


def shown_path(path: str | Path) -> str:
    """Return a path as findings show it: as it was written, and always a text that can be encoded."""
    return os.fsencode(path).decode("utf-8", "replace")


def read_file(path: str | Path, *, bytes_max: int) -> bytes | Diagnostic:
    """Return a file's bytes, one more than ``bytes_max`` if it is larger; or the finding that it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return file.read(bytes_max + 1)
    except (OSError, ValueError) as error:
        return Diagnostic(code="DOCUMENT_UNREADABLE", message=_why(error), path=shown_path(path))


def _why(error: OSError | ValueError) -> str:
    match error:
        case FileNotFoundError():
            return "expected a file, got nothing of this name; correct the path"
        case IsADirectoryError():
            return "expected a file, got a folder; name the files in it"
        case PermissionError():
            return "expected a file that may be read, got one that may not; change its permissions"
        case OSError():
            return f"expected a file that can be read, got an error: {error.strerror or 'unknown'}"
        case _:
            return f"expected the name of a file, got one that no file can have: {error}"


def replace_file(path: str | Path, *, expected: bytes, raw: bytes) -> None:
    """Write other bytes into a file, all or none; mode and owner stay, and a link keeps pointing at it.

    Args:
        path: The file, which exists.
        expected: What it holds; somebody else's change is not written over.
        raw: What it is to hold.

    Raises:
        UsageError: the file may not be written, or holds something else by now.
        OperationError: writing failed; the file is as it was.
    """
    target = Path(path).resolve()
    shown = shown_path(path)
    if not os.access(target, os.W_OK):
        raise UsageError(f"expected a file that may be written, got {shown!r}; change its permissions")
    try:
        before = target.stat()
        if target.read_bytes() != expected:
            raise UsageError(f"expected {shown!r} as it was read, got other content by now; run the command again")
        _replace(target, raw, before)
    except OSError as error:
        raise OperationError(f"expected to write {shown!r}, got an error: {error.strerror}; it is as it was") from error


def _replace(target: Path, raw: bytes, before: os.stat_result) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    written = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
            # Who may not give files away writes one of their own.
            with suppress(PermissionError):
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
        written.replace(target)
    finally:
        written.unlink(missing_ok=True)
