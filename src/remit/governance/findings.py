"""Findings of the compile checks: what is wrong with a definition or business config, and where inside it.

Owns: the record and the table of codes. Does not know: the text that was compiled; a front-end that knows it turns
pointers into positions.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from remit.diagnostics.findings import Severity

Pointer = tuple[str | int, ...]
"""A place inside a record: field names and indexes, like ``("steps", 2, "depends_on", 0)``."""

FINDINGS_MAX: Final = 200
"""Most findings of one check: nobody reads more, and one mistake can cause thousands."""

_ERROR: Final = Severity.ERROR
_WARNING: Final = Severity.WARNING

CHECK_CODES: Final[Mapping[str, tuple[Severity, str]]] = MappingProxyType(
    {
        "STEP_MISSING": (_ERROR, "A definition without steps does nothing."),
        "STEP_DUPLICATE": (_ERROR, "Two steps have the same id; expressions and dependents could mean either."),
        "DEPENDENCY_UNKNOWN": (_ERROR, "A step, or a task of a plan, depends on one that does not exist."),
        "DEPENDENCY_SELF": (_ERROR, "A step or task depends on itself, so it could never start."),
        "DEPENDENCY_REPEATED": (_ERROR, "A step names the same dependency twice."),
        "DEPENDENCY_CYCLE": (_ERROR, "Steps or tasks depend on each other in a circle, so none of them could start."),
        "TOOL_UNKNOWN": (_ERROR, "CC-01: no tool of this name, or not in this version, is registered."),
        "CONTRACT_CHANGED": (_ERROR, "CC-01: the tool's contract is not the one that the step was compiled against."),
        "BOUNDS_ZERO": (_ERROR, "CC-02: a bound is zero or negative, so that nothing could run."),
        "BOUNDS_TOO_SMALL": (_ERROR, "CC-02: the steps that always run are more than the bounds allow."),
        "BOUNDS_BELOW_ITERATIONS": (
            _WARNING,
            "Loops that need all their iterations come to more calls than the bounds allow; the run would fail.",
        ),
        "SCOPE_MISSING": (_ERROR, "CC-03: no scope of the business config covers the tool, so its calls are refused."),
        "SCOPE_INVALID": (_ERROR, "A scope can cover nothing: its tool pattern, host or cap is none."),
        "APPROVAL_MISSING": (_ERROR, "CC-04: a tool that moves money has no approval rule."),
        "APPROVAL_INVALID": (_ERROR, "An approval rule has a limit that makes no sense, or the id of another rule."),
        "ESCALATION_MISSING": (_ERROR, "CC-04: a rule escalates when time runs out, but names nobody to escalate to."),
        "SUBSCRIPTION_INVALID": (
            _ERROR,
            "A subscription's topic or URL is none, it is there twice, or it would reach what is not public.",
        ),
        "PATTERN_UNUSED": (_WARNING, "A scope or rule is about a tool that is not registered; often a misspelling."),
        "EXPRESSION_INVALID": (_ERROR, "An expression does not compile."),
        "REFERENCE_UNKNOWN": (_ERROR, "An expression uses a step, field or input that does not exist."),
        "REFERENCE_RACE": (
            _ERROR,
            "An expression uses a step that need not have finished: depend on it, directly or through other steps.",
        ),
        "REFERENCE_DYNAMIC": (_WARNING, "An expression computes which step it uses; nothing can check it."),
        "LOOP_EMPTY": (_ERROR, "A loop has no steps to repeat."),
        "LOOP_UNTIL_INVALID": (
            _ERROR,
            "The condition that ends a loop gives no true or false, or uses no output of the loop's body.",
        ),
        "GATE_APPROVER_MISSING": (_ERROR, "A human gate names nobody who may decide."),
        "GATE_APPROVER_ACTS": (_ERROR, "Somebody who acts in a step may decide at a gate: about their own work."),
        "GATE_INVALID": (
            _ERROR,
            "A gate cannot be answered sensibly: no answer passes, none refuses, or it needs more people than it has.",
        ),
        "PRINCIPAL_UNKNOWN": (_ERROR, "A step acts as a principal that no scope of the business config names."),
        "ARGUMENT_UNKNOWN": (_ERROR, "A tool gets an argument that its contract does not have."),
        "ARGUMENT_MISSING": (_ERROR, "A tool does not get an argument that its contract requires."),
        "ARGUMENT_INVALID": (_ERROR, "A constant argument does not match the tool's contract."),
        "IDEMPOTENCY_SHARED": (
            _WARNING,
            "Two steps make the same call of a tool that happens once per content: the second one does nothing.",
        ),
        "IDEMPOTENCY_REPEATED": (
            _ERROR,
            "A tool that happens once per content is called again and again with arguments that never differ.",
        ),
        "SCHEMA_MALFORMED": (_ERROR, "A JSON Schema is itself not valid, or refers outside itself."),
        "VALUE_INVALID": (_ERROR, "A number is outside of what its field allows."),
        "EVENT_UNSPECIFIC": (_WARNING, "A wait takes any event of its name: no correlation or match says whose."),
        "TRIGGER_KEY_CONSTANT": (_ERROR, "A trigger's key is the same for every event: only the first starts a run."),
    }
)  # fmt: skip
"""Every code of the compile checks with its severity and meaning; the documentation is made from it."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong.

    ``pointer`` is the place inside the record; ``offset`` counts characters within the text there, if it goes wrong
    inside an expression. ``related`` are other places that explain it, each with what it is.
    """

    code: str
    severity: Severity
    pointer: Pointer
    message: str
    offset: int | None = None
    related: tuple[tuple[str, Pointer], ...] = ()


class Findings:
    """Collects findings, at most `FINDINGS_MAX`."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def add(
        self,
        code: str,
        pointer: Pointer,
        message: str,
        *,
        offset: int | None = None,
        related: tuple[tuple[str, Pointer], ...] = (),
        severity: Severity | None = None,
    ) -> None:
        """Note a finding, with the code's own severity unless another one is given."""
        if len(self.found) < FINDINGS_MAX:
            self.found.append(
                Finding(
                    code=code,
                    severity=severity or CHECK_CODES[code][0],
                    pointer=pointer,
                    message=message,
                    offset=offset,
                    related=related,
                )
            )

    def in_order(self) -> list[Finding]:
        """Return the findings in the order of their places."""
        return sorted(self.found, key=lambda finding: [_order(part) for part in finding.pointer])


def _order(part: str | int) -> tuple[int, str]:
    return (part, "") if isinstance(part, int) else (0, part)
