"""A process that has loaded Remit and forks for each command: a real process each time, without a second of imports.

Owns: the protocol (one JSON object a line, in and out). Run as a program; `Forks` is its client.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PRELOADED = ("remit.cli.app", "remit.cli.run", "remit.cli.runs", "remit.cli.approvals", "remit.cli.up", "remit.cli.db")


class Forks:
    """The client: runs commands one after another."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.forking"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def run(
        self, words: list[str], *, folder: Path, environment: dict[str, str], stdin: str | None
    ) -> tuple[int, str, str]:
        """Run a command to its end and return exit code, output and errors."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        files = {name: folder / f".command-{name}" for name in ("stdin", "stdout", "stderr")}
        files["stdin"].write_text(stdin or "", encoding="utf-8", errors="surrogatepass")
        request = {
            "words": words,
            "folder": str(folder),
            "environment": environment,
            **{name: str(path) for name, path in files.items()},
        }
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        said = [files[name].read_text(encoding="utf-8", errors="replace") for name in ("stdout", "stderr")]
        for path in files.values():
            path.unlink()
        return int(answer["exit_code"]), said[0], said[1]


def serve() -> None:
    """Fork for each request until standard input ends."""
    import importlib

    from remit.bootstrap import installed_packs

    for name in PRELOADED:
        importlib.import_module(name)
    installed_packs()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            be_command(request)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps({"exit_code": os.waitstatus_to_exitcode(status)}) + "\n")
        sys.stdout.flush()


def be_command(request: dict[str, Any]) -> None:
    """Become the command: its folder, environment and files; never returns."""
    from remit.cli.app import run

    exit_code = 70
    try:
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        for number, name in enumerate(("stdin", "stdout", "stderr")):
            flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            os.dup2(os.open(request[name], flags, 0o600), number)
        exit_code = run(request["words"])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(exit_code)


if __name__ == "__main__":
    serve()
