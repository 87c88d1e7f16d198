"""What a checked CEL expression says about itself, read from the bytes that the CEL library serialises it to.

Owns: the paths of the scope that an expression uses, how much it can copy, and the guards written into it.
Does not know: the CEL library, scopes or values.

The bytes are `cel.expr.CheckedExpr` inside `google.protobuf.Any`; only the fields named in this module are read. Macros
are expanded in them: ``has(a.b)`` is a test-only selection, ``map`` and its kin are folds (CEL's comprehensions).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple, TypeAlias

from remit.core.paths import Key, Path

FOLD_ITEMS_MAX: Final = 1_000
"""Most elements that ``map`` and ``filter`` take: the library copies the list at every step (1,000 elements: 14 ms and
16 MB; 10,000: four seconds and 1.6 GB)."""

TOO_MANY_ITEMS: Final = "@remit:too-many-items"
"""The key that a guarded fold does not find when its list is longer than `FOLD_ITEMS_MAX`."""

_WIRE_VARINT: Final = 0
_WIRE_FIXED64: Final = 1
_WIRE_BYTES: Final = 2

# Field numbers of cel/expr/syntax.proto and checked.proto.
_ANY_VALUE: Final = 2
_CHECKED_EXPR: Final = 4
_ID: Final = 2
_INTEGER_CONSTANT: Final = 3
_UNSIGNED_CONSTANT: Final = 4
_TEXT_CONSTANT: Final = 6


class _Kind(IntEnum):
    """What an expression is, by the number of the one field that it has besides its id."""

    NOTHING = 0
    CONSTANT = 3
    IDENT = 4
    SELECT = 5
    CALL = 6
    LIST = 7
    STRUCT = 8
    FOLD = 9


_Fields: TypeAlias = dict[int, list[int | bytes]]
"""A protobuf message: values by field number. A negative number marks a field of fixed 64 bits."""

_INDEXING: Final = frozenset({"_[_]", "_[?_]", "_?._"})
_ADDITION: Final = "_+_"
_CONDITIONAL: Final = "_?_:_"
_FRESH_ID: Final = 1 << 20  # above every id of an expression of limited length


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What an expression uses and how much it can copy."""

    paths: frozenset[Path]
    """Paths whose value is used."""
    tested: frozenset[Path]
    """Paths whose presence is asked for by ``has``."""
    copied: frozenset[Path]
    """Paths whose texts may be joined anew for every element of some list."""
    growth: int
    """How many times longer than the longest text it is given the longest text that it makes can be."""
    literal_characters: int
    """Length of the longest text written in it."""
    has_folds: bool
    """Whether it holds a macro that visits elements."""
    is_ordered: bool
    """Whether it holds a ``map`` or ``filter``, whose result depends on the order of what they take."""


def analyze(serialized: bytes) -> Analysis:
    """Return what a serialised checked expression uses.

    Args:
        serialized: What the CEL library wrote; its nesting is limited by the library's parser.
    """
    walk = _Walk()
    growth = walk.visit(_root(serialized), {})
    return Analysis(
        paths=frozenset(walk.paths),
        tested=frozenset(walk.tested),
        copied=frozenset(walk.copied),
        growth=growth,
        literal_characters=walk.literal_characters,
        has_folds=walk.has_folds,
        is_ordered=walk.is_ordered,
    )


def guard(serialized: bytes) -> bytes:
    """Return the expression with a guard in every ``map`` and ``filter``.

    What they take, ``r``, becomes ``size(r) <= FOLD_ITEMS_MAX ? r + [] : {}[TOO_MANY_ITEMS]``. A map has no order, and
    the library iterates it differently in every process; adding a list to it is an error in all of them.
    """
    outer = _fields(serialized)
    checked = _fields(_bytes(outer, _ANY_VALUE))
    checked[_CHECKED_EXPR] = [_guarded(_bytes(checked, _CHECKED_EXPR))]
    outer[_ANY_VALUE] = [_encode(checked)]
    return _encode(outer)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Variable:
    """A variable of a fold: what it can be derived from, and its growth."""

    sources: frozenset[Path | _Variable]
    growth: int

    def paths(self) -> Iterator[Path]:
        for source in self.sources:
            if isinstance(source, _Variable):
                yield from source.paths()
            else:
                yield source


