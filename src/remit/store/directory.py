"""What changes rarely: tenants, principals, keys, definitions, business configs.

Owns: their tables. API keys are stored as SHA-256 only.
Does not know: what a definition or a business config says.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Final

import asyncpg

from remit.errors import NotFoundError, UnauthenticatedError
from remit.ids import Digest, PrincipalId, TenantId
from remit.ports.store import Principal, StoredDefinition, Tenant
from remit.store.database import Database
from remit.store.statements import load_statements

STATEMENTS: Final = load_statements("directory")
API_KEY_BYTES: Final = 32


class PostgresDirectory:
    """The directory port on PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_tenant(self, tenant: Tenant) -> Tenant:
        """Create a tenant if it is absent; returns what is stored."""
        async with self._database.tenant(tenant.tenant_id) as session:
            await session.fetch(
                STATEMENTS, "create_tenant", tenant.tenant_id, tenant.display_name, tenant.policy_digest, tenant.paused
            )
        return await self.get_tenant(tenant.tenant_id)

    async def get_tenant(self, tenant_id: TenantId) -> Tenant:
        """Return a tenant.

        Raises:
            NotFoundError: there is none of this id.
        """
        async with self._database.tenant(tenant_id) as session:
            row = await session.fetch_row(STATEMENTS, "get_tenant", tenant_id)
        if row is None:
            raise NotFoundError(f"expected a tenant, got {tenant_id!r}", tenant_id=tenant_id)
        return _decode_tenant(row)

    async def list_tenants(self) -> list[Tenant]:
        """Return all tenants; for operators of the installation only."""
        async with self._database.session() as session:
            rows = await session.fetch(STATEMENTS, "list_tenants")
        return [await self.get_tenant(TenantId(row["tenant_id"])) for row in rows]

    async def pause_tenant(self, tenant_id: TenantId, *, paused: bool) -> Tenant:
        """Set or lift the kill switch."""
        async with self._database.tenant(tenant_id) as session:
            await session.fetch(STATEMENTS, "pause_tenant", tenant_id, paused)
        return await self.get_tenant(tenant_id)

    async def put_principal(self, principal: Principal) -> Principal:
        """Create or replace a principal."""
        async with self._database.tenant(principal.tenant_id) as session:
            await session.fetch(
                STATEMENTS,
                "put_principal",
                principal.tenant_id,
                principal.principal_id,
                principal.kind,
                list(principal.roles),
                principal.active,
            )
        return principal

    async def get_principal(self, tenant_id: TenantId, principal_id: PrincipalId) -> Principal:
        """Return a principal.

        Raises:
            NotFoundError: the tenant has none of this id.
        """
        async with self._database.tenant(tenant_id) as session:
            row = await session.fetch_row(STATEMENTS, "get_principal", tenant_id, principal_id)
        if row is None:
            raise NotFoundError(f"expected a principal of {tenant_id}, got {principal_id!r}", principal_id=principal_id)
        return _decode_principal(row)

    async def list_principals(self, tenant_id: TenantId) -> list[Principal]:
        """Return a tenant's principals by id."""
        async with self._database.tenant(tenant_id) as session:
            rows = await session.fetch(STATEMENTS, "list_principals", tenant_id)
        return [_decode_principal(row) for row in rows]

    async def create_api_key(self, tenant_id: TenantId, principal_id: PrincipalId) -> str:
        """Return a new key; it cannot be read again."""
        key = secrets.token_urlsafe(API_KEY_BYTES)
        async with self._database.tenant(tenant_id) as session:
            await session.fetch(STATEMENTS, "create_api_key", tenant_id, _key_digest(key), principal_id)
        return key

    async def authenticate(self, api_key: str) -> Principal:
        """Return whose key this is.

        Raises:
            UnauthenticatedError: the key is unknown or revoked, or its principal is inactive.
        """
        async with self._database.session() as session:
            row = await session.fetch_row(STATEMENTS, "authenticate", _key_digest(api_key))
        if row is None:
            raise UnauthenticatedError("expected a known API key")
        principal = await self.get_principal(TenantId(row["tenant_id"]), PrincipalId(row["principal_id"]))
        if not principal.active:
            raise UnauthenticatedError("expected an active principal")
        return principal

    async def put_definition(
        self, tenant_id: TenantId, *, name: str, version: str, digest: Digest, body: bytes
    ) -> StoredDefinition:
        """Store a definition, the same digest once, and make it the newest of its name."""
        async with self._database.tenant(tenant_id) as session:
            row = await session.fetch_row(STATEMENTS, "put_definition", tenant_id, digest, name, version, body)
        assert row is not None
        return _decode_definition(row)

    async def get_definition(
        self, tenant_id: TenantId, *, digest: Digest | None = None, name: str | None = None
    ) -> StoredDefinition:
        """Return a definition by digest, or the newest by name.

        Raises:
            NotFoundError: the tenant has no such definition.
        """
        statement, wanted = ("get_definition", digest) if digest is not None else ("newest_definition", name)
        async with self._database.tenant(tenant_id) as session:
            row = await session.fetch_row(STATEMENTS, statement, tenant_id, wanted)
        if row is None:
            raise NotFoundError(f"expected a definition of {tenant_id}, got {wanted!r}", definition=wanted)
        return _decode_definition(row)

    async def list_definitions(self, tenant_id: TenantId) -> list[StoredDefinition]:
        """Return the newest definition of each name, by name."""
        async with self._database.tenant(tenant_id) as session:
            rows = await session.fetch(STATEMENTS, "list_definitions", tenant_id)
        return [_decode_definition(row) for row in rows]

    async def put_policy(self, tenant_id: TenantId, *, digest: Digest, body: bytes) -> None:
        """Store a compiled business config and make it the active one."""
        async with self._database.tenant(tenant_id) as session:
            await session.fetch(STATEMENTS, "put_policy", tenant_id, digest, body)
            await session.fetch(STATEMENTS, "activate_policy", tenant_id, digest)

    async def get_policy(self, tenant_id: TenantId, digest: Digest) -> bytes:
        """Return a stored business config.

        Raises:
            NotFoundError: the tenant has none of this digest.
        """
        async with self._database.tenant(tenant_id) as session:
            row = await session.fetch_row(STATEMENTS, "get_policy", tenant_id, digest)
        if row is None:
            raise NotFoundError(f"expected a business config of {tenant_id}, got {digest}", digest=digest)
        body: bytes = row["body"]
        return body


def _key_digest(api_key: str) -> bytes:
    return sha256(api_key.encode("utf-8", errors="replace")).digest()


def _decode_tenant(row: asyncpg.Record) -> Tenant:
    policy = row["policy_digest"]
    return Tenant(
        tenant_id=TenantId(row["tenant_id"]),
        display_name=row["display_name"],
        policy_digest=None if policy is None else Digest(policy),
        paused=row["paused"],
    )


def _decode_principal(row: asyncpg.Record) -> Principal:
    return Principal(
        tenant_id=TenantId(row["tenant_id"]),
        principal_id=PrincipalId(row["principal_id"]),
        kind=row["kind"],
        roles=tuple(row["roles"]),
        active=row["active"],
    )


def _decode_definition(row: asyncpg.Record) -> StoredDefinition:
    return StoredDefinition(
        digest=Digest(row["digest"]),
        name=row["name"],
        version=row["version"],
        body=row["body"],
        created_at=row["created_at"],
    )
