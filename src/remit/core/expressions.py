"""The one expression language: CEL, wherever a definition computes a value or a condition.

Owns: compiling and evaluating expressions, rendering templates, and what both mean for JSON values.
Does not know: where the scope comes from. There is no clock: ``now()`` does not exist.

Rules that CEL leaves open or that surprise:

- A missing key is an error, never null. Guard it: ``has(a.b)``, or ``a.?b.orValue(null)``, which takes a default.
- A number without fraction is an integer, and integers do not mix with doubles: ``qty * 1.5`` is an error where ``qty``
  is 2, ``double(qty) * 1.5`` is not. Comparisons do mix them.
- A condition must be a boolean; nothing else counts as true or false.
- ``map`` and ``filter`` take lists of at most `cel_syntax.FOLD_ITEMS_MAX` elements; a map has no order to go by.
- Instants and durations are no JSON: ``string(...)`` makes them RFC 3339 text and seconds.
- Regular expressions are RE2, in time linear in the text. One evaluation makes fewer than 10,000 iterations in all.

Some expressions are only a path, as in ``steps.draft.output.items[0]``: those are looked up in Python, and the value is
handed on without a copy. For all others only the paths that the expression uses are converted for CEL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from remit.core.canonical import JsonValue, canonical_bytes, member_path
from remit.core.cel_program import compile_cel, shown
from remit.core.paths import Key, Path, look_up, type_name
from remit.core.placeholders import Placeholder, split
from remit.errors import CanonicalizationError, EvaluationError, ExpressionError

TEXT_CHARACTERS_MAX: Final = 4096
"""Longest expression; a screenful says more than anyone can check."""

RENDERED_CHARACTERS_MAX: Final = 4 * 1024 * 1024
"""Largest value that a template may render to, as characters and members: four times what a call or a step may have.
What is large is shared, not copied, until it is written: without a limit, twelve thousand places that name one text of
a megabyte are twelve gigabytes then."""

_PLACES_UNCOUNTED: Final = 4
"""So many computed places are each no larger than what they name; only templates with more are measured."""

_MEMBER_CHARACTERS: Final = 8
"""What a number or a bracket counts for: as much as a few digits take, and looking at it takes a moment too."""

_PATH_KEYS_MAX: Final = 32  # the library's parser nests no deeper
_PATH: Final = re.compile(
    r"""[ \t\n\r\f]*[A-Za-z_]\w*
    (?:[ \t\n\r\f]*(?:\.[ \t\n\r\f]*(?!(?:in|true|false|null)\b)[A-Za-z_]\w*
      |\[[ \t\n\r\f]*(?:0|[1-9][0-9]{0,17}|'[^'\\\r\n]*'|"[^"\\\r\n]*")[ \t\n\r\f]*\]))*[ \t\n\r\f]*""",
    re.ASCII | re.VERBOSE,
)
_PATH_KEY: Final = re.compile(
    r"(?P<name>[A-Za-z_]\w*)|(?P<index>[0-9]+)|'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\"", re.ASCII
)


class _Evaluator(Protocol):
    @property
    def paths(self) -> frozenset[Path]: ...

    @property
    def kind(self) -> str: ...

    def evaluate(self, scope: Mapping[str, JsonValue]) -> JsonValue: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A compiled expression. Shared freely: evaluating it changes nothing."""

    text: str
    references: frozenset[tuple[str, ...]]
    """Constant paths of the scope that it uses, like ``("steps", "draft", "output", "0")``. A path ends where an index
    is computed: ``steps[input.name]`` uses all of ``("steps",)``."""
    kind: str
    """The CEL type of its value, such as ``BOOL`` or ``LIST<INT>``; ``DYN`` where only evaluating it tells."""
    _evaluator: _Evaluator = field(repr=False, compare=False)

    def evaluate(self, scope: Mapping[str, JsonValue]) -> JsonValue:
        """Return the expression's value.

        Args:
            scope: Values by root. Not changed; the result may share parts with it.

        Raises:
            EvaluationError: A key is missing, types do not go together, a limit is reached, or the result is no JSON.
        """
        return self._evaluator.evaluate(scope)

    def evaluate_bool(self, scope: Mapping[str, JsonValue]) -> bool:
        """Return the value of a condition. Like `evaluate`, but anything other than a boolean is an EvaluationError."""
        value = self._evaluator.evaluate(scope)
        if isinstance(value, bool):
            return value
        raise EvaluationError(
            f"expected true or false from {shown(self.text)}, got {type_name(value)}; compare it with something",
            expression=self.text,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A JSON value with expressions in its strings, compiled."""

    references: frozenset[tuple[str, ...]]
    """What its expressions use, as in `Expression.references`."""
    is_constant: bool
    """Whether it holds no expression, so that it renders to the same value always."""
    _node: _Node = field(repr=False, compare=False)
    _is_measured: bool = field(repr=False, compare=False)

    def render(self, scope: Mapping[str, JsonValue]) -> JsonValue:
        """Return the value with every expression replaced by what it gives.

        Args:
            scope: Values by root. Not changed; the result shares constant parts with the template and may share parts
                with the scope, so it is read-only too.

        Raises:
            EvaluationError: As `Expression.evaluate`; carries ``path`` within the template, like ``$.body.items[0]``.
                Or it would be larger than `RENDERED_CHARACTERS_MAX`.
        """
        rendered = self._node.render(scope)
        if self._is_measured and _is_too_large(rendered):
            raise EvaluationError(f"expected {_RENDERED}", path="$")
        return rendered


def compile_expression(text: str, *, roots: frozenset[str]) -> Expression:
    """Return the compiled form of one expression, bare or in ``${{ }}``.

    Args:
        text: CEL of at most `TEXT_CHARACTERS_MAX` characters.
        roots: Names that the scope has, like ``input`` and ``steps``.

    Raises:
        ExpressionError: The text is no such expression. Carries ``offset``, in characters from the start of ``text``.
    """
    parts = split(text) if text.lstrip().startswith("${{") else [Placeholder(text, 0)]
    match [part for part in parts if isinstance(part, Placeholder) or part.strip()]:
        case [Placeholder() as placeholder]:
            return _compile(placeholder, roots)
        case _:
            message = "expected one expression and nothing beside it, got a text with several parts; join them with +"
            raise ExpressionError(message, offset=0, expression=text)


def compile_template(value: JsonValue, *, roots: frozenset[str]) -> Template:
    """Return the compiled form of a JSON value whose strings may hold ``${{ expression }}``.

    A string that is one placeholder and nothing else gives the expression's value as it is. In a longer string it gives
    text: strings as they are, null as nothing, everything else as JSON. ``$${{`` stands for a literal ``${{``; to put a
    dollar sign before a value write ``${{ '$' + string(input.price) }}``. Keys are literal.

    Args:
        value: Any JSON value; must not be changed afterwards, because its constant parts are used, not copied.
        roots: Names that the scope has.

    Raises:
        ExpressionError: An expression does not compile. Carries ``path`` of the string within the value, like
            ``$.body.items[0]``, and ``offset``, in characters from the start of that string.
    """
    references: set[tuple[str, ...]] = set()
    node = _compile_node(value, "$", roots, references)
    return Template(
        references=frozenset(references),
        is_constant=isinstance(node, _Constant),
        _node=node,
        _is_measured=_computed_count(node) > _PLACES_UNCOUNTED,
    )


def _compile(placeholder: Placeholder, roots: frozenset[str]) -> Expression:
    text, start = placeholder
    if len(text) > TEXT_CHARACTERS_MAX:
        message = f"expected at most {TEXT_CHARACTERS_MAX} characters, got {len(text)}; compute it in steps"
        raise ExpressionError(f"{message} (character {start})", offset=start, expression=text)
    try:
        evaluator: _Evaluator = _compile_path(text, roots) or compile_cel(text, roots=roots)
    except ExpressionError as error:
        inside = error.fields["offset"]
        assert isinstance(inside, int)
        offset = start + inside
        raise ExpressionError(f"{error.message} (character {offset})", offset=offset, expression=text) from None
    references = frozenset(tuple(str(key) for key in path) for path in evaluator.paths)
    return Expression(text=text.strip(), references=references, kind=evaluator.kind, _evaluator=evaluator)


def _compile_path(text: str, roots: frozenset[str]) -> _PathLookup | None:
    """Return the expression as a path, if it is one that needs no CEL; CEL explains all that is wrong with others."""
    if _PATH.fullmatch(text) is None:
        return None
    keys: list[Key] = []
    for found in _PATH_KEY.finditer(text):
        index = found["index"]
        keys.append(int(index) if index is not None else found[found.lastgroup or 0])
    if keys[0] not in roots or len(keys) > _PATH_KEYS_MAX:
        return None
    return _PathLookup(text=text.strip(), path=tuple(keys))


@dataclass(frozen=True, slots=True, kw_only=True)
class _PathLookup:
    """An expression that is only a path. Gives what CEL gives for it, which a property test holds."""

    text: str
    path: Path

    @property
    def paths(self) -> frozenset[Path]:
        return frozenset({self.path})

    @property
    def kind(self) -> str:
        return "DYN"

    def evaluate(self, scope: Mapping[str, JsonValue]) -> JsonValue:
        try:
            return look_up(self.path, scope)
        except EvaluationError as error:
            raise EvaluationError(f"{error.message} (in {shown(self.text)})", expression=self.text) from None


class _Node(Protocol):
    def render(self, scope: Mapping[str, JsonValue]) -> JsonValue: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Constant:
    value: JsonValue

    def render(self, scope: Mapping[str, JsonValue]) -> JsonValue:  # noqa: ARG002 - a constant looks at nothing
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """A string that is one placeholder and nothing else."""

    expression: Expression
    path: str

    def render(self, scope: Mapping[str, JsonValue]) -> JsonValue:
        try:
            return self.expression.evaluate(scope)
        except EvaluationError as error:
            error.fields.setdefault("path", self.path)
            raise


@dataclass(frozen=True, slots=True, kw_only=True)
class _Joined:
    """A text with placeholders in it."""

    parts: tuple[str | _Whole, ...]

    def render(self, scope: Mapping[str, JsonValue]) -> str:
        texts: list[str] = []
        size = 0
        for part in self.parts:
            texts.append(part if isinstance(part, str) else _as_text(part, part.render(scope)))
            size += len(texts[-1])
            if size > RENDERED_CHARACTERS_MAX:
                path = next(part.path for part in self.parts if not isinstance(part, str))
                raise EvaluationError(f"expected {_RENDERED} in {path}", path=path)
        return "".join(texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Object:
    constant: dict[str, JsonValue]
    computed: tuple[tuple[str, _Node], ...]

    def render(self, scope: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        rendered = dict(self.constant)
        for key, node in self.computed:
            rendered[key] = node.render(scope)
        return rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class _Array:
    constant: list[JsonValue]
    computed: tuple[tuple[int, _Node], ...]

    def render(self, scope: Mapping[str, JsonValue]) -> list[JsonValue]:
        rendered = list(self.constant)
        for index, node in self.computed:
            rendered[index] = node.render(scope)
        return rendered


_RENDERED: Final = f"at most {RENDERED_CHARACTERS_MAX} characters from a template, got more; pass on references"


def _computed_count(node: _Node) -> int:
    match node:
        case _Object(computed=members):
            return sum(_computed_count(member) for _, member in members)
        case _Array(computed=items):
            return sum(_computed_count(item) for _, item in items)
        case _Constant():
            return 0
        case _:
            return 1


def _is_too_large(value: JsonValue) -> bool:
    """Whether a value would be larger than `RENDERED_CHARACTERS_MAX` when it is written; looks no further than that."""
    size = 0
    pending: list[JsonValue] = [value]
    while pending and size <= RENDERED_CHARACTERS_MAX:
        item = pending.pop()
        if isinstance(item, str):
            size += len(item) + 2
        elif isinstance(item, list):
            size += _MEMBER_CHARACTERS
            pending += item
        elif isinstance(item, Mapping):
            size += sum(map(len, item)) + _MEMBER_CHARACTERS
            pending += item.values()
        else:
            size += _MEMBER_CHARACTERS
    return size > RENDERED_CHARACTERS_MAX


def _compile_node(value: JsonValue, path: str, roots: frozenset[str], references: set[tuple[str, ...]]) -> _Node:
    if isinstance(value, str):
        return _compile_text(value, path, roots, references)
    if isinstance(value, dict):
        for key in value:
            if "${{" in key:
                raise ExpressionError(
                    f"expected a literal key in {path}, got an expression; put it into a value", path=path, offset=0
                )
        members = [(key, _compile_node(item, member_path(path, key), roots, references)) for key, item in value.items()]
        computed = tuple((key, node) for key, node in members if not isinstance(node, _Constant))
        constant = {key: node.value if isinstance(node, _Constant) else None for key, node in members}
        return _Object(constant=constant, computed=computed) if computed else _Constant(value=constant)
    if isinstance(value, list):
        nodes = [_compile_node(item, f"{path}[{index}]", roots, references) for index, item in enumerate(value)]
        places = tuple((index, node) for index, node in enumerate(nodes) if not isinstance(node, _Constant))
        items = [node.value if isinstance(node, _Constant) else None for node in nodes]
        return _Array(constant=items, computed=places) if places else _Constant(value=items)
    return _Constant(value=value)


def _compile_text(text: str, path: str, roots: frozenset[str], references: set[tuple[str, ...]]) -> _Node:
    if "${{" not in text:
        return _Constant(value=text)
    parts: list[str | _Whole] = []
    try:
        for part in split(text):
            if isinstance(part, str):
                parts.append(part)
                continue
            expression = _compile(part, roots)
            references |= expression.references
            parts.append(_Whole(expression=expression, path=path))
    except ExpressionError as error:
        error.fields["path"] = path
        raise
    match [part for part in parts if part]:
        case [_Whole() as whole]:
            return whole
        case kept if all(isinstance(part, str) for part in kept):
            return _Constant(value="".join(part for part in kept if isinstance(part, str)))
        case kept:
            return _Joined(parts=tuple(kept))


def _as_text(part: _Whole, value: JsonValue) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int():
            return str(value)
        case _:
            try:
                return canonical_bytes(value).decode()
            except CanonicalizationError as error:
                text = part.expression.text
                raise EvaluationError(f"{error.message} (in {shown(text)})", expression=text, path=part.path) from None
