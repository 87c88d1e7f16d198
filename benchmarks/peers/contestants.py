"""Who is measured: each engine's program, environment, database and the packages whose versions count.

Owns: starting and ending one engine's process on a database of its own. Does not know: workloads.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from benchmarks.peers import environments
from remit.store.embedded import ServerAddress
from remit.store.migrate import upgrade

STREAM_BYTES_MAX: Final = 16_000_000
START_SECONDS_MAX: Final = 90
WORK_SECONDS_MAX: Final = 180
DATABASE: Final = "bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One engine. ``peer`` names its environment; without, it runs in this project's.

    ``works`` are the workloads that it has; ``guarantee`` is what is durable before a step's successor begins.
    """

    name: str
    title: str
    program: str
    peer: str | None = None
    packages: tuple[str, ...] = ()
    works: tuple[str, ...] = ("w1", "w2", "w3", "w4")
    has_schema: bool = False
    settings: tuple[tuple[str, str], ...] = ()
    guarantee: str


CONTESTANTS: Final = (
    Contestant(
        name="remit",
        title="Remit",
        program="remit_program",
        packages=("remit", "asyncpg", "uvloop"),
        has_schema=True,
        guarantee="the step's facts, hash-chained, in the journal; contract, permission, bounds, loop and approval "
        "checks made and their verdicts recorded",
    ),
    Contestant(
        name="absurd",
        title="Absurd",
        program="absurd_program",
        peer="absurd",
        packages=("absurd-sdk", "psycopg"),
        guarantee="the step's result as a checkpoint row in its own transaction",
    ),
    Contestant(
        name="restate",
        title="Restate",
        program="restate_program",
        peer="restate",
        packages=("restate-sdk", "hypercorn"),
        guarantee="the step's result in the server's log (RocksDB, default durability), on its own disk format",
    ),
    Contestant(
        name="langgraph",
        title="LangGraph",
        program="langgraph_program",
        peer="langgraph",
        packages=("langgraph", "langgraph-checkpoint-postgres", "psycopg"),
        guarantee="a checkpoint of the graph's state and the step's writes (`durability=\"sync\"`)",
    ),
    Contestant(
        name="langgraph-tasks",
        title="LangGraph tasks",
        program="langgraph_program",
        peer="langgraph",
        packages=("langgraph", "langgraph-checkpoint-postgres", "psycopg"),
        settings=(("BENCH_API", "tasks"),),
        guarantee="nothing yet: a task's result is handed to a background writer, and is stored soon after",
    ),
    Contestant(
        name="dbos",
        title="DBOS",
        program="dbos_program",
        peer="dbos",
        packages=("dbos", "sqlalchemy", "psycopg"),
        guarantee="the step's result as a row in its own transaction",
    ),
    Contestant(
        name="floor",
        title="floor",
        program="floor_program",
        works=("w1", "w2"),
        has_schema=True,
        guarantee="Remit's rows through Remit's append function, in a bare loop without a kernel",
    ),
    Contestant(
        name="bare",
        title="bare asyncpg",
        program="bare_program",
        packages=("asyncpg", "uvloop"),
        works=("w1", "w2", "w3"),
        guarantee="one small row a step; commits are shared, and nothing could be recovered from it",
    ),
)


BY_NAME: Final = {contestant.name: contestant for contestant in CONTESTANTS}


class Running:
    """An engine's process, which answers one request at a time."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self._process = process
        self._folder = folder

    @property
    def pid(self) -> int:
        """The program's process."""
        return self._process.pid

    @property
    def server_pid(self) -> int | None:
        """The engine's own server, if it has one."""
        path = self._folder / "server.pid"
        return int(path.read_text(encoding="utf-8")) if path.exists() else None

    async def ask(self, work: str, **sizes: Any) -> dict[str, Any]:
        """Send a request and return the answer.

        Raises:
            RuntimeError: the program ended or took too long.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"work": work, **sizes}).encode() + b"\n")
        await self._process.stdin.drain()
        return await self.answer(WORK_SECONDS_MAX)

    async def answer(self, seconds_max: float) -> dict[str, Any]:
        """Return the next line that the program says."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(seconds_max):
                line = await self._process.stdout.readline()
        except TimeoutError as error:
            raise RuntimeError(f"expected an answer within {seconds_max} s, got none") from error
        if not line:
            raise RuntimeError("expected an answer, but the program ended: its last words are above")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextlib.asynccontextmanager
async def running(
    contestant: Contestant, urls: Mapping[str, str], *, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Running]:
    """Run an engine on a database until the caller is done with it; ``settings`` go to its environment."""
    python = sys.executable if contestant.peer is None else str(environments.interpreter(contestant.peer))
    with tempfile.TemporaryDirectory(prefix="remit-peer-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        own = {"BENCH_FOLDER": str(folder / "data"), "TMPDIR": name, **dict(contestant.settings), **(settings or {})}
        process = await asyncio.create_subprocess_exec(
            python,
            "-m",
            f"benchmarks.peers.{contestant.program}",
            cwd=environments.environment.ROOT,
            env={**environment(), **urls, **own},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=STREAM_BYTES_MAX,
        )
        engine = Running(process, folder)
        try:
            await engine.answer(START_SECONDS_MAX)
            yield engine
        finally:
            await end(process)


async def end(process: asyncio.subprocess.Process) -> None:
    """Close a program's input and wait for it to leave; one that does not is killed."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(30):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def fresh_database(
    address: ServerAddress, *, has_schema: bool, name: str = DATABASE
) -> AsyncIterator[dict[str, str]]:
    """Lend an empty database, with Remit's schema or none; nobody is charged for the checkpoint of who came before."""
    admin = await asyncpg.connect(renamed(address.admin_url, "postgres"))
    try:
        await admin.execute(f"drop database if exists {name} with (force)")
        await admin.execute(f"create database {name} owner remit_owner")
        await admin.execute(f"grant connect on database {name} to remit_app")
        owner_url = renamed(address.owner_url, name)
        if has_schema:
            await upgrade(owner_url)
        await admin.execute("checkpoint")
        yield {
            "BENCH_DATABASE_URL": owner_url if has_schema else renamed(address.admin_url, name),
            "BENCH_DATABASE_APP_URL": renamed(address.app_url, name),
        }
        await admin.execute(f"drop database if exists {name} with (force)")
    finally:
        await admin.close()


def renamed(url: str, name: str) -> str:
    """Return the URL of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def environment() -> dict[str, str]:
    """Return the environment of an engine's program: this one's, without what steers Python or engines."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DBOS_", "LANG", "RESTATE_"))}
    kept.pop("VIRTUAL_ENV", None)
    return {**kept, "PYTHONPATH": str(environments.environment.ROOT), "PYTHONWARNINGS": "ignore"}


def versions(contestant: Contestant) -> dict[str, str]:
    """Return the versions of what was measured, from the environment that it ran in."""
    from importlib.metadata import distributions

    paths = None
    if contestant.peer is not None:
        paths = [str(path) for path in (environments.FOLDER / contestant.peer).glob("lib/python*/site-packages")]
    found = {
        one.metadata["Name"].lower(): one.version for one in (distributions(path=paths) if paths else distributions())
    }
    result = {package: found[package] for package in contestant.packages}
    if contestant.peer == "restate":
        lock = json.loads((environments.HERE / "restate" / "package-lock.json").read_text(encoding="utf-8"))
        result["restate-server"] = lock["packages"]["node_modules/@restatedev/restate-server"]["version"]
    return result
