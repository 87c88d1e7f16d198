"""Expressions and templates: their values, their rules, and how they are refused."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

import pytest

from remit.core.canonical import JsonValue
from remit.core.cel_program import COPIED_CHARACTERS_MAX, RESULT_CHARACTERS_MAX, RESULT_NODES_MAX
from remit.core.cel_syntax import FOLD_ITEMS_MAX
from remit.core.expressions import TEXT_CHARACTERS_MAX, compile_expression, compile_template
from remit.errors import EvaluationError, ExpressionError

ROOTS = frozenset({"input", "steps", "run", "event", "item"})

SCOPE: dict[str, JsonValue] = {
    "input": {
        "qty": 2,
        "price": 12.5,
        "name": "Zoë",
        "none": None,
        "ok": True,
        "tags": ["a", "b", None],
        "lines": [{"sku": "x", "qty": 1}, {"sku": "y", "qty": 3}],
        "my-key": {"in": 7},
    },
    "steps": {"draft": {"output": {"id": "d1", "items": [{"p": 3}]}}, "my-step": {"output": 5}},
}


def evaluate(text: str, scope: Mapping[str, JsonValue] = SCOPE) -> JsonValue:
    return compile_expression(text, roots=ROOTS).evaluate(scope)


def render(value: JsonValue, scope: Mapping[str, JsonValue] = SCOPE) -> JsonValue:
    return compile_template(value, roots=ROOTS).render(scope)


def references(text: str) -> set[tuple[str, ...]]:
    return set(compile_expression(text, roots=ROOTS).references)


class Outputs(Mapping[str, JsonValue]):
    """Ten thousand outputs that note which of them are looked at."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def __getitem__(self, key: str) -> JsonValue:
        self.seen.add(key)
        return {"output": {"n": int(key.removeprefix("s"))}}

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.startswith("s")

    def __iter__(self) -> Iterator[str]:
        return (f"s{number}" for number in range(10_000))

    def __len__(self) -> int:
        return 10_000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("input.qty", 2),
        (" steps . draft [ 'output' ] [\"items\"][0].p\n", 3),
        ("input['my-key']['in']", 7),
        ("steps['my-step'].output", 5),
        ("input.none", None),
        ("input.tags[2]", None),
        ("input.qty + 1", 3),
        ("double(input.qty) * input.price", 25.0),
        ("input.qty < input.price", True),
        ("input.qty == 2.0", True),
        ("7 / 2", 3),
        ("7.0 / 2.0", 3.5),
        ("-7 % 3", -1),
        ("'it is ' + input.name", "it is Zoë"),
        ("size(input.name)", 3),
        ("input.name.startsWith('Z') && input.name.contains('o')", True),
        ("input.name.matches('^Z.ë$')", True),
        ("input.ok ? 'yes' : 'no'", "yes"),
        ("'a' in input.tags && 'qty' in input", True),
        ("input.lines.map(l, l.sku)", ["x", "y"]),
        ("input.lines.filter(l, l.qty > 1)", [{"qty": 3, "sku": "y"}]),
        ("input.lines.filter(l, l.qty > 1).map(l, {'s': l.sku})", [{"s": "y"}]),
        ("input.lines.all(l, l.qty > 0) && input.lines.exists_one(l, l.sku == 'x')", True),
        ("input.exists(key, key == 'qty')", True),
        ("{'b': [null], 'a': {'z': 1, 'y': 2}}", {"a": {"y": 2, "z": 1}, "b": [None]}),
        ("null", None),
        ("[input.none, 1u, 1.5]", [None, 1, 1.5]),
        ("string(timestamp('2026-01-02T03:04:05Z') + duration('90s'))", "2026-01-02T03:05:35Z"),
        ("int(timestamp('2026-01-02T00:00:00Z') - timestamp('2026-01-01T00:00:00Z') > duration('1h') ? '1' : '0')", 1),
        ("math.ceil(1.2)", 2.0),
        ("r'\\d' + '\\n\\u00e9'", "\\d\né"),
        ("input.qty // the quantity", 2),
    ],
)
def test_expression_has_value(text: str, value: JsonValue) -> None:
    """
    Expressions mean what CEL says, bare and in a placeholder; numbers keep their type.
    """
    assert repr(value) == repr(evaluate(text))
    assert repr(value) == repr(evaluate(f"${{{{ {text} }}}}"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("has(input.none)", True),
        ("has(input.missing)", False),
        ("has(input.missing) && input.missing.deep", False),
        ("has(input.qty) ? input.qty : 0", 2),
        ("input.?missing.?deep.orValue(null)", None),
        ("input.?qty.orValue(0)", 2),
        ("input.?none.orValue(1)", None),
        ("input.?tags[?9].orValue('none')", "none"),
        ("input.none == null", True),
        ("input.missing || true", True),
    ],
)
def test_missing_and_null_are_told_apart(text: str, value: JsonValue) -> None:
    """
    A key with null is there; a missing one is asked for by `has` or given a default.
    """
    assert value == evaluate(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("input.nme", "expected the key 'nme' in input, got an object without it; did you mean 'name'?"),
        ("input.zzz", "guard it with has"),
        ("input.nme + 'x'", 'expected the key "nme"'),
        ("input.none.x", "expected an object at input.none, got null"),
        ("input.tags.x", "expected an object at input.tags, got a list"),
        ("input.tags[3]", "expected more than 3 elements in input.tags, got 3"),
        ("input[0]", "expected the key 0 in input"),
        ("input.name[0]", "expected a list at input.name, got a string"),
        ("event.x", "expected 'event' in the scope, got input, steps"),
        ("event.x + 1", "expected a value"),
        ("has(input.missing.deep)", 'expected the key "missing"'),
        ("input.tags[-1]", "Index error"),
        ("input.qty * 1.5", r"expected values that go together, got int \* double; convert one of them"),
        ("input.qty + input.name", "expected values that go together"),
        ("1 / (input.qty - 2)", "divide by zero"),
        ("9223372036854775807 + input.qty", "integer overflow"),
        ("1.0 / double(input.qty - 2)", "expected a finite number, got inf"),
        ("double('nan')", "expected a finite number, got nan"),
        ("18446744073709551615u", "expected an integer of 64 bits"),
        ("timestamp('2026-01-01T00:00:00Z')", r"got timestamp; write string\(...\)"),
        ("duration('1s')", r"got duration; write string\(...\)"),
        ("b'x'", "expected JSON, got bytes"),
        ("type(1)", "expected JSON, got type"),
        ("{1: 2}", "expected keys that are strings, got 1"),
        ("{'a': 1, 'a': input.qty}", "duplicate key"),
        ("input.?qty", r"end it with .orValue\(null\)"),
        ("input.name.matches('(')", "invalid regular expression"),
        ("input.name.matches('(?=x)')", "invalid regular expression"),
        ("input.map(key, key)", "map and filter take lists, a map has no order"),
        ("{'a': 1}.filter(key, true)", "map and filter take lists, a map has no order"),
        ("input.name ? 1 : 2", "expected true or false before the question mark"),
        ("input.lines.all(l, l.missing)", 'expected the key "missing"'),
    ],
)
def test_failed_evaluation_says_why(text: str, words: str) -> None:
    """
    What has no value raises, says what was expected, and names the expression.
    """
    with pytest.raises(EvaluationError, match=words) as caught:
        evaluate(text)

    assert text == caught.value.fields["expression"]
    assert "EVALUATION_FAILED" == caught.value.code


