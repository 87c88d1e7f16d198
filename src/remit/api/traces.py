"""Traces for people and tools: a run's journal projected to spans, redacted by the tools' contracts.

Owns: which contract's rules count for which step. In doubt a value is hidden as a whole: a trace leaves the house.
"""

from __future__ import annotations

from typing import Final

from remit.bootstrap import Kernel
from remit.core.canonical import JsonValue
from remit.core.definition import Step, ToolStep
from remit.governance.contracts import ToolContract
from remit.governance.redaction import Redactor
from remit.ids import Digest, RunId, TenantId
from remit.runtime.spans import Trace
from remit.runtime.trace import project_trace
from remit.tools.registry import Registry

HIDDEN_TOOL: Final = "[redacted:unknown tool]"
HIDDEN_MAPPING: Final = "[redacted:mapped output]"


class ContractRedaction:
    """Redacts by the contracts that definitions name, then by what secrets, cards and addresses look like."""

    def __init__(self, registry: Registry, redactor: Redactor) -> None:
        self._registry = registry
        self._redactor = redactor

    def arguments(self, step: ToolStep, value: JsonValue) -> JsonValue:
        """Return a call's arguments, redacted; all of them hidden if its contract is not known any more."""
        contract = self._contract(step)
        return HIDDEN_TOOL if contract is None else self._redactor.redact_arguments(contract, value).value

    def output(self, step: Step, value: JsonValue) -> JsonValue:
        """Return a step's output, redacted; hidden if the contract's rules do not fit what the step made of it."""
        if not isinstance(step, ToolStep):
            return self.value(value)
        contract = self._contract(step)
        if contract is None:
            return HIDDEN_TOOL
        has_rules = bool(contract.sensitive_output_fields) or contract.trace_allowlist_output is not None
        if step.output_mapping is not None:
            return HIDDEN_MAPPING if has_rules else self.value(value)
        return self._redactor.redact_output(contract, value).value

    def value(self, value: JsonValue) -> JsonValue:
        """Return a value that no contract speaks of, scanned."""
        return self._redactor.redact_value(value).value

    def text(self, text: str) -> str:
        """Return a message or reason, scanned."""
        return self._redactor.redact_text(text)

    def _contract(self, step: ToolStep) -> ToolContract | None:
        return self._registry.find_by_digest(Digest(step.contract_digest))


async def trace_of(kernel: Kernel, tenant_id: TenantId, run_id: RunId) -> Trace:
    """Return a run's trace.

    Raises:
        NotFoundError: the tenant has no such run.
        JournalCorruptError: its journal cannot be read.
    """
    run = await kernel.store.reader.read_run(tenant_id, run_id)
    program = await kernel.catalogue.program(tenant_id, run.definition_digest)
    redaction = ContractRedaction(kernel.registry, Redactor(kernel.secrets.known_values()))
    return project_trace(run, program, redact=redaction)
