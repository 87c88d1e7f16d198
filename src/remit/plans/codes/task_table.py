"""Codes of findings about task tables.

Owns: the rows. A code, once released, keeps its meaning.
Does not know: the checks.
"""

from __future__ import annotations

from typing import Final

from remit.diagnostics import Severity

_ERROR: Final = Severity.ERROR
_WARNING: Final = Severity.WARNING
_NOTE: Final = Severity.NOTE

_READING: Final = (
    (
        "TABLE_TASKS_MISSING",
        _ERROR,
        "The document has no table of which each row is a task, and no task with a table of fields.",
    ),
    (
        "TABLE_COLUMNS_READ",
        _NOTE,
        "Which columns of a table were taken for which fields of a task. What means nothing known is not read.",
    ),
    (
        "TABLE_SHORTHAND_READ",
        _NOTE,
        (
            "Ids are written shorter than in full: `P1-T01..T41`, `06..25`, `P1-T-RK06a/b/c`, `C08/C09`, `INV-*`; or "
            "something stands beside them in parentheses. Each kind is reported once, with what it was read as."
        ),
    ),
    (
        "TABLE_RANGE_TOO_LARGE",
        _WARNING,
        "Ranges of ids stand for more ids than are read from one document. Further ranges stand for their ends.",
    ),
    (
        "TABLE_ROW_WIDTH",
        _WARNING,
        "A row has more or fewer cells than the heading of its table; often a `|` in a text.",
    ),
    (
        "TABLE_ROW_APART",
        _NOTE,
        "Rows of a table of tasks are none: they head the rows below, or say a total. They are read as what they are.",
    ),
    (
        "TABLE_ROWS_JOINED",
        _NOTE,
        "Several tables have a row for the same task, by its id and title. What they say is read together.",
    ),
    (
        "TABLE_FIELD_DIFFERS",
        _WARNING,
        (
            "Two tables say different things about the same task. The first is read. It is an error if they differ in "
            "what comes first."
        ),
    ),
    (
        "TABLE_TASKS_NESTED",
        _NOTE,
        "A task stands below another by its id, such as 1.1 below 1. Both are tasks, and their efforts are added up.",
    ),
    (
        "TABLE_TASK_WITHOUT_FIELDS",
        _WARNING,
        "A heading looks like those of the tasks, and no table of fields follows. It is not read as a task.",
    ),
    ("TABLE_ID_MISSING", _WARNING, "A row has no id. It is read under the number of its row."),
    ("TABLE_ID_DUPLICATE", _ERROR, "Two tasks have the same id. Whatever names it means the first."),
    ("TABLE_ID_DIFFERS", _WARNING, "The heading of a task and the field with its id name different ids."),
    (
        "TABLE_REFERENCE_UNREADABLE",
        _WARNING,
        (
            "A list of tasks has an item that is no id, and no title of a task; or a range of other ids does not count "
            "up. It is left out. A note where blockers are listed, which may be anything."
        ),
    ),
    (
        "TABLE_STATUS_UNKNOWN",
        _WARNING,
        (
            "A status that is no state. The task is read as not started; one that is said to be cancelled or the like "
            "as stuck. Each status is reported once."
        ),
    ),
    (
        "TABLE_EFFORT_UNKNOWN",
        _WARNING,
        (
            "An effort that is no size and no duration, or a number without unit. The task counts as not estimated. "
            "Each such effort is reported once, and all numbers without unit together."
        ),
    ),
    (
        "TABLE_EFFORT_POINTS",
        _NOTE,
        "Efforts are points, which are no time. The tasks count as not estimated.",
    ),
    (
        "TABLE_EFFORT_ASSUMED",
        _NOTE,
        "Sizes such as S and M are read as person-days by default, because no Effort Summary says what they mean.",
    ),
)

_SCHEMA: Final = (
    ("TABLE_FIELD_MISSING", _WARNING, "A field that the Schema table requires is not in the table of a task."),
    ("TABLE_FIELD_EMPTY", _WARNING, "A field that the Schema table requires says nothing in a task."),
    ("TABLE_FIELD_REPEATED", _WARNING, "A task has the same field twice. The first is read."),
    ("TABLE_FIELD_UNDECLARED", _WARNING, "Tasks have a field that the Schema table does not declare."),
    (
        "TABLE_VALUE_UNKNOWN",
        _WARNING,
        "A value that is none of those that the Schema table lists for its field. Each value is reported once.",
    ),
    ("TABLE_VALUE_SPELLING", _WARNING, "A value is spelt otherwise than in the Schema table."),
    ("TABLE_ID_FORM", _WARNING, "The id of a task does not have the form that the Schema table gives."),
    (
        "TABLE_ID_SEQUENCE",
        _WARNING,
        "Ids are not numbered as the Schema table says: missing, or out of order.",
    ),
    ("TABLE_ID_GAP", _NOTE, "Ids count up from one and leave out a number."),
    (
        "TABLE_REFERENCE_FORM",
        _WARNING,
        "Ids of a form that the Schema table does not name for the field. Each form is reported once.",
    ),
)

