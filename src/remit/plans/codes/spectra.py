"""Codes of findings about SPECTRA execution plans.

Owns: the rows. A code, once released, keeps its meaning.
Does not know: the checks.
"""

from __future__ import annotations

from typing import Final

from remit.diagnostics import Severity

_ERROR: Final = Severity.ERROR
_WARNING: Final = Severity.WARNING
_NOTE: Final = Severity.NOTE

_DOCUMENT: Final = (
    ("SPECTRA_TASKS_MISSING", _ERROR, "The document has no task: no heading `## Task 001: …` in any form."),
    (
        "SPECTRA_TITLE",
        _NOTE,
        "The title is not `# SPECTRA Execution Plan`, or there is none. It means nothing to the checks.",
    ),
    (
        "SPECTRA_HEADER_MISSING",
        _NOTE,
        "The header names no project or no day. No rule asks for them, the exported `plan.json` does.",
    ),
    (
        "SPECTRA_HEADER_FORM",
        _NOTE,
        "A field of the header in another form than `## Project: …`: in bold, as a list item, several on one line.",
    ),
    ("SPECTRA_HEADER_UNKNOWN", _NOTE, "A line of the header that looks like a field and is none of the format's."),
    ("SPECTRA_HEADER_REPEATED", _WARNING, "A field of the header stands twice. The first one is taken."),
    ("SPECTRA_DATE_INVALID", _WARNING, "The day on which the plan was made is none, or not written YYYY-MM-DD."),
    (
        "SPECTRA_LEVEL_MISSING",
        _WARNING,
        "The plan has no level. It is read as level 1, and fields of higher levels are not asked for; see `--level`.",
    ),
    (
        "SPECTRA_LEVEL_FORM",
        _WARNING,
        (
            "The level stands in the title, in bold, or with words behind it. It is read; some readers see no level, "
            "take 1, and ask for less."
        ),
    ),
    ("SPECTRA_LEVEL_INVALID", _ERROR, "The level is none of 0 to 4. The plan is read as level 1."),
    (
        "SPECTRA_FENCE",
        _WARNING,
        (
            "The plan stands in a block of code, or a block of code is never closed and would hide tasks. "
            "The tasks are read."
        ),
    ),
    (
        "SPECTRA_TASK_HIDDEN",
        _NOTE,
        "A task's header stands in a block of code or a comment, beside tasks that do not. It is not read.",
    ),
    (
        "SPECTRA_TEXT_OUTSIDE",
        _NOTE,
        "Text that is no part of the plan: an overview, a summary. It is not read; one finding for each section.",
    ),
)

_TASKS: Final = (
    (
        "SPECTRA_TASK_FORM",
        _WARNING,
        "A task's header has another form than `## Task 001: title`. It is read; other readers do not see the task.",
    ),
    (
        "SPECTRA_TASK_HEADER_MISSING",
        _WARNING,
        "A check mark with an id begins a task and no header stands before it. It is read as one.",
    ),
    ("SPECTRA_TASK_TITLE_MISSING", _ERROR, "The header of a task has no title."),
    (
        "SPECTRA_ID_FORM",
        _WARNING,
        (
            "An id is not three digits: `1`, `NE-S0`. Numbers are read with zeros before them; ids of other kinds stay "
            "as they are, and other readers do not see their tasks."
        ),
    ),
    (
        "SPECTRA_TASK_SPLIT",
        _NOTE,
        "A task is a part of another one that was split, such as `002-a`. Other readers refuse its id.",
    ),
    ("SPECTRA_TASK_DUPLICATE", _ERROR, "Two tasks have the same id; `1` and `001` are the same."),
    ("SPECTRA_TASK_ORDER", _ERROR, "Ids do not increase from task to task."),
    ("SPECTRA_TASK_ZERO", _WARNING, "A task is numbered 000. It is read; others count from 001 and refuse the plan."),
    ("SPECTRA_CHECKBOX_MISSING", _ERROR, "A task has no check mark, so nobody can say how far it is."),
    ("SPECTRA_CHECKBOX_FORM", _WARNING, "The check mark's line has another form than `- [ ] 001: title`."),
    ("SPECTRA_CHECKBOX_ID", _ERROR, "The check mark has another id than the header of its task."),
    (
        "SPECTRA_MARK_UNKNOWN",
        _WARNING,
        (
            "A mark other than space (pending), `x` (done) and `!` (stuck). `[~]` is read as in progress, others as "
            "pending unless they are one of the three with space around."
        ),
    ),
    ("SPECTRA_TITLE_DIFFERS", _NOTE, "The text beside the check mark is not the title of the task."),
    (
        "SPECTRA_MARKER",
        _NOTE,
        "A mark that a tool left: `STUCK:002`, `SPLIT:002 -> 002-a, 002-b`, `VERIFIED:002`, `SPECTRA_COMPLETE`.",
    ),
    (
        "SPECTRA_STATE_DIFFERS",
        _WARNING,
        "A mark of a tool or a status field says of a task what its check mark does not. The check mark counts.",
    ),
)

