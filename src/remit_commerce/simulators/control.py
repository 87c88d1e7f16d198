"""The control API of the simulators: what tests and the demo do behind a provider's back.

Owns: faults, the clock, seeding orders, shipping goods, signed webhooks, the books as JSON. Loopback and a token only.
Does not know: how requests to providers are answered.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol, TypeAlias, cast

import msgspec
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.core.canonical import JsonValue
from remit.errors import RemitError
from remit.governance.egress import Blocked, read_target
from remit_commerce.ingress import signers
from remit_commerce.providers import wire
from remit_commerce.simulators.book import JsonObject
from remit_commerce.simulators.exchange import Provider, SimulatedClock, instant_text
from remit_commerce.simulators.faults import Fault, FaultScript
from remit_commerce.simulators.printful import STORE_ID, PrintfulSimulator
from remit_commerce.simulators.shopify import ShopifySimulator

DELIVERY_SECONDS: Final = 10.0
Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


class Controlled(Protocol):
    """What the control API needs of the server's desk."""

    faults: FaultScript
    clock: SimulatedClock
    shopify: ShopifySimulator
    printful: PrintfulSimulator
    providers: Mapping[str, Provider]


class SeedOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order in Shopify's REST shape; with a token only that caller sees it."""

    order: dict[str, JsonValue]
    access_token: str | None = None


class ChoosePlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shop's plan, by how many points of query cost come back in a second."""

    points_per_second: int


class AdvanceClock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far to move the clock."""

    seconds: int


class ShipOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ship a confirmed Printful order and, with an address, send the signed webhook. Repeated, it is a redelivery."""

    order_id: str | None = None
    external_id: str | None = None
    url: str | None = None
    secret: str | None = None
    tracking_number: str | None = None
    retries: int = 0


class MoveOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Move a Printful order to a status, as the factory would."""

    order_id: str
    status: str


class Delivery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Send a signed webhook; ``body`` is text, so that bytes that are not JSON can be sent too."""

    source: str
    url: str
    secret: str
    body: str
    headers: dict[str, str] = {}


def routes(desk: Controlled, *, token: str) -> list[Route]:
    """Return the control API's routes."""
    handlers = _Handlers(desk)
    table: tuple[tuple[str, str, Handler], ...] = (
        ("GET", "/health", handlers.health),
        ("GET", "/book/{provider}", handlers.book),
        ("GET", "/faults", handlers.list_faults),
        ("POST", "/faults", handlers.add_faults),
        ("DELETE", "/faults", handlers.clear_faults),
        ("POST", "/clock", handlers.advance_clock),
        ("POST", "/shopify/orders", handlers.seed_order),
        ("POST", "/shopify/plan", handlers.choose_plan),
        ("GET", "/printful/orders", handlers.list_orders),
        ("POST", "/printful/shipments", handlers.ship_order),
        ("POST", "/printful/status", handlers.move_order),
        ("POST", "/webhooks", handlers.deliver),
    )
    return [Route(path, _guarded(handler, token=token), methods=[method]) for method, path, handler in table]


