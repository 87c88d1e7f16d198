"""Plans handed to commands, and what commands write of them.

Owns: that ``-`` is standard input for all of them, and what is said of an output that cannot be written.
Does not know: what is in them.
"""

from __future__ import annotations

from pathlib import Path

from remit.cli.fixing import read_input
from remit.diagnostics import Diagnostic, Diagnostics
from remit.errors import InputInvalidError
from remit.plans.formats import PlanReading, read_plan
from remit.plans.options import AS_WRITTEN, PlanOptions
from remit.plans.texts import PLAN_BYTES_MAX


def read_plan_input(path: Path, options: PlanOptions = AS_WRITTEN) -> PlanReading:
    """Read a plan from a file or standard input; what is wrong, also that it cannot be read, is in the findings."""
    name, raw = read_input(path, bytes_max=PLAN_BYTES_MAX)
    return read_plan_bytes(raw, name, options)


def read_plan_bytes(raw: bytes | Diagnostic, name: str, options: PlanOptions) -> PlanReading:
    """Read a plan from what came of a file: its bytes, or the finding that it cannot be read."""
    if isinstance(raw, Diagnostic):
        return PlanReading(path=name, raw=b"", format=None, text=None, plan=None, diagnostics=Diagnostics([raw]))
    return read_plan(raw, path=name, options=options)


def write_output(path: Path, text: str, *, beside: Path) -> None:
    """Write a file of what a command made of the document ``beside``, which it never writes over.

    Raises:
        InputInvalidError: it is that document, or cannot be written.
    """
    try:
        if path.exists() and beside.exists() and path.samefile(beside):
            raise InputInvalidError(
                f"expected another file than the document itself to write to, got {str(path)!r}; name another --output"
            )
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise InputInvalidError(
            f"expected a file that can be written, got {str(path)!r}: {error.strerror or 'an error'}"
        ) from error
