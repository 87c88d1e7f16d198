"""Checks of a business config by itself and against the tools that there are.

Owns: what can be wrong with scopes, approval rules and subscriptions. Does not know: definitions.
"""

from __future__ import annotations

from typing import Final

from remit.core.expressions import compile_expression
from remit.errors import ExpressionError
from remit.governance.approvals import RULE_ROOTS
from remit.governance.contracts import HOST_PATTERN, NAME_PATTERN
from remit.governance.egress import Blocked, EgressRule, read_target
from remit.governance.findings import Findings, Pointer
from remit.governance.outbox import SUBSCRIPTIONS_MAX, subscription_rule
from remit.governance.policy import ApprovalRule, BusinessConfig, Scope, Subscription
from remit.governance.scopes import is_covered, matches_tool
from remit.governance.suggestions import did_you_mean
from remit.governance.tool_checks import Contracts, check_positive, is_without_rule

_DEVELOPMENT: Final = EgressRule(ports=None, allows_loopback=True)


def check_business_config(config: BusinessConfig, contracts: Contracts | None, findings: Findings) -> None:
    """Check bounds, scopes, approval rules and subscriptions; with contracts also which tools they are about."""
    check_positive(config.bounds, findings)
    for index, scope in enumerate(config.scopes):
        _check_scope(scope, ("scopes", index), findings)
    first: dict[str, int] = {}
    for index, rule in enumerate(config.approval_rules):
        pointer = ("approval_rules", index)
        _check_rule(rule, pointer, findings)
        if rule.id in first:
            findings.add(
                "APPROVAL_INVALID",
                (*pointer, "id"),
                f"expected every rule id once, got {rule.id!r} again; receipts and requests name rules by it",
                related=(("the first one", ("approval_rules", first[rule.id], "id")),),
            )
        first.setdefault(rule.id, index)
    _check_subscriptions(config, findings)
    if contracts is not None:
        _check_tools(config, contracts, findings)


def _check_scope(scope: Scope, pointer: Pointer, findings: Findings) -> None:
    if not NAME_PATTERN.match(scope.tool.removesuffix(".*")):
        findings.add(
            "SCOPE_INVALID",
            (*pointer, "tool"),
            f"expected a tool's name or a prefix with .* (like stripe.*), got {scope.tool!r}; no scope is for all",
        )
    for field in ("principals", "operations"):
        if not getattr(scope, field):
            findings.add(
                "SCOPE_INVALID", (*pointer, field), f"expected names or '*' as {field}, got none; it covers nobody"
            )
    for place, host in enumerate(scope.network):
        if not HOST_PATTERN.match(host):
            findings.add(
                "SCOPE_INVALID",
                (*pointer, "network", place),
                f"expected a host name in lower case, like api.example.com or *.example.com, got {host!r}",
            )
    if scope.data_cap_bytes is not None and scope.data_cap_bytes < 0:
        findings.add(
            "SCOPE_INVALID", (*pointer, "data_cap_bytes"), f"expected zero or more, got {scope.data_cap_bytes}"
        )


def _check_rule(rule: ApprovalRule, pointer: Pointer, findings: Findings) -> None:
    if rule.condition is not None:
        try:
            compile_expression(rule.condition, roots=RULE_ROOTS)
        except ExpressionError as error:
            offset = error.fields.get("offset")
            findings.add(
                "EXPRESSION_INVALID",
                (*pointer, "condition"),
                error.message,
                offset=offset if isinstance(offset, int) else None,
            )
    if rule.on_timeout == "escalate" and not rule.escalation_chain:
        findings.add(
            "ESCALATION_MISSING",
            (*pointer, "on_timeout"),
            f"expected an escalation_chain for rule {rule.id!r}, which escalates, got none; name who is asked next",
        )
    for field in ("timeout_seconds", "approvers_required"):
        if getattr(rule, field) < 1:
            findings.add("APPROVAL_INVALID", (*pointer, field), f"expected at least 1, got {getattr(rule, field)}")
    if not NAME_PATTERN.match(rule.tool.removesuffix(".*")):
        findings.add(
            "APPROVAL_INVALID", (*pointer, "tool"), f"expected a tool's name or a prefix with .*, got {rule.tool!r}"
        )


def _check_subscriptions(config: BusinessConfig, findings: Findings) -> None:
    first: dict[str, int] = {}
    for index, subscription in enumerate(config.subscriptions):
        pointer = ("subscriptions", index)
        _check_subscription(subscription, pointer, findings)
        if subscription.id in first:
            findings.add(
                "SUBSCRIPTION_INVALID",
                pointer,
                f"expected every subscription once, got {subscription.id!r} again; the outbox names receivers by it",
                related=(("the first one", ("subscriptions", first[subscription.id])),),
            )
        first.setdefault(subscription.id, index)
    if len(config.subscriptions) > SUBSCRIPTIONS_MAX:
        findings.add(
            "SUBSCRIPTION_INVALID",
            ("subscriptions",),
            f"expected at most {SUBSCRIPTIONS_MAX} subscriptions, got {len(config.subscriptions)}",
        )


def _check_subscription(subscription: Subscription, pointer: Pointer, findings: Findings) -> None:
    if not NAME_PATTERN.match(subscription.topic.removesuffix(".*")):
        findings.add(
            "SUBSCRIPTION_INVALID",
            (*pointer, "topic"),
            f"expected a topic like orders.paid, or all below a prefix like orders.*, got {subscription.topic!r}",
        )
    target = read_target(subscription.url, subscription_rule(subscription))
    if isinstance(target, Blocked):
        is_development = not isinstance(read_target(subscription.url, _DEVELOPMENT), Blocked)
        hint = "; allow_private permits a receiver on this machine" if is_development else ""
        findings.add("SUBSCRIPTION_INVALID", (*pointer, "url"), target.message + hint)
    elif subscription.allow_private and not target.is_loopback:
        findings.add(
            "SUBSCRIPTION_INVALID",
            (*pointer, "allow_private"),
            f"expected allow_private for a receiver on this machine only, got it for {target.host}; remove it",
        )


def _check_tools(config: BusinessConfig, contracts: Contracts, findings: Findings) -> None:
    names = list(contracts.names())
    patterns = [(("scopes", index, "tool"), scope.tool) for index, scope in enumerate(config.scopes)]
    patterns += [(("approval_rules", index, "tool"), rule.tool) for index, rule in enumerate(config.approval_rules)]
    for pointer, pattern in patterns:
        if not any(matches_tool(pattern, name) for name in names):
            hint = did_you_mean(pattern, names)
            findings.add("PATTERN_UNUSED", pointer, f"expected a registered tool, got {pattern!r}, which is none{hint}")
    for name in names:
        contract = contracts.find_contract(name)
        if contract is not None and is_covered(config, contract=contract) and is_without_rule(config, contract):
            findings.add(
                "APPROVAL_MISSING",
                ("approval_rules",),
                f"expected an approval rule for {name}, which moves money and is in scope, got none; add one, if need "
                "be with a condition",
            )
