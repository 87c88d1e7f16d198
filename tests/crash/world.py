"""The world outside the kernel during one order: a shop that calls, a person who agrees, a factory that ships.

Owns: what happens outside and when; redelivering what was not acknowledged, with the same bytes, as providers do; and
settling a parked mail truthfully, by looking into the provider's book, as a person would.
Does not know: how the kernel works. It looks at the database as a superuser, so its looking is no point of any watch.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import os
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

import remit_commerce
from remit.bootstrap import APPROVER, OPERATOR, Kernel
from remit.errors import AlreadyDecidedError, IllegalTransitionError, StoreUnavailableError
from remit.ids import ApprovalId, RunId
from remit.ports.store import Decision
from remit.runtime.replay import ReplayReport
from remit.runtime.runs import Settlement
from remit_commerce.ingress.signers import sign
from tests.crash.auditor import Order, read_effects
from tests.crash.kernels import LEASE, TENANT, Account, MortalKernel, Shop

SAMPLE = Path(remit_commerce.__file__).parent / "samples" / "shopify_rest_order.json"
SECONDS_MAX = 20.0
LOOK_AGAIN_SECONDS = 0.02
TRIES_MAX = 5
_NUMBERS = itertools.count(os.getpid() * 1_000_000 + 1)


class StuckError(AssertionError):
    """Nothing happened for too long."""


class World:
    """One order, from the customer's payment to the mail.

    ``connection`` sees all tenants; ``acknowledged`` names the deliveries that were answered.
    """

    def __init__(self, shop: Shop, connection: asyncpg.Connection[Any], *, order_id: int | None = None) -> None:
        self.shop = shop
        self.order_id = order_id or next(_NUMBERS)
        self.account = Account(name=f"order{self.order_id}")
        self.acknowledged: set[str] = set()
        self.fences: list[tuple[int, int]] = []
        self._connection = connection
        self._order = {
            **json.loads(SAMPLE.read_bytes())["order"],
            "id": self.order_id,
            "name": f"#{self.order_id}",
            "email": "bob@example.com",
        }
        self._shipment: bytes | None = None

    @property
    def order(self) -> Order:
        """Return what the auditor needs to know."""
        return Order(
            order_id=self.order_id,
            amount_minor=40_994,
            currency="USD",
            credentials=self.account.credentials,
            books=self.shop.books,
            database_url=self.shop.database.admin_url,
            fences=tuple(self.fences),
        )

    def open_shop(self) -> None:
        """Put the order into the shop's system, where the kernel will read it."""
        token = self.account.credentials["shopify_access_token"]
        self.shop.simulators.seed_order(self._order, access_token=token)

    async def look(self) -> asyncpg.Record | None:
        """Return where the order's run stands, ``None`` while there is none."""
        return await self._connection.fetchrow(
            "select r.run_id, h.status, h.waiting_for, h.worker_id, h.sequence, h.epoch, h.finished_at "
            "from remit.runs r join remit.heads h using (tenant_id, run_id) where r.submission_key = $1",
            f"shopify-order-{self.order_id}",
        )

    async def serve(self, kernel: MortalKernel) -> None:
        """Do what the world does, with this kernel, until the run is over."""
        acts: dict[str, Callable[[MortalKernel, asyncpg.Record], Awaitable[None]]] = {
            "approval of capture": self._approve,
            "event printful.shipment_sent": self._ship,
            "settlement of notify": self._settle,
        }
        await self._deliver_order(kernel)
        while True:  # bound: StuckError
            run = await self.wait(kernel, lambda run: run["finished_at"] is not None or run["waiting_for"] in acts)
            if run["finished_at"] is not None:
                return
            await acts[run["waiting_for"]](kernel, run)
            await self.wait(kernel, lambda now, was=run: now["sequence"] > was["sequence"])

    async def wait(self, kernel: MortalKernel, is_there: Callable[[asyncpg.Record], bool]) -> asyncpg.Record:
        """Return the run once a condition holds, looking again whenever the kernel did something.

        Raises:
            StuckError: it does not hold in time.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SECONDS_MAX
        while loop.time() < deadline:
            kernel.watch.changed.clear()
            run = await self.look()
            if run is not None and is_there(run):
                return run
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                    await kernel.watch.changed.wait()
        raise StuckError(f"order {self.order_id} hangs: {await self.look()}")

    async def replay(self, kernel: Kernel) -> ReplayReport:
        """Replay the order's run from its journal."""
        run = await self.look()
        assert run is not None
        return await kernel.runs.replay(TENANT, RunId(str(run["run_id"])))

    async def bury(self) -> None:
        """Let the server notice that a kernel is dead, and its lease be over."""
        await self._connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and usename = 'remit_app'"
        )
        await self.expire_leases()

    async def expire_leases(self) -> None:
        """Move the last heartbeat of everybody who is registered now far into the past."""
        await self._connection.execute(
            "update remit.workers set heartbeat_at = heartbeat_at - interval '1 hour', lease = interval '0'"
        )

    async def _deliver_order(self, kernel: Kernel) -> None:
        body = json.dumps(self._order).encode()
        digest = hashlib.sha256(body).hexdigest()
        headers = {
            "x-shopify-topic": "orders/create",
            "x-shopify-shop-domain": "remit-simulator.myshopify.com",
            "x-shopify-event-id": digest[:32],
        }
        await self._deliver(kernel, "shopify", body, headers)

    async def _deliver(self, kernel: Kernel, source: str, body: bytes, headers: dict[str, str]) -> None:
        """Send a signed delivery unless it was acknowledged before; a crash leaves it unacknowledged."""
        if source in self.acknowledged:
            return
        secret = self.account.webhook_secrets[f"{source}_webhook"]
        signed = sign(source, body=body, secret=secret, now=datetime.now(UTC))
        every = {**headers, **{name.lower(): value for name, value in signed.items()}}
        await insist(lambda: kernel.ingress.receive(self.shop.endpoints[source], headers=every, body=body))
        self.acknowledged.add(source)

    async def _approve(self, kernel: MortalKernel, run: asyncpg.Record) -> None:
        """Agree to the capture, after a while in which leases are kept and dead workers looked for."""
        await self._idle(kernel)
        request = await self._connection.fetchrow(
            "select approval_id, digest from remit.approvals where run_id = $1 and status = 'pending'", run["run_id"]
        )
        if request is not None:  # else it is decided, but the answer was lost
            decision = Decision(
                approval_id=ApprovalId(request["approval_id"]),
                decision="approve",
                principal_id=APPROVER,
                digest=request["digest"],
            )
            with suppress(AlreadyDecidedError):
                await insist(lambda: kernel.store.approvals.decide(TENANT, decision))
        await kernel.runs.announce(RunId(str(run["run_id"])))

    async def _idle(self, kernel: MortalKernel) -> None:
        """Let more than a lease pass, and the sweeper look around once."""

        def has_swept(_: asyncpg.Record) -> bool:
            if not kernel.watch.count("sweep"):
                kernel.held.advance(LEASE.total_seconds())
            return bool(kernel.watch.count("sweep"))

        await self.wait(kernel, has_swept)

    async def _ship(self, kernel: MortalKernel, run: asyncpg.Record) -> None:
        """Make the goods, send them, and say so."""
        if self._shipment is None:
            ordered = [
                effect
                for effect in read_effects(self.shop.books, self.account.credentials)
                if effect["operation"] == "orders.confirm"
            ]
            self._shipment = json.dumps(self.shop.simulators.ship(ordered[0]["object_id"])["event"]).encode()
        await self._deliver(kernel, "printful", self._shipment, {})
        await kernel.runs.announce(RunId(str(run["run_id"])))

    async def _settle(self, kernel: MortalKernel, run: asyncpg.Record) -> None:
        """Say what became of the mail: look it up in the provider's book, by the account that sent it."""
        sent = [
            effect
            for effect in read_effects(self.shop.books, self.account.credentials)
            if effect["operation"] == "mail.send"
        ]
        with suppress(IllegalTransitionError):
            settlement = Settlement(
                step="notify",
                outcome="happened" if sent else "absent",
                decided_by=OPERATOR,
                output={"message_id": sent[-1]["object_id"]} if sent else None,
            )
            await insist(lambda: kernel.runs.settle(TENANT, RunId(str(run["run_id"])), settlement))


