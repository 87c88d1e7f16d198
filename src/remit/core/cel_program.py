"""CEL: compiling and evaluating one expression with the CEL library, which no other module of ours imports.

Owns: the library's environment, its errors in our words, and the way of values in and out.
Does not know: placeholders, templates, or expressions that are only a path.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, TypeAlias

from cel_expr_python import cel
from cel_expr_python.ext import ext_math, ext_optional

from remit.core.canonical import JsonValue
from remit.core.cel_syntax import FOLD_ITEMS_MAX, TOO_MANY_ITEMS, Analysis, analyze, guard
from remit.core.paths import Key, Path, look_up, suggestion
from remit.errors import EvaluationError, ExpressionError

RESULT_NODES_MAX: Final = 100_000
RESULT_CHARACTERS_MAX: Final = 4 * 1024 * 1024
"""Largest value that CEL may hand back: what a step may output is less."""

COPIED_CHARACTERS_MAX: Final = 32 * 1024
"""Longest text that an expression may build anew for every element of a list: ten thousand of them are 320 MB."""

_INTEGER_MAX: Final = 2**63 - 1
_FAILURES: Final = frozenset({"ERROR", "UNKNOWN"})
_AS_THEY_ARE: Final = frozenset({"BOOL", "INT"})

_PROBLEM: Final = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): ([^\n]*)")
_UNDECLARED: Final = re.compile(r"undeclared reference to '([^']+)'")
_UNEXPECTED: Final = re.compile(
    r"^(mismatched input |extraneous input |no viable alternative at input |token recognition error at: )"
)
_STATUS: Final = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$")
_MISSING_KEY: Final = re.compile(r"Key not found in map : (.*)", re.DOTALL)
_OPERATION: Final = re.compile(r"_(\S+)_\((\w+), (\w+)\)")
_MAP_PLUS_LIST: Final = "_+_(map, list)"

_FUNCTIONS: Final = (
    "all", "bool", "bytes", "contains", "double", "duration", "dyn", "endsWith", "exists", "exists_one", "filter",
    "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds",
    "getMinutes", "getMonth", "getSeconds", "has", "hasValue", "int", "map", "matches", "optMap", "orValue", "size",
    "startsWith", "string", "timestamp", "type", "uint", "value",
)  # fmt: skip
_OTHER_WORDS: Final = {
    "AND": "write &&",
    "OR": "write ||",
    "NOT": "write !",
    "and": "write &&",
    "or": "write ||",
    "not": "write !",
    "len": "write size(...)",
    "now": "there is no clock in expressions; pass the instant in",
}


class CelProgram:
    """An expression that the CEL library evaluates. Evaluating it changes nothing."""

    __slots__ = ("_copied", "_copied_characters_max", "_plan", "_program", "kind", "paths", "text")

    def __init__(self, *, text: str, program: cel.Expression, analysis: Analysis) -> None:
        self.text = text
        self.kind = str(program.return_type())
        self.paths = analysis.paths | analysis.tested
        self._program = program
        self._plan = _make_plan(analysis)
        self._copied = sorted(analysis.copied, key=str)
        self._copied_characters_max = COPIED_CHARACTERS_MAX // analysis.growth

    def evaluate(self, scope: Mapping[str, JsonValue]) -> JsonValue:
        """Return the expression's value; see `Expression.evaluate`."""
        for path in self._copied:
            self._require_short(path, scope)
        data = {root: _pick(part, scope[root]) for root, part in self._plan.items() if root in scope}
        try:
            result = self._program.eval(data=data)
            kind = result.type().name()
            failure = str(result.value()) if kind in _FAILURES else None
        except RuntimeError as error:
            raise self._failed(str(error)) from None
        except TypeError:  # the library has no Python type for optional values
            raise self._failed("an optional value; end it with .orValue(null) or another default") from None
        if failure is not None:
            raise self._failed(failure)
        if kind in _AS_THEY_ARE:
            value: JsonValue = result.value()
            return value
        return _Reader(self.text).read(result, kind)

    def _require_short(self, path: Path, scope: Mapping[str, JsonValue]) -> None:
        try:
            value = look_up(path, scope)
        except EvaluationError:
            return  # CEL meets it too, if it gets there
        longest = _longest_text(value)
        if longest > self._copied_characters_max:
            place = ".".join(str(key) for key in path)
            raise EvaluationError(
                f"expected texts of at most {self._copied_characters_max} characters in {place}, got {longest}, copied "
                f"for every element (in {shown(self.text)}); pass large texts on by themselves",
                expression=self.text,
            )

    def _failed(self, words: str) -> EvaluationError:
        return EvaluationError(f"{_explain_failure(words)} (in {shown(self.text)})", expression=self.text)