_Scope: TypeAlias = dict[str, _Variable]


class _Chain(NamedTuple):
    """A name followed by constant selections: ``steps.a.output[0]``."""

    name: str
    keys: Path


class _Walk:
    """Collects findings over one expression. `visit` returns the growth of what it visited."""

    def __init__(self) -> None:
        self.paths: set[Path] = set()
        self.tested: set[Path] = set()
        self.copied: set[Path] = set()
        self.literal_characters = 0
        self.has_folds = False
        self.is_ordered = False
        self.used: set[Path | _Variable] = set()
        self.addition_count = 0

    def visit(self, expr: _Fields, scope: _Scope) -> int:
        if (chain := _chain(expr)) is not None:
            return self.visit_chain(chain, scope)
        match _kind(expr):
            case _Kind.SELECT:
                return self.visit_select(_message(expr, _Kind.SELECT), scope)
            case _Kind.CALL:
                return self.visit_call(_message(expr, _Kind.CALL), scope)
            case _Kind.LIST:
                return self.visit_parts(_messages(_message(expr, _Kind.LIST), 1), scope)
            case _Kind.STRUCT:
                return self.visit_struct(_message(expr, _Kind.STRUCT), scope)
            case _Kind.FOLD:
                return self.visit_fold(_message(expr, _Kind.FOLD), scope)
            case _Kind.CONSTANT:
                literal = _text(_message(expr, _Kind.CONSTANT), _TEXT_CONSTANT)
                self.literal_characters = max(self.literal_characters, len(literal))
                return 1
            case _:
                return 1

    def visit_chain(self, chain: _Chain, scope: _Scope) -> int:
        variable = scope.get(chain.name)
        if variable is not None:
            self.used.add(variable)
            return variable.growth
        path = (chain.name.removeprefix("."), *chain.keys)
        self.paths.add(path)
        self.used.add(path)
        return 1

    def visit_select(self, select: _Fields, scope: _Scope) -> int:
        operand = _message(select, 1)
        chain = _chain(operand)
        if not _is_test(select) or chain is None or chain.name in scope:
            return self.visit(operand, scope)
        self.tested.add((chain.name.removeprefix("."), *chain.keys, _text(select, 2)))
        return 1

    def visit_call(self, call: _Fields, scope: _Scope) -> int:
        operands = [*_messages(call, 1), *_messages(call, 3)]
        growths = [self.visit(operand, scope) for operand in operands]
        function = _text(call, 2)
        if function == _CONDITIONAL:
            return max(growths[1:])
        if function in _INDEXING:
            return growths[0]
        self.addition_count += function == _ADDITION and not _is_macro_variable(operands[0])
        return max(1, sum(growths))

    def visit_struct(self, struct: _Fields, scope: _Scope) -> int:
        entries = _messages(struct, 2)
        parts = [part for entry in entries for part in (*_messages(entry, 3), *_messages(entry, 4))]
        return self.visit_parts(parts, scope)

    def visit_parts(self, parts: list[_Fields], scope: _Scope) -> int:
        """Visit the parts of a list or object: a text that occurs in it twice makes it twice as large."""
        growths = [(self.visit(part, scope), _kind(part)) for part in parts]
        return max(1, sum(growth for growth, kind in growths if kind != _Kind.CONSTANT))

    def visit_fold(self, fold: _Fields, scope: _Scope) -> int:
        """Visit a fold: its variables take the growth of what they come from, its body counts once per element."""
        self.has_folds = True
        outside = self.used
        self.used = set()
        range_growth = self.visit(_message(fold, 2), scope)
        item = _Variable(sources=frozenset(self.used), growth=range_growth)
        outside |= self.used

        init = _message(fold, 4)
        is_list = _is_empty_list(init)
        self.is_ordered |= is_list
        result = _Variable(sources=frozenset(), growth=0 if is_list else self.visit(init, scope))
        names = {name: item for name in (_text(fold, 1), _text(fold, 8)) if name}
        inner = {**scope, **names, _text(fold, 3): result}

        self.used = set()
        additions_before = self.addition_count
        growth = max(1, *(self.visit(_message(fold, number), inner) for number in (5, 6)))
        self.used -= {item, result}
        if self.addition_count > additions_before:
            everything = _Variable(sources=frozenset(self.used), growth=growth)
            self.copied.update(everything.paths())
        self.used |= outside
        settled = _Variable(sources=frozenset(), growth=growth)
        return max(growth, self.visit(_message(fold, 7), {**inner, _text(fold, 3): settled}))


