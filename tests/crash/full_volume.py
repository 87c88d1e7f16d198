"""``python -m tests.crash.full_volume FOLDER SECONDS ACT…``: a kernel whose server's volume fills up, and is relieved.

Plays acts (``touch`` the reserve, ``fill`` to the last byte) on the folder's volume and prints what was seen as JSON: a
list of everything that is wrong (nothing is right), and readings. No recovery may take longer than ``SECONDS``.
Everything in it is real: the volume, the server's end, the ballast, HTTP.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import msgspec

from remit import Kernel, Settings
from remit.api.app import create_app
from remit.bootstrap import OPERATOR
from remit.cli.logs import configure_logs
from remit.store import EmbeddedServer
from tests.crash.clients import Clients, prepare, tools_of
from tests.crash.ledger import Book, audit_ledger
from tests.crash.small_volume import fill, free_bytes

VOLUME_MB = 224
RESERVE_MB = 32
BALLAST_MB = 24
MIB = 1024 * 1024
LOOK_SECONDS = 0.05
ORDERS = 24


class NotSoError(AssertionError):
    """What should be so is not."""


class Seen(msgspec.Struct, kw_only=True):
    """What came of it."""

    findings: list[str] = []
    readings: dict[str, Any] = {}


class Scenario:
    """One kernel on one small volume."""

    def __init__(self, folder: Path, kernel: Kernel, book: Book, *, seconds_max: float) -> None:
        self.folder = folder
        self.kernel = kernel
        self.book = book
        self.seconds_max = seconds_max
        self.seen = Seen(findings=[], readings={})
        self.clients: Clients
        self._key = ""
        self._http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=create_app(kernel)), base_url="http://kernel", trust_env=False
        )

    async def play(self, acts: Sequence[str]) -> Seen:
        """Play the acts."""
        self.clients = Clients(kernel=self.kernel, digests=await prepare(self.kernel))
        self._key = await self.kernel.store.directory.create_api_key(self.kernel.tenant_id, OPERATOR)
        await self.clients.orders(range(ORDERS))
        self.expect("the ballast is kept", self.ballast_bytes == BALLAST_MB * MIB)
        for act in acts:
            await {"touch": self.touch_reserve, "fill": self.fill_up}[act]()
        self.seen.findings += await audit_ledger(self.admin_url, self.clients.ledger, self.book)
        self.seen.readings |= {"acknowledged": self.clients.ledger.count, "refused": self.clients.refused}
        await self._http.aclose()
        return self.seen

    async def touch_reserve(self) -> None:
        """Let free space fall below the reserve: nothing is taken on, everything can be read, and it ends by itself."""
        order = await self.clients.submit(1_000_000)  # it waits for a signal
        await self.until("an order waits", self.is_waiting)
        filler = self.folder / "touch"
        fill(filler, free_bytes(self.folder) - (RESERVE_MB - 4) * MIB)
        await self.until("health says read only", lambda: self.has_status("read_only"), seconds=5.0)
        refused = await self.post("/runs", {"definition": "straight", "input": {"number": 1}})
        self.expect("a submission gets 503", refused.status_code == 503)
        self.expect("with a stable code", refused.json().get("code") == "STORE_READ_ONLY")
        self.expect("and Retry-After", int(refused.headers.get("retry-after", 0)) >= 1)
        read = await self._http.get("/runs?limit=5", headers=self._headers)
        self.expect("reading works", read.status_code == 200 and len(read.json()["runs"]) == 5)
        cut = await self.claimable_stays()
        self.expect("nothing is claimed", cut)
        late = [asyncio.create_task(self.clients.finish(order)), asyncio.create_task(self.clients.order(1_000_001))]
        filler.unlink()
        self.seen.readings["writable_again_seconds"] = await self.until(
            "writable again", lambda: self.has_status("ready")
        )
        self.seen.readings["orders_done_seconds"] = await self.until("what was refused is done", lambda: _done(late))

    async def fill_up(self) -> None:
        """Fill the volume to the last byte, until the server gives up: it comes back on the ballast, to be read."""
        self.clients.refused.clear()
        self._load = asyncio.create_task(self.clients.orders(range(ORDERS, ORDERS * 2), at_once=8))
        await self.until("the load has begun", lambda: _truth(len(self.clients.ledger.orders) > ORDERS + 4))
        before = self.server_pid
        fill(self.folder / "full", max(0, free_bytes(self.folder) - 4096))
        await self.until("the server is down", lambda: self.exhaust_log(before))
        self.seen.readings["revived_seconds"] = await self.until("it is back", lambda: self.is_another(before))
        self.expect("the ballast was given up", self.ballast_bytes == 0)
        await self.until("health says read only", lambda: self.has_status("read_only"))
        refused = await self.post("/runs", {"definition": "straight", "input": {"number": 1}})
        self.expect(
            "a submission gets 503 again", (refused.status_code, refused.json()["code"]) == (503, "STORE_READ_ONLY")
        )
        read = await self._http.get("/runs?limit=5", headers=self._headers)
        self.expect("reading works again", read.status_code == 200)
        await self.relieve()

    async def relieve(self) -> None:
        """Make room: everything goes on by itself."""
        (self.folder / "full").unlink()
        (self.folder / "touch").unlink(missing_ok=True)
        self.seen.readings["normal_seconds"] = await self.until("normal again", lambda: self.has_status("ready"))
        self.seen.readings["load_done_seconds"] = await self.until("the load is done", lambda: _done([self._load]))
        await self._load
        self.seen.readings["ballast_again_seconds"] = await self.until(
            "the ballast is kept again", lambda: _truth(self.ballast_bytes == BALLAST_MB * MIB)
        )

    # --- looking -----------------------------------------------------------------------------------

    @property
    def ballast_bytes(self) -> int:
        """What is really allocated."""
        try:
            return (self.folder / "data" / "ballast").stat().st_blocks * 512
        except FileNotFoundError:
            return 0

    @property
    def admin_url(self) -> str:
        """The superuser's URL."""
        found = EmbeddedServer(self.folder / "data").find()
        assert found is not None
        return found.admin_url

    @property
    def server_pid(self) -> int:
        """The running server's process."""
        found = EmbeddedServer(self.folder / "data").find()
        return 0 if found is None else found.pid

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"}

    async def post(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        """Send a request that changes something."""
        return await self._http.post(path, json=body, headers=self._headers)

    async def has_status(self, status: str) -> bool:
        """Whether ``/health`` says so."""
        return (await self._http.get("/health")).json()["status"] == status

    async def is_waiting(self) -> bool:
        """Whether some run waits for its signal."""
        runs = (await self._http.get("/runs?status=waiting", headers=self._headers)).json()["runs"]
        return bool(runs)

    async def claimable_stays(self) -> bool:
        """Make a waiting run claimable behind the kernel's back; true if nobody claims it for three polls."""
        connection = await asyncpg.connect(self.admin_url)
        try:
            run_id = await connection.fetchval("select run_id from remit.heads where finished_at is null limit 1")
            await connection.execute("update remit.heads set claimable_at = now() where run_id = $1", run_id)
            with suppress(NotSoError):
                await self.until("somebody claims it", lambda: self.is_claimed(connection, run_id), seconds=3.0)
            return not await self.is_claimed(connection, run_id)
        finally:
            await connection.close()

    async def is_claimed(self, connection: asyncpg.Connection[Any], run_id: object) -> bool:
        """Whether a run is not claimable any more."""
        return bool(await connection.fetchval("select claimable_at is null from remit.heads where run_id = $1", run_id))

    async def exhaust_log(self, pid: int) -> bool:
        """Write log until the server cannot any more; true once it is gone."""
        try:
            connection = await asyncpg.connect(self.admin_url, timeout=5.0)
            try:
                await connection.execute(
                    "select pg_logical_emit_message(true, 'fill', repeat(md5(random()::text), 30000))"
                )
            finally:
                connection.terminate()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, AssertionError):
            pass
        return self.server_pid != pid

    async def is_another(self, pid: int) -> bool:
        """Whether another server answers."""
        return self.server_pid not in {0, pid}

    def expect(self, what: str, is_so: bool) -> None:
        """End the scenario with what is not so."""
        if not is_so:
            raise NotSoError(f"not so: {what}")

    async def until(self, what: str, ask: Callable[[], Awaitable[bool]], *, seconds: float | None = None) -> float:
        """Return how long it took until something holds.

        Raises:
            NotSoError: it does not in time.
        """
        began, never = time.monotonic(), asyncio.Event()
        seconds = self.seconds_max if seconds is None else seconds
        while not await ask():
            if time.monotonic() - began > seconds:
                raise NotSoError(f"not within {seconds:g} s: {what}")
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await never.wait()
        return round(time.monotonic() - began, 2)


async def _truth(is_so: bool) -> bool:
    return is_so


async def _done(tasks: list[asyncio.Task[None]]) -> bool:
    return all(task.done() for task in tasks)


async def play(folder: Path, seconds_max: float, acts: Sequence[str]) -> Seen:
    """Play the scenario in a folder on a small volume."""
    settings = Settings(data_dir=folder / "data", disk_reserve_mb=RESERVE_MB, ballast_mb=BALLAST_MB)
    configure_logs(settings)
    with tempfile.TemporaryDirectory() as elsewhere:
        book = Book(Path(elsewhere) / "book.sqlite")
        async with Kernel(tools=tools_of(book), packs=[], settings=settings) as kernel:
            scenario = Scenario(folder, kernel, book, seconds_max=seconds_max)
            try:
                return await scenario.play(acts)
            except NotSoError as error:
                # Nothing is left to be seen: the process ends as it stands, and its server with it.
                report(Seen(findings=[str(error)], readings=scenario.seen.readings))
                os._exit(0)


def report(seen: Seen) -> None:
    """Print what was seen."""
    sys.stdout.buffer.write(msgspec.json.encode(seen))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    report(asyncio.run(play(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])))
