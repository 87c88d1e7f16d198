"""Kernels that can die: started on a scratch database with a watch on everything they do.

Owns: settings of test kernels, a clock that only tests move, starting, killing, and the shop that all of them serve.
Does not know: which point a kernel dies at, nor what happens outside it.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import orjson

import remit_commerce
from remit import bootstrap
from remit.bootstrap import Kernel
from remit.ids import PrincipalId, TenantId
from remit.ports.pack import Pack
from remit.ports.store import Principal, WebhookEndpoint
from remit.settings import Settings
from remit.store import Observer, PostgresStore, open_store
from remit.testing.database import ScratchDatabase
from remit_commerce.simulators.client import Simulators
from tests.crash.points import CrashError, Watch, watched

TENANT = TenantId("default")
MERCHANT = PrincipalId("commerce")
LEASE = timedelta(seconds=20)
SIMULATORS_IN_FILE = "http://127.0.0.1:4610"


class HeldClock:
    """A clock that stands still until a test moves it, so that no two runs of a scenario differ by the machine's speed.

    ``now`` is the database's instant as last heard; only ``monotonic`` is moved, so that nothing is ever recorded as of
    an instant that the database has not reached.
    """

    def __init__(self) -> None:
        self._heard = datetime.now(UTC)
        self._elapsed = 0.0

    def now(self) -> datetime:
        """Return the instant last heard, never backwards."""
        return self._heard

    def monotonic(self) -> float:
        """Return the seconds that tests let pass."""
        return self._elapsed

    def observe(self, database_now: datetime) -> None:
        """Take the instant that a reply carried."""
        self._heard = max(self._heard, database_now)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._elapsed += seconds


@dataclass(frozen=True, kw_only=True)
class Account:
    """One scenario's own account at all providers, so that everything in it belongs to one order."""

    name: str

    @property
    def credentials(self) -> dict[str, str]:
        """Return the account's credentials by their names in the tools' contracts."""
        return {
            "stripe_api_key": f"sk_test_{self.name}",
            "shopify_access_token": f"shpat_{self.name}",
            "printful_token": f"smk_{self.name}",
            "sendgrid_api_key": f"SG.{self.name}",
        }

    @property
    def webhook_secrets(self) -> dict[str, str]:
        """Return what the providers sign with."""
        return {"shopify_webhook": f"shpss_{self.name}", "printful_webhook": self.name.encode().hex()}


class QuickSimulators(Simulators):
    """The simulators' control API without a set-up for TLS in each call, which costs more than the call."""

    __slots__ = ()

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else orjson.dumps(body)
        headers = {"Authorization": f"Bearer {self.token}"}
        request = Request(f"{self.url}/_control{path}", data=data, headers=headers, method=method)
        with build_opener(ProxyHandler({})).open(request, timeout=10.0) as reply:
            return orjson.loads(reply.read())


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A database in which one shop is set up, and the providers' books."""

    database: ScratchDatabase
    simulators: Simulators
    books: Path
    endpoints: Mapping[str, str]

    def settings(
        self, account: Account, *, app_url: str | None = None, heartbeat: timedelta = timedelta(seconds=6)
    ) -> Settings:
        """Return settings of a kernel that serves one account's order and sweeps as soon as it may."""
        secrets = {**account.credentials, **account.webhook_secrets}
        return Settings(
            database_app_url=app_url or self.database.app_url,
            tenant=TENANT,
            secrets={f"{TENANT}__{name}": value for name, value in secrets.items()},
            lease=LEASE,
            heartbeat=heartbeat,
            sweep=timedelta(milliseconds=10),
            poll=timedelta(milliseconds=500),
        )


async def set_up(database: ScratchDatabase, simulators: Simulators, books: Path) -> Shop:
    """Make the tenant, its people, its remit, the workflow and the webhook endpoints."""
    pack = remit_commerce.pack()
    settings = Settings(database_app_url=database.app_url, tenant=TENANT)
    async with Kernel(packs=[pack], settings=settings, has_worker=False) as kernel:
        directory = kernel.store.directory
        await directory.put_principal(Principal(tenant_id=TENANT, principal_id=MERCHANT, kind="service"))
        (remit_file,) = pack.business_configs
        text = remit_file.read_text(encoding="utf-8").replace(SIMULATORS_IN_FILE, simulators.url)
        await kernel.apply_business(text.encode(), path=str(remit_file), tenant_id=TENANT)
        for definition in pack.definitions:
            await kernel.apply(definition)
        endpoints = {}
        for source in ("shopify", "printful"):
            endpoint = WebhookEndpoint(
                endpoint_id=uuid.uuid4().hex,
                tenant_id=TENANT,
                source=source,
                secret_name=f"{source}_webhook",
                principal_id=MERCHANT,
            )
            endpoints[source] = (await kernel.store.endpoints.put_endpoint(endpoint)).endpoint_id
    return Shop(database=database, simulators=simulators, books=books, endpoints=endpoints)


class ObservedKernel(Kernel):
    """A kernel whose statements an observer sees, and may stop."""

    def __init__(self, *, observer: Observer | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._observer = observer

    async def start(self) -> None:
        """Start with the observer in the store."""
        original = bootstrap.open_store
        bootstrap.open_store = self.open_store
        try:
            await super().start()
        finally:
            bootstrap.open_store = original

    async def open_store(self, settings: Settings, **options: Any) -> PostgresStore:
        """Open the kernel's store."""
        return await open_store(settings, observer=self._observer, **options)


class MortalKernel(ObservedKernel):
    """A kernel whose every statement and provider call a watch sees, on a clock that stands still."""

    def __init__(self, settings: Settings, watch: Watch, *, pack: Pack | None = None) -> None:
        super().__init__(observer=watch, packs=[watched(pack or remit_commerce.pack(), watch)], settings=settings)
        self.watch = watch
        self.held = self.clock = HeldClock()
        self._outsiders = asyncio.all_tasks()
        asyncio.get_running_loop().set_exception_handler(report_all_but_crashes)

    async def open_store(self, settings: Settings, **options: Any) -> PostgresStore:
        """Open the kernel's store, and remember how to cut its connections."""
        store = await super().open_store(settings, **options)
        self.watch.cut = lambda: cut_connections(store)
        return store

    async def kill(self) -> None:
        """End everything that is left of a crashed kernel; its clean-up runs, but reaches nothing."""
        assert self.watch.is_dead
        remains = asyncio.all_tasks() - self._outsiders - {asyncio.current_task()}
        for task in remains:
            task.cancel()
        await asyncio.gather(*remains, return_exceptions=True)


def report_all_but_crashes(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say nothing of tasks that crashed as they were told to."""
    if not isinstance(context.get("exception"), CrashError):
        loop.default_exception_handler(context)


def cut_connections(store: PostgresStore) -> None:
    """Cut every connection of a store at once, as the end of its process does."""
    for line in store.database._lines:
        if line._session is not None:
            line._session.cut()
    if store.dispatch._listener is not None:
        store.dispatch._listener.cut()
    if store.database._pool is not None:
        store.database._pool.terminate()
