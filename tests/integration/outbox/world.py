"""Kernels whose runs publish: remit files with subscriptions, an orchestration, and relays that do not wait long.

Owns: how a test's kernel is set up. Does not know: what receivers answer.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol

from remit.bootstrap import OPERATOR, Kernel
from remit.clock import DatabaseClock
from remit.core.canonical import JsonValue
from remit.ids import RunId, TenantId, WorkerId
from remit.ports.notifier import Notifier
from remit.ports.outbox import OutboxEntry
from remit.ports.store import RunSummary, StoredDefinition
from remit.runtime.catalogue import Catalogue
from remit.runtime.entropy import SystemEntropy
from remit.runtime.metrics import Metrics
from remit.runtime.relay import Relay, RelayOptions, RelayPorts
from remit.settings import Settings
from remit.store import Observer, PostgresStore
from remit.testing.database import ScratchDatabase, connect_store
from remit.tools.guarded_http import GuardedClient
from remit.tools.webhook_notifier import WebhookNotifier
from tests.integration.outbox.receiver import SECRET

TENANT = TenantId("default")
DELAY = timedelta(milliseconds=50)
"""Between a test's first and second attempt."""

ORCHESTRATION = """\
name: announce
version: 1.0.0
input: {type: object, properties: {order: {type: integer}}, required: [order]}
steps:
  - id: announce
    tool: outbox.publish
    input:
      topic: orders.paid
      body: {order: "${{ input.order }}"}
      key: order-${{ string(input.order) }}
output: ${{ steps.announce.output.message_id }}
"""


def remit_file(*urls: str, topic: str = "orders.*") -> bytes:
    """A remit that lets everybody publish, with a subscription for each URL: ``subscriber-0`` and so on."""
    lines = [
        "business: shop", "version: 1.0.0", "bounds: {steps_max: 20}", "scopes: [{tool: outbox.publish}]",
        "subscriptions:",
    ]  # fmt: skip
    for number, url in enumerate(urls):
        lines.append(
            f"  - {{id: subscriber-{number}, topic: {topic}, url: '{url}', secret: hooks, allow_private: true}}"
        )
    return "\n".join(lines if urls else lines[:-1]).encode()


def settings_of(scratch: ScratchDatabase, *, lease: timedelta = timedelta(seconds=2)) -> Settings:
    """Settings of a kernel on a test's database that hears of due messages soon."""
    return Settings(
        database_app_url=scratch.app_url,
        secrets={f"{TENANT}__hooks": SECRET},
        lease=lease,
        heartbeat=timedelta(milliseconds=100),
        sweep=timedelta(milliseconds=100),
        poll=timedelta(milliseconds=100),
    )


@asynccontextmanager
async def kernel_with(scratch: ScratchDatabase, *urls: str, has_relay: bool = True) -> AsyncIterator[Kernel]:
    """Lend a kernel with subscriptions; without its relay, what is published stays in the outbox until `relay_on`."""
    async with Kernel(packs=[], settings=settings_of(scratch)) as kernel:
        assert kernel.worker is not None
        assert kernel.relay is not None
        await kernel.apply_business(remit_file(*urls), path="remit.yaml", tenant_id=TENANT)
        if not has_relay:
            kernel.worker.on_outbox = None
        yield kernel


async def publish(kernel: Kernel, count: int = 1) -> list[RunSummary]:
    """Run the orchestration so many times, each to its end."""
    stored = await kernel.apply_orchestration(ORCHESTRATION.encode(), path="announce.yaml", tenant_id=TENANT)
    run_ids = [await submit(kernel, stored, {"order": number}) for number in range(count)]
    return [await kernel.runs.wait(TENANT, run_id, timeout_seconds=20) for run_id in run_ids]


async def submit(kernel: Kernel, stored: StoredDefinition, run_input: JsonValue) -> RunId:
    """Submit a run."""
    submitted = await kernel.runs.submit(
        TENANT, definition_digest=stored.digest, run_input=run_input, principal_id=OPERATOR
    )
    return submitted.run_id


async def until_listed(
    kernel: Kernel, condition: Callable[[list[OutboxEntry]], bool], *, seconds: float = 20.0
) -> list[OutboxEntry]:
    """Return the tenant's messages once the condition holds of them."""
    async with asyncio.timeout(seconds):
        while True:
            listed = await kernel.store.outbox.list(TENANT)
            if listed and condition(listed):
                return listed


@asynccontextmanager
async def relay_on(
    scratch: ScratchDatabase, kernel: Kernel | None = None, *, watch: Watch | None = None, **changes: timedelta
) -> AsyncIterator[tuple[Relay, PostgresStore]]:
    """Lend a relay of another process on the same database, woken now and by what the kernel hears."""
    store, clock = await connect_store(scratch, observer=watch), DatabaseClock()
    notifier: Notifier = WebhookNotifier(GuardedClient(), version="test")
    ports = RelayPorts(
        outbox=store.outbox,
        notifier=notifier if watch is None else watch.around(notifier),
        catalogue=Catalogue(store.directory, clock),
        secrets=SecretsOf(SECRET),
        clock=clock,
        entropy=SystemEntropy(),
        metrics=Metrics(),
    )
    pauses = {"delay_initial": DELAY, "hold_initial": DELAY}
    options = RelayOptions(worker_id=WorkerId(str(uuid.uuid4())), **(pauses | changes))
    relay = Relay(ports, options)
    relay.start()
    relay.wake()
    if kernel is not None and kernel.worker is not None:
        kernel.worker.on_outbox = relay.wake
    try:
        yield relay, store
    finally:
        await relay.stop()
        await store.close()


class Watch(Observer, Protocol):
    """Sees a relay's statements and notifications."""

    def around(self, notifier: Notifier) -> Notifier:
        """Return a notifier that is seen, too."""
        ...


class SecretsOf:
    """One secret for every name."""

    def __init__(self, value: str) -> None:
        self.value = value

    def resolve(self, tenant_id: TenantId, name: str) -> str:
        """Return it."""
        return self.value

    def known_values(self) -> frozenset[str]:
        """Return it."""
        return frozenset({self.value})
