"""The directory port: tenants, principals, definitions, policies, and where webhooks arrive.

Owns: ``Directory``, ``Endpoints`` and their records: what changes rarely.
Does not know: SQL, or what a definition or policy says; they are stored under their digest.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol

import msgspec

from remit.ids import Digest, PrincipalId, TenantId


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts. ``kind`` is human, agent or service; ``roles`` are of operator, approver, admin."""

    tenant_id: TenantId
    principal_id: PrincipalId
    kind: Literal["human", "agent", "service"]
    roles: tuple[str, ...] = ()
    active: bool = True


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """One business. ``policy_digest`` is its active business config; ``paused`` stops every action (kill switch)."""

    tenant_id: TenantId
    display_name: str
    policy_digest: Digest | None = None
    paused: bool = False


class StoredDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """One stored definition."""

    digest: Digest
    name: str
    version: str
    body: bytes
    created_at: datetime


class WebhookEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a provider posts to: an unguessable path segment of one tenant, and the name of the secret that signs."""

    endpoint_id: str
    tenant_id: TenantId
    source: str
    secret_name: str
    principal_id: PrincipalId


class Directory(Protocol):
    """What changes rarely."""

    async def create_tenant(self, tenant: Tenant) -> Tenant:
        """Create a tenant if it is absent; returns what is stored."""
        ...

    async def get_tenant(self, tenant_id: TenantId) -> Tenant:
        """Return a tenant; ``NotFoundError``."""
        ...

    async def list_tenants(self) -> list[Tenant]:
        """Return all tenants (operators of the installation only)."""
        ...

    async def pause_tenant(self, tenant_id: TenantId, *, paused: bool) -> Tenant:
        """Set or lift the kill switch."""
        ...

    async def put_principal(self, principal: Principal) -> Principal:
        """Create or replace a principal."""
        ...

    async def get_principal(self, tenant_id: TenantId, principal_id: PrincipalId) -> Principal:
        """Return a principal; ``NotFoundError``."""
        ...

    async def list_principals(self, tenant_id: TenantId) -> list[Principal]:
        """Return a tenant's principals."""
        ...

    async def create_api_key(self, tenant_id: TenantId, principal_id: PrincipalId) -> str:
        """Return a new key (32 random bytes); only its SHA-256 is stored."""
        ...

    async def authenticate(self, api_key: str) -> Principal:
        """Return whose key this is; ``UnauthenticatedError``. The tenant comes from here and nowhere else."""
        ...

    async def put_definition(
        self, tenant_id: TenantId, *, name: str, version: str, digest: Digest, body: bytes
    ) -> StoredDefinition:
        """Store a definition (the same digest once) and make it the newest of its name."""
        ...

    async def get_definition(
        self, tenant_id: TenantId, *, digest: Digest | None = None, name: str | None = None
    ) -> StoredDefinition:
        """Return a definition by digest, or the newest by name; ``NotFoundError``."""
        ...

    async def list_definitions(self, tenant_id: TenantId) -> list[StoredDefinition]:
        """Return the newest definition of each name."""
        ...

    async def put_policy(self, tenant_id: TenantId, *, digest: Digest, body: bytes) -> None:
        """Store a compiled business config and make it the active one."""
        ...

    async def get_policy(self, tenant_id: TenantId, digest: Digest) -> bytes:
        """Return a stored business config; ``NotFoundError``."""
        ...


class Endpoints(Protocol):
    """Where webhooks arrive, and whose they are."""

    async def put_endpoint(self, endpoint: WebhookEndpoint) -> WebhookEndpoint:
        """Create a webhook endpoint, or return the tenant's existing one of that source and secret."""
        ...

    async def find_endpoint(self, endpoint_id: str) -> WebhookEndpoint | None:
        """Return the endpoint of this path segment, of whichever tenant it belongs to."""
        ...

    async def list_endpoints(self, tenant_id: TenantId) -> list[WebhookEndpoint]:
        """Return a tenant's endpoints, by source and secret."""
        ...
