"""The remit file that a compiled plan needs: who may call which tool, and the bounds of its runs.

Owns: what is the least that the plan's orchestration needs.
Does not know: the business's own remit file, into which this is merged.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from remit.core.canonical import JsonValue
from remit.plans.compiling.document import VERSION, Written
from remit.plans.compiling.yaml_text import comment_lines, yaml_lines
from remit.ports.declared import CODE_CHANGE, DECLARED

OPERATIONS: Final = {contract.name: contract.operation for contract in DECLARED}
EVERYTHING: Final = "input.write.exists(path, path.matches('^[./]*([*?{]|$)'))"
"""Whether a call may change the whole workspace: a path of it begins with a wildcard, or is the workspace itself."""


def write_remit(written: Written, *, business: str) -> str:
    """Return a remit file with the scopes, rules and bounds that the orchestration needs, and nothing else."""
    principals: defaultdict[str, list[str]] = defaultdict(list)
    for tool, principal in sorted(written.calls):
        principals[tool].append(principal)
    scopes: list[JsonValue] = [
        {"tool": tool, "principals": list(names), "operations": [OPERATIONS[tool]]}
        for tool, names in principals.items()
    ]
    fields: dict[str, JsonValue] = {
        "business": business,
        "version": VERSION,
        "bounds": written.bounds,
        "scopes": scopes,
    }
    if written.open_writes:
        fields["approval_rules"] = [
            {
                "id": "whole-workspace",
                "tool": CODE_CHANGE.name,
                "when": EVERYTHING,
                "reason": "The run's input lets a task change the whole workspace; the plan names no paths for it.",
            }
        ]
    text = "What the compiled plan needs; merge it into the remit file of the business."
    return "\n".join([*comment_lines(text), "", *yaml_lines(fields)]) + "\n"
