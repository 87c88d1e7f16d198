"""The tool port: what the pipeline calls, and what a tool gets.

Owns: ``Tool``, ``ToolContext``, ``ToolResult``, ``LookupResult``.
Does not know: the pipeline. Only the pipeline calls tools.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from remit.core.canonical import JsonValue
from remit.core.facts import OutboxMessage
from remit.governance.contracts import ToolContract
from remit.ids import PrincipalId, RunId, StepId, TenantId
from remit.ports.outbox import message_id_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """What one call may know beside its arguments.

    ``idempotency_key`` is ours; ``external_key`` is what a provider gets (the same for every attempt of the slot).
    ``credentials`` holds only the entries that the contract names, of this tenant: never log or return them.
    ``endpoint`` is the base URL the tenant configured for the contract's endpoint, if any.
    ``deadline_seconds`` is the time left for this call. ``reference`` is a short id, safe for a provider's metadata.
    """

    tenant_id: TenantId
    run_id: RunId
    step: StepId
    attempt: int
    slot: int
    principal_id: PrincipalId
    correlation_id: str
    idempotency_key: str
    external_key: str
    deadline_seconds: float
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    endpoint: str | None = None
    network: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        """Return 32 hex characters of the external key: what look-ups search for."""
        return self.external_key[-32:]

    def message_id(self, ordinal: int = 1) -> str:
        """Return the id that the n-th outbox message of this call will have, at each attempt of it."""
        return message_id_of(self.run_id, self.step, self.slot, ordinal)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """A finished call: its output, and what the provider calls it.

    ``cost_usd_micros`` adds to the contract's own cost. ``outbox`` is what a ``local`` tool publishes: durable with the
    step or not at all, and then delivered at least once to whoever subscribes.
    """

    output: JsonValue
    external_reference: str | None = None
    tokens: int = 0
    cost_usd_micros: int = 0
    outbox: tuple[OutboxMessage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupResult:
    """What a look-up found: ``result`` is the effect's result, or ``None`` when it is proven absent."""

    result: ToolResult | None


class Tool(Protocol):
    """One version of a tool: its contract, its call, and for ``queryable`` (and old ``keyed``) calls its look-up."""

    @property
    def contract(self) -> ToolContract:
        """Return the contract; the same object each time."""
        ...

    async def call(self, arguments: Mapping[str, JsonValue], context: ToolContext) -> ToolResult:
        """Do the work once.

        Raises:
            ToolError: the work failed; the error says whether an effect is possible and whether to try again.
        """
        ...

    @property
    def lookup(self) -> Callable[[Mapping[str, JsonValue], ToolContext], Awaitable[LookupResult]] | None:
        """Return the read-only search for this call's effect by ``context.reference``, or ``None`` if there is none."""
        ...


class ToolSource(Protocol):
    """Where tools are found by name and version."""

    def get(self, name: str, version: str | None = None) -> Tool:
        """Return a tool, the newest version if none is named; ``NotFoundError`` with the nearest name."""
        ...

    def list(self) -> Sequence[Tool]:
        """Return every tool, by name and version."""
        ...
