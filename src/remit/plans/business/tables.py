"""The fields of a remit file.

Owns: their names and further accepted names, mostly those of the seed documents.
Does not know: how they are read.
"""

from __future__ import annotations

from typing import Final

from remit.plans.fields import FieldTable

DOCUMENT: Final = FieldTable(
    what="a remit file",
    names=frozenset(
        {
            "approval_rules",
            "bounds",
            "breakers",
            "business",
            "credentials",
            "description",
            "endpoints",
            "scopes",
            "subscriptions",
            "version",
        }
    ),
    other_names={"name": "business", "hitl_rules": "approval_rules"},
    unsupported={
        "workflows": "register orchestrations on their own",
        "eval_suite_ref": "deploy gates are planned",
        "state": "a business config is in force once it is registered",
    },
)

SCOPE: Final = FieldTable(
    what="a scope",
    names=frozenset({"data_cap", "data_cap_bytes", "network", "operations", "principals", "tool"}),
    other_names={
        "tool_name": "tool",
        "allowed_operations": "operations",
        "network_allowlist": "network",
    },
)

APPROVAL_RULE: Final = FieldTable(
    what="an approval rule",
    names=frozenset(
        {
            "approvers_required",
            "escalation_chain",
            "id",
            "on_timeout",
            "reason",
            "timeout",
            "timeout_seconds",
            "tool",
            "when",
        }
    ),
    other_names={
        "condition": "when",
        "required_approvers": "approvers_required",
        "timeout_action": "on_timeout",
        "trigger": "tool",
    },
    unsupported={"approval_channel": "every channel that is set up can answer; remove it"},
)

BREAKER: Final = FieldTable(
    what="a breaker",
    names=frozenset(
        {
            "failure_threshold",
            "failure_window",
            "failure_window_seconds",
            "half_open_calls_max",
            "open",
            "open_seconds",
            "success_threshold",
        }
    ),
    other_names={"half_open_max_calls": "half_open_calls_max", "open_duration": "open"},
)

SUBSCRIPTION: Final = FieldTable(
    what="a subscription",
    names=frozenset({"allow_private", "id", "secret", "topic", "url"}),
)
