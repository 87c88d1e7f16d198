"""Documents handed to checking commands: files or standard input, read once, and fixed in place.

Owns: what ``-`` means, and when a file is written. Does not know: what is checked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from remit.diagnostics import Diagnostic, Diagnostics, Source, fix_until_done
from remit.errors import OperationError, UsageError
from remit.plans.files import read_file, replace_file, shown_path

STDIN: Final = Path("-")
STDIN_SHOWN: Final = "<stdin>"


def read_input(path: Path, *, bytes_max: int) -> tuple[str, bytes | Diagnostic]:
    """Return the name that findings show, and the bytes of a file or of standard input."""
    if path == STDIN:
        return STDIN_SHOWN, sys.stdin.buffer.read(bytes_max + 1)
    return shown_path(path), read_file(path, bytes_max=bytes_max)


def require_files(paths: Iterable[Path]) -> None:
    """Refuse to fix standard input, before any file is changed.

    Raises:
        UsageError: it is among the paths.
    """
    if STDIN in paths:
        raise UsageError("expected files for --fix, got standard input, which cannot be changed; leave --fix out")


class Fixing:
    """Makes the fixes of several files, one after another.

    ``made`` are the findings that were put right. A file that cannot be changed stays as it is and is told in
    ``unfixed``: the others are fixed and told all the same.
    """

    def __init__(self) -> None:
        self.made: list[Diagnostic] = []
        self.unfixed: list[Diagnostic] = []

    def fix(
        self, path: Path, raw: bytes, *, shown: str, check: Callable[[bytes], tuple[Source | None, Diagnostics]]
    ) -> bytes:
        """Make the fixes of a file's findings, write the file if any was made, and return what it holds now."""
        try:
            fixed = fix_until_done(raw, check)
            if fixed.made:
                replace_file(path, expected=raw, raw=fixed.raw)
        except (UsageError, OperationError) as error:
            self.unfixed.append(Diagnostic(code="DOCUMENT_UNFIXED", message=error.message, path=shown))
            return raw
        self.made += fixed.made
        return fixed.raw
