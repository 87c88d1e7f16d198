"""Documents handed to checking commands: files or standard input, read once, and fixed in place.

Owns: what ``-`` means, and when a file is written. Does not know: what is checked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from remit.diagnostics import Diagnostic, Diagnostics, Source, fix_until_done
from remit.errors import UsageError
from remit.plans.files import read_file, replace_file, shown_path

STDIN: Final = Path("-")
STDIN_SHOWN: Final = "<stdin>"


def read_input(path: Path, *, bytes_max: int) -> tuple[str, bytes | Diagnostic]:
    """Return the name that findings show, and the bytes of a file or of standard input."""
    if path == STDIN:
        return STDIN_SHOWN, sys.stdin.buffer.read(bytes_max + 1)
    return shown_path(path), read_file(path, bytes_max=bytes_max)


def fix_file(
    path: Path, raw: bytes, check: Callable[[bytes], tuple[Source | None, Diagnostics]]
) -> tuple[bytes, tuple[Diagnostic, ...]]:
    """Make the fixes of a file's findings, write the file if any was made, and return its bytes and the fixed findings.

    Raises:
        UsageError: there is no file to write, it may not be written, or it is not UTF-8.
        OperationError: writing failed; the file is as it was.
    """
    if path == STDIN:
        raise UsageError("expected files for --fix, got standard input, which cannot be changed; leave --fix out")
    fixed = fix_until_done(raw, check)
    if fixed.made:
        replace_file(path, expected=raw, raw=fixed.raw)
    return fixed.raw, fixed.made