@pytest.mark.parametrize("text", ["input.qty", "input.name", "input.none", "input.tags", "'true'", "1"])
def test_condition_without_boolean_is_refused(text: str) -> None:
    """
    Nothing but true and false decides anything.
    """
    with pytest.raises(EvaluationError, match="expected true or false from"):
        compile_expression(text, roots=ROOTS).evaluate_bool(SCOPE)


def test_condition_with_boolean_is_decided() -> None:
    """
    A condition gives the boolean, whether it is computed or looked up.
    """
    assert compile_expression("input.ok", roots=ROOTS).evaluate_bool(SCOPE)
    assert not compile_expression("${{ input.qty > 2 }}", roots=ROOTS).evaluate_bool(SCOPE)


@pytest.mark.parametrize(
    ("text", "offset", "words"),
    [
        ("inputs.qty", 0, "expected one of event, input, item, run, steps, got 'inputs'; did you mean 'input'?"),
        ("'é😀' + stps.a", 7, "did you mean 'steps'?"),
        ("input.a +\n  other", 12, "got 'other'; use one of these"),
        ("steps.my-step.output", 9, r"a name with a hyphen is written in brackets: steps\['my-step'\]"),
        ("input.lines.map(l, m.sku)", 19, "got 'm'"),
        ("siz(input)", 0, "expected a known function, got 'siz'; did you mean 'size'?"),
        ("input.name.startswith('a')", 11, "did you mean 'startsWith'?"),
        ("now()", 0, "there is no clock in expressions"),
        ("len(input)", 0, r"write size\(...\)"),
        ("input.a AND input.b", 8, "write &&"),
        ("input.a ==", 10, "unexpected the end"),
        ("", 0, "unexpected the end"),
        ("input.in", 6, "unexpected '.in'"),
        ("'abc", 0, "unexpected ''abc'"),
        ("input.a 'b'", 8, "unexpected ''b''"),
        ("1 == '1'", 2, r"applied to '\(int, string\)'; convert"),
        ("2 * 1.5", 2, r"no matching overload for '\*' applied to '\(int, double\)'"),
        ("'\ud800'", 1, "lone surrogate"),
        ("$.a", 0, "unexpected '\\$'"),
    ],
)
def test_refused_expression_points_at_problem(text: str, offset: int, words: str) -> None:
    """
    What does not compile is refused with the offset of the first problem and what to write instead.
    """
    with pytest.raises(ExpressionError, match=words) as caught:
        compile_expression(text, roots=ROOTS)

    assert offset == caught.value.fields["offset"]
    assert f"(character {offset})" in caught.value.message


