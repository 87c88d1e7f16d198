"""What the commerce pack brings.

Owns: the list of tools, webhook sources and definitions. Does not know: how a kernel uses them.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from remit.errors import SettingsInvalidError
from remit.ports.pack import Pack
from remit.ports.tool import Tool
from remit_commerce.ingress.printful import PrintfulWebhooks
from remit_commerce.ingress.shopify import ShopifyWebhooks
from remit_commerce.ingress.stripe import StripeWebhooks


def pack() -> Pack:
    """Return the pack; found through the entry point ``remit.packs: commerce``.

    Raises:
        SettingsInvalidError: the providers' libraries are not installed.
    """
    workflows = Path(str(files("remit_commerce"))) / "workflows"
    return Pack(
        name="commerce",
        description="Payments, production on demand and mail: Stripe, Shopify, Printful, SendGrid",
        tools=_tools(),
        webhook_sources=(PrintfulWebhooks(), ShopifyWebhooks(), StripeWebhooks()),
        definitions=(workflows / "order_fulfilment.yaml",),
        business_configs=(workflows / "business.yaml",),
    )


def _tools() -> tuple[Tool, ...]:
    try:
        from remit_commerce.tools import printful, sendgrid, shopify, stripe
    except ModuleNotFoundError as error:
        message = f"the commerce pack needs {error.name}; install it with: pip install 'remit[commerce]'"
        raise SettingsInvalidError(message) from error
    return (
        printful.confirm,
        printful.create_draft,
        printful.get_order,
        printful.list_shipments,
        sendgrid.send_mail,
        shopify.create_fulfilment,
        shopify.get_order,
        stripe.authorize,
        stripe.cancel,
        stripe.capture,
    )
