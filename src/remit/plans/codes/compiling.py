"""Codes of findings about compiling plans.

Owns: the rows. A code, once released, keeps its meaning.
Does not know: the compiler.
"""

from __future__ import annotations

from typing import Final

from remit.diagnostics import Severity

_ERROR: Final = Severity.ERROR
_WARNING: Final = Severity.WARNING
_NOTE: Final = Severity.NOTE

ROWS: Final[tuple[tuple[str, Severity, str], ...]] = (
    (
        "COMPILE_REFUSED",
        _ERROR,
        "What a task compiles to is no orchestration that is accepted; the message says what is refused of it.",
    ),
    ("COMPILE_NOTHING_LEFT", _ERROR, "A plan has no task that is not done, so there is nothing to compile."),
    (
        "COMPILE_PATH_OUTSIDE",
        _ERROR,
        "A path leads out of the workspace: it is absolute, or goes upwards. Agents work inside of one workspace.",
    ),
    ("COMPILE_ITERATIONS", _ERROR, "A task allows more iterations than a loop can have, or none."),
    ("COMPILE_DONE_SKIPPED", _NOTE, "Tasks that are done are left out; what depends on them goes on without them."),
    (
        "COMPILE_STUCK_GATED",
        _WARNING,
        "A task is stuck. In the compiled plan a person has to agree before it begins again.",
    ),
    (
        "COMPILE_SCOPE_FROM_FILES",
        _NOTE,
        (
            "A task of a plan below level 3, or of a task table, has no ownership; it may change what its `Files` "
            "names, and nothing else."
        ),
    ),
    (
        "COMPILE_SCOPE_OPEN",
        _NOTE,
        (
            "A task names no paths that it may change. None are guessed: whoever starts the run has to name them, in "
            "the input's `write`."
        ),
    ),
    (
        "COMPILE_VERIFY_OPEN",
        _NOTE,
        (
            "A task names no command that verifies it. Whoever starts the run has to name one for all such tasks, in "
            "the input's `verify`."
        ),
    ),
    (
        "COMPILE_CRITERIA_UNREAD",
        _NOTE,
        (
            "A phase has exit criteria and no human gate. Its tasks have to pass; whether its criteria hold nobody is "
            "asked."
        ),
    ),
    (
        "COMPILE_ORDERED",
        _NOTE,
        (
            "Tasks without order among them must not run at the same time: they change the same files, one verifies "
            "what others of a fanout build, or the plan is for one worker (below level 3, or by its own "
            "recommendation). The later one is compiled to wait."
        ),
    ),
)
