"""Calling the commerce tools as the pipeline does, against the simulators.

Owns: contexts with credentials of an account of their own, so that tests do not see each other's objects.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import remit_commerce
from remit.errors import ToolError
from remit.ids import PrincipalId, RunId, StepId, TenantId
from remit.ports.tool import Tool, ToolContext
from remit_commerce.simulators.client import Simulators

SAMPLES = Path(remit_commerce.__file__).parent / "samples"
TOOLS = {tool.contract.name: tool for tool in remit_commerce.pack().tools}
ADDRESS = {"name": "Bob", "address1": "Chestnut Street 92", "city": "Louisville", "country_code": "US", "zip": "40202"}
CATALOG = {"GREEN": {"variant_id": 4011, "file_url": "https://files.example.com/green.png"}}
ITEMS = [{"sku": "GREEN", "title": "Shirt", "quantity": 1}]

HOLD, TAKE = "stripe.payment_intents.authorize", "stripe.payment_intents.capture"
GIVE_BACK = "stripe.payment_intents.cancel"
DRAFT, CONFIRM = "printful.orders.create_draft", "printful.orders.confirm"
ORDER, FULFIL, MAIL = "shopify.orders.get", "shopify.fulfillments.create", "sendgrid.mail.send"


def sample_order() -> dict[str, Any]:
    """Return the vendor's sample order: the body of an orders/create webhook."""
    order: dict[str, Any] = json.loads((SAMPLES / "shopify_rest_order.json").read_bytes())["order"]
    return order


@dataclass(kw_only=True)
class Shop:
    """One account at all four providers, and the calls made for it."""

    simulators: Simulators
    name: str
    deadline_seconds: float = 10.0
    endpoints: dict[str, str] = field(default_factory=dict)

    @property
    def credentials(self) -> dict[str, str]:
        """Return this account's credentials, by the names in the contracts."""
        return {
            "stripe_api_key": f"sk_test_{self.name}",
            "shopify_access_token": f"shpat_{self.name}",
            "printful_token": f"smk_{self.name}",
            "sendgrid_api_key": f"SG.{self.name}",
        }

    def context(self, tool: Tool, key: str) -> ToolContext:
        """Return the context of a call whose idempotency key is ``key``."""
        contract = tool.contract
        assert contract.credential is not None
        assert contract.endpoint is not None
        return ToolContext(
            tenant_id=TenantId("default"),
            run_id=RunId("01890000-0000-7000-8000-000000000001"),
            step=StepId("step"),
            attempt=1,
            slot=1,
            principal_id=PrincipalId("commerce"),
            correlation_id="run",
            idempotency_key=key,
            external_key=f"remit:{self.reference(key)}",
            deadline_seconds=self.deadline_seconds,
            credentials={contract.credential: self.credentials[contract.credential]},
            endpoint={**self.simulators.endpoints(), **self.endpoints}[contract.endpoint],
            network=contract.network,
        )

    def reference(self, key: str) -> str:
        """Return the reference that a call with this key carries."""
        return hashlib.sha256(f"{self.name}:{key}".encode()).hexdigest()[:32]

    async def call(self, name: str, key: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool and return its output."""
        tool = TOOLS[name]
        result = await tool.call(arguments, self.context(tool, key))
        assert isinstance(result.output, dict)
        return result.output

    async def fail(self, name: str, key: str, **arguments: Any) -> ToolError:
        """Call a tool that is to fail and return how it did."""
        try:
            output = await self.call(name, key, **arguments)
        except ToolError as error:
            return error
        raise AssertionError(f"expected {name} to fail, got {output}")

    async def lose(self, name: str, key: str, *, seconds: float = 1.0, **arguments: Any) -> ToolError:
        """Call a tool whose answer a fault spoils, with little patience, and return how it failed."""
        patience, self.deadline_seconds = self.deadline_seconds, seconds
        try:
            return await self.fail(name, key, **arguments)
        finally:
            self.deadline_seconds = patience

    async def insist(self, name: str, key: str, *, attempts: int = 200, **arguments: Any) -> dict[str, Any]:
        """Call a tool again with the same key for as long as its failure may be tried again."""
        for attempt in range(attempts):
            try:
                return await self.call(name, key, **arguments)
            except ToolError as error:
                if not error.retryable or attempt + 1 == attempts:
                    raise
        raise AssertionError("no attempt was made")

    async def look_up(self, name: str, key: str, **arguments: Any) -> dict[str, Any] | None:
        """Look for a call's effect and return its output, ``None`` if it is proven absent."""
        tool = TOOLS[name]
        assert tool.lookup is not None
        found = await tool.lookup(arguments, self.context(tool, key))
        if found.result is None:
            return None
        assert isinstance(found.result.output, dict)
        return found.result.output

    def effects(self, name: str) -> list[dict[str, Any]]:
        """Return what the provider did for this account's calls of a tool, from its book."""
        provider, _, operation = name.partition(".")
        credential = next(value for name, value in self.credentials.items() if name.startswith(provider))
        account = f"acct_{hashlib.sha256(credential.encode()).hexdigest()[:16]}"
        own = [effect for effect in self.simulators.effects(provider) if effect["account"] == account]
        return [effect for effect in own if effect["operation"] == operation]

    def seed(self, *, number: int = 450789469, **changes: Any) -> str:
        """Seed the sample order for this account alone, under a number of its own, and return its global id."""
        order = {**sample_order(), "id": number, **changes}
        token = self.credentials["shopify_access_token"]
        return self.simulators.seed_order(order, access_token=token)


def payment(**changes: Any) -> dict[str, Any]:
    """Return the arguments of an authorization."""
    return {"order_id": "1001", "amount_minor": 40994, "currency": "USD", "payment_method": "pm_card_visa", **changes}


def draft(**changes: Any) -> dict[str, Any]:
    """Return the arguments of a draft."""
    return {"recipient": ADDRESS, "items": ITEMS, "catalog": CATALOG, **changes}


def mail(**changes: Any) -> dict[str, Any]:
    """Return the arguments of a mail."""
    text = {"subject": "On its way", "text": "Follow it here.", "milestone": "shipped"}
    return {"to": "bob@example.com", "sender": "orders@example.com", **text, **changes}
