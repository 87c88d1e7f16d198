"""What is refused before a byte leaves: live keys, foreign hosts, real money and real people.

Owns: which base URLs a provider's client may speak to, what counts as a simulator (loopback), and the rules that hold
outside it. Outside loopback only test modes are reachable: nothing here can be switched off by a definition or a model.
Does not know: how requests are made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from remit.errors import ToolError
from remit.governance.egress import PORTS, Blocked, read_target
from remit.ports.tool import ToolContext
from remit_commerce.providers.wire import RULE

LIVE_REFUSED: Final = "LIVE_REFUSED"
"""Reason of every refusal here: the call would have reached real money, goods or people."""

RESERVED_DOMAINS: Final = ("example.com", "example.net", "example.org", "test", "example", "invalid", "localhost")
"""Names that nobody can own (RFC 2606, RFC 6761): mail to them reaches no person."""


_SHOP_HOST: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\.myshopify\.com\Z")
_STORE: Final = re.compile(r"/stores/([1-9][0-9]{0,18})\Z")
_STRIPE_TEST_KEY: Final = re.compile(r"(sk|rk)_test_[A-Za-z0-9_]{1,240}\Z")

_HostTest: TypeAlias = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A base URL that may be spoken to. ``store_id`` is the one Printful store that the business allows."""

    base_url: str
    is_loopback: bool
    store_id: str | None = None


def stripe_endpoint(context: ToolContext) -> Endpoint:
    """Return where Stripe is: ``api.stripe.com`` or a simulator."""
    return _endpoint(context, "Stripe", lambda host: host == "api.stripe.com")


def shopify_endpoint(context: ToolContext) -> Endpoint:
    """Return where the shop is: one ``<shop>.myshopify.com`` or a simulator."""
    return _endpoint(context, "Shopify", lambda host: _SHOP_HOST.match(host) is not None)


def printful_endpoint(context: ToolContext) -> Endpoint:
    """Return where Printful is, and the one store that may be used: the end of the configured URL, ``/stores/12``.

    Outside a simulator the store must be named. It stands in the business config, where no definition can change it.
    """
    endpoint = _endpoint(context, "Printful", lambda host: host == "api.printful.com")
    named = _STORE.search(endpoint.base_url)
    if named is not None:
        return replace(endpoint, base_url=endpoint.base_url[: named.start()], store_id=named[1])
    if not endpoint.is_loopback:
        raise _refusal("expected the Printful endpoint to name its store, like https://api.printful.com/stores/12")
    return endpoint


def sendgrid_endpoint(context: ToolContext) -> Endpoint:
    """Return where SendGrid is: ``api.sendgrid.com`` or a simulator."""
    return _endpoint(context, "SendGrid", lambda host: host == "api.sendgrid.com")


def require_credential(context: ToolContext, name: str) -> str:
    """Return the tenant's credential.

    Raises:
        ToolError: it is not configured, or has characters that no token has.
    """
    value = context.credentials.get(name)
    if value is None:
        raise ToolError(
            f"expected a credential {name!r}; name its secret in the business config", reason="CREDENTIAL_MISSING"
        )
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ToolError(f"expected a token as credential {name!r}, got other characters", reason="CREDENTIAL_INVALID")
    return value


def require_stripe_test_key(key: str) -> str:
    """Return the key if it is a secret or restricted test key; a live key is refused even for a simulator."""
    if not _STRIPE_TEST_KEY.match(key):
        raise _refusal("expected a Stripe test key (sk_test_… or rk_test_…), got another kind")
    return key


def require_test_object(provider: str, *, is_live: bool) -> None:
    """Refuse an answer that belongs to live mode."""
    if is_live:
        raise _refusal(f"{provider} answered with a live-mode object; only test mode is allowed", effect="unknown")


def require_development_order(endpoint: Endpoint, *, is_test_order: bool, is_development_shop: bool) -> None:
    """Refuse orders that are not test orders of a development shop, except in a simulator.

    Neither the token nor the host says whether a shop is live, so the shop itself is asked.
    """
    if endpoint.is_loopback:
        return
    if not is_development_shop:
        raise _refusal("expected a partner development shop; shop.plan.partnerDevelopment is false")
    if not is_test_order:
        raise _refusal("expected a test order; order.test is false")


def require_draft_only(endpoint: Endpoint, *, method: str, path: str, query: Mapping[str, str]) -> None:
    """Refuse every Printful request that could charge: Printful has no test mode, only drafts are free."""
    if "update_existing" in query:
        raise _refusal("update_existing overwrites other orders; look up and create instead")
    if endpoint.is_loopback:
        return
    is_confirmation = path.rstrip("/").lower().endswith(("/confirm", "/confirmation"))
    is_confirming = query.get("confirm", "false").lower() not in {"false", "0"}
    if method != "GET" and (is_confirmation or is_confirming):
        raise _refusal("confirming a Printful order charges for it; allowed only against a simulator")


def require_harmless_recipient(endpoint: Endpoint, address: str) -> None:
    """Refuse mail to anyone but reserved domains; a simulator may be asked to write to anyone."""
    if endpoint.is_loopback:
        return
    domain = address.rpartition("@")[2].lower().rstrip(".")
    is_reserved = any(domain == name or domain.endswith(f".{name}") for name in RESERVED_DOMAINS)
    if not is_reserved:
        raise _refusal("expected a recipient on a reserved domain such as example.com")


def _endpoint(context: ToolContext, provider: str, is_provider_host: _HostTest) -> Endpoint:
    if context.endpoint is None:
        raise ToolError(
            f"expected an endpoint for {provider}; add it to the business config", reason="ENDPOINT_MISSING"
        )
    target = read_target(context.endpoint, RULE)
    if isinstance(target, Blocked):
        raise _refusal(f"expected {provider}'s own host over https, or a simulator on loopback; {target.message}")
    if "?" in target.path or "#" in context.endpoint:
        raise _refusal(f"expected a plain base URL for {provider}: scheme, host and path")
    if not target.is_loopback and (target.port != PORTS["https"] or not is_provider_host(target.host)):
        raise _refusal(f"expected {provider}'s own host over https, or a simulator on loopback, got {target.host!r}")
    path = target.path.rstrip("/")
    return Endpoint(base_url=f"{target.scheme}://{target.authority}{path}", is_loopback=target.is_loopback)


def _refusal(message: str, *, effect: str = "none") -> ToolError:
    return ToolError(message, effect=effect, reason=LIVE_REFUSED)
