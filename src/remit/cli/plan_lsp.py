"""``remit plan lsp``: findings and fixes while a plan is written, for any editor with a language client."""

from __future__ import annotations

import os
import sys

import typer

from remit.cli.exit_codes import OK
from remit.cli.plan_reading import reading_options
from remit.errors import UsageError


def serve_editor(context: typer.Context) -> int:
    """Serve an editor on standard input and output, by the Language Server Protocol."""
    try:
        from remit.cli.plan_server import make_server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"pygls", "lsprotocol"}:
            raise
        raise UsageError(
            "expected the packages of the language server, got none; install remit with its extra: remit[lsp]"
        ) from error
    options = reading_options(context)
    # The server closes what it is given; the end of a command still needs its output.
    asked = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    answered = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    make_server(options).start_io(asked, answered)
    return OK
