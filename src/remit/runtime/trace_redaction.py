"""What a trace may show of values, by the contracts of the tools that they went through.

Owns: which contract rule applies to which value of a trace; in doubt a value is hidden as a whole.
Does not know: spans. Secrets and patterns are the redactor's business.
"""

from __future__ import annotations

from collections.abc import Callable

from remit.core.canonical import JsonValue
from remit.core.definition import Step, ToolStep
from remit.governance.redaction import MARK_FIELD, Redactor, TraceRules


class ContractRedaction:
    """Redaction by contract.

    Args:
        redactor: Knows the secrets that were resolved so far.
        find_rules: Returns the contract of a step's tool, or ``None`` if the registry does not have it any more.
    """

    def __init__(self, redactor: Redactor, find_rules: Callable[[ToolStep], TraceRules | None]) -> None:
        self._redactor = redactor
        self._find_rules = find_rules

    def arguments(self, step: ToolStep, value: JsonValue) -> JsonValue:
        """Return a call's arguments; hidden if nobody knows what is sensitive in them."""
        rules = self._find_rules(step)
        return MARK_FIELD if rules is None else self._redactor.redact_arguments(rules, value).value

    def output(self, step: Step, value: JsonValue) -> JsonValue:
        """Return a step's output; hidden if it was mapped, because then the contract's paths do not fit it any more."""
        if value is None or not isinstance(step, ToolStep):
            return self.value(value)
        rules = self._find_rules(step)
        if rules is None or (step.output_mapping is not None and _has_output_rules(rules)):
            return MARK_FIELD
        return self._redactor.redact_output(rules, value).value

    def value(self, value: JsonValue) -> JsonValue:
        """Return a value that no contract speaks of, without secrets and personal data that can be recognised."""
        return self._redactor.redact_value(value).value

    def text(self, text: str) -> str:
        """Return a text without secrets and personal data that can be recognised."""
        return self._redactor.redact_text(text)


def _has_output_rules(rules: TraceRules) -> bool:
    return bool(rules.sensitive_output_fields) or rules.trace_allowlist_output is not None
