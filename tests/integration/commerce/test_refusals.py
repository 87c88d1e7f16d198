"""What is refused before a byte leaves: the provider's book must show no request at all."""

from dataclasses import replace

import pytest

from remit.errors import ToolError
from tests.integration.commerce.calling import CONFIRM, DRAFT, HOLD, MAIL, ORDER, TOOLS, Shop, draft, mail, payment

CALLS = {
    HOLD: payment(),
    DRAFT: draft(),
    CONFIRM: {"order_id": "100001", "cost_max_minor": 5000},
    ORDER: {"order_id": "1001"},
    MAIL: mail(),
}


@pytest.mark.parametrize("key", ["sk_live_1", "rk_live_1", "pk_test_1", "sk_test_1 ", "whsec_1", "", "sk_test_\u00e9"])
async def test_stripe_key_that_is_no_test_key_is_never_sent(shop: Shop, key: str) -> None:
    """
    Only secret and restricted test keys are used, even against a simulator.
    """
    before = len(shop.simulators.book("stripe")["requests"])
    context = replace(shop.context(TOOLS[HOLD], "hold"), credentials={"stripe_api_key": key})

    with pytest.raises(ToolError) as caught:
        await TOOLS[HOLD].call(payment(), context)

    assert ("none", False) == (caught.value.effect, caught.value.retryable)
    assert key not in caught.value.message or not key
    assert before == len(shop.simulators.book("stripe")["requests"])


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://api.stripe.com.evil.example",
        "https://evil.example/api.stripe.com",
        "http://api.stripe.com",
        "https://user@api.stripe.com",
        "https://api.stripe.com:8443",
        "https://127.0.0.1.nip.io",
        "http://[::ffff:10.0.0.1]",
        "http://169.254.169.254",
        "https://10.0.0.1",
        "ftp://127.0.0.1",
        "http://127.0.0.1/#fragment",
        "",
    ],
)
@pytest.mark.parametrize("tool", [HOLD, DRAFT, ORDER, MAIL])
async def test_foreign_host_is_never_connected_to(shop: Shop, tool: str, endpoint: str) -> None:
    """
    A provider's client speaks to its provider over https, or to this machine, and to nobody else.
    """
    context = replace(shop.context(TOOLS[tool], "key"), endpoint=endpoint)

    with pytest.raises(ToolError) as caught:
        await TOOLS[tool].call(CALLS[tool], context)

    assert ("LIVE_REFUSED", "none", False) == (caught.value.reason, caught.value.effect, caught.value.retryable)


@pytest.mark.parametrize("tool", [HOLD, DRAFT, ORDER, MAIL])
async def test_missing_endpoint_is_refused(shop: Shop, tool: str) -> None:
    """
    There is no default host: a business names the endpoints that it uses.
    """
    context = replace(shop.context(TOOLS[tool], "key"), endpoint=None)

    with pytest.raises(ToolError) as caught:
        await TOOLS[tool].call(CALLS[tool], context)

    assert ("ENDPOINT_MISSING", "none") == (caught.value.reason, caught.value.effect)


@pytest.mark.parametrize("recipient", ["bob.norman@hostmail.com", "bob@example.com.evil", "bob@myexample.com"])
async def test_mail_to_a_real_domain_is_refused_outside_the_simulator(shop: Shop, recipient: str) -> None:
    """
    Outside a simulator only reserved domains may get mail, and that in the sandbox.
    """
    context = replace(shop.context(TOOLS[MAIL], "mail"), endpoint="https://api.sendgrid.com")

    with pytest.raises(ToolError) as caught:
        await TOOLS[MAIL].call(mail(to=recipient), context)

    assert "LIVE_REFUSED" == caught.value.reason


async def test_printful_outside_the_simulator_needs_its_store(shop: Shop) -> None:
    """
    The real Printful is spoken to only for the one store that the business config names.
    """
    context = replace(shop.context(TOOLS[DRAFT], "draft"), endpoint="https://api.printful.com")

    with pytest.raises(ToolError, match="/stores/12") as caught:
        await TOOLS[DRAFT].call(draft(), context)

    assert "LIVE_REFUSED" == caught.value.reason


async def test_store_of_the_endpoint_is_sent_and_checked(shop: Shop) -> None:
    """
    The configured store travels with each request; another store than the token's is refused by Printful.
    """
    url = shop.simulators.endpoints()["printful"]
    own = replace(shop.context(TOOLS[DRAFT], "draft"), endpoint=f"{url}/stores/12")
    other = replace(shop.context(TOOLS[DRAFT], "draft"), endpoint=f"{url}/stores/13")

    with pytest.raises(ToolError) as caught:
        await TOOLS[DRAFT].call(draft(), other)
    await TOOLS[DRAFT].call(draft(), own)

    assert "http_403" == caught.value.reason
    assert 1 == len(shop.effects(DRAFT))
