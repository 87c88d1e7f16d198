"""The fields of an orchestration document.

Owns: their names, further accepted names, and the fields that are known from elsewhere and cannot be run.
Does not know: how they are read.
"""

from __future__ import annotations

from typing import Final

from remit.plans.fields import FieldTable

_CALL_A_TOOL: Final = "write a step with `tool`, `wait`, `loop` or `gate`"

DOCUMENT: Final = FieldTable(
    what="an orchestration",
    names=frozenset({"bounds", "description", "input", "name", "output", "parameters", "steps", "triggers", "version"}),
    unsupported={
        "orchestration": "write its `steps` and `parameters` at the top level",
        "checkpoints": "checkpoints are planned; write a step with `gate`, or an approval rule in the remit file",
        "error_handling": "write `retry` and `on_failure` in each step",
        "execution": "steps without `depends_on` run in parallel; there is nothing to set",
        "owner": "definitions belong to the tenant that they are registered for; remove it",
        "display_name": "use `name` and `description`",
    },
)

STEP: Final = FieldTable(
    what="a step",
    names=frozenset(
        {
            "depends_on",
            "description",
            "gate",
            "id",
            "if",
            "input",
            "loop",
            "name",
            "on_failure",
            "output_mapping",
            "principal",
            "retry",
            "timeout",
            "tool",
            "tool_version",
            "type",
            "wait",
        }
    ),
    other_names={"condition": "if"},
    unsupported={
        "agent": f"agent steps are planned; {_CALL_A_TOOL}",
        "mode": f"agent steps are planned; {_CALL_A_TOOL}",
        "orchestration": f"child orchestrations are planned; {_CALL_A_TOOL}",
        "branch": "branches are planned; write `if` in each step",
        "parallel": "steps without `depends_on` run in parallel; list them side by side",
        "parallel_steps": "steps without `depends_on` run in parallel; list them side by side",
        "join_policy": "a step starts when all that it depends on are completed or skipped; other policies are planned",
        "for_each": "loops over a list are planned; write the steps out",
        "poll": "polling is planned; wait for an event, or for a timer before each look",
        "checkpoint_after": "checkpoints are planned; write a step with `gate` that depends on this one",
        "compensation": "compensation is planned; write a step that undoes the effect",
        "rollback": "compensation is planned; write a step that undoes the effect",
        "context": "put it into `input`",
        "next_step": "write `depends_on` in the step that follows",
        "metadata": "put retries into `retry`; other metadata has no effect and is refused",
    },
)

RETRY: Final = FieldTable(
    what="retry",
    names=frozenset({"attempts_max", "delay_initial", "delay_max", "jitter_ratio", "multiplier", "reasons"}),
    other_names={
        "max_attempts": "attempts_max",
        "base_delay": "delay_initial",
        "initial_delay": "delay_initial",
        "max_delay": "delay_max",
        "backoff_multiplier": "multiplier",
        "retryable_errors": "reasons",
    },
)

WAIT: Final = FieldTable(
    what="wait",
    names=frozenset({"correlation", "event", "match", "on_timeout", "signal", "timeout", "timer"}),
    unsupported={"poll": "polling is planned; wait for an event, or for a timer before each look"},
)

TRIGGER: Final = FieldTable(
    what="a trigger",
    names=frozenset({"event", "if", "input", "key"}),
    other_names={"condition": "if"},
    unsupported={"schedule": "schedules are planned; start runs with `remit runs submit` from your own scheduler"},
)

PARAMETER: Final = FieldTable(
    what="a parameter",
    names=frozenset({"default", "description", "enum", "name", "required", "type"}),
)

LOOP: Final = FieldTable(
    what="a loop",
    names=frozenset({"feedback", "iterations_max", "output", "steps", "until"}),
    other_names={"body": "steps", "max_iterations": "iterations_max"},
)

GATE: Final = FieldTable(
    what="a gate",
    names=frozenset({"approvers", "approvers_required", "criteria", "options", "passing", "question", "timeout"}),
    other_names={"required_approvers": "approvers_required"},
    unsupported={
        "on_timeout": "nothing passes by time running out: the gate fails then, and `on_failure` says what follows",
    },
)

STEP_TYPES: Final = ("tool", "wait", "loop", "gate")
"""Values of the optional field ``type``: the kinds that are known."""

UNSUPPORTED_TYPES: Final = frozenset(
    {"agent", "branch", "checkpoint", "compensation", "for_each", "orchestration", "parallel", "poll"}
)