@pytest.mark.parametrize("text", ["${{ input.qty }} x", "${{ input.qty }}${{ input.qty }}"])
def test_expression_has_one_part(text: str) -> None:
    """
    Where an expression is wanted, a text with several parts is refused.
    """
    with pytest.raises(ExpressionError, match="expected one expression and nothing beside it"):
        compile_expression(text, roots=ROOTS)


def test_offset_counts_from_start_of_whole_text() -> None:
    """
    In a placeholder, the offset is that in the text that the author wrote.
    """
    with pytest.raises(ExpressionError) as caught:
        compile_expression("${{  inputt.a }}", roots=ROOTS)

    assert 5 == caught.value.fields["offset"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("steps.draft.output.items[0].p", {("steps", "draft", "output", "items", "0", "p")}),
        ("steps['my-step'].output > 1", {("steps", "my-step", "output")}),
        ("has(input.a.b) && input.a.c", {("input", "a", "b"), ("input", "a", "c")}),
        ("steps[input.name].output", {("steps",), ("input", "name")}),
        ("input.lines.map(l, l.sku + run.id)", {("input", "lines"), ("run", "id")}),
        ("input.lines.map(input, input.sku)", {("input", "lines")}),
        ("input.lines.map(l, l.parts.exists(p, p.id == item.id))", {("input", "lines"), ("item", "id")}),
        ("steps.?draft.?output[?0].orValue(null)", {("steps", "draft", "output", "0")}),
        ("{'a': event.x, 'b': [.input.qty]}", {("event", "x"), ("input", "qty")}),
        ("input.?a.optMap(v, v + run.n).orValue(0)", {("input", "a"), ("run", "n")}),
        ("input.tags[-1] == input.tags[1u]", {("input", "tags"), ("input", "tags", "1")}),
        ("math.greatest(input.a, 1) == 'input.b'.size()", {("input", "a")}),
        ("1 + 1", set()),
    ],
)
def test_references_are_constant_paths(text: str, expected: set[tuple[str, ...]]) -> None:
    """
    References name what is used of the scope, as far as it is fixed: not macro variables, not texts.
    """
    assert expected == references(text)


@pytest.mark.parametrize(
    "text",
    [
        "steps.s7.output.n",
        "steps.s7.output.n + 1 > 7",
        "has(steps.s7.output.n)",
        "has(steps.s7.output.m) ? 0 : steps.s7.output.n",
        "[1, 2].map(x, x + steps.s7.output.n)",
    ],
)
def test_only_referenced_outputs_are_touched(text: str) -> None:
    """
    With ten thousand outputs in the scope, an expression looks at the one that it names.
    """
    outputs = Outputs()
    scope: dict[str, Mapping[str, JsonValue]] = {"steps": outputs}

    compile_expression(text, roots=ROOTS).evaluate(scope)

    assert {"s7"} == outputs.seen


def test_any_mapping_can_be_handed_over_whole() -> None:
    """
    A computed index works on mappings that are no dictionaries, at the cost of converting them.
    """
    assert 12 == evaluate("steps['s' + '12'].output.n", {"steps": Outputs()})


def test_path_hands_value_on_without_copy() -> None:
    """
    A large value that is only passed on is not copied.
    """
    large: list[JsonValue] = [{"n": n} for n in range(1000)]

    assert large is evaluate("input.rows", {"input": {"rows": large}})
    assert large is render("${{ input.rows }}", {"input": {"rows": large}})


