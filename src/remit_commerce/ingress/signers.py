"""Signing as the providers do: for simulators and tests.

Owns: the headers with which each provider would send a body. Does not know: who receives it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeAlias

from remit.errors import NotFoundError
from remit_commerce.ingress.signatures import hmac_sha256

Signer: TypeAlias = Callable[[bytes, str, datetime], dict[str, str]]


def sign(source: str, *, body: bytes, secret: str, now: datetime) -> dict[str, str]:
    """Return the signature headers of a body under one secret.

    Raises:
        NotFoundError: no such source.
    """
    signer = SIGNERS.get(source)
    if signer is None:
        raise NotFoundError(f"expected one of {', '.join(SIGNERS)}, got {source!r}", source=source)
    return signer(body, secret, now)


def _shopify(body: bytes, secret: str, _: datetime) -> dict[str, str]:
    return {"X-Shopify-Hmac-Sha256": base64.b64encode(hmac_sha256(secret.encode(), body)).decode()}


def _printful(body: bytes, secret: str, _: datetime) -> dict[str, str]:
    # The public key names the webhook configuration; it is no part of the signature.
    signature = hmac_sha256(bytes.fromhex(secret), body).hex()
    return {"x-pf-webhook-signature": signature, "x-pf-webhook-public-key": base64.b64encode(b"simulator").decode()}


def _stripe(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    timestamp = int(now.timestamp())
    signature = hmac_sha256(secret.encode(), f"{timestamp}.".encode() + body).hex()
    return {"Stripe-Signature": f"t={timestamp},v1={signature}"}


SIGNERS: Final[dict[str, Signer]] = {"shopify": _shopify, "printful": _printful, "stripe": _stripe}
"""Who signs how, by source."""
