"""Deliveries of webhooks as the world sends them: doubled, shuffled, stale, forged, changed; and what must come of it.

Owns: generating them from a seed, delivering them, and the figures. What must come of each is counted here by rules of
its own, without the kernel's code. Does not know: HTTP; the edge has its own tests.

An order has three events, each of another provider: Shopify's starts its run, which does something, waits for Stripe's
and does something more; Printful's starts a run of its own. In a full shuffle any of them may be the first.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final, Literal

import asyncpg
import msgspec

from remit.bootstrap import Kernel
from remit.clock import wall_clock
from remit.core.definition import Bounds, Definition, EventStep, ToolStep, Trigger, definition_digest
from remit.errors import InputInvalidError, SignatureInvalidError
from remit.governance.contracts import contract_digest
from remit.governance.policy import BusinessConfig, Scope, encode_policy
from remit.ids import Digest, PrincipalId, TenantId
from remit.ports.pack import Pack
from remit.ports.store import Principal, WebhookEndpoint
from remit.settings import Settings
from remit.testing.database import ScratchDatabase
from remit.testing.tools import ScriptedTool, contract
from remit_commerce.ingress.printful import PrintfulWebhooks
from remit_commerce.ingress.shopify import ShopifyWebhooks
from remit_commerce.ingress.signers import sign
from remit_commerce.ingress.stripe import StripeWebhooks
from tests.integration.faults.lanes import pause

Source = Literal["shopify", "stripe", "printful"]
Kind = Literal["genuine", "duplicate", "other body", "stale", "wrong key", "changed"]

TENANT: Final = TenantId("default")
SERVICE: Final = PrincipalId("service")
SOURCES: Final[tuple[Source, ...]] = ("shopify", "stripe", "printful")
SECRETS: Final = {"shopify": "shpss_genuine", "stripe": "whsec_genuine", "printful": "00ff" * 8}
FORGED: Final = {"shopify": "shpss_forged", "stripe": "whsec_forged", "printful": "ff00" * 8}
BOUNDS: Final = Bounds(steps_max=10, tool_calls_max=10)
SHARES: Final[dict[Kind, float]] = {
    "duplicate": 0.30,
    "other body": 0.01,
    "stale": 0.02,
    "wrong key": 0.02,
    "changed": 0.01,
}
"""What share of all deliveries is of each kind; the others are genuine and come once."""

COPIES_MAX: Final = 5
STALE: Final = timedelta(minutes=10)
BESIDE: Final = 16
SECONDS_MAX: Final = 120.0


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One delivery: ``event`` names what it is about, the same for all its copies; ``body`` is what is signed.

    It is signed when it is sent, however long the others take, or so long before as its ``age`` says.
    """

    kind: Kind
    source: Source
    event: str
    body: bytes
    arrives_as: bytes
    secret: str
    age: timedelta = timedelta()

    def headers(self) -> dict[str, str]:
        """Return the headers of a delivery that is sent now, in lower case."""
        signed = sign(self.source, body=self.body, secret=self.secret, now=wall_clock() - self.age)
        if self.source == "shopify":
            named = {"X-Shopify-Topic": "orders/create", "X-Shopify-Shop-Domain": "shop.myshopify.com"}
            signed |= {**named, "X-Shopify-Event-Id": self.event}
        return {name.lower(): value for name, value in signed.items()}

    @property
    def is_genuine(self) -> bool:
        """Whether it must be accepted."""
        return self.kind in {"genuine", "duplicate", "other body"}


@dataclass(kw_only=True)
class Counted:
    """What came of all deliveries."""

    sent: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    forged_accepted: int = 0
    genuine_refused: int = 0
    misjudged: int = 0
    events_expected: int = 0
    events_stored: int = 0
    conflicts_expected: int = 0
    conflicts_flagged: int = 0
    effects_expected: int = 0
    effects: int = 0
    effects_double: int = 0
    effects_lost: int = 0
    effects_forged: int = 0

    def complaints(self) -> list[str]:
        """Return what is not as it must be."""
        checks = {
            "forged accepted": self.forged_accepted,
            "genuine refused": self.genuine_refused,
            "judged otherwise than by the rule": self.misjudged,
            "events stored more or less often": abs(self.events_stored - self.events_expected),
            "conflicts not flagged, or flagged wrongly": abs(self.conflicts_flagged - self.conflicts_expected),
            "double effects": self.effects_double,
            "lost effects": self.effects_lost,
            "effects of forged events": self.effects_forged,
        }
        return [f"{what}: {count}" for what, count in checks.items() if count]


def generate(seed: int, count: int) -> list[Sent]:
    """Return about so many deliveries in random order, the shares as in `SHARES`."""
    chance = random.Random(seed)
    made: list[Sent] = []
    orders = 0
    while len(made) < count * (1 - sum(SHARES.values())):
        orders += 1
        made += [_genuine(source, orders) for source in SOURCES]
    originals = list(made)
    copies = 0
    while copies < count * SHARES["duplicate"]:
        original = chance.choice(originals)
        again = chance.randint(1, COPIES_MAX)
        made += [_again(original, retries=copy + 1) for copy in range(again)]
        copies += again
    made += [_other_body(chance.choice(originals)) for _ in range(round(count * SHARES["other body"]))]
    made += [_stale(orders, number) for number in range(round(count * SHARES["stale"]))]
    made += [_wrong_key(chance.choice(SOURCES), number) for number in range(round(count * SHARES["wrong key"]))]
    made += [_changed(chance.choice(SOURCES), number) for number in range(round(count * SHARES["changed"]))]
    chance.shuffle(made)
    return made


