"""The rules that hold outside a simulator, where no test may go."""

from dataclasses import replace

import pytest

from remit.errors import ToolError
from remit.ids import PrincipalId, RunId, StepId, TenantId
from remit.ports.tool import ToolContext
from remit_commerce.providers import refusals
from remit_commerce.providers.refusals import Endpoint

REAL = Endpoint(base_url="https://api.example.com", is_loopback=False)
SIMULATED = Endpoint(base_url="http://127.0.0.1:1", is_loopback=True)
CONTEXT = ToolContext(
    tenant_id=TenantId("default"),
    run_id=RunId("run"),
    step=StepId("step"),
    attempt=1,
    slot=1,
    principal_id=PrincipalId("commerce"),
    correlation_id="run",
    idempotency_key="key",
    external_key="remit:" + "0" * 32,
    deadline_seconds=1.0,
)


@pytest.mark.parametrize("path", ["/v2/orders/1/confirmation", "/v2/orders/1/confirmation/", "/orders/1/CONFIRM"])
def test_confirmation_is_refused_outside_the_simulator(path: str) -> None:
    """
    Printful has no test mode: every path that charges is closed, and open against a simulator.
    """
    with pytest.raises(ToolError) as caught:
        refusals.require_draft_only(REAL, method="POST", path=path, query={})

    assert refusals.LIVE_REFUSED == caught.value.reason
    refusals.require_draft_only(SIMULATED, method="POST", path=path, query={})


@pytest.mark.parametrize("value", ["true", "1", "TRUE", "yes"])
def test_confirming_creation_is_refused_outside_the_simulator(value: str) -> None:
    """
    Version 1 of the API confirms by a query parameter.
    """
    with pytest.raises(ToolError):
        refusals.require_draft_only(REAL, method="POST", path="/orders", query={"confirm": value})


def test_drafts_and_reads_are_allowed_outside_the_simulator() -> None:
    """
    What costs nothing stays possible.
    """
    refusals.require_draft_only(REAL, method="POST", path="/v2/orders", query={})
    refusals.require_draft_only(REAL, method="POST", path="/orders", query={"confirm": "false"})
    refusals.require_draft_only(REAL, method="GET", path="/v2/orders/1", query={})


def test_overwriting_orders_is_refused_everywhere() -> None:
    """
    `update_existing` would change an order that another run made.
    """
    with pytest.raises(ToolError):
        refusals.require_draft_only(SIMULATED, method="POST", path="/orders", query={"update_existing": "true"})


@pytest.mark.parametrize(("is_test", "is_development"), [(False, True), (True, False), (False, False)])
def test_real_order_is_refused_outside_the_simulator(is_test: bool, is_development: bool) -> None:
    """
    Outside a simulator both the order and the shop must be for testing; in one, the sample order is enough.
    """
    with pytest.raises(ToolError):
        refusals.require_development_order(REAL, is_test_order=is_test, is_development_shop=is_development)

    refusals.require_development_order(SIMULATED, is_test_order=is_test, is_development_shop=is_development)


def test_live_object_counts_as_an_unknown_effect() -> None:
    """
    An answer in live mode means that something may have happened: a person must look.
    """
    with pytest.raises(ToolError) as caught:
        refusals.require_test_object("Stripe", is_live=True)

    assert ("unknown", False) == (caught.value.effect, caught.value.retryable)


@pytest.mark.parametrize("address", ["a@example.com", "a@shop.example.org", "a@x.test", "a@b.invalid", "A@EXAMPLE.COM"])
def test_reserved_domain_may_get_mail(address: str) -> None:
    """
    Reserved domains belong to nobody.
    """
    refusals.require_harmless_recipient(REAL, address)


@pytest.mark.parametrize(
    ("url", "base", "store"),
    [
        ("https://api.printful.com/stores/12", "https://api.printful.com", "12"),
        ("http://127.0.0.1:9/printful", "http://127.0.0.1:9/printful", None),
        ("http://localhost:9/printful/stores/7", "http://localhost:9/printful", "7"),
    ],
)
def test_store_is_read_from_the_endpoint(url: str, base: str, store: str | None) -> None:
    """
    The business config names the one Printful store that may be used.
    """
    endpoint = refusals.printful_endpoint(replace(CONTEXT, endpoint=url))

    assert (base, store) == (endpoint.base_url, endpoint.store_id)


@pytest.mark.parametrize("url", ["https://shop.myshopify.com", "https://SHOP.myshopify.com/"])
def test_shop_is_one_host_below_myshopify(url: str) -> None:
    """
    A shop has a host of its own.
    """
    assert not refusals.shopify_endpoint(replace(CONTEXT, endpoint=url)).is_loopback


@pytest.mark.parametrize("url", ["https://myshopify.com", "https://a.b.myshopify.com", "https://-.myshopify.com"])
def test_host_that_is_no_shop_is_refused(url: str) -> None:
    """
    Neither the parent domain nor a deeper one is a shop.
    """
    with pytest.raises(ToolError):
        refusals.shopify_endpoint(replace(CONTEXT, endpoint=url))


@pytest.mark.parametrize("value", ["two words", "line\nbreak", "\u00e9", "tab\t"])
def test_credential_that_is_no_token_is_refused(value: str) -> None:
    """
    A token with a line break would write headers of its own.
    """
    with pytest.raises(ToolError) as caught:
        refusals.require_credential(replace(CONTEXT, credentials={"token": value}), "token")

    assert value not in caught.value.message