_FIELDS: Final = (
    (
        "SPECTRA_FIELD_MISSING",
        _ERROR,
        (
            "A field that the level requires is not there. From level 0: AC, Files, Verify; from 1: Risk, "
            "Max-iterations; from 2: Scope, Wiring-proof; from 3: File-ownership."
        ),
    ),
    ("SPECTRA_FIELD_EMPTY", _ERROR, "A field is there and holds nothing."),
    ("SPECTRA_FIELD_REPEATED", _WARNING, "A field stands twice in a task. The first one is taken."),
    (
        "SPECTRA_FIELD_UNKNOWN",
        _NOTE,
        "A field that the format does not have. It is kept; if it is a misspelling, the message says of what.",
    ),
    (
        "SPECTRA_KEY",
        _WARNING,
        (
            "The key of a field in another spelling: those of older versions (`Max iterations`, `Wiring proof`, "
            "`File ownership`), `Blocked-by`, `Acceptance criteria`, other case."
        ),
    ),
    (
        "SPECTRA_LINE_FORM",
        _NOTE,
        "A field's line does not begin with `- Key:`: another bullet, no bullet, indentation, a key in bold.",
    ),
    (
        "SPECTRA_ITEM_FORM",
        _NOTE,
        "Sub-items of a field do not begin with two spaces, a hyphen and a space. Other readers may not see them.",
    ),
    ("SPECTRA_ITEM_UNKNOWN", _WARNING, "A sub-item of File-ownership that is none of owns, touches and reads."),
    (
        "SPECTRA_TRAILING_SPACE",
        _NOTE,
        "Space at the end of a field's line. Other readers do not know `- AC:` with space behind it.",
    ),
    ("SPECTRA_LINE_UNKNOWN", _NOTE, "Lines in a task, the assessment or the graph that are none of the format's."),
    ("SPECTRA_PLACEHOLDER", _WARNING, "A text that stands for one still to be written: `{title}`, `TODO`, `...`."),
    (
        "SPECTRA_CRITERIA_ONE_LINE",
        _WARNING,
        "The criterion stands on the line of `- AC:`, as in older versions. It is read as one criterion.",
    ),
    ("SPECTRA_CRITERION_EMPTY", _WARNING, "A criterion says nothing."),
    (
        "SPECTRA_CRITERION_VAGUE",
        _WARNING,
        "A criterion that no check can decide: `works correctly`, `user-friendly`. Say what is observed.",
    ),
    ("SPECTRA_RISK_FORM", _WARNING, "The risk in bold, in capitals, or with words behind it. It is read."),
    (
        "SPECTRA_RISK_INVALID",
        _ERROR,
        "The risk is none of low, medium and high. `critical` is read and not the format's.",
    ),
    ("SPECTRA_ITERATIONS_FORM", _WARNING, "Words or markup around the number of iterations. It is read."),
    ("SPECTRA_ITERATIONS_INVALID", _ERROR, "The number of iterations is no whole number, or less than 1."),
    ("SPECTRA_ITERATIONS_RANGE", _WARNING, "More than 20 iterations: more than the format's schema allows."),
    ("SPECTRA_SCOPE_FORM", _WARNING, "Words or markup around the scope. It is read."),
    ("SPECTRA_SCOPE_INVALID", _ERROR, "The scope is none of code, infra, docs, config and multi-repo, or several."),
    (
        "SPECTRA_VERIFY_FORM",
        _WARNING,
        (
            "The command is not between one pair of backticks that ends the line. It is read as far as it is certain; "
            "text behind it, such as `= 0`, is checked by nobody, and some readers then see no command at all."
        ),
    ),
    (
        "SPECTRA_COMMAND_WORDS",
        _WARNING,
        "Words where a command should stand: a sentence, or a request such as `GET /orders`. Nothing can run them.",
    ),
    ("SPECTRA_COMMAND_SYNTAX", _WARNING, "A command that a shell cannot read: a quote or bracket is never closed."),
    (
        "SPECTRA_COMMAND_CANNOT_FAIL",
        _WARNING,
        "A command whose status is always 0: `true`, `echo`, `… || true`, a pipe into `wc`. It shows nothing.",
    ),
    (
        "SPECTRA_WIRING_PART_MISSING",
        _NOTE,
        "The proof of wiring lacks its command (`CLI`) or its assertion across modules (`Integration`).",
    ),
    (
        "SPECTRA_WIRING_FORM",
        _WARNING,
        (
            "The command of a proof of wiring has words around it. The commands in backticks are read; what the words "
            "claim is checked by nobody."
        ),
    ),
    ("SPECTRA_ASSERTION_INVALID", _ERROR, "An assertion has none of the four forms. It is kept as text."),
    (
        "SPECTRA_FORCED_FAILURE_MISSING",
        _NOTE,
        "From level 2 on a plan should show that its checks can fail; none does.",
    ),
)

