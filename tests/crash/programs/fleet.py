"""A fleet of worker processes: the command ``remit worker``, as often as one likes, and killed as often.

Owns: a nursery, which has loaded Remit once and forks a process for each worker, and the pids of those that live.
Does not know: what the workers work on. Run as a program it is the nursery; `Fleet` is its client.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[3]
TOOLS = Path(__file__).with_name("tools.py")
PRELOADED = ("remit.cli.app", "remit.cli.worker", "tests.crash.programs.tools")
STOP_SECONDS_MAX = 20.0


class Fleet:
    """Worker processes that share an environment; all of them end with the block."""

    def __init__(
        self, environment: dict[str, str], *, log: Path, tools: Path | None = TOOLS, lease_seconds: int = 3
    ) -> None:
        self._environment = environment
        self._log = log
        self._words = ["worker", "--format", "json", "--lease-seconds", str(lease_seconds)]
        self._words += [] if tools is None else ["--tools", str(tools)]
        self._nursery: subprocess.Popen[bytes]
        self._pids: list[int] = []
        self.started = 0

    def __enter__(self) -> Self:
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.programs.fleet"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, **self._environment},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.close()
        self._nursery.wait(STOP_SECONDS_MAX)
        self._nursery.stdout.close()

    @property
    def pids(self) -> list[int]:
        """Return the processes that live, the oldest first."""
        self._pids = [pid for pid in self._pids if is_alive(pid)]
        return list(self._pids)

    def start(self, count: int = 1) -> None:
        """Start workers; they are at work a moment later."""
        for _ in range(count):
            self._pids.append(int(self._ask({"words": self._words, "log": str(self._log)})["pid"]))
            self.started += 1

    def fill(self, count: int) -> int:
        """Start as many workers as are missing to so many; return how many that were."""
        missing = max(0, count - len(self.pids))
        self.start(missing)
        return missing

    def kill(self, pid: int, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a process a signal; one that is gone is gone."""
        if is_alive(pid):
            os.kill(pid, number)

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(json.dumps(request).encode() + b"\n")
        self._nursery.stdin.flush()
        answer: dict[str, Any] = json.loads(self._nursery.stdout.readline())
        return answer


def is_alive(pid: int) -> bool:
    """Tell whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def nurse() -> None:
    """Fork a worker for each request until standard input ends; then no worker is left."""
    import importlib

    from remit.bootstrap import installed_packs

    for name in PRELOADED:
        importlib.import_module(name)
    installed_packs()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are not kept
    children = []
    for line in sys.stdin.buffer:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            be_worker(request)
        children.append(child)
        sys.stdout.write(json.dumps({"pid": child}) + "\n")
        sys.stdout.flush()
    for child in children:
        if is_alive(child):
            os.kill(child, signal.SIGKILL)


def be_worker(request: dict[str, Any]) -> None:
    """Become the worker; never returns."""
    from remit.cli.app import run

    exit_code = 70
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        exit_code = run(request["words"])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(exit_code)


if __name__ == "__main__":
    nurse()