async def deliver_all(database: ScratchDatabase, sent: Sequence[Sent]) -> Counted:
    """Deliver everything to a kernel, wait until every run is over, and count."""
    tools = [ScriptedTool(contract(name, delivery="keyed")) for name in ("t.take", "t.send", "t.tell")]
    counted = Counted(sent=Counter(delivery.kind for delivery in sent))
    async with _kernel(database, tools) as kernel:
        first: dict[str, bytes] = {}
        lanes: dict[int, list[Sent]] = defaultdict(list)
        for delivery in sent:
            lanes[zlib.crc32(delivery.event.encode()) % BESIDE].append(delivery)
        await asyncio.gather(*(_deliver(kernel, lane, first, counted) for lane in lanes.values()))
        await _settle(database, orders=_orders(sent))
    _count_effects(sent, tools, counted)
    await _count_events(database, counted)
    return counted


async def _deliver(kernel: Kernel, lane: Sequence[Sent], first: dict[str, bytes], counted: Counted) -> None:
    """Deliver a lane's in order. All copies of an event are in one lane, so that the rule knows which one was first."""
    for delivery in lane:
        try:
            received = await kernel.ingress.receive(
                delivery.source, headers=delivery.headers(), body=delivery.arrives_as
            )
        except (SignatureInvalidError, InputInvalidError):
            counted.refused[delivery.kind] += 1
            counted.genuine_refused += delivery.is_genuine
            continue
        status = received.received.status
        counted.statuses[status] += 1
        counted.forged_accepted += not delivery.is_genuine
        content = _content(delivery)
        known = first.setdefault(delivery.event, content)
        is_new = known is content
        wanted = "stored" if is_new else "duplicate" if known == content else "conflict"
        counted.events_expected += is_new
        counted.conflicts_expected += wanted == "conflict"
        counted.misjudged += wanted != status


def _content(delivery: Sent) -> bytes:
    """Return what makes two deliveries of an event the same; a new object for each."""
    if delivery.source != "printful":
        return bytes(bytearray(delivery.body))
    return json.dumps({**json.loads(delivery.body), "retries": None}, sort_keys=True).encode()


def _orders(sent: Sequence[Sent]) -> int:
    return sum(delivery.kind == "genuine" and delivery.source == "shopify" for delivery in sent)


async def _settle(database: ScratchDatabase, *, orders: int) -> None:
    """Wait until every run that is to be there is over, at most so long; what is missing is counted as lost."""
    connection = await asyncpg.connect(database.admin_url)
    query = "select count(*) from remit.heads where finished_at is not null"
    with suppress(TimeoutError):
        async with asyncio.timeout(SECONDS_MAX):
            while await connection.fetchval(query) < 2 * orders:
                await pause(0.1)
    await connection.close()


def _count_effects(sent: Sequence[Sent], tools: Sequence[ScriptedTool], counted: Counted) -> None:
    wanted = {f"{tool}:{number}" for number in range(1, _orders(sent) + 1) for tool in ("t.take", "t.send", "t.tell")}
    done = Counter(f"{tool.contract.name}:{arguments['order']}" for tool in tools for _, arguments in tool.effects)
    counted.effects_expected = len(wanted)
    counted.effects = done.total()
    counted.effects_double = sum(count - 1 for count in done.values())
    counted.effects_lost = len(wanted - done.keys())
    counted.effects_forged = len(done.keys() - wanted)


async def _count_events(database: ScratchDatabase, counted: Counted) -> None:
    connection = await asyncpg.connect(database.admin_url)
    row = await connection.fetchrow("select count(*), sum(conflict_count) from remit.inbound_events")
    await connection.close()
    counted.events_stored, counted.conflicts_flagged = row[0], int(row[1] or 0)


# --- the deliveries --------------------------------------------------------------------------------------------------


def _body(source: Source, order: int | str, **more: Any) -> dict[str, Any]:
    number = order if isinstance(order, int) else int(hashlib.sha256(order.encode()).hexdigest()[:12], 16)
    match source:
        case "shopify":
            return {"id": number, "name": f"#{number}", "updated_at": "2026-11-20T10:00:00Z", **more}
        case "stripe":
            intent = {"id": f"pi_{number}", "metadata": {"order_id": str(number)}}
            kind = "payment_intent.succeeded"
            head = {"id": f"evt_{number}", "object": "event", "type": kind, "created": 1_790_000_000}
            return {**head, "livemode": False, "data": {"object": intent}, **more}
        case "printful":
            data = {"order": {"id": number, "external_id": None}, "shipment": {"id": number}}
            head = {"type": "shipment_sent", "occurred_at": "2026-11-20T10:00:00Z", "retries": 0, "store_id": 12}
            return {**head, "data": data, **more}


