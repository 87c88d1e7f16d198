"""The secrets port: references in, values out, at call time and never stored."""

from __future__ import annotations

from typing import Protocol

from remit.ids import TenantId


class Secrets(Protocol):
    """Where a tenant's credentials and webhook secrets come from."""

    def resolve(self, tenant_id: TenantId, name: str) -> str:
        """Return the value of a tenant's named secret.

        Raises:
            NotFoundError: there is none; the message names the place where it was looked for, never a value.
        """
        ...

    def known_values(self) -> frozenset[str]:
        """Return the values resolved so far, for the redactor."""
        ...