async def live(kernel: MortalKernel, world: World) -> bool:
    """Run a kernel's life within an order: start, serve until the end, stop; false if it crashed.

    Raises:
        StuckError: the order does not get on.
    """

    async def life() -> None:
        await insist(kernel.start)
        await world.serve(kernel)
        await kernel.stop()

    return await _outlive(kernel, life())


async def rescue(kernel: MortalKernel, world: World) -> ReplayReport | None:
    """Run the life of a kernel that has been up for a lease when it takes over; then replay the run from its journal.

    Returns:
        What the replay found, or ``None`` if this kernel crashed, too.
    """
    found: list[ReplayReport] = []

    async def life() -> None:
        await kernel.start()
        kernel.held.advance(LEASE.total_seconds())
        await world.serve(kernel)
        found.append(await world.replay(kernel))
        await kernel.stop()

    is_alive = await _outlive(kernel, life())
    return found[0] if is_alive else None


async def insist(act: Callable[[], Awaitable[Any]]) -> None:
    """Do something again while the store is away, as providers, people and init systems do."""
    for _ in range(TRIES_MAX):
        try:
            await act()
        except StoreUnavailableError:
            continue
        return
    raise StuckError(f"not done after {TRIES_MAX} tries: {act}")


async def _outlive(kernel: MortalKernel, life: Coroutine[None, None, None]) -> bool:
    """Run a life until it ends or its kernel crashes, whichever comes first."""
    living = asyncio.ensure_future(life)
    crash = asyncio.ensure_future(kernel.watch.crashed.wait())
    try:
        await asyncio.wait({living, crash}, return_when=asyncio.FIRST_COMPLETED)
        if not kernel.watch.is_dead:
            try:
                await living
            except BaseException:
                kernel.watch.die()
                raise
            return True
        return False
    finally:
        crash.cancel()
        if kernel.watch.is_dead:
            await kernel.kill()
            if not living.cancelled():
                living.exception()  # of no interest: the dead tell no tales
