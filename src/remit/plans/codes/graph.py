"""Codes of findings about what all plans share: texts, tasks and their graph.

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
    (
        "PLAN_FORMAT_UNKNOWN",
        _ERROR,
        "Nothing tells which kind of plan the file is. `--kind` says it.",
    ),
    (
        "MOJIBAKE_REPAIRED",
        _WARNING,
        (
            "Characters that were UTF-8, were read as another encoding and saved again, such as `â€”` for a dash. The "
            "text is read as it was meant; changes to the file leave the characters as they stand."
        ),
    ),
    (
        "TASK_UNKNOWN",
        _ERROR,
        "A list of independent tasks, or of the tests of a task, names a task that the plan does not have.",
    ),
    (
        "DEPENDENCY_AGAINST_PHASES",
        _ERROR,
        "A task waits for one of a later phase, which only begins when the task's own phase has ended.",
    ),
    (
        "TESTS_UNORDERED",
        _WARNING,
        (
            "What waits for work waits for its tests too. Of one task there are so many of both that this was not "
            "computed, and the plan does not compile."
        ),
    ),
    (
        "OWNERSHIP_OVERLAP",
        _ERROR,
        (
            "Two tasks own the same path, or one owns a directory or glob with the path of the other. `./a`, `A` and "
            "`a/` are the same path."
        ),
    ),
    (
        "OWNERSHIP_TOUCHED",
        _WARNING,
        (
            "A task touches what another owns, and neither comes before the other, also not through others: whoever is "
            "later overwrites."
        ),
    ),
    ("TOUCHES_OVERLAP", _WARNING, "Two tasks touch the same path, and neither comes before the other."),
    (
        "OWNERSHIP_UNCOMPARED",
        _NOTE,
        "There are too many globs among the claims to compare them all. Directories can always be compared.",
    ),
    (
        "INDEPENDENCE_CONTRADICTED",
        _WARNING,
        "Two tasks are called independent, and one comes before the other, directly or through others.",
    ),
    (
        "RECOMMENDATION_CONTRADICTED",
        _WARNING,
        (
            "The recommendation is not what the graph says. `TEAM_ELIGIBLE` needs level 3 and two tasks that are not "
            "ordered and change different paths; a recommendation that is only too careful is a note."
        ),
    ),
    (
        "TASK_WITHOUT_REQUIREMENT",
        _WARNING,
        (
            "A task names no requirement, although the document declares requirements; a note if other tasks only name "
            "some. Test tasks and human gates need none."
        ),
    ),
    ("REQUIREMENT_UNTESTED", _NOTE, "No task of a requirement names a test case or has a test task."),
    ("TEST_WITHOUT_REQUIREMENT", _NOTE, "A test case stands only on tasks without requirement."),
    ("TASK_DONE_EARLY", _WARNING, "A task is done, and one that it waits for is not."),
    ("TASK_STUCK", _NOTE, "A task is stuck, and others wait for it."),
    (
        "RISK_LATE",
        _NOTE,
        (
            "A task of high or critical risk waits for nothing and stands behind one of lower risk. What may fail is "
            "better known early."
        ),
    ),
)
