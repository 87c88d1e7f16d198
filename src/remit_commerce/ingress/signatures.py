"""What all webhook signatures share: several secrets, constant time, a size limit.

Owns: how a tenant's webhook secret is read and how signatures are compared. Does not know: any provider's header.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from remit.core import strict_json
from remit.core.canonical import JsonValue
from remit.errors import InputInvalidError, SignatureInvalidError

BODY_BYTES_MAX: Final = 256 * 1024
"""Largest body that is looked at: Shopify's largest orders stay below."""

BODY_DEPTH_MAX: Final = 64
SECRETS_MAX: Final = 8
"""Secrets valid at the same time while one replaces another; bounds the work that a forged request causes."""

CANDIDATES_MAX: Final = 16


def valid_secrets(secret: str) -> list[str]:
    """Return the secrets of an endpoint: one a line, so that a new one can be valid before the old one ends.

    Raises:
        SignatureInvalidError: there is none, or more than `SECRETS_MAX`.
    """
    found = [line.strip() for line in secret.splitlines() if line.strip()]
    if not 0 < len(found) <= SECRETS_MAX:
        raise SignatureInvalidError(f"expected 1 to {SECRETS_MAX} webhook secrets, one a line, got {len(found)}")
    return found


def require_size(body: bytes) -> None:
    """Refuse a body that is too large before anything is computed over it."""
    if len(body) > BODY_BYTES_MAX:
        raise InputInvalidError(
            f"expected a webhook of at most {BODY_BYTES_MAX} bytes, got {len(body)}", bytes=len(body)
        )


def require_match(given: Iterable[str], expected: Iterable[bytes]) -> None:
    """Return if any given signature equals any expected one; every pair is compared, each in constant time.

    Raises:
        SignatureInvalidError: none does. The message says nothing about the expected one.
    """
    candidates = [text.encode("utf-8", "replace") for text in given]
    if len(candidates) > CANDIDATES_MAX:
        raise SignatureInvalidError(f"expected at most {CANDIDATES_MAX} signatures, got {len(candidates)}")
    matches = [hmac.compare_digest(candidate, value) for value in expected for candidate in candidates]
    if not any(matches):
        raise SignatureInvalidError("the signature does not match the body; check the endpoint's webhook secret")


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """Return the HMAC-SHA256 digest."""
    return hmac.new(key, message, hashlib.sha256).digest()


def read_body(body: bytes) -> dict[str, JsonValue]:
    """Return a verified body as a JSON object.

    Raises:
        JsonSyntaxError: it is not strict JSON.
        InputInvalidError: it is too large, or not an object.
    """
    require_size(body)
    value = strict_json.parse(body, bytes_max=BODY_BYTES_MAX, depth_max=BODY_DEPTH_MAX)
    if not isinstance(value, dict):
        raise InputInvalidError(f"expected a JSON object, got {type(value).__name__}")
    return value
