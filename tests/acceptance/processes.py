"""Remit from outside: its commands and servers as processes, on a database of their own.

Owns: starting and ending them, and waiting with a bound. Does not know: anything of the inside.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from tests.acceptance.forking import Forks

Found = TypeVar("Found")

POLL_SECONDS = 0.02
WAIT_SECONDS_MAX = 30.0
COMMAND_SECONDS_MAX = 60.0
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a command said."""

    exit_code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return standard output as JSON: all of it, nothing else may be there."""
        return json.loads(self.out)


@dataclass(kw_only=True)
class Server:
    """A serving process, and what it said when it was ready."""

    process: subprocess.Popen[bytes]
    ready: dict[str, Any]
    log: Path

    @property
    def url(self) -> str:
        return str(self.ready["url"])

    def call(self, method: str, path: str, *, key: str | None = None, **options: Any) -> httpx2.Response:
        """Send one request."""
        headers = dict(options.pop("headers", {}))
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        with httpx2.Client(trust_env=False, timeout=20.0) as client:
            return client.request(method, f"{self.url}{path}", headers=headers, **options)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(WAIT_SECONDS_MAX)

    def stop(self) -> int:
        """End it in good order and return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        return self.process.wait(WAIT_SECONDS_MAX)


@dataclass(kw_only=True)
class Home:
    """One user's Remit: a folder, an environment, a database."""

    folder: Path
    forks: Forks | None = None
    admin_url: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    servers: list[Server] = field(default_factory=list)

    def remit(self, *words: str | Path, stdin: str | None = None, **environment: str) -> Said:
        """Run a command to its end."""
        if self.forks is not None:
            more = self.all_environment(environment)
            exit_code, out, err = self.forks.run([*map(str, words)], folder=self.folder, environment=more, stdin=stdin)
            return Said(exit_code=exit_code, out=out, err=err)
        done = subprocess.run(
            [sys.executable, "-m", "remit.cli", *map(str, words)],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.all_environment(environment),
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
        return Said(exit_code=done.returncode, out=done.stdout, err=done.stderr)

    def must(self, *words: str | Path, stdin: str | None = None, **environment: str) -> Any:
        """Run a command that has to succeed, and return its JSON."""
        said = self.remit(*words, "--format", "json", stdin=stdin, **environment)
        assert 0 == said.exit_code, said
        return said.json()

    def start(self, *words: str | Path, **environment: str) -> Server:
        """Start a command that serves, and return it when it says that it is ready."""
        log = self.folder / f"server-{len(self.servers)}.log"
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "remit.cli", *map(str, words), "--format", "json", "--until-stdin-closes"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=self.folder,
                env=self.all_environment(environment),
            )
        server = Server(process=process, ready={}, log=log)
        self.servers.append(server)
        server.ready = read_object(process)
        assert server.ready, log.read_text()
        return server

    def write(self, name: str, text: str) -> Path:
        """Write a file into the folder."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def close(self) -> None:
        """End every server."""
        for server in self.servers:
            server.stop()

    def all_environment(self, more: dict[str, str] | None = None) -> dict[str, str]:
        """Return the environment of this home's processes: the caller's, without what is Remit's in it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("REMIT_", "DATABASE_"))}
        return {**kept, "REMIT_DATA_DIR": str(self.folder / "data"), **self.environment, **(more or {})}


def read_object(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Return the first JSON object that a process prints; empty if it ends before."""
    assert process.stdout is not None
    text = b""
    for line in process.stdout:
        text += line
        try:
            found: dict[str, Any] = json.loads(text)
        except json.JSONDecodeError:
            continue
        return found
    return {}


def wait_until(ask: Callable[[], Found | None], *, seconds: float = WAIT_SECONDS_MAX) -> Found:
    """Return what ``ask`` finds, asking again until it does; fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < deadline:
        found = ask()
        if found is not None:
            return found
        pause.wait(POLL_SECONDS)
    message = f"expected within {seconds} s: {ask}"
    raise AssertionError(message)