class _Handlers:
    def __init__(self, desk: Controlled) -> None:
        self._desk = desk

    async def health(self, _: Request) -> Response:
        return _json({"status": "ok", "now": self._desk.clock.text()})

    async def book(self, request: Request) -> Response:
        provider = self._desk.providers.get(request.path_params["provider"])
        return Response(status_code=404) if provider is None else _json(provider.book.dump())

    async def list_faults(self, _: Request) -> Response:
        return _json(cast("JsonValue", msgspec.to_builtins(self._desk.faults.pending())))

    async def add_faults(self, request: Request) -> Response:
        for fault in msgspec.json.decode(await request.body(), type=list[Fault]):
            self._desk.faults.add(fault)
        return _json({"pending": len(self._desk.faults.pending())})

    async def clear_faults(self, _: Request) -> Response:
        self._desk.faults.clear()
        return _json({"pending": 0})

    async def advance_clock(self, request: Request) -> Response:
        self._desk.clock.advance(msgspec.json.decode(await request.body(), type=AdvanceClock).seconds)
        return _json({"now": self._desk.clock.text()})

    async def seed_order(self, request: Request) -> Response:
        seed = msgspec.json.decode(await request.body(), type=SeedOrder)
        with self._desk.shopify.book.transaction():
            order_id = self._desk.shopify.seed_order(seed.order, access_token=seed.access_token)
        return _json({"order_id": order_id})

    async def choose_plan(self, request: Request) -> Response:
        plan = msgspec.json.decode(await request.body(), type=ChoosePlan)
        self._desk.shopify.set_plan(plan.points_per_second)
        return _json({"points_per_second": plan.points_per_second})

    async def list_orders(self, _: Request) -> Response:
        return _json(cast("JsonValue", [order for _, order in self._desk.printful.list_orders()]))

    async def move_order(self, request: Request) -> Response:
        move = msgspec.json.decode(await request.body(), type=MoveOrder)
        account, order = self._find_order(order_id=move.order_id, external_id=None)
        with self._desk.printful.book.transaction():
            return _json(self._desk.printful.set_status(order, move.status, account=account))

    async def ship_order(self, request: Request) -> Response:
        ship = msgspec.json.decode(await request.body(), type=ShipOrder)
        account, order = self._find_order(order_id=ship.order_id, external_id=ship.external_id)
        if order["status"] not in {"pending", "inprocess", "fulfilled"}:
            return _json({"error": f"expected a confirmed order, got status {order['status']}"}, status=409)
        number = ship.tracking_number or f"SIM{order['id']}"
        with self._desk.printful.book.transaction():
            shipment = self._desk.printful.ship(order, account=account, tracking_number=number)
        event = _shipment_sent(order, shipment, retries=ship.retries)
        if ship.url is None or ship.secret is None:
            return _json({"event": event, "delivery": None})
        body = orjson.dumps(event)
        delivery = await _send("printful", ship.url, body=body, secret=ship.secret, headers={}, clock=self._desk.clock)
        return _json({"event": event, "delivery": delivery})

    async def deliver(self, request: Request) -> Response:
        asked = msgspec.json.decode(await request.body(), type=Delivery)
        body = asked.body.encode()
        sent = await _send(
            asked.source, asked.url, body=body, secret=asked.secret, headers=asked.headers, clock=self._desk.clock
        )
        return _json(sent)

    def _find_order(self, *, order_id: str | None, external_id: str | None) -> tuple[str, JsonObject]:
        for account, order in self._desk.printful.list_orders():
            if order_id == str(order["id"]) or (external_id is not None and external_id == order["external_id"]):
                return account, order
        message = f"no Printful order {order_id or external_id}"
        raise msgspec.ValidationError(message)


def _shipment_sent(order: JsonObject, shipment: JsonObject, *, retries: int) -> JsonObject:
    """Return the thin event that Printful sends; only ``retries`` differs between deliveries."""
    return {
        "type": "shipment_sent",
        "occurred_at": shipment["shipped_at"],
        "retries": retries,
        "store_id": STORE_ID,
        "data": {
            "shipment": {
                "id": shipment["id"],
                "status": "shipped",
                "store_id": STORE_ID,
                "tracking_number": shipment["tracking_number"],
                "created_at": shipment["shipped_at"],
                "ship_date": str(shipment["shipped_at"])[:10],
                "shipped_at": shipment["shipped_at"],
                "reshipment": shipment["is_reshipment"],
            },
            "order": {
                "id": order["id"],
                "external_id": order["external_id"],
                "status": "fulfilled",
                "store_id": STORE_ID,
                "dashboard_url": None,
                "created_at": order["created_at"],
                "updated_at": shipment["shipped_at"],
            },
        },
    }


async def _send(
    source: str, url: str, *, body: bytes, secret: str, headers: Mapping[str, str], clock: SimulatedClock
) -> JsonObject:
    """Send a signed webhook to a loopback address and return what came back."""
    target = read_target(url, wire.RULE)
    if isinstance(target, Blocked) or not target.is_loopback:
        raise msgspec.ValidationError("expected a loopback address for webhooks, got another URL")
    signed = signers.sign(source, body=body, secret=secret, now=clock.now())
    extra = _delivery_headers(source, body, triggered_at=instant_text(clock.now()))
    request = wire.Outgoing(
        method="POST",
        url=url,
        headers={"Content-Type": "application/json", **extra, **signed, **headers},
        body=body,
        timeout_seconds=DELIVERY_SECONDS,
        changes=True,
    )
    try:
        reply = await wire.exchange("webhook receiver", request)
    except RemitError as error:
        return {"status": None, "error": error.message}
    return {"status": reply.status, "body": reply.body.decode("utf-8", "replace")[:1000]}


def _delivery_headers(source: str, body: bytes, *, triggered_at: str) -> dict[str, str]:
    """Return what a provider sends beside the signature. Shopify's event id stays the same for the same content."""
    if source != "shopify":
        return {}
    digest = hashlib.sha256(body).hexdigest()
    return {
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Shop-Domain": "remit-simulator.myshopify.com",
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Event-Id": digest[:32],
        "X-Shopify-Webhook-Id": digest[32:],
        "X-Shopify-Triggered-At": triggered_at,
    }


def _guarded(handler: Handler, *, token: str) -> Handler:
    async def guarded(request: Request) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not secrets.compare_digest(given.encode(), token.encode()):
            return Response(status_code=401)
        try:
            return await handler(request)
        except (msgspec.DecodeError, ValueError) as error:
            return _json({"error": str(error)}, status=422)

    return guarded


def _json(body: JsonValue, *, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json")
