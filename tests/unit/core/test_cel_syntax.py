"""What an expression says about itself: how much it can copy, and the guards in it."""

from __future__ import annotations

import pytest
from cel_expr_python import cel

from remit.core.cel_syntax import FOLD_ITEMS_MAX, Analysis, analyze, guard

ENVIRONMENT = cel.NewEnv(variables={"input": cel.Type.DYN, "steps": cel.Type.DYN})


def analysis(text: str) -> Analysis:
    return analyze(ENVIRONMENT.compile(text).serialize())


@pytest.mark.parametrize(
    ("text", "growth"),
    [
        ("input.a", 1),
        ("input.a + input.b + 'x'", 3),
        ("input.a ? input.b + 'x' : input.b", 2),
        ("{'a': input.a, 'b': 1}", 1),
        ("[input.a, input.a]", 2),
        ("['a'].map(x, x + x).map(x, x + x)", 4),
        ("input.l.filter(x, x.size() > 1)", 1),
    ],
)
def test_growth_bounds_length_of_result(text: str, growth: int) -> None:
    """
    Growth counts how often the longest text can be in a result.
    """
    assert growth == analysis(text).growth


@pytest.mark.parametrize(
    ("text", "copied"),
    [
        ("input.a + input.b", set()),
        ("input.l.map(x, x.a + x.b)", set()),
        ("input.l.map(x, input.a)", set()),
        ("input.l.map(x, x + input.a)", {("input", "a")}),
        ("input.l.exists_one(x, x == input.a)", set()),
        ("input.l.all(x, x + input.a == 'y')", {("input", "a")}),
        ("input.l.map(x, x.tags.map(t, t + 'y'))", set()),
        ("input.l.map(x, x.tags.map(t, x.name + t))", {("input", "l")}),
        ("input.l.map(x, steps.m.map(y, y + 'z'))", {("steps", "m")}),
    ],
)
def test_copied_paths_are_those_joined_per_element(text: str, copied: set[tuple[str, ...]]) -> None:
    """
    A path is copied if its text is joined anew for every element of something else.
    """
    assert copied == analysis(text).copied


def test_tested_path_is_told_from_used_one() -> None:
    """
    What `has` asks for is not used, unless it is used as well.
    """
    found = analysis("has(input.a.b) && input.c[0]['d']")

    assert ({("input", "a", "b")}, {("input", "c", 0, "d")}) == (found.tested, found.paths)


@pytest.mark.parametrize(
    ("text", "is_ordered"),
    [("input.l.map(x, x)", True), ("size(input.l.filter(x, x)) > 0", True), ("input.l.all(x, x)", False)],
)
def test_order_matters_to_map_and_filter_only(text: str, is_ordered: bool) -> None:
    """
    Macros that give a boolean do not depend on the order of what they visit.
    """
    assert is_ordered == analysis(text).is_ordered


@pytest.mark.parametrize(
    "text",
    [
        "input.l.map(x, x * 2).filter(x, x > 2)",
        "[3, 4].map(x, x)",
        "{'a': [input.l.map(x, x)][0].size(), 'b': 1.5, 'c': -1}",
        "has(input.l) && input.l.exists(x, [x].map(y, y) == [x])",
        "(input.l.size() > 1 ? input.l : []).map(x, string(x) + '!')",
    ],
)
def test_guarded_expression_means_the_same(text: str) -> None:
    """
    The guards change no value that is allowed.
    """
    program = ENVIRONMENT.compile(text)
    guarded = ENVIRONMENT.deserialize(guard(program.serialize()))
    scope = {"input": {"l": [1, 2, 3]}}

    assert program.eval(data=scope).plain_value() == guarded.eval(data=scope).plain_value()


def test_guard_stops_maps_and_long_lists() -> None:
    """
    A guarded macro fails on a map and on a list that is too long.
    """
    guarded = ENVIRONMENT.deserialize(guard(ENVIRONMENT.compile("input.map(x, x)").serialize()))

    assert cel.Type.ERROR == guarded.eval(data={"input": {"a": 1}}).type()
    assert cel.Type.ERROR == guarded.eval(data={"input": [0] * (FOLD_ITEMS_MAX + 1)}).type()
    assert [0] * FOLD_ITEMS_MAX == guarded.eval(data={"input": [0] * FOLD_ITEMS_MAX}).plain_value()
