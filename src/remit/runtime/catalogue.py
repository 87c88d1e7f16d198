"""What a worker keeps in memory of things that rarely change: programs by digest, and each tenant's policy.

Owns: both caches. A policy is read again at most every ``REFRESH_SECONDS``, so that a kill switch or a new business
config takes effect within that time; programs are immutable and kept.
"""

from __future__ import annotations

from typing import Final

import msgspec

from remit.clock import Clock
from remit.core.program import Program, load_program
from remit.errors import NotFoundError
from remit.governance.policy import BusinessConfig, decode_policy
from remit.ids import Digest, TenantId
from remit.ports.store import Directory
from remit.runtime.shared_answers import SharedAnswers

REFRESH_SECONDS: Final = 1.0
PROGRAMS_MAX: Final = 1_000


class ActivePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's business config in force; ``config`` is ``None`` if it has none (then nothing is permitted)."""

    digest: Digest
    config: BusinessConfig | None
    is_paused: bool


class Catalogue:
    """Caches over the directory."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._programs: dict[tuple[TenantId, Digest], Program] = {}
        self._policies: dict[TenantId, tuple[float, ActivePolicy]] = {}
        self._configs: dict[tuple[TenantId, Digest], BusinessConfig] = {}
        self._refreshes: SharedAnswers[TenantId, ActivePolicy] = SharedAnswers()

    async def program(self, tenant_id: TenantId, digest: Digest) -> Program:
        """Return a definition's program; ``NotFoundError`` if the tenant has no such definition."""
        program = self._programs.get((tenant_id, digest))
        if program is None:
            stored = await self._directory.get_definition(tenant_id, digest=digest)
            program = load_program(stored.body)
            if len(self._programs) >= PROGRAMS_MAX:
                self._programs.pop(next(iter(self._programs)))
            self._programs[(tenant_id, digest)] = program
        return program

    def fresh_policy(self, tenant_id: TenantId) -> ActivePolicy | None:
        """Return the cached policy if it is young enough, without waiting."""
        cached = self._policies.get(tenant_id)
        if cached is None or self._clock.monotonic() - cached[0] > REFRESH_SECONDS:
            return None
        return cached[1]

    async def policy(self, tenant_id: TenantId) -> ActivePolicy:
        """Return the policy in force, at most ``REFRESH_SECONDS`` old."""
        policy = self.fresh_policy(tenant_id)
        if policy is None:
            policy = await self._refreshes.ask(tenant_id, lambda: self.refresh(tenant_id))
        return policy

    async def refresh(self, tenant_id: TenantId) -> ActivePolicy:
        """Read the policy now."""
        asked = self._clock.monotonic()
        tenant = await self._directory.get_tenant(tenant_id)
        config = None
        if tenant.policy_digest is not None:
            config = await self.config(tenant_id, tenant.policy_digest)
        policy = ActivePolicy(digest=tenant.policy_digest or Digest(""), config=config, is_paused=tenant.paused)
        self._policies[tenant_id] = (asked, policy)
        return policy

    async def config(self, tenant_id: TenantId, digest: Digest) -> BusinessConfig:
        """Return a stored business config by digest.

        Raises:
            NotFoundError: the tenant has none of this digest.
        """
        config = self._configs.get((tenant_id, digest))
        if config is None:
            body = await self._directory.get_policy(tenant_id, digest)
            try:
                config = decode_policy(body)
            except msgspec.ValidationError as error:
                raise NotFoundError(f"business config {digest} does not decode: {error}") from error
            self._configs[(tenant_id, digest)] = config
        return config

    def forget(self, tenant_id: TenantId) -> None:
        """Read the tenant's policy again at the next use."""
        self._policies.pop(tenant_id, None)
        self._refreshes.forget(tenant_id)
