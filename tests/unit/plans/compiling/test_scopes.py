"""Write scopes that the plan leaves to the run: who may name them, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from remit.core.expressions import compile_expression
from remit.governance.schemas import Schema
from remit.plans.compiling import Compilation
from remit.plans.compiling.remit_file import EVERYTHING
from remit.plans.plan import PlanFormat, TaskKind, TaskState
from tests.property.compiled_plans import change_of, compiled, read_back
from tests.unit.plans.compiling.building import OWNED, claims, codes_of, plan, task


@pytest.mark.parametrize(
    ("changes", "is_granted"),
    [
        ({"level": 2}, True),
        ({"level": 3}, False),
        ({"format": PlanFormat.TASK_TABLE}, True),
        ({"format": PlanFormat.DELIVERY_PLAN}, False),
    ],
    ids=["below-ownership", "from-ownership-on", "table", "delivery"],
)
def test_files_are_a_write_scope_where_they_say_what_changes(changes: dict[str, Any], is_granted: bool) -> None:
    """
    Where there is ownership, or a file is only mentioned, Files grant nothing: the run's input has to.
    """
    compilation, _ = compiled(replace(plan(task("1", owns=(), files=OWNED)), **changes))
    assert compilation is not None
    written = change_of(read_back(compilation.definition).works["1"]).input["write"]

    assert (["src/a.ts"] if is_granted else "${{ input.write.task_1 }}") == written
    assert is_granted == (() == compilation.remit.approval_rules)


def input_accepts(compilation: Compilation, **changes: Any) -> bool:
    """Tell whether a run of an orchestration may begin with an input."""
    given = {"workspace": "shop", "write": {"task_1": ["src/"]}, "verify": "make test"} | changes
    return Schema(compilation.definition.input_schema).matches(given)


def test_input_that_no_call_would_accept_starts_no_run() -> None:
    """
    A path out of the workspace is refused when the run is submitted, not when a task of it begins, days later.
    """
    compilation, _ = compiled(plan(task("1", owns=(), verify=())))
    assert compilation is not None

    assert input_accepts(compilation)
    for path in ("/etc/passwd", "../x", "a/../../b", "~/x", "C:\\x", "\\\\host\\x", " /etc", "a/.. /b", ""):
        assert not input_accepts(compilation, write={"task_1": [path]}), path
    assert not input_accepts(compilation, write={"task_1": []})
    assert not input_accepts(compilation, write={"task_1": ["a"], "task_2": ["b"]})
    assert not input_accepts(compilation, workspace="../other")
    assert not input_accepts(compilation, verify="")


@pytest.mark.parametrize("path", [".", "./", "*", "**", "**/*", "./**", "?*", "{a,b}/**", "./.", "*.md"])
def test_input_that_opens_the_whole_workspace_is_asked_about(path: str) -> None:
    """
    However it is written: a person agrees first. What names a folder or a file is what the input is for.
    """
    asks = compile_expression(EVERYTHING, roots=frozenset({"input"}))

    assert asks.evaluate({"input": {"write": ["src/a.py", path]}})
    assert not asks.evaluate({"input": {"write": ["src/**", "docs/*.md", "a.{ts,tsx}"]}})


def test_paths_that_nothing_uses_block_nothing() -> None:
    """
    A file outside of the workspace is refused where an agent would get it, not on a task that is done or a person's.
    """
    outside = claims("/etc/hosts")
    made = plan(
        task("1", owns=outside, state=TaskState.DONE),
        task("2", owns=outside, kind=TaskKind.HUMAN_GATE),
        task("3", owns=(), files=outside),
        level=3,
    )

    assert ["COMPILE_DONE_SKIPPED", "COMPILE_SCOPE_OPEN"] == codes_of(made)
    assert "COMPILE_PATH_OUTSIDE" in codes_of(replace(made, level=2))
