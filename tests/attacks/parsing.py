"""The parsers of Remit, each as a function from bytes that raises nothing but what it declares.

Owns: what a parser is here, how one input is judged (declared errors only, the same answer twice, bounded time), and
the seeds that the repository has for it. Used by the suite (hypothesis) and by the campaign (coverage-guided).
Does not know: how inputs are made.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from remit.errors import RemitError
from tests.processor import least_seconds

ROOT: Final = Path(__file__).resolve().parents[2]
INPUTS: Final = Path(__file__).parent / "inputs"
"""What once went wrong, one file each, in a folder per parser: `<parser>/<what it did>`."""

INPUT_BYTES_MAX: Final = 4_096
"""Larger inputs are the bombs' business: they find limits, small ones find mistakes."""

CPU_SECONDS_GOAL: Final = 0.25
CPU_SECONDS_MAX: Final = 1.0
"""The promise, and where a test fails: a first call compiles patterns and schemas, and processors differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parser:
    """One parser.

    ``read`` takes any bytes and returns what it understood, in a form that can be compared; it raises only
    ``refusals``. What it asserts about the value (round trips, agreement with a second parser) is part of it.
    ``seeds`` are real inputs, from which hostile ones are made.
    """

    name: str
    read: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...] = ()
    seeds: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a parser made of one input: its answer, or its refusal's class and text; and what that cost."""

    answer: object
    is_refused: bool
    cpu_seconds: float


class BrokenParserError(AssertionError):
    """A parser did what no input may make it do."""


def judge(parser: Parser, data: bytes) -> Verdict:
    """Give a parser one input.

    Raises:
        BrokenParserError: it raised something undeclared, contradicted a second parser, or took too long.
    """
    began = time.process_time()
    try:
        answer, is_refused = _outcome(parser, data)
    except Exception as error:
        raise BrokenParserError(f"{parser.name} raised {type(error).__name__}: {error} for {data[:2_000]!r}") from error
    seconds = time.process_time() - began
    if seconds > CPU_SECONDS_MAX:
        # Other work on the machine may have counted.
        seconds = least_seconds(lambda: _outcome(parser, data), enough=CPU_SECONDS_MAX)
    if seconds > CPU_SECONDS_MAX:
        raise BrokenParserError(f"{parser.name} took {seconds:.2f} s of processor time for {data[:2_000]!r}")
    return Verdict(answer=answer, is_refused=is_refused, cpu_seconds=seconds)


def _outcome(parser: Parser, data: bytes) -> tuple[object, bool]:
    try:
        return parser.read(data), False
    except parser.refusals as error:
        return (type(error).__name__, str(error)), True


def judge_twice(parser: Parser, data: bytes) -> Verdict:
    """Like `judge`, and the same input gives the same answer."""
    first, second = judge(parser, data), judge(parser, data)
    if repr(first.answer) != repr(second.answer):
        raise BrokenParserError(f"{parser.name} answers differently the second time for {data[:2_000]!r}")
    return first


def text_of(data: bytes) -> str:
    """Return bytes as a text in which everything can stand, lone surrogates too."""
    return data.decode("utf-8", "surrogateescape")


def files(*patterns: str) -> tuple[bytes, ...]:
    """Return the repository's files of some patterns, as far as they are small enough for seeds."""
    found = sorted(path for pattern in patterns for path in ROOT.glob(pattern))
    assert found, patterns
    return tuple(content for path in found if len(content := path.read_bytes()) <= INPUT_BYTES_MAX)


def past_inputs(parser: str) -> list[Path]:
    """Return the inputs that once broke a parser."""
    return sorted((INPUTS / parser).glob("*"))


OURS: Final = (RemitError,)
