"""Codes of findings about delivery plans.

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
    ("PHASE_MISSING", _ERROR, "No phase is found: a phase is a heading such as `### Phase 1 – Title (Week 1)`."),
    (
        "PHASE_HEADING_SPELLING",
        _NOTE,
        "A phase heading that is read although it is not written `Phase N – Title (Weeks a–b)`.",
    ),
    ("PHASE_REPEATED", _ERROR, "Two phases have the same number. The second gets an id of its own, such as `3-2`."),
    ("PHASE_GAP", _WARNING, "Numbers of phases are left out."),
    (
        "PHASE_ORDER",
        _WARNING,
        "A phase stands after one with a higher number. Phases are taken in the order of the document.",
    ),
    ("PHASE_EMPTY", _WARNING, "A phase has no items."),
    ("PHASE_UNKNOWN", _WARNING, "The text names a phase that the plan does not have."),
    ("PHASE_GOAL_MISSING", _NOTE, "A phase does not say what it is for."),
    ("EXIT_CRITERIA_MISSING", _WARNING, "A phase does not say when it has ended."),
    ("EXIT_CRITERIA_MISLABELLED", _WARNING, "Exit criteria name another phase than the one that they stand in."),
    ("PHASE_WEEKS_INVALID", _WARNING, "The weeks of a phase cannot be read, or end before they begin."),
    ("PHASE_WEEKS_MISSING", _NOTE, "A phase has no weeks although others have."),
    ("PHASE_WEEKS_OVERLAP", _WARNING, "A phase begins in a week that the one before it still has."),
    ("PHASE_WEEKS_GAP", _NOTE, "No phase has the weeks between two phases."),
    (
        "PHASE_OVERBOOKED",
        _WARNING,
        (
            "A role has more person-days to do in a phase than its weeks hold, at 5 working days a week for each "
            "person who has the role. What a list marks as done already does not count."
        ),
    ),
    (
        "PHASE_TOTAL_CONTRADICTED",
        _WARNING,
        "The plan declares a total for a phase that its items do not sum to, however they are read.",
    ),
    ("SECTION_REPEATED", _WARNING, "Two sections have the same number."),
    ("SECTION_FOREIGN", _WARNING, "A section has a number of another phase."),
    ("SECTION_GAP", _NOTE, "Numbers of sections are left out."),
    ("ITEM_EMPTY", _WARNING, "An item says nothing."),
    (
        "ITEM_STRUCK_OUT",
        _WARNING,
        "All words of an open item are struck out. It is read as if they were not, and counted.",
    ),
    (
        "ITEM_TABLE_UNREAD",
        _WARNING,
        "A table inside a phase looks like items. Items are lists; its rows are not read.",
    ),
    (
        "ITEM_OUTSIDE_PHASE",
        _WARNING,
        "An item stands below no phase. It is read as one of the phase above, if there is one.",
    ),
    ("ITEM_MARK_MISSING", _WARNING, "An item has a role and no mark. It is read as `[ ]`."),
    ("ITEM_MARK_UNKNOWN", _WARNING, "A mark that nobody knows. It is read as `[ ]`."),
    (
        "ITEM_MARK_SPELLING",
        _NOTE,
        ("A mark that is read although it is not `[ ]`, `[~]`, `[x]` or `[!]`: an emoji, or space in the wrong place."),
    ),
    (
        "ITEM_STATE_CONTRADICTED",
        _WARNING,
        "The mark of an item and an emoji or **DONE** in its text do not agree. The mark counts.",
    ),
    ("ITEM_ROLE_MISSING", _WARNING, "An item does not say who does it, although others do."),
    ("ITEM_ROLE_UNKNOWN", _WARNING, "An item is for a role that the plan does not name."),
    (
        "ITEM_ROLE_SPELLING",
        _NOTE,
        "A role that is read although it is not written `(B)`, `(T)`, `(H)` or `(B/T)` after the mark.",
    ),
    ("ITEM_REPEATED", _WARNING, "The same item stands twice in a phase."),
    ("ITEM_DONE_WITH_OPEN_PARTS", _WARNING, "An item is done and a part of it is marked as open."),
    ("ITEM_ESTIMATE_MISSING", _WARNING, "An item has no estimate; the sums of its phase lack it."),
    (
        "ITEM_ESTIMATE_SPELLING",
        _NOTE,
        "An estimate that is read although it is not written in days: a day has 8 hours, a week 5 days.",
    ),
    (
        "ITEM_ESTIMATE_UNIT",
        _WARNING,
        "An estimate in something that is no time, such as points, or in months. It is not counted.",
    ),
    ("ITEM_ESTIMATE_REPEATED", _WARNING, "An item has several estimates. The last counts."),
    ("ITEM_ESTIMATE_INVALID", _WARNING, "An estimate of nothing, or a range whose end is before its beginning."),
    ("ITEM_ESTIMATE_EACH", _NOTE, "An estimate for each of several things, and how many things are counted."),
    (
        "ITEM_ESTIMATE_EACH_UNCLEAR",
        _WARNING,
        "An estimate for each of several things, and nothing says for certain how many. It is counted once.",
    ),
    (
        "ITEM_ESTIMATE_EACH_CONTRADICTED",
        _WARNING,
        "A list gives each thing another estimate than the checklist that is repeated for it sums to.",
    ),
    ("ITEM_ESTIMATE_SHARED", _NOTE, "An item of several roles with one estimate. It is counted for each of them."),
    ("WORK_WITHOUT_TEST", _WARNING, "No test item names or follows an item of the builder."),
    (
        "TEST_WITHOUT_WORK",
        _NOTE,
        (
            "Items of the tester that test no single work item. They belong to the whole phase; one finding for "
            "each phase."
        ),
    ),
    ("TEST_PAIRED_BY_ORDER", _NOTE, "A test item is paired with a work item by nothing but their order."),
    (
        "WORK_DONE_BEFORE_TEST",
        _WARNING,
        (
            "A work item is done and its test is not. An error if the plan states the rule and more than the "
            "order tells that it is its test."
        ),
    ),
    ("PHASE_DONE_WITH_OPEN_ITEMS", _WARNING, "The heading of a phase says that it is done, and an item is open."),
    ("PHASE_DONE_WITH_OPEN_CRITERIA", _WARNING, "A phase is done, and an exit criterion is marked as open."),
    ("PHASE_STARTED_EARLY", _WARNING, "An item is begun although the phase before has open ones."),
    ("BUILDER_IS_TESTER", _WARNING, "The same name has the roles of builder and tester."),
    (
        "BUILDER_WRITES_TESTS",
        _WARNING,
        "The plan says that the builder writes no tests, and gives the builder an item that is nothing else.",
    ),
    ("GATE_UNPLACED", _WARNING, "A human gate does not say which phase it follows."),
    ("GATE_REPEATED", _WARNING, "A human gate is declared twice, or two follow the same phase."),
    (
        "GATE_CONTRADICTED",
        _WARNING,
        "Text or table place human gates after other phases than the gates themselves say.",
    ),
    ("RISK_REPEATED", _WARNING, "Two risks have the same id."),
    ("RISK_MITIGATION_MISSING", _WARNING, "A risk has no mitigation although others have."),
    ("RISK_LEVEL_UNKNOWN", _NOTE, "Impact or likelihood of a risk in words that are no level."),
    ("RESPONSIBILITY_UNOWNED", _WARNING, "A responsibility that no role has as its own."),
)