def _chain(expr: _Fields) -> _Chain | None:
    """Return the expression as a chain, if it is nothing else."""
    keys: list[Key] = []
    for _ in range(_FRESH_ID):
        kind = _kind(expr)
        if kind == _Kind.IDENT:
            return _Chain(_text(_message(expr, _Kind.IDENT), 1), tuple(reversed(keys)))
        step = _chain_step(expr, kind)
        if step is None:
            return None
        expr, key = step
        keys.append(key)
    return None


def _is_macro_variable(expr: _Fields) -> bool:
    """Whether it is what a macro collects its result in; what the macro adds to it itself copies no text."""
    chain = _chain(expr)
    return chain is not None and chain.name.startswith("@")


def _chain_step(expr: _Fields, kind: _Kind) -> tuple[_Fields, Key] | None:
    if kind == _Kind.SELECT:
        select = _message(expr, _Kind.SELECT)
        return None if _is_test(select) else (_message(select, 1), _text(select, 2))
    if kind != _Kind.CALL:
        return None
    call = _message(expr, _Kind.CALL)
    if _text(call, 2) not in _INDEXING:
        return None
    operand, index = _messages(call, 3)
    key = _constant_key(index)
    return None if key is None else (operand, key)


def _constant_key(expr: _Fields) -> Key | None:
    """Return a constant text or non-negative integer; any other index is looked up by CEL alone."""
    if _Kind.CONSTANT not in expr:
        return None
    constant = _message(expr, _Kind.CONSTANT)
    if _TEXT_CONSTANT in constant:
        return _text(constant, _TEXT_CONSTANT)
    number = constant.get(_INTEGER_CONSTANT, constant.get(_UNSIGNED_CONSTANT, [None]))[0]
    return number if isinstance(number, int) and number < 1 << 63 else None


def _guarded(data: bytes) -> bytes:
    expr = _fields(data)
    match _kind(expr):
        case _Kind.SELECT:
            _replace(expr, _Kind.SELECT, (1,))
        case _Kind.CALL:
            _replace(expr, _Kind.CALL, (1, 3))
        case _Kind.LIST:
            _replace(expr, _Kind.LIST, (1,))
        case _Kind.STRUCT:
            struct = _message(expr, _Kind.STRUCT)
            struct[2] = [_encode(_guard_parts(entry, (3, 4))) for entry in _messages(struct, 2)]
            expr[_Kind.STRUCT] = [_encode(struct)]
        case _Kind.FOLD:
            fold = _guard_parts(_message(expr, _Kind.FOLD), (2, 4, 5, 6, 7))
            if _is_empty_list(_message(fold, 4)):
                fold[2] = [_encode(_guarded_range(_message(fold, 2)))]
            expr[_Kind.FOLD] = [_encode(fold)]
        case _:
            pass
    return _encode(expr)


def _replace(expr: _Fields, kind: _Kind, numbers: tuple[int, ...]) -> None:
    expr[kind] = [_encode(_guard_parts(_message(expr, kind), numbers))]