_FILES: Final = (
    (
        "SPECTRA_FILES_NESTED",
        _WARNING,
        "Files stand in sub-items, or sub-items say which are created, touched, deleted. They are read.",
    ),
    ("SPECTRA_PATH_FORM", _NOTE, "A path with quotes, backslashes, or words behind it. It is read without them."),
    ("SPECTRA_PATH_PROSE", _WARNING, "Words where a path should stand, such as `backup output only`."),
    ("SPECTRA_PATH_OUTSIDE", _WARNING, "A path leads out of the project: absolute, or through `..`."),
    ("SPECTRA_PATH_REPEATED", _WARNING, "A task claims a path twice; `./a` and `a` are the same."),
    ("SPECTRA_FILE_UNOWNED", _WARNING, "A file of `Files` is neither in owns nor in touches of its task."),
    ("SPECTRA_FILE_UNLISTED", _WARNING, "A path that a task owns or touches is not in its `Files`."),
    ("SPECTRA_OWNS_MISSING", _ERROR, "File-ownership has no owns, which level 3 requires."),
    ("SPECTRA_READS_MISSING", _WARNING, "File-ownership has no reads; `[]` says that a task reads no other file."),
    ("SPECTRA_OWNS_BARE", _ERROR, "From level 3 on owns must be a list in brackets. It is read without them."),
    ("SPECTRA_LIST_BARE", _WARNING, "A list of paths without brackets, or in sub-items. It is read."),
)

_ORDER: Final = (
    ("SPECTRA_REFERENCE_UNKNOWN", _ERROR, "The dependency graph or a mark names a task that the plan does not have."),
    ("SPECTRA_REFERENCE_UNREAD", _WARNING, "Words among ids of tasks. They are not read."),
    (
        "SPECTRA_DRAWING_UNREAD",
        _WARNING,
        "A drawing in the dependency graph has a line that cannot be followed. No dependency is read from that line.",
    ),
    ("SPECTRA_ARROW", _WARNING, "An arrow other than `->` in a chain. It is read; other readers see no dependency."),
    (
        "SPECTRA_DEPENDENCY_DIFFERS",
        _WARNING,
        (
            "One of the three places that state dependencies (the field, the sequential dependencies, the graph) puts "
            "two tasks in an order, and another that speaks of both does not."
        ),
    ),
    ("SPECTRA_ALL_REPEATED", _ERROR, "Two tasks are said to come after all others. The first one is taken."),
    ("SPECTRA_PARALLELISM_MISSING", _ERROR, "From level 3 on a plan needs the section `## Parallelism Assessment`."),
    ("SPECTRA_INDEPENDENT_ORDERED", _WARNING, "A task that is called independent comes after another one."),
    (
        "SPECTRA_RECOMMENDATION_FORM",
        _WARNING,
        "A recommendation in other words, such as `SEQUENTIAL` or `PARALLEL_OK`. It is read as the one that it means.",
    ),
    (
        "SPECTRA_RECOMMENDATION_UNKNOWN",
        _WARNING,
        "A recommendation that is neither TEAM_ELIGIBLE nor SEQUENTIAL_ONLY, nor means one of them.",
    ),
)

ROWS: Final[tuple[tuple[str, Severity, str], ...]] = (*_DOCUMENT, *_TASKS, *_FIELDS, *_FILES, *_ORDER)