def compile_cel(text: str, *, roots: frozenset[str]) -> CelProgram:
    """Return the compiled form of a CEL expression.

    Raises:
        ExpressionError: It does not compile. Carries ``offset`` within ``text``; its message does not.
    """
    environment = _environment(roots)
    try:
        text.encode()
        program = environment.compile(text)
    except UnicodeEncodeError as error:
        raise _refused(text, error.start, "expected Unicode text, got a lone surrogate; remove it") from None
    except RuntimeError as error:
        raise _explain_problem(text, str(error), roots) from None
    serialized = program.serialize()
    analysis = analyze(serialized)
    if analysis.has_folds and analysis.growth * max(analysis.literal_characters, 1) > COPIED_CHARACTERS_MAX:
        raise _refused(text, 0, "expected lists that grow less from step to step, got this; compute it in steps")
    if analysis.is_ordered:
        program = environment.deserialize(guard(serialized))
    return CelProgram(text=text.strip(), program=program, analysis=analysis)


def shown(text: str) -> str:
    """Return a text for a message, cut to one line."""
    return text if len(text) <= 80 else f"{text[:79]}…"


@lru_cache(maxsize=64)
def _environment(roots: frozenset[str]) -> cel.Env:
    return cel.NewEnv(
        variables=dict.fromkeys(sorted(roots), cel.Type.DYN),
        extensions=[ext_math.ExtMath(), ext_optional.ExtOptional()],
    )


def _explain_problem(text: str, report: str, roots: frozenset[str]) -> ExpressionError:
    """Return the error for the first problem that the CEL library reports."""
    problems = sorted(
        (_offset_of(text, int(line), int(column)), words) for line, column, words in _PROBLEM.findall(report)
    )
    offset, words = problems[0] if problems else (0, _STATUS.sub("", report))
    if "recursion" in words:
        return _refused(text, 0, "expected at most 32 levels of nesting, got more; compute it in steps")
    if (undeclared := _UNDECLARED.match(words)) is not None:
        offset, message = _explain_undeclared(text, offset, undeclared[1], roots)
    else:
        message = f"expected a CEL expression, got {_explain_syntax(words)}"
    return _refused(text, offset, message)


def _refused(text: str, offset: int, message: str) -> ExpressionError:
    return ExpressionError(message, offset=offset, expression=text)


def _offset_of(text: str, line: int, column: int) -> int:
    if line < 1:
        return 0
    lines = text.split("\n")
    return min(sum(len(before) + 1 for before in lines[: line - 1]) + column - 1, len(text))


def _explain_undeclared(text: str, offset: int, name: str, roots: frozenset[str]) -> tuple[int, str]:
    if text[offset : offset + 1] == "(":
        hint = _OTHER_WORDS.get(name) or suggestion(name, _FUNCTIONS, otherwise="see the list of functions")
        return max(offset - len(name), 0), f"expected a known function, got {name!r}; {hint}"
    root = name.partition(".")[0]
    start = max(text.rfind(root, 0, offset + len(root)), 0)
    hint = _OTHER_WORDS.get(root) or suggestion(root, sorted(roots), otherwise="use one of these")
    if text[:start].rstrip().endswith("-"):
        hint = "a name with a hyphen is written in brackets: steps['my-step']"
    return start, f"expected one of {', '.join(sorted(roots))}, got {root!r}; {hint}"


def _explain_syntax(words: str) -> str:
    problem = _UNEXPECTED.sub("unexpected ", words.removeprefix("Syntax error: ").partition(" expecting ")[0])
    problem = problem.replace("'<EOF>'", "the end").replace("_?_:_", "?:").replace("'_", "'").replace("_'", "'")
    quoted = re.search(r"'(\w+)'", problem)
    hint = _OTHER_WORDS.get(quoted[1]) if quoted else None
    if "no matching overload" in problem:
        hint = "convert with double(...), int(...), string(...) or dyn(...)"
    return f"{problem}; {hint or 'correct it'}"


_Plan: TypeAlias = "dict[Key, _Plan] | None"
"""Which parts of a value to convert: None all, a dictionary the named parts, an empty one only that it is there."""


def _explain_failure(words: str) -> str:
    words = _STATUS.sub("", _STATUS.sub("", words))
    if TOO_MANY_ITEMS in words:
        return f"expected at most {FOLD_ITEMS_MAX} elements for map or filter, got more; use a for_each step"
    if (missing := _MISSING_KEY.match(words)) is not None:
        return (
            f"expected the key {missing[1]}, got an object without it; guard it with has(...) or give a default with .?"
        )
    if "Iteration budget" in words:
        return "expected fewer than 10,000 iterations, got more; use a for_each step"
    if "<jump_condition>" in words:
        return "expected true or false before the question mark, got another value; compare it with something"
    if "No matching overloads" in words:
        got = _OPERATION.sub(r"\2 \1 \3", words.partition(" : ")[2]).replace("int64", "int")
        hint = "map and filter take lists, a map has no order" if _MAP_PLUS_LIST in words else "convert one of them"
        return f"expected values that go together, got {got}; {hint}"
    if "non-message type" in words:
        return "expected an object to select from, got another value; guard it with a condition"
    return f"expected a value, got {words}"