def _guard_parts(message: _Fields, numbers: tuple[int, ...]) -> _Fields:
    for number in numbers:
        if number in message:
            message[number] = [_guarded(part) for part in message[number] if isinstance(part, bytes)]
    return message


def _guarded_range(taken: _Fields) -> _Fields:
    if _kind(taken) == _Kind.LIST or _kind(taken) == _Kind.FOLD:
        return taken  # written out in the text, or made by a fold that is guarded itself
    size = _call("size", taken)
    is_short = _call("_<=_", size, {_Kind.CONSTANT: [_encode({_INTEGER_CONSTANT: [FOLD_ITEMS_MAX]})]})
    too_many = _call(
        "_[_]", {_Kind.STRUCT: [b""]}, {_Kind.CONSTANT: [_encode({_TEXT_CONSTANT: [TOO_MANY_ITEMS.encode()]})]}
    )
    return _call(_CONDITIONAL, is_short, _call(_ADDITION, taken, {_Kind.LIST: [b""]}), too_many)


def _call(function: str, *arguments: _Fields) -> _Fields:
    numbered = [_encode(argument if _ID in argument else {_ID: [_FRESH_ID], **argument}) for argument in arguments]
    return {_ID: [_FRESH_ID], _Kind.CALL: [_encode({2: [function.encode()], 3: [*numbered]})]}


def _root(serialized: bytes) -> _Fields:
    return _message(_message(_fields(serialized), _ANY_VALUE), _CHECKED_EXPR)


def _kind(expr: _Fields) -> _Kind:
    return _Kind(next((number for number in expr if number != _ID), 0))


def _is_test(select: _Fields) -> bool:
    return bool(select.get(3, [0])[0])


def _is_empty_list(expr: _Fields) -> bool:
    return expr.get(_Kind.LIST) == [b""]


def _bytes(message: _Fields, number: int) -> bytes:
    values = message.get(number, [b""])
    assert isinstance(values[0], bytes)
    return values[0]


def _text(message: _Fields, number: int) -> str:
    return _bytes(message, number).decode()


def _message(message: _Fields, number: int) -> _Fields:
    return _fields(_bytes(message, number))


def _messages(message: _Fields, number: int) -> list[_Fields]:
    return [_fields(part) for part in message.get(number, []) if isinstance(part, bytes)]


def _fields(data: bytes) -> _Fields:
    """Return the fields of a protobuf message by number, in the order of their first appearance."""
    found: _Fields = {}
    for number, value in _wire(data):
        found.setdefault(number, []).append(value)
    return found


def _wire(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    offset = 0
    while offset < len(data):
        tag, offset = _varint(data, offset)
        kind = tag & 7
        if kind == _WIRE_VARINT:
            value, offset = _varint(data, offset)
            yield tag >> 3, value
            continue
        assert kind in {_WIRE_BYTES, _WIRE_FIXED64}
        size = 8
        if kind == _WIRE_BYTES:
            size, offset = _varint(data, offset)
        yield (tag >> 3 if kind == _WIRE_BYTES else -(tag >> 3)), data[offset : offset + size]
        offset += size


def _varint(data: bytes, offset: int) -> tuple[int, int]:
    value = shift = 0
    while data[offset] & 0x80:
        value |= (data[offset] & 0x7F) << shift
        shift += 7
        offset += 1
    return value | data[offset] << shift, offset + 1


def _encode(message: _Fields) -> bytes:
    parts = []
    for number, values in message.items():
        for value in values:
            if isinstance(value, int):
                parts += [_encode_varint(number << 3), _encode_varint(value)]
            elif number < 0:
                parts += [_encode_varint(-number << 3 | _WIRE_FIXED64), value]
            else:
                parts += [_encode_varint(number << 3 | _WIRE_BYTES), _encode_varint(len(value)), value]
    return b"".join(parts)


def _encode_varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
