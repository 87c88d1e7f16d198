"""Webhook endpoints: where providers post to, and whose that is.

Owns: the table of endpoints. Does not know: secrets, only their names.
"""

from __future__ import annotations

from typing import Final

import asyncpg

from remit.ids import PrincipalId, TenantId
from remit.ports.store import WebhookEndpoint
from remit.store.database import Database
from remit.store.statements import load_statements

STATEMENTS: Final = load_statements("directory")


class PostgresEndpoints:
    """The endpoints port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put_endpoint(self, endpoint: WebhookEndpoint) -> WebhookEndpoint:
        """Create a webhook endpoint, or return the tenant's existing one of that source and secret.

        Raises:
            NotFoundError: the tenant has no such principal.
        """
        tenant_id = endpoint.tenant_id
        async with self._database.tenant(tenant_id) as session:
            await session.fetch(
                STATEMENTS,
                "put_endpoint",
                tenant_id,
                endpoint.endpoint_id,
                endpoint.source,
                endpoint.secret_name,
                endpoint.principal_id,
            )
            row = await session.fetch_row(
                STATEMENTS, "endpoint_of_source", tenant_id, endpoint.source, endpoint.secret_name
            )
        assert row is not None
        return _decode_endpoint(row)

    async def find_endpoint(self, endpoint_id: str) -> WebhookEndpoint | None:
        """Return the endpoint of this path segment, of whichever tenant it belongs to."""
        async with self._database.session() as session:
            found = await session.fetch_row(STATEMENTS, "find_endpoint", endpoint_id)
        if found is None:
            return None
        tenant_id = TenantId(found["tenant_id"])
        async with self._database.tenant(tenant_id) as session:
            row = await session.fetch_row(STATEMENTS, "get_endpoint", tenant_id, endpoint_id)
        return None if row is None else _decode_endpoint(row)

    async def list_endpoints(self, tenant_id: TenantId) -> list[WebhookEndpoint]:
        """Return a tenant's endpoints, by source and secret."""
        async with self._database.tenant(tenant_id) as session:
            rows = await session.fetch(STATEMENTS, "list_endpoints", tenant_id)
        return [_decode_endpoint(row) for row in rows]


def _decode_endpoint(row: asyncpg.Record) -> WebhookEndpoint:
    return WebhookEndpoint(
        endpoint_id=row["endpoint_id"],
        tenant_id=TenantId(row["tenant_id"]),
        source=row["source"],
        secret_name=row["secret_name"],
        principal_id=PrincipalId(row["principal_id"]),
    )
