"""Approvals: which calls ask a person, and what exactly the person agrees to.

Owns: finding the rule that asks, and the digest over everything that will run.
Does not know: who decides, and when. A policy that cannot be evaluated asks; nothing approves by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from remit.core.canonical import JsonValue, digest
from remit.core.expressions import Expression, compile_expression
from remit.core.states import SideEffectLevel
from remit.errors import EvaluationError, ExpressionError
from remit.governance.contracts import ToolContract
from remit.governance.memo import per_record
from remit.governance.policy import ApprovalRule, BusinessConfig
from remit.governance.scopes import matches_tool
from remit.ids import Digest

RULE_ROOTS: Final = frozenset({"input", "run", "tool"})
"""What a condition may speak of: the arguments, the run (id, tenant, principal) and the tool."""

FINANCIAL_DEFAULT_ID: Final = "financial-default"
DIGEST_FORMAT: Final = "remit.approval.1"
"""Part of every digest, so that it can stand for nothing but an approval of this form."""

TOOLS_MAX: Final = 10_000


class ApprovalSubject(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an approval covers. ``arguments`` are the exact bytes that will be sent.

    ``credential`` and ``endpoint`` are what the business config makes of the contract's names: a secret's name (never
    its value) and a base URL. ``nonce`` makes two requests for the same thing two requests.
    """

    tenant_id: str
    run_id: str
    step: str
    slot: int
    principal_id: str
    tool: str
    tool_version: str
    contract_digest: str
    arguments: bytes
    credential: str
    endpoint: str
    policy_digest: str
    expires_us: int
    nonce: str


def approval_digest(subject: ApprovalSubject) -> Digest:
    """Return the SHA-256 over canonical JSON of the subject: two subjects that differ anywhere have two digests.

    The arguments enter as their own SHA-256, because they are bytes.
    """
    fields: dict[str, JsonValue] = {
        name: getattr(subject, name) for name in subject.__struct_fields__ if name != "arguments"
    }
    fields["arguments_sha256"] = hashlib.sha256(subject.arguments).hexdigest()
    fields["format"] = DIGEST_FORMAT
    return Digest(digest(fields))


def find_rule(
    config: BusinessConfig,
    *,
    contract: ToolContract,
    arguments: Mapping[str, JsonValue],
    run: Mapping[str, JsonValue],
) -> ApprovalRule | None:
    """Return the first rule that asks a person before this call, or ``None`` if none does.

    Rules are asked in their order. A condition that fails, or does not compile, counts as true. A FINANCIAL tool that
    no rule is about always asks: rules about it, also ones whose condition is false now, are the business's own word
    on when it does.

    Args:
        config: The business config in force; its conditions are compiled once.
        contract: The tool's contract.
        arguments: The call's arguments (root ``input``).
        run: What is known of the run (root ``run``).
    """
    rules = _rules(config)
    candidates = rules.by_tool.get((contract.name, contract.side_effect_level))
    if candidates is None:
        candidates = rules.add(contract)
    if not candidates:
        return None
    scope: dict[str, JsonValue] = {
        "input": dict(arguments),
        "run": dict(run),
        "tool": {
            "name": contract.name,
            "version": contract.version,
            "operation": contract.operation,
            "side_effect_level": contract.side_effect_level.value,
        },
    }
    return next((rule for rule, condition in candidates if condition is None or _holds(condition, scope)), None)


_Candidates = tuple[tuple[ApprovalRule, Expression | None], ...]


class _Rules:
    """The rules of one business config, compiled, and those about each tool."""

    __slots__ = ("_all", "by_tool")

    def __init__(self, config: BusinessConfig) -> None:
        self._all = tuple((rule, _condition(rule)) for rule in config.approval_rules)
        self.by_tool: dict[tuple[str, SideEffectLevel], _Candidates] = {}

    def add(self, contract: ToolContract) -> _Candidates:
        if len(self.by_tool) >= TOOLS_MAX:
            self.by_tool.clear()
        found = tuple((rule, condition) for rule, condition in self._all if matches_tool(rule.tool, contract.name))
        if not found and contract.side_effect_level is SideEffectLevel.FINANCIAL:
            found = ((_financial_default(contract.name), None),)
        self.by_tool[contract.name, contract.side_effect_level] = found
        return found


@per_record
def _rules(config: BusinessConfig) -> _Rules:
    return _Rules(config)


def _condition(rule: ApprovalRule) -> Expression | None:
    if rule.condition is None:
        return None
    try:
        return compile_expression(rule.condition, roots=RULE_ROOTS)
    except ExpressionError:
        return None  # in doubt a person is asked


def _holds(condition: Expression, scope: dict[str, JsonValue]) -> bool:
    try:
        return condition.evaluate_bool(scope)
    except EvaluationError:
        return True  # in doubt a person is asked


def _financial_default(tool: str) -> ApprovalRule:
    return ApprovalRule(
        id=FINANCIAL_DEFAULT_ID, tool=tool, reason="this tool moves money, and no approval rule is about it"
    )