def test_expression_of_limited_length_and_nesting() -> None:
    """
    The longest text and the deepest nesting are accepted, one more of either is refused.
    """
    assert "x" * (TEXT_CHARACTERS_MAX - 2) == evaluate(repr("x" * (TEXT_CHARACTERS_MAX - 2)))
    with pytest.raises(ExpressionError, match="at most 4096 characters, got 4097"):
        compile_expression(repr("x" * (TEXT_CHARACTERS_MAX - 1)), roots=ROOTS)

    assert references("input" + ".a" * 31) == references("(input" + ".a" * 30 + ").a")
    for text in ("input" + ".a" * 32, "(" * 40 + "1" + ")" * 40, "1" + "+1" * 40, "[1]" + ".map(x,x)" * 40):
        with pytest.raises(ExpressionError, match="at most 32 levels of nesting"):
            compile_expression(text, roots=ROOTS)


def test_iterations_are_limited() -> None:
    """
    An expression that visits ten thousand elements, in one macro or in nested ones, fails.
    """
    scope: dict[str, JsonValue] = {"input": list(range(10_000)), "item": list(range(101))}

    for text in ("input.all(x, x >= 0)", "item.all(x, item.all(y, x + y >= 0))"):
        with pytest.raises(EvaluationError, match="fewer than 10,000 iterations"):
            evaluate(text, scope)


def test_lists_that_are_built_are_limited() -> None:
    """
    `map` and `filter` take a thousand elements: the library's cost is quadratic.
    """
    assert FOLD_ITEMS_MAX == len(evaluate("input.map(x, x + 1)", {"input": list(range(FOLD_ITEMS_MAX))}))
    for text in ("input.map(x, x)", "input.filter(x, true)", "[1].map(x, input.filter(y, true))"):
        with pytest.raises(EvaluationError, match="at most 1000 elements for map or filter"):
            evaluate(text, {"input": list(range(FOLD_ITEMS_MAX + 1))})


def test_texts_that_are_copied_per_element_are_limited() -> None:
    """
    A large text of the scope cannot be joined to every element of a list; one that is part of its element can.
    """
    lines: list[JsonValue] = [{"text": "x" * COPIED_CHARACTERS_MAX, "tags": ["a", "b"]}]
    scope: dict[str, JsonValue] = {"input": {"large": "x" * COPIED_CHARACTERS_MAX, "lines": lines}}

    assert COPIED_CHARACTERS_MAX + 1 == evaluate("input.lines.map(l, size(l.text + '!'))[0]", scope)
    for text in (
        "input.lines.map(l, input.large + l.text)",
        "input.lines.map(l, l.tags.map(t, l.text + t))",
        "input.lines.map(l, [input.large].map(t, t + '!'))",
    ):
        with pytest.raises(EvaluationError, match="copied for every element"):
            evaluate(text, scope)


def test_chain_of_doublings_is_refused() -> None:
    """
    An expression whose value doubles from macro to macro does not compile.
    """
    assert ["a" * 16] == evaluate("['a']" + ".map(x, x + x)" * 4)
    for step in (".map(x, x + x)", ".map(x, [x, x])", ".map(x, {'l': x, 'r': x})"):
        with pytest.raises(ExpressionError, match="grow less from step to step"):
            compile_expression("['a']" + step * 18, roots=ROOTS)


def test_results_are_limited() -> None:
    """
    CEL does not hand back more than a step could store.
    """
    rows: list[JsonValue] = [[1] * 200] * 500
    with pytest.raises(EvaluationError, match=f"at most {RESULT_NODES_MAX} values"):
        evaluate("[input]", {"input": rows})
    with pytest.raises(EvaluationError, match=f"at most {RESULT_CHARACTERS_MAX} characters"):
        evaluate("[input]", {"input": "x" * (RESULT_CHARACTERS_MAX + 1)})


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from Python 3.12 on")
def test_nulls_cost_no_references() -> None:
    """
    Evaluating to null, anywhere in a result, takes no reference to None away: that would end the process.
    """
    expressions = [compile_expression(t, roots=ROOTS) for t in ("[null, input.none]", "{'a': null}", "dyn(null)")]
    for expression in expressions:
        expression.evaluate(SCOPE)

    before = sys.getrefcount(None)
    for _ in range(1000):
        for expression in expressions:
            expression.evaluate(SCOPE)

    assert sys.getrefcount(None) > before - 100


