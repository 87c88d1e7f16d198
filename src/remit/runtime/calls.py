"""One call on its way through the pipeline, and the keys that make it happen once.

Owns: ``Call``, the book of tools with what is derived from each contract, and the recipes of idempotency keys.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal

import msgspec

from remit.core.canonical import JsonValue
from remit.core.commands import CallTool
from remit.core.definition import ToolStep
from remit.core.program import Program
from remit.core.state import RunUsage
from remit.core.states import DeliveryClass, Idempotency
from remit.governance.contracts import ToolContract, contract_digest
from remit.governance.policy import BusinessConfig
from remit.ids import Digest, RunId, TenantId
from remit.ports.tool import Tool, ToolSource

KEY_SEPARATOR: Final = ":"


class ToolEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A tool with what follows from its contract.

    ``needs_intent``: a durable intent comes before the call, to say that it may have been made or to reserve its key.
    """

    tool: Tool
    contract: ToolContract
    contract_digest: Digest
    needs_intent: bool
    acts_outside: bool


class ToolBook:
    """The registry as the pipeline reads it: one entry per name and version, made once."""

    def __init__(self, tools: ToolSource) -> None:
        self._tools = tools
        self._entries: dict[tuple[str, str], ToolEntry] = {}
        self._missing: dict[Digest, list[str]] = {}

    def find(self, name: str, version: str) -> ToolEntry:
        """Return a tool's entry; ``NotFoundError`` with the nearest name."""
        entry = self._entries.get((name, version))
        if entry is None:
            tool = self._tools.get(name, version)
            contract = tool.contract
            entry = ToolEntry(
                tool=tool,
                contract=contract,
                contract_digest=contract_digest(contract),
                needs_intent=acts_outside(contract) or reserves_key(contract),
                acts_outside=acts_outside(contract),
            )
            self._entries[(name, version)] = entry
        return entry

    def missing(self, program: Program) -> list[str]:
        """Return the names of a definition's tools that this process does not have."""
        missing = self._missing.get(program.digest)
        if missing is None:
            names = {step.step.tool for step in program.steps.values() if isinstance(step.step, ToolStep)}
            missing = sorted(names - {tool.contract.name for tool in self._tools.list()})
            self._missing[program.digest] = missing
        return missing


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call: the command, and everything that was resolved for it.

    ``arguments`` are the command's bytes, read; ``timeout_ms`` is the step's, or else the contract's. ``doubt`` is
    ``open`` when the effect may be there already (sent by a process that is gone, or by an attempt before), and
    ``cleared`` when a look-up proved it absent a moment ago.
    """

    command: CallTool
    tenant_id: TenantId
    run_id: RunId
    principal_id: str
    entry: ToolEntry
    policy_digest: Digest
    config: BusinessConfig
    arguments: dict[str, JsonValue]
    timeout_ms: int
    doubt: Literal["none", "open", "cleared"] = "none"

    def in_doubt(self, doubt: Literal["open", "cleared"]) -> Call:
        """Return the same call with what is known of its effect."""
        return replace(self, doubt=doubt)

    @cached_property
    def arguments_digest(self) -> str:
        """SHA-256 of the canonical argument bytes."""
        return hashlib.sha256(self.command.arguments).hexdigest()

    @property
    def endpoint(self) -> str | None:
        """The base URL that the business config names for the contract's endpoint."""
        name = self.entry.contract.endpoint
        return None if name is None else self.config.endpoints.get(name)

    @property
    def credential_name(self) -> str | None:
        """The secret's name that the business config gives for the contract's credential."""
        name = self.entry.contract.credential
        return None if name is None else self.config.credentials.get(name, name)


class UsageView(msgspec.Struct, frozen=True, kw_only=True):
    """The run's usage as one call sees it: calls begun after it do not count against it."""

    steps: int
    tool_calls: int
    tokens: int
    cost_usd_micros: int
    active_ms: int
    calls_by_tool: dict[str, int]

    @classmethod
    def of(cls, usage: RunUsage, command: CallTool, *, tool: str) -> UsageView:
        """Return the view of one call."""
        return cls(
            steps=command.step_number,
            tool_calls=command.call_number,
            tokens=usage.tokens,
            cost_usd_micros=usage.cost_usd_micros,
            active_ms=usage.active_ms,
            calls_by_tool={tool: command.call_number_of_tool},
        )


def acts_outside(contract: ToolContract) -> bool:
    """Whether a call may change something that is not in the commit of its step.

    What a ``pure`` or ``local`` call does is nothing until its step is durable, however the call ended.
    """
    return contract.delivery_class not in {DeliveryClass.PURE, DeliveryClass.LOCAL}


def reserves_key(contract: ToolContract) -> bool:
    """Whether calls of this contract reserve a key over their arguments."""
    return contract.idempotency is Idempotency.ARGUMENTS and contract.has_effect


def step_key(call: Call) -> str:
    """Return the key of run, step and slot: fixed before the first attempt, the same for all of them."""
    return KEY_SEPARATOR.join((call.tenant_id, call.run_id, call.command.step, str(call.command.slot)))


def arguments_key(call: Call) -> str:
    """Return the key over the content: tenant, tool, version, principal, 32 hex of the arguments' digest."""
    contract = call.entry.contract
    parts = (call.tenant_id, contract.name, contract.version, call.principal_id, call.arguments_digest[:32])
    return KEY_SEPARATOR.join(parts)


def idempotency_key(call: Call) -> str:
    """Return the key that the call's contract asks for; an intent on record overrules."""
    if call.command.intent is not None:
        return call.command.intent.idempotency_key
    return arguments_key(call) if reserves_key(call.entry.contract) else step_key(call)


def external_key_of(key: str) -> str:
    """Return the key for a provider: ``remit:`` and 32 hex of SHA-256 over ours; packs map it further."""
    return "remit:" + hashlib.sha256(key.encode()).hexdigest()[:32]


def receipt_id_of(run_id: str, key: str) -> str:
    """Return the receipt's id: the same for the same effect, whichever worker records it."""
    return "rcpt_" + hashlib.sha256(f"{run_id}#{key}".encode()).hexdigest()[:24]
