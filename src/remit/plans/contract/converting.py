"""From a fanout to issue contracts, one for each task.

Owns: what of a task goes where, and what is left open. Nothing is guessed: what neither the task nor the contract
defaults say becomes a placeholder, which `remit plan check` reports.
Does not know: files, and how an issue contract is written.
"""

from __future__ import annotations

from typing import Any, Final

from remit.plans.contract.planning import priority_of
from remit.plans.contract.records import (
    ContractDefaults,
    Fanout,
    FanoutTask,
    IssueContract,
    Priority,
    Section,
)
from remit.plans.contract.words import ACCEPTANCE, MAJOR_DECISION
from remit.plans.contract.writing import issue_fields, issue_text

USUAL_PRIORITY: Final = Priority.P1
"""What makers of issues take for a task without a label of its priority."""

OPEN: Final = {
    "complexity": "<low|medium|high|critical>",
    "risk_class": "<low|medium|high|critical>",
    "max_diff_scope": "<most files that may change>",
    "acceptance_tests": "<commands that must succeed>",
    "invariants": "<ids of invariants of the registry>",
    "evidence_required": "<true|false>",
}
"""What a task may leave open, as it stands in the header then."""


def issues_of(fanout: Fanout, *, first_number: int, defaults: ContractDefaults) -> tuple[IssueContract, ...]:
    """Return an issue contract for each task, numbered from ``first_number``; what is open is ``None`` or empty."""
    return tuple(
        _issue(task, f"I-{number:04}", defaults) for number, task in enumerate(fanout.tasks, start=first_number)
    )


def open_issue_text(issue: IssueContract) -> str:
    """Return the header file of an issue contract, with a placeholder for everything that is still open."""
    fields: dict[str, Any] = issue_fields(issue)
    left = {name: text for name, text in OPEN.items() if fields[name] in (None, [])}
    return issue_text(issue, fields | left)


def open_fields(issue: IssueContract) -> tuple[str, ...]:
    """Return the fields that are still open."""
    fields = issue_fields(issue)
    return tuple(name for name in OPEN if fields[name] in (None, []))


def _issue(task: FanoutTask, issue_id: str, defaults: ContractDefaults) -> IssueContract:
    labels = [label.text for label in task.labels]
    return IssueContract(
        id=issue_id,
        role=task.role,
        # An owner decides first; until then nobody may pick it up.
        status="blocked" if MAJOR_DECISION in labels else "ready",
        priority=priority_of(task) or USUAL_PRIORITY,
        title=" ".join(task.title.split()),
        risk_class=task.risk_class or defaults.risk_class,
        max_diff_scope=task.max_diff_scope or defaults.max_diff_scope,
        acceptance_tests=defaults.acceptance_tests,
        invariants=task.invariants or defaults.invariants,
        evidence_required=defaults.evidence_required,
        sections=_sections(task, labels),
    )


def _sections(task: FanoutTask, labels: list[str]) -> tuple[Section, ...]:
    chains = "\n".join(f"- chain {chain.text}" for chain in task.chains)
    criteria = "\n".join(f"- [ ] {_indented(criterion.text)}" for criterion in task.acceptance)
    required = (
        Section(title="Objective", text=task.summary.strip() or "<what holds when this is done>"),
        Section(title="In Scope", text=chains or "<what belongs to it>"),
        Section(title="Out of Scope", text="<what does not>"),
        Section(title=ACCEPTANCE, text=criteria or "- [ ] <how anybody sees that it is done>"),
        Section(title="Non Goals", text="<what nobody should expect of it>"),
    )
    notes = (Section(title="Notes", text=task.notes.strip()),) if task.notes.strip() else ()
    marked = (Section(title="Labels", text="\n".join(f"- {label}" for label in labels)),) if labels else ()
    return (*required, *notes, *marked)


def _indented(text: str) -> str:
    return "\n  ".join(text.split("\n"))