@pytest.mark.parametrize(
    ("template", "rendered"),
    [
        ("plain", "plain"),
        ("${{ input.lines[0] }}", {"sku": "x", "qty": 1}),
        ("${{input.none}}", None),
        (" ${{ input.none }}", " "),
        ("${{ input.qty }}${{ input.name }}", "2Zoë"),
        ("a ${{ input.lines }} b", 'a [{"qty":1,"sku":"x"},{"qty":3,"sku":"y"}] b'),
        ("<${{ input.ok }}|${{ input.price }}|${{ 2.0 }}|${{ 1e21 }}|${{ input.none }}>", "<true|12.5|2|1e+21|>"),
        ("<${{ 9223372036854775807 }}>", "<9223372036854775807>"),
        ("$${{ input.qty }}", "${{ input.qty }}"),
        ("$$${{ a }} and $${{ b", "$${{ a }} and ${{ b"),
        ("${{ '$' + string(input.qty) }}", "$2"),
        ("$ {{ input }} {{ }} }}", "$ {{ input }} {{ }} }}"),
        ("${{ '}}' + \"}}\" + '''}}''' + r'}}' }}", "}}}}}}}}"),
        ("${{ '\\'}}' }}!", "'}}!"),
        ("${{ {'a': {'b': 1}} }}", {"a": {"b": 1}}),
        ("${{ {'a': {'b': 1}}}}", {"a": {"b": 1}}),
        ("${{ input.qty // note }} left", "2 left"),
        ("${{ input.qty // it's }} left", "2 left"),
        ({"a": ["${{ input.qty }}", {"b": None}], "c": 1.5}, {"a": [2, {"b": None}], "c": 1.5}),
        ([], []),
        (None, None),
    ],
    ids=repr,
)
def test_template_renders(template: JsonValue, rendered: JsonValue) -> None:
    """
    A lone placeholder gives the value itself; in a longer text, values become text; all else stays.
    """
    assert rendered == render(template)


@pytest.mark.parametrize(
    ("template", "path", "offset", "words"),
    [
        ("${{ input.qty", "$", 0, "expected }} to close"),
        ("a ${{ 'x }}", "$", 6, "expected a closing quote"),
        ("ok ${{ input.a }} ${{ {'a': 1 }}", "$", 18, "expected }} to close"),
        ({"a": [1, {"b c": "x ${{ inptu.q }}"}]}, '$.a[1]["b c"]', 6, "did you mean 'input'"),
        (["${{ }}"], "$[0]", 4, "unexpected the end"),
        ({"a": {"${{ input.qty }}": 1}}, "$.a", 0, "expected a literal key"),
        ("${{ " + "1" * 5000 + " }}", "$", 3, "at most 4096 characters"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_refused_template_names_place(template: JsonValue, path: str, offset: int, words: str) -> None:
    """
    A template is refused with the path of the string in it and the offset inside that string.
    """
    with pytest.raises(ExpressionError, match=words) as caught:
        compile_template(template, roots=ROOTS)

    assert (path, offset) == (caught.value.fields["path"], caught.value.fields["offset"])


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ({"a": ["x", "${{ input.missing }}"]}, "$.a[1]"),
        ({"a": "x ${{ input.qty + 'x' }}"}, "$.a"),
        ({"a": "x ${{ [9223372036854775807] }}"}, "$.a"),
    ],
    ids=str,
)
def test_failed_rendering_names_place(template: JsonValue, path: str) -> None:
    """
    When an expression of a template fails, the error says which.
    """
    with pytest.raises(EvaluationError) as caught:
        render(template)

    assert path == caught.value.fields["path"]


def test_template_knows_what_it_uses() -> None:
    """
    References of a template are those of all its expressions; one without any is constant.
    """
    template = compile_template({"a": ["${{ input.qty }}"], "b": "<${{ run.id + event.n }}>"}, roots=ROOTS)

    assert {("input", "qty"), ("run", "id"), ("event", "n")} == template.references
    assert not template.is_constant
    assert compile_template({"a": ["$${{ x }}", 1]}, roots=ROOTS).is_constant


def test_constant_parts_are_shared() -> None:
    """
    A constant part costs nothing: every rendering holds the same object.
    """
    template = compile_template({"a": {"deep": [1, 2]}, "b": "${{ input.qty }}"}, roots=ROOTS)

    first, second = template.render(SCOPE), template.render(SCOPE)

    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first is not second
    assert first["a"] is second["a"]


def test_rendering_changes_neither_scope_nor_template() -> None:
    """
    A template gives the same every time, and what one rendering filled in is not in the next.
    """
    template = compile_template({"list": ["${{ input }}", 1], "text": "<${{ input }}>"}, roots=ROOTS)

    assert {"list": ["a", 1], "text": "<a>"} == template.render({"input": "a"})
    assert {"list": [None, 1], "text": "<>"} == template.render({"input": None})