_TOTALS: Final = (
    ("TABLE_TOTAL_WRONG", _WARNING, "A number of tasks in a summary, or a total, is not the number of tasks."),
    ("TABLE_SHARE_WRONG", _WARNING, "A percentage is not the share of the number beside it."),
    ("TABLE_SUM_WRONG", _WARNING, "A total is not the sum of the rows above it."),
    (
        "TABLE_DISTRIBUTION_WRONG",
        _WARNING,
        "A row that counts tasks, by workstream, effort or another field, differs from the tasks themselves.",
    ),
    ("TABLE_DISTRIBUTION_INCOMPLETE", _WARNING, "A table that counts tasks by a field has no row for a value in use."),
)

_ORDER: Final = (
    (
        "TABLE_MATRIX_DIFFERS",
        _ERROR,
        (
            "A row of the Dependency Matrix differs from the task's own dependencies, so that nobody knows what comes "
            "first. The plan follows the task."
        ),
    ),
    ("TABLE_MATRIX_INCOMPLETE", _WARNING, "The Dependency Matrix has no row for a task."),
    ("TABLE_MATRIX_TASK_UNKNOWN", _WARNING, "The Dependency Matrix has a row for something that is no task."),
    ("TABLE_MATRIX_ROW_REPEATED", _WARNING, "The Dependency Matrix has two rows for a task. The first is read."),
    (
        "TABLE_PATH_LENGTH_WRONG",
        _WARNING,
        "The length of the critical path in the summary is not that of the longest chain of dependencies.",
    ),
    (
        "TABLE_DRAWN_EDGE_WRONG",
        _WARNING,
        (
            "A line of a drawing leads from one task to another that does not depend on it. It is a note if the "
            "dependency leads through other tasks."
        ),
    ),
    (
        "TABLE_DRAWN_PATH_LENGTH",
        _WARNING,
        "The longest line of a drawn critical path has more or fewer tasks than the summary says.",
    ),
    ("TABLE_DRAWN_TASK_UNKNOWN", _WARNING, "A drawing names a task that the document does not have."),
    (
        "TABLE_DRAWING_CROOKED",
        _NOTE,
        "A line of a drawing goes on one column beside itself. It is read as one line.",
    ),
    (
        "TABLE_DRAWING_LOOSE",
        _WARNING,
        "The arrowheads of a drawn line point at nothing, though it joins tasks. No order is read from it.",
    ),
    ("TABLE_DRAWING_TOO_LARGE", _NOTE, "A drawing joins so many tasks that only some of its lines are compared."),
)

_TRACES: Final = (
    (
        "TABLE_REQUIREMENT_UNCOVERED",
        _WARNING,
        "A requirement that the traceability matrix lists is named by no task.",
    ),
    ("TABLE_TEST_UNMAPPED", _WARNING, "A test that the traceability matrix lists is named by no task."),
    (
        "TABLE_TRACE_INCOMPLETE",
        _WARNING,
        (
            "A row of a traceability matrix leaves out tasks that name one of its ids. A task that four or more rows "
            "leave out is reported once for all of them."
        ),
    ),
    ("TABLE_TRACE_UNBACKED", _WARNING, "A row of a traceability matrix lists a task that names none of its ids."),
    ("TABLE_TRACE_ID_MISSING", _WARNING, "A task names a requirement or a test that no row of the matrix has."),
    (
        "TABLE_PATTERN_LOOSE",
        _WARNING,
        (
            "A pattern of a traceability matrix fits nothing that a task names, unless numbers are left out: `T-NEG-*` "
            "for `T01-NEG-*`. It is read so."
        ),
    ),
    ("TABLE_TRACE_TASK_UNKNOWN", _WARNING, "A traceability matrix names a task that the document does not have."),
    (
        "TABLE_COVERAGE_WRONG",
        _WARNING,
        "A number of requirements or tests in the summary is not what its matrix shows.",
    ),
    (
        "TABLE_COVERAGE_UNPROVEN",
        _NOTE,
        (
            "A number of requirements or tests in the summary is neither what its matrix lists nor what tasks name; "
            "patterns such as `X-*` leave open how many there are."
        ),
    ),
    ("TABLE_NAME_CONFLICT", _WARNING, "One id of a component stands before two different names."),
)

ROWS: Final[tuple[tuple[str, Severity, str], ...]] = (*_READING, *_SCHEMA, *_TOTALS, *_ORDER, *_TRACES)
