"""The webhook port: how a provider's deliveries are verified and read.

Owns: ``WebhookSource``. Verification sees the raw bytes before any parsing.
Does not know: HTTP servers, tenants, stores.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from remit.ports.inbox import InboundEvent


class WebhookSource(Protocol):
    """One provider's webhooks. Header names arrive in lower case."""

    @property
    def name(self) -> str:
        """Return the source's name, such as ``shopify``; also the first part of its events' names."""
        ...

    def verify(self, *, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> None:
        """Check the signature over the raw bytes in constant time, and the replay window if the provider has one.

        Raises:
            SignatureInvalidError: missing, malformed, wrong or outside the window.
        """
        ...

    def parse(self, *, headers: Mapping[str, str], body: bytes) -> InboundEvent:
        """Read a verified delivery: its name, provider-specific duplicate key, instant and correlation keys.

        Raises:
            JsonSyntaxError: the body is not strict JSON.
            InputInvalidError: required headers or fields are missing, or it is a live (non-test) object.
        """
        ...
