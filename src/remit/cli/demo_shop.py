"""The demo's outside world: the simulated providers, spoken to over HTTP.

Owns: ordering and shipping, signed as the providers sign, and reading their books. The kernel knows no pack: the
simulators are a process, and the sample order is a file of the installed commerce pack.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import httpx2
import orjson

from remit.bootstrap import installed_packs
from remit.cli.demo_stage import ClaimFailedError
from remit.errors import NotFoundError

PACK: Final = "commerce"
PACK_PACKAGE: Final = "remit_commerce"
SIMULATORS: Final = "remit_commerce.simulators"
SIMULATORS_ADDRESS: Final = "http://127.0.0.1:4610"
"""What the pack's remit file names; the demo's simulators listen on a free port instead."""

CAPTURE: Final = "payment_intents.capture"
TOPIC_HEADERS: Final = {"X-Shopify-Topic": "orders/create"}


def sample_order() -> dict[str, Any]:
    """Return Shopify's own sample order: the body of its ``orders/create`` webhook."""
    text = (files(PACK_PACKAGE) / "samples" / "shopify_rest_order.json").read_bytes()
    order: dict[str, Any] = orjson.loads(text)["order"]
    return order


def small_order() -> dict[str, Any]:
    """Return another customer's order of one article, below the limit above which a capture asks a person."""
    order = sample_order()
    article = {**order["line_items"][0], "price": "79.00"}
    return {
        **order,
        "id": 450_789_470,
        "name": "#1002",
        "number": 2,
        "order_number": 1002,
        "line_items": [article],
        "subtotal_price": "79.00",
        "total_line_items_price": "79.00",
        "total_tax": "4.74",
        "total_price": "83.74",
    }


def documents(folder: Path, *, simulators_url: str) -> tuple[Path, Path]:
    """Write the pack's remit file, with the simulators' address, and its order workflow; return their paths.

    Raises:
        NotFoundError: the commerce pack is not installed.
    """
    pack = next((pack for pack in installed_packs() if pack.name == PACK), None)
    if pack is None:
        raise NotFoundError("the demo needs the commerce pack; install it with: pip install 'remit[commerce]'")
    text = pack.business_configs[0].read_text(encoding="utf-8")
    remit, workflow = folder / "remit.yaml", folder / pack.definitions[0].name
    remit.write_text(text.replace(SIMULATORS_ADDRESS, simulators_url), encoding="utf-8")
    workflow.write_bytes(pack.definitions[0].read_bytes())
    return remit, workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """The simulators' control API."""

    url: str
    token: str = field(repr=False)

    async def place(self, order: dict[str, Any]) -> None:
        """Let a customer order: the shop knows the order from now on."""
        await self._call("POST", "/shopify/orders", {"order": order, "access_token": None})

    async def notify(self, order: dict[str, Any], *, url: str, secret: str) -> int:
        """Send the order's webhook, signed with a secret; returns the status of the answer."""
        body = {
            "source": "shopify",
            "url": url,
            "secret": secret,
            "body": orjson.dumps(order).decode(),
            "headers": TOPIC_HEADERS,
        }
        answer = await self._call("POST", "/webhooks", body)
        return int(answer["status"] or 0)

    async def ship(self, *, url: str, secret: str) -> int:
        """Ship the newest confirmed order and send its signed webhook; returns the status of the answer."""
        orders = await self._call("GET", "/printful/orders")
        confirmed = [order for order in orders if order["status"] in {"pending", "inprocess"}]
        if len(confirmed) != 1:
            raise ClaimFailedError(f"expected one confirmed order at Printful, found {len(confirmed)}")
        body = {"order_id": str(confirmed[0]["id"]), "url": url, "secret": secret}
        answer = await self._call("POST", "/printful/shipments", body)
        return int(answer["delivery"]["status"] or 0)

    async def lose_answer_of(self, operation: str, *, hold_seconds: float) -> None:
        """Let Stripe do the next such operation and keep its answer to itself: the caller cannot know."""
        fault = {
            "provider": "stripe",
            "kind": "timeout_after",
            "operation": operation,
            "times": 1,
            "hold_seconds": hold_seconds,
        }
        await self._call("POST", "/faults", [fault])

    async def effects(self, provider: str) -> list[dict[str, Any]]:
        """Return what a provider did."""
        book = await self._call("GET", f"/book/{provider}")
        effects: list[dict[str, Any]] = book["effects"]
        return effects

    async def captures(self) -> list[dict[str, Any]]:
        """Return the charges that Stripe took, oldest first."""
        return [effect for effect in await self.effects("stripe") if effect["operation"] == CAPTURE]

    async def capture_requests(self) -> list[dict[str, Any]]:
        """Return the requests to take money that reached Stripe."""
        book = await self._call("GET", "/book/stripe")
        return [request for request in book["requests"] if request["operation"] == CAPTURE]

    async def _call(self, method: str, path: str, body: object = None) -> Any:
        content = None if body is None else orjson.dumps(body)
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx2.AsyncClient(trust_env=False, timeout=30.0) as client:
            reply = await client.request(method, f"{self.url}/_control{path}", content=content, headers=headers)
        if reply.status_code != 200:
            raise ClaimFailedError(f"the simulators refused {method} {path}: {reply.status_code} {reply.text[:200]}")
        return orjson.loads(reply.content)
