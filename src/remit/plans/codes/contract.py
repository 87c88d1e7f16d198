"""Codes of findings about planning contracts, fanout files and issue contracts.

Owns: the rows. A code, once released, keeps its meaning.
Does not know: the checks.
"""

from __future__ import annotations

from typing import Final

from remit.diagnostics import Severity

_ERROR: Final = Severity.ERROR
_WARNING: Final = Severity.WARNING
_NOTE: Final = Severity.NOTE

ROWS: Final[tuple[tuple[str, Severity, str], ...]] = (
    ("CONTRACT_FENCED", _NOTE, "The JSON stands in a code fence of a Markdown page. It is read; the page is not."),
    ("CONTRACT_FIELD_ALIAS", _NOTE, "A field in another spelling than the canonical one, which is read as it."),
    (
        "CONTRACT_LIST_TEXT",
        _WARNING,
        "A list is written as one text with commas, `make test,make lint`. It is read as a list; write it as one.",
    ),
    (
        "CONTRACT_BOOLEAN_TEXT",
        _WARNING,
        'A boolean is written as a text, `"true"`. It is read; write it without quotes.',
    ),
    ("CONTRACT_NUMBER_FORM", _WARNING, "A whole number in an odd form, `25.0` or `025`. It is read; write `25`."),
    (
        "CONTRACT_HEADER_FORM",
        _NOTE,
        (
            "What other formats write and a header needs not: a rule above it, brackets around a list, items on lines "
            "of their own, quotes around a value, `none` for nothing. It is read as it is meant."
        ),
    ),
    ("CONTRACT_HEADER_LINE", _ERROR, "A line in the header of an issue contract is not `key: value`."),
    ("CONTRACT_HEADER_OPEN", _ERROR, "The header of an issue contract does not end in `---`."),
    ("CONTRACT_SECTION_ALIAS", _NOTE, "A section under another title than the canonical one, which is read as it."),
    (
        "CONTRACT_SECTION_MISSING",
        _ERROR,
        "An issue contract lacks one of Objective, In Scope, Out of Scope, Acceptance Criteria, Non Goals.",
    ),
    ("CONTRACT_SECTION_EMPTY", _ERROR, "A required section of an issue contract holds no text."),
    ("CONTRACT_CRITERION_MISSING", _ERROR, "Acceptance criteria without one that has a box, `- [ ] …`."),
    (
        "CONTRACT_CRITERION_UNMARKED",
        _WARNING,
        "An acceptance criterion has no box although others have, so nobody can tick it off. It is not read as one.",
    ),
    (
        "CONTRACT_STATUS_UNKNOWN",
        _WARNING,
        "A status other than ready, in-progress, blocked, done, cancelled. Only `ready` issues are picked up.",
    ),
    (
        "ISSUE_REPEATED",
        _ERROR,
        "Two issue contracts that are checked together have the same id, so a dependency on it would mean either.",
    ),
    ("INVARIANT_UNKNOWN", _ERROR, "An invariant that the registry lacks. `--invariants` names another registry."),
    (
        "DECLARATION_MISSING",
        _ERROR,
        "A developer's or QA's task declares no risk, no diff boundary or no invariants (planning rule 6).",
    ),
    ("MILESTONE_DUPLICATE", _ERROR, "Two milestones have the same id, so a dependency on it would mean either."),
    (
        "MILESTONES_UNORDERED",
        _NOTE,
        "Several milestones wait for no other, so all may begin at once; planning rule 2 asks for one at a time.",
    ),
    (
        "MILESTONE_RISKS_MISSING",
        _WARNING,
        "A milestone of high or critical risk records no risk (planning rule 4: unknowns and assumptions).",
    ),
    (
        "VERIFICATION_EARLY",
        _WARNING,
        "Verification alone comes before something that is still to be built (planning rule 7: features first).",
    ),
    (
        "PLAN_VERIFIES_ONLY",
        _NOTE,
        "All tasks of a fanout only verify. Planning rule 7 allows that when no gap of features is open.",
    ),
    (
        "OBJECTIVE_VERIFIES",
        _WARNING,
        "A developer's task only verifies; planning rule 8 asks for an objective that changes code.",
    ),
    (
        "OBJECTIVE_DOCUMENTS",
        _WARNING,
        "A developer's task only writes documents; planning rule 8 asks for an objective that changes code.",
    ),
    ("OBJECTIVE_VAGUE", _WARNING, "A developer's task names neither a result nor code (planning rule 8)."),
    ("PLANNER_IMPLEMENTS", _WARNING, "A planner's task would write production code (planning rule 1)."),
    ("LABEL_DROPPED", _WARNING, "A label that is left out when a task becomes an issue."),
    (
        "FANOUT_MARKER_SHARED",
        _ERROR,
        "Two tasks of one role have titles that begin alike. Both get the same marker, so only one becomes an issue.",
    ),
    ("FANOUT_CUT", _WARNING, "More than eight tasks in a fanout; the ones after them become no issues."),
)