def _make_plan(analysis: Analysis) -> dict[str, _Plan]:
    plan: dict[Key, _Plan] = {}
    for path in analysis.tested | analysis.paths:
        _grow_plan(plan, path, is_whole=path in analysis.paths)
    return {str(root): part for root, part in plan.items()}


def _grow_plan(plan: dict[Key, _Plan], path: Path, *, is_whole: bool) -> None:
    *parents, last = path
    for key in parents:
        part = plan.setdefault(key, {})
        if part is None:
            return
        plan = part
    if is_whole:
        plan[last] = None
    else:
        plan.setdefault(last, {})


def _pick(plan: _Plan, value: object) -> object:
    """Return the planned parts of a value in types that the CEL library takes.

    What is left out of an object is missing for CEL too; what is left out of a list is null, so that indexes hold. An
    expression cannot see either, because its paths name all that it looks at.
    """
    if plan is None:
        return _plain(value)
    if not plan:
        return True
    if type(value) is dict or isinstance(value, Mapping):
        return {key: _pick(part, value[key]) for key, part in plan.items() if key in value}
    if isinstance(value, list):
        size = min(len(value), 1 + max((key for key in plan if isinstance(key, int)), default=-1))
        return [_pick(plan[index], value[index]) if index in plan else None for index in range(size)]
    return value


def _plain(value: object) -> object:
    if isinstance(value, Mapping) and type(value) is not dict:
        return {key: _plain(item) for key, item in value.items()}
    return value


def _longest_text(value: object) -> int:
    longest = 0
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            longest = max(longest, len(item))
        elif isinstance(item, list):
            pending += item
        elif isinstance(item, Mapping):
            pending += item.keys()
            pending += item.values()
    return longest


class _Reader:
    """Reads one result of the CEL library as JSON.

    Never asks the library for the Python value of a null: each such call gives back a reference to None that was never
    taken, which up to Python 3.11 ends the process sooner or later.
    """

    __slots__ = ("_characters_left", "_nodes_left", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._nodes_left = RESULT_NODES_MAX
        self._characters_left = RESULT_CHARACTERS_MAX

    def read(self, result: cel.Value, kind: str) -> JsonValue:
        """Return a value of a kind, such as ``LIST<DYN>``, that is no failure."""
        self._nodes_left -= 1
        if self._nodes_left < 0:
            raise self._refused(f"expected at most {RESULT_NODES_MAX} values, got more; use a for_each step")
        match kind.partition("<")[0]:
            case "NULL":
                return None
            case "BOOL" | "INT":
                value: JsonValue = result.value()
                return value
            case "STRING":
                return self._read_text(result.value())
            case "DOUBLE":
                return self._read_double(result.value())
            case "UINT":
                return self._read_unsigned(result.value())
            case "LIST":
                return [self.read(item, item.type().name()) for item in result.value()]
            case "MAP":
                return self._read_map(result.value())
            case other:
                hint = "write string(...)" if other in {"TIMESTAMP", "DURATION"} else "convert it"
                raise self._refused(f"expected JSON, got {other.lower()}; {hint}")

    def _read_text(self, text: str) -> str:
        self._characters_left -= len(text)
        if self._characters_left < 0:
            raise self._refused(
                f"expected at most {RESULT_CHARACTERS_MAX} characters, got more; pass large texts on as they are"
            )
        return text

    def _read_double(self, number: float) -> float:
        if not math.isfinite(number):
            raise self._refused(f"expected a finite number, got {number}; guard the division or conversion")
        return number

    def _read_unsigned(self, number: int) -> int:
        if number > _INTEGER_MAX:
            raise self._refused(f"expected an integer of 64 bits, got {number}; write string(...)")
        return number

    def _read_map(self, members: Mapping[object, cel.Value]) -> dict[str, JsonValue]:
        """Read an object, its keys sorted: the library's own order differs from process to process."""
        found: dict[str, JsonValue] = {}
        for key in sorted(members, key=str):
            if not isinstance(key, str):
                raise self._refused(f"expected keys that are strings, got {key!r}; write string(...)")
            item = members[key]
            found[self._read_text(key)] = self.read(item, item.type().name())
        return found

    def _refused(self, message: str) -> EvaluationError:
        return EvaluationError(f"{message} (in {shown(self._text)})", expression=self._text)
