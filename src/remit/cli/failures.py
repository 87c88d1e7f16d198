"""How an error looks at the end of a command, and which exit code it gets.

Owns: the exit code of each family of errors, and what to do next for codes where that can be said in a line.
"""

from __future__ import annotations

import errno
import sys
from typing import Final

import orjson

from remit.cli.exit_codes import INVARIANT, OPERATION, USAGE
from remit.cli.options import Options
from remit.diagnostics.rendering import harmless
from remit.errors import OperationError, RemitError, UsageError
from remit.settings import Settings

NEXT: Final[dict[str, str]] = {
    "DEFINITION_INVALID": "remit check FILE shows every finding with its place",
    "DEFINITION_UNRUNNABLE": "remit check FILE tells whether it is sound; it can run in a version that has these parts",
    "INPUT_INVALID": "correct the input; nothing was stored or run",
    "ALREADY_DECIDED": "remit approvals show ID tells how it stands now",
    "PERMISSION_DENIED": "remit principals list shows who may do what; choose one with --as",
    "STORE_UNAVAILABLE": "remit doctor says what is wrong with the database",
    "UNSAFE_DATABASE": "remit doctor names the setting; REMIT_ALLOW_UNSAFE=true accepts the risk",
    "JOURNAL_CORRUPT": "remit runs replay RUN names the place",
}


_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says where there is no room."""


def exit_code_of(error: BaseException) -> int:
    """Return the exit code of an error: 2 the caller's fault, 3 the world's, 4 ours."""
    if isinstance(error, UsageError):
        return USAGE
    return OPERATION if isinstance(error, OperationError) else INVARIANT


def report(error: Exception, options: Options) -> int:
    """Print an error as one line with what to do, as JSON too if that was asked for; return the exit code.

    An error that is not of our tree is a bug of ours: with log level ``debug`` its traceback is printed.
    """
    error = _of_the_world(error)
    family = exit_code_of(error)
    code, message = _told(error)
    findings = _findings(error)
    if findings:
        sys.stderr.write(findings)
    print(f"error {code}: {harmless(message)}", file=sys.stderr)
    if hint := NEXT.get(code):
        print(f"  next: {hint}", file=sys.stderr)
    if options.is_json:
        body = error.to_dict() if isinstance(error, RemitError) else {"code": code, "message": message}
        print(orjson.dumps({"error": body}, option=orjson.OPT_INDENT_2, default=str).decode())
    if not isinstance(error, RemitError):
        _explain_fault(error)
    return family


def _of_the_world(error: Exception) -> Exception:
    """Return what a full disk is for the caller; any other error as it is."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return OperationError(f"expected room to write, got: {error.strerror}; make room, then run it again")
    return error


def _told(error: Exception) -> tuple[str, str]:
    if isinstance(error, RemitError):
        return error.code, error.message
    return "INTERNAL", f"{type(error).__name__}: {error}"


def _findings(error: Exception) -> str:
    """Return the findings that an invalid document carries, a line each."""
    report_of = error.fields.get("diagnostics") if isinstance(error, RemitError) else None
    if not isinstance(report_of, dict):
        return ""
    lines = [
        f"{finding['path']}:{finding['line']}:{finding['column']} {finding['code']} {finding['message']}"
        for finding in report_of.get("findings", [])
    ]
    return "".join(f"{harmless(line)}\n" for line in lines)


def _explain_fault(error: Exception) -> None:
    if Settings.from_environment().log_level.lower() == "debug":
        import traceback

        traceback.print_exception(error)
    else:
        print("  next: please report this; REMIT_LOG_LEVEL=debug shows where it happened", file=sys.stderr)
