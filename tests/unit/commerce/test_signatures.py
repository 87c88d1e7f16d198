"""Webhook signatures: each provider's algorithm, and everything that is not one."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from remit.errors import InputInvalidError, RemitError, SignatureInvalidError
from remit.ports.webhook import WebhookSource
from remit_commerce.ingress.printful import PrintfulWebhooks
from remit_commerce.ingress.shopify import ShopifyWebhooks
from remit_commerce.ingress.signatures import BODY_BYTES_MAX
from remit_commerce.ingress.signers import sign
from remit_commerce.ingress.stripe import StripeWebhooks

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BODY = b'{"id": 1, "text": "\xc3\xa9"}'
SECRETS = {"shopify": "shpss_current", "printful": "00ff" * 16, "stripe": "whsec_current"}
OLD_SECRETS = {"shopify": "shpss_old", "printful": "11ee" * 16, "stripe": "whsec_old"}
SOURCES: dict[str, WebhookSource] = {
    "shopify": ShopifyWebhooks(),
    "printful": PrintfulWebhooks(),
    "stripe": StripeWebhooks(),
}

# RFC 4231, test case 2.
RFC_KEY, RFC_MESSAGE = "Jefe", b"what do ya want for nothing?"
RFC_DIGEST = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def signed(source: str, body: bytes = BODY, *, secret: str | None = None, now: datetime = NOW) -> dict[str, str]:
    headers = sign(source, body=body, secret=secret or SECRETS[source], now=now)
    return {name.lower(): value for name, value in headers.items()}


def verify(source: str, headers: dict[str, str], body: bytes = BODY, *, secret: str | None = None) -> None:
    SOURCES[source].verify(headers=headers, body=body, secret=secret or SECRETS[source], now=NOW)


def test_shopify_signature_is_base64_of_the_rfc_vector() -> None:
    """
    Shopify: base64 of HMAC-SHA256 under the secret as text.
    """
    header = base64.b64encode(bytes.fromhex(RFC_DIGEST)).decode()

    verify("shopify", {"x-shopify-hmac-sha256": header}, RFC_MESSAGE, secret=RFC_KEY)
    verify("shopify", {"shopify-hmac-sha256": header}, RFC_MESSAGE, secret=RFC_KEY)


def test_printful_signature_is_hex_under_the_decoded_secret() -> None:
    """
    Printful: hex of HMAC-SHA256 under the bytes that the hex secret stands for.
    """
    verify("printful", {"x-pf-webhook-signature": RFC_DIGEST}, RFC_MESSAGE, secret=RFC_KEY.encode().hex())


def test_stripe_signature_agrees_with_the_vendors_library() -> None:
    """
    What Stripe's own library signs is accepted, and what ours signs is accepted by it.
    """
    timestamp = int(NOW.timestamp())
    theirs = stripe.WebhookSignature.generate_signature_header(BODY.decode(), SECRETS["stripe"], timestamp)

    verify("stripe", {"stripe-signature": theirs})

    assert stripe.WebhookSignature.verify_header(BODY, signed("stripe")["stripe-signature"], SECRETS["stripe"])


@pytest.mark.parametrize("source", SOURCES)
def test_signature_of_any_valid_secret_is_accepted(source: str) -> None:
    """
    While a secret is being replaced, both the old and the new one sign.
    """
    both = f"\n{SECRETS[source]}\n{OLD_SECRETS[source]}\n"

    verify(source, signed(source), secret=both)
    verify(source, signed(source, secret=OLD_SECRETS[source]), secret=both)

    with pytest.raises(SignatureInvalidError):
        verify(source, signed(source, secret=OLD_SECRETS[source]))


@pytest.mark.parametrize("source", SOURCES)
@given(data=st.data())
def test_any_changed_byte_is_refused(source: str, data: st.DataObject) -> None:
    """
    A signature holds for exactly its bytes: no flip, no white space, no other encoding of the same JSON.
    """
    place = data.draw(st.integers(min_value=0, max_value=len(BODY) - 1))
    flip = data.draw(st.integers(min_value=1, max_value=255))
    changed = BODY[:place] + bytes([BODY[place] ^ flip]) + BODY[place + 1 :]

    for body in (changed, BODY + b"\n", b" " + BODY, BODY[:-1]):
        with pytest.raises(SignatureInvalidError):
            verify(source, signed(source), body)


FORGERIES: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "no header": lambda _: {},
    "empty": lambda headers: dict.fromkeys(headers, ""),
    "garbage": lambda headers: dict.fromkeys(headers, "\u00e9\x00=,=,t=,v1="),
    "cut": lambda headers: {name: value[:-1] for name, value in headers.items()},
    "longer": lambda headers: {name: value + "0" for name, value in headers.items()},
    "zeros": lambda headers: dict.fromkeys(headers, "0" * 64),
    "huge": lambda headers: dict.fromkeys(headers, "v1=0," * 100_000),
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
@pytest.mark.parametrize("source", SOURCES)
def test_forged_header_is_refused(source: str, forgery: Callable[[dict[str, str]], dict[str, str]]) -> None:
    """
    A missing, malformed or wrong signature is refused as such, and the message tells nothing about the right one.
    """
    genuine = signed(source)

    with pytest.raises(SignatureInvalidError) as caught:
        verify(source, forgery(genuine))

    assert all(value not in str(caught.value) for value in genuine.values())
    assert SECRETS[source] not in str(caught.value)


@pytest.mark.parametrize("seconds", [-301, 301, 3600, -86400, 10**9])
def test_stripe_timestamp_outside_the_window_is_refused(seconds: int) -> None:
    """
    Both sides of five minutes are closed; Stripe's own library lets the future in.
    """
    headers = signed("stripe", now=NOW + timedelta(seconds=seconds))

    with pytest.raises(SignatureInvalidError, match="300"):
        verify("stripe", headers)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_stripe_timestamp_within_the_window_is_accepted(seconds: int) -> None:
    """
    Five minutes either side are within the window.
    """
    verify("stripe", signed("stripe", now=NOW + timedelta(seconds=seconds)))


def test_stripe_header_with_several_signatures_needs_one_match() -> None:
    """
    While Stripe rolls a secret it sends several `v1`; other schemes never count.
    """
    timestamp, _, right = signed("stripe")["stripe-signature"].partition(",v1=")

    verify("stripe", {"stripe-signature": f"{timestamp},v1={'0' * 64},v1={right}"})

    with pytest.raises(SignatureInvalidError):
        verify("stripe", {"stripe-signature": f"{timestamp},v0={right}"})
    with pytest.raises(SignatureInvalidError):
        verify("stripe", {"stripe-signature": f"{timestamp},t=1,v1={right}"})


@pytest.mark.parametrize("source", SOURCES)
def test_oversized_body_is_refused_before_it_is_hashed(source: str) -> None:
    """
    More than 256 KiB is not looked at, however well it is signed.
    """
    body = b"x" * (BODY_BYTES_MAX + 1)

    with pytest.raises(InputInvalidError):
        verify(source, signed(source, body), body)


@pytest.mark.parametrize("secret", ["", "\n \n", "\n".join(["ab"] * 9)])
@pytest.mark.parametrize("source", SOURCES)
def test_endpoint_without_a_usable_secret_accepts_nothing(source: str, secret: str) -> None:
    """
    No secret is not an open door, and their number is limited.
    """
    with pytest.raises(RemitError):
        SOURCES[source].verify(headers=signed(source), body=BODY, secret=secret, now=NOW)


def test_printful_secret_that_is_not_hex_accepts_nothing() -> None:
    """
    A secret that cannot be decoded is an error of configuration, not a key.
    """
    with pytest.raises(SignatureInvalidError, match="hex"):
        verify("printful", signed("printful"), secret="not hex")