def _sent(
    kind: Kind,
    source: Source,
    event: str,
    body: dict[str, Any],
    *,
    secret: str | None = None,
    age: timedelta = timedelta(),
) -> Sent:
    raw = json.dumps(body).encode()
    return Sent(
        kind=kind,
        source=source,
        event=event,
        body=raw,
        arrives_as=raw,
        secret=secret or SECRETS[source],
        age=age,
    )


def _genuine(source: Source, order: int) -> Sent:
    return _sent("genuine", source, f"{source}-{order}", _body(source, order))


def _again(original: Sent, *, retries: int) -> Sent:
    """Return a redelivery: signed anew, and Printful counts it in its body."""
    body = json.loads(original.body)
    if original.source == "printful":
        body["retries"] = retries
    return _sent("duplicate", original.source, original.event, body)


def _other_body(original: Sent) -> Sent:
    """Return what is signed rightly and has the same id, but says something else. Printful's has no id: it is new."""
    source: Source = "shopify" if original.source == "printful" else original.source
    event = original.event.replace("printful", "shopify")
    order = int(event.rpartition("-")[2])
    return _sent("other body", source, event, _body(source, order, note="something else"))


def _stale(orders: int, number: int) -> Sent:
    """Return an old delivery of an order that nobody placed; only Stripe signs the time."""
    order = orders + 1 + number
    return _sent("stale", "stripe", f"stale-{order}", _body("stripe", order), age=STALE)


def _wrong_key(source: Source, number: int) -> Sent:
    event = f"forged-{source}-{number}"
    return _sent("wrong key", source, event, _body(source, event), secret=FORGED[source])


def _changed(source: Source, number: int) -> Sent:
    event = f"changed-{source}-{number}"
    signed = _sent("changed", source, event, _body(source, event))
    other = json.dumps(_body(source, f"{event}-changed")).encode()
    return replace(signed, arrives_as=other)


# --- the kernel ------------------------------------------------------------------------------------------------------


def _steps(tools: Sequence[ScriptedTool]) -> Iterator[ToolStep]:
    for tool in tools:
        yield ToolStep(
            id=tool.contract.name.rpartition(".")[2],
            tool=tool.contract.name,
            tool_version=tool.contract.version,
            contract_digest=contract_digest(tool.contract),
            input={"order": "${{ input.order }}"},
        )


def _definitions(tools: Sequence[ScriptedTool]) -> tuple[Definition, Definition]:
    take, send, tell = _steps(tools)
    paid = EventStep(
        id="paid",
        depends_on=("take",),
        event="stripe.payment_intent.succeeded",
        correlation="${{ input.order }}",
    )
    number = "${{ string(event.id) }}"
    placed = Trigger(event="shopify.orders/create", input={"order": number}, key=number)
    number = "${{ string(event.data.order.id) }}"
    shipped = Trigger(event="printful.shipment_sent", input={"order": number}, key=number)
    after = msgspec.structs.replace(send, depends_on=("paid",))
    return (
        Definition(name="placed", version="1", bounds=BOUNDS, steps=(take, paid, after), triggers=(placed,)),
        Definition(name="shipped", version="1", bounds=BOUNDS, steps=(tell,), triggers=(shipped,)),
    )


class _kernel:  # noqa: N801 - reads as the function that it stands for
    """A kernel with the webhook endpoints and the two definitions."""

    def __init__(self, database: ScratchDatabase, tools: Sequence[ScriptedTool]) -> None:
        self._tools = tools
        sources = (ShopifyWebhooks(), StripeWebhooks(), PrintfulWebhooks())
        pack = Pack(name="webhooks", description="Webhooks alone", webhook_sources=sources)
        settings = Settings(
            database_app_url=database.app_url,
            secrets={f"{TENANT}__{source}_webhook": secret for source, secret in SECRETS.items()},
            poll=timedelta(milliseconds=100),
        )
        self._kernel = Kernel(tools=tools, packs=[pack], settings=settings)

    async def __aenter__(self) -> Kernel:
        kernel = self._kernel
        await kernel.start()
        await kernel.store.directory.put_principal(Principal(tenant_id=TENANT, principal_id=SERVICE, kind="service"))
        config = BusinessConfig(name="webhooks", version="1", bounds=BOUNDS, scopes=(Scope(tool="t.*"),))
        body = encode_policy(config)
        await kernel.store.directory.put_policy(TENANT, digest=Digest(definition_digest(body)), body=body)
        kernel.catalogue.forget(TENANT)
        for source in SOURCES:
            endpoint = WebhookEndpoint(
                endpoint_id=source,
                tenant_id=TENANT,
                source=source,
                secret_name=f"{source}_webhook",
                principal_id=SERVICE,
            )
            await kernel.store.endpoints.put_endpoint(endpoint)
        for definition in _definitions(self._tools):
            await kernel.put_definition(definition)
        return kernel

    async def __aexit__(self, *_: object) -> None:
        await self._kernel.stop()
