"""Laws of expressions: the short way in Python equals CEL, and parts of a scope do for the whole."""

from __future__ import annotations

from contextlib import suppress

import pytest
from cel_expr_python import cel
from hypothesis import example, given
from hypothesis import strategies as st

from remit.core.canonical import JsonValue
from remit.core.expressions import compile_expression, compile_template
from remit.errors import EvaluationError, ExpressionError, RemitError

ROOTS = frozenset({"input", "steps"})
KEYS = ("a", "b", "c", "x y", "0", "in", "size", "_")

keys = st.sampled_from(KEYS)
scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from(["", "a", "é"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)
scopes = st.fixed_dictionaries({"input": values, "steps": values})
paths = st.tuples(st.sampled_from(sorted(ROOTS)), st.lists(keys | st.integers(0, 4), max_size=4))


def written(path: tuple[str, list[str | int]]) -> str:
    """Return a path as text: names after a dot where CEL allows it, everything else in brackets."""
    root, rest = path
    parts = [f".{key}" if isinstance(key, str) and key.isidentifier() and key != "in" else f"[{key!r}]" for key in rest]
    return root + "".join(parts)


def outcome(text: str, scope: dict[str, JsonValue]) -> str:
    """Return the value's text, sorted like CEL's own results, or that it failed."""
    try:
        return shown(compile_expression(text, roots=ROOTS).evaluate(scope))
    except EvaluationError:
        return "failed"


def shown(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{key!r}:{shown(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(shown(item) for item in value) + "]"
    return repr(value)


@given(paths, scopes)
@example(("input", ["a"]), {"input": {"a": None}, "steps": {}})
@example(("input", ["a", 0]), {"input": {"a": "text"}, "steps": {}})
@example(("input", [0]), {"input": {"0": 1}, "steps": {}})
def test_path_equals_cel(path: tuple[str, list[str | int]], scope: dict[str, JsonValue]) -> None:
    """
    A path that is looked up in Python gives what CEL gives for it: the value, or a failure.
    """
    text = written(path)

    assert outcome(f"({text})", scope) == outcome(text, scope)


@given(st.lists(paths, min_size=1, max_size=4), paths, scopes)
def test_parts_of_scope_do_for_the_whole(
    used: list[tuple[str, list[str | int]]], tested: tuple[str, list[str | int]], scope: dict[str, JsonValue]
) -> None:
    """
    Handing CEL only what an expression refers to changes nothing: not its value, not whether it fails.
    """
    first, *others = map(written, used)
    test = f"has({written(tested)}.a)"
    texts = [
        f"[{', '.join([first, *others])}]",
        f"{test} && {first} == {first}",
        f"{test} ? {written(tested)}.a : dyn({first})",
        f"dyn({first}) in [dyn({others[0] if others else 1})] || {test}",
        f"{first}.?a[?0].orValue({first})",
        f"size({first}) > 1 || [{first}].exists(e, e == {others[-1] if others else 1})",
    ]
    for text in texts:
        assert evaluated_on_whole_scope(text, scope) == outcome(text, scope)


def evaluated_on_whole_scope(text: str, scope: dict[str, JsonValue]) -> str:
    """Return the same expression's outcome with a variable for each root that CEL sees completely."""
    everything = " && ".join(f"{root} == {root}" for root in sorted(ROOTS))
    return outcome(f"({everything}) ? dyn({text}) : null", scope)


@given(st.text(alphabet="${}'\"\\ a/b\n", max_size=30))
def test_template_of_any_text_compiles_or_points_into_it(text: str) -> None:
    """
    Whatever braces, quotes and escapes a text has, it is a template or refused at an offset inside it.
    """
    try:
        compile_template(text, roots=ROOTS)
    except ExpressionError as error:
        offset = error.fields["offset"]
        assert isinstance(offset, int)
        assert 0 <= offset <= len(text)


@given(st.text(), st.text())
def test_escaped_opening_is_literal(before: str, after: str) -> None:
    """
    ``$${{`` stands for ``${{`` wherever it is, and nothing after it is read as an expression.
    """
    before, after = before.replace("$", ""), after.replace("$", "")

    template = compile_template(f"{before}$${{{{{after}", roots=ROOTS)

    assert template.is_constant
    assert f"{before}${{{{{after}" == template.render({})


@given(values)
def test_value_without_expressions_renders_to_itself(value: JsonValue) -> None:
    """
    A template without expressions is the value that it was made from.
    """
    template = compile_template(value, roots=ROOTS)

    assert (True, value) == (template.is_constant, template.render({}))


@given(values, scopes)
def test_placeholder_in_any_place_gives_its_value(value: JsonValue, scope: dict[str, JsonValue]) -> None:
    """
    A string that is one placeholder is replaced by the value itself, whatever is around it.
    """
    rendered = compile_template([value, {"k": ["${{ input }}"]}], roots=ROOTS).render(scope)

    assert [value, {"k": [scope["input"]]}] == rendered


@given(st.text(), scopes)
def test_text_in_placeholder_comes_out_as_written(text: str, scope: dict[str, JsonValue]) -> None:
    """
    Any text survives the way through a CEL literal, also one that holds braces and quotes.
    """
    literal = '"' + "".join(f"\\U{ord(c):08x}" if c in '"\\' or not c.isprintable() else c for c in text) + '"'

    assert f"<{text}>" == compile_template(f"<${{{{ {literal} }}}}>", roots=ROOTS).render(scope)


pieces = st.sampled_from(
    [
        *("input", "steps", ".a", ".?a", "['b']", "[0]", "[?1]", "input.l", "'}'", '"x"', "r'\\d'", "b'x'", "1", "2u"),
        *("1.5", "null", "true", "+", "-", "*", "/", "%", "==", "<", "&&", "||", "!", "?", ":", "(", ")", "[", "]"),
        *("{", "}", ",", " in ", "has(", "size(", "string(", "int(", ".map(e, ", ".filter(e, ", ".all(e, ", "e"),
        *(".orValue(", ".matches(", "math.greatest(", "timestamp(", "optional.none()", "dyn(", "type("),
    ]
)


@given(st.lists(pieces, max_size=9).map("".join), scopes)
@example("[input].map(e, e)", {"input": {"a": 1}, "steps": None})
@example("input.map(e, e)", {"input": {"a": 1}, "steps": None})
def test_any_expression_evaluates_or_raises_our_errors(text: str, scope: dict[str, JsonValue]) -> None:
    """
    No expression, and no scope, makes anything but our errors come out, and what comes out is the same every time.
    """
    with suppress(RemitError):
        compile_expression(text, roots=ROOTS)
        assert outcome(text, scope) == outcome(text, scope)


@given(values)
def test_nulls_in_results_cost_no_references(value: JsonValue) -> None:
    """
    Every value comes back from CEL as it went in; nulls are never asked for, which would damage the interpreter.
    """
    expression = compile_expression("[input, null]", roots=ROOTS)

    assert shown([value, None]) == shown(expression.evaluate({"input": value}))


def test_error_values_of_cel_never_count_as_false() -> None:
    """
    The library hands failures back as values; a condition that fails raises instead of being false.
    """
    environment = cel.NewEnv(variables={"input": cel.Type.DYN})
    assert cel.Type.ERROR == environment.compile("input.missing").eval(data={"input": {}}).type()

    for text in ("input.missing", "!input.missing", "input.missing && true", "input.missing == 1"):
        with pytest.raises(EvaluationError):
            compile_expression(text, roots=ROOTS).evaluate_bool({"input": {}})
