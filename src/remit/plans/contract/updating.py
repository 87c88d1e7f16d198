"""Changing an issue contract in place: its status, and the marks of its criteria.

Owns: which characters change. Every other byte of the file stays.
Does not know: which changes are allowed, and when.
"""

from __future__ import annotations

from remit.errors import UsageError
from remit.plans.contract.records import Criterion, IssueContract
from remit.plans.plan import NOWHERE
from remit.plans.texts import Edit


def set_status(issue: IssueContract, status: str) -> Edit:
    """Return the edit that gives an issue another status.

    Raises:
        UsageError: the issue's text names no status that could be replaced.
    """
    start, end = issue.status_at
    if not issue.status or issue.status_at == NOWHERE:
        raise UsageError(f"expected a status in issue {issue.id}, got none; write a line 'status: {status}'")
    return Edit(start=start, end=end, replacement=status)


def mark_criterion(criterion: Criterion, mark: str) -> Edit:
    """Return the edit that gives a criterion another mark: one character.

    Raises:
        UsageError: the criterion comes from a JSON text, in which its mark has no place of its own.
    """
    start, end = criterion.mark_at
    if criterion.mark_at == NOWHERE:
        raise UsageError(
            f"expected a criterion of a header file, got {criterion.text!r} from JSON; convert the issue first"
        )
    return Edit(start=start, end=end, replacement=mark)
