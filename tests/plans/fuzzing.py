"""Fuzzing the readers of plans: mutations of the seed documents and of generated plans.

Owns: the mutations, which an index and a seed repeat, and what must hold of each reading.
Does not know: how many are tried; the suite takes few, the campaign many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

from remit.plans.converting import Conversion, Target, convert
from remit.plans.formats import read_plan
from remit.plans.options import PlanOptions
from remit.plans.plan import PlanFormat
from tests.attacks.mutating import remodelled
from tests.plans.generated import GENERATORS
from tests.processor import least_seconds

SEEDS: Final = Path(__file__).with_name("seeds")
CPU_SECONDS_MAX: Final = 0.25
_WHOLE_SHARE: Final = 0.01
"""So many documents are whole seeds; the others are stretches of one, or generated."""

_EXPORTED_SHARE: Final = 0.2
"""So many SPECTRA plans are JSON."""

_LINES_MAX: Final = 40
_FILES: Final = {
    PlanFormat.SPECTRA: "spectra-payments-audit-plan.md",
    PlanFormat.TASK_TABLE: "autobiz-phase1-task-table.md",
    PlanFormat.DELIVERY_PLAN: "orchestration-delivery-plan.md",
    PlanFormat.PLANNING_CONTRACT: "planner-prompt.md",
}
_JSON: Final = frozenset({PlanFormat.PLANNING_CONTRACT, PlanFormat.FANOUT})
_PIECES: Final = tuple(
    piece.encode()
    for piece in (
        "|", "||", "\\|", "|---|", "```", "~~~", "\t", "\r", "\r\n", "\n\n", "\0", "\ufeff", "\u2028", "\u200b", "\x85",
        "- [ ] ", "- [x]", "- [!", "[~]", "(B)", "(T)", "(0.5d)", "(1.5 days each)", "(99999999999999999999d)",
        "1e999999d",
        "## ", "### ", "#" * 7, "---", "===", "> ", "  - ", "1. ", "* ", "<!--", "-->", "<a>", "[x](", "](", "![", "`",
        "``",
        "## Task 001: again", "- owns: [", "- AC:", "- Verify: `", "- Risk: ", "001 -> 002 -> 001", "->", "\u2192",
        "P1-TASK-06..25", "P1-T-RK06a/b/c", "06..99999999", "NEG-*", "**", "__", "*", "{", "}", "[", "]", ",", ":", '"',
        '{"a":', "[[[[", "\\u0000", "\\ud800", "-0", "1e400", "null", "depends_on: ", "id: ", "\u0660\u0661", "\u00b2",
        "\U0001f389", "\u00e2\u20ac\u201d", "\u201a\u00c4\u00ee", "a" * 300, "(" * 60, "[" * 60, "9" * 60, "- " * 40,
        "> " * 40,
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuzzed:
    """What came of one document: ``failure`` is what an exception says, ``seconds`` the processor's."""

    document: bytes
    seconds: float
    failure: str | None = None


@cache
def seed_lines(format: PlanFormat) -> tuple[bytes, ...]:  # noqa: A002 - as elsewhere
    """Return the lines of a format's seed document; issue contracts have the planner's."""
    return tuple((SEEDS / _FILES.get(format, "planner-prompt.md")).read_bytes().splitlines(keepends=True))


def document(format: PlanFormat, *, seed: int, index: int) -> bytes:  # noqa: A002 - as elsewhere
    """Return one mutated document."""
    random = Random(f"{seed}/{format}/{index}")
    raw = bytearray(_origin(format, random))
    if format in _JSON and random.random() < 0.7:
        # Bytes would mostly break the syntax; this is about what comes behind it.
        return remodelled(bytes(raw), random)
    if format is PlanFormat.SPECTRA and random.random() < _EXPORTED_SHARE:
        return remodelled(_exported(bytes(raw)), random)
    for _ in range(random.randrange(1, 9)):
        random.choice(_MUTATIONS)(raw, random)
    return bytes(raw)


def _exported(raw: bytes) -> bytes:
    """Return a SPECTRA plan as `plan.json`; one that cannot be, as it is."""
    result = convert(read_plan(raw, path="plan.md"), Target.SPECTRA_JSON)
    return result.files[0].text.encode() if isinstance(result, Conversion) else b"{}"


def fuzz(format: PlanFormat, raw: bytes) -> Fuzzed:  # noqa: A002 - as elsewhere
    """Read one document as a format, and judge it: any exception is a failure, and the best of some readings counts."""

    def read() -> None:
        reading = read_plan(raw, path="plan", options=PlanOptions(format=format))
        assert (reading.plan is None) == (reading.analysis is None)

    try:
        seconds = least_seconds(read, enough=CPU_SECONDS_MAX)
    except Exception as error:
        return Fuzzed(document=raw, seconds=0, failure=f"{type(error).__name__}: {error}"[:300])
    return Fuzzed(document=raw, seconds=seconds)


def _origin(format: PlanFormat, random: Random) -> bytes:  # noqa: A002 - as elsewhere
    lines = seed_lines(format)
    drawn = random.random()
    if drawn < _WHOLE_SHARE:
        return b"".join(lines)
    if drawn < 0.5 or format in _JSON:
        return GENERATORS[format](random, random.randrange(1, 8)).encode()
    start = random.randrange(len(lines))
    return b"".join((*lines[:3], *lines[start : start + random.randrange(1, _LINES_MAX)]))


def _place(raw: bytearray, random: Random) -> int:
    return random.randrange(len(raw) + 1)


def _line(raw: bytearray, random: Random) -> tuple[int, int]:
    """Return where a line begins and the next one does."""
    start = raw.rfind(b"\n", 0, _place(raw, random)) + 1
    end = raw.find(b"\n", start)
    return start, len(raw) if end < 0 else end + 1


def _insert_piece(raw: bytearray, random: Random) -> None:
    place = _place(raw, random)
    raw[place:place] = random.choice(_PIECES) * random.choice((1, 1, 1, 2, 20))


def _change_byte(raw: bytearray, random: Random) -> None:
    if raw:
        raw[random.randrange(len(raw))] = random.randrange(256)


def _drop_stretch(raw: bytearray, random: Random) -> None:
    place = _place(raw, random)
    del raw[place : place + random.randrange(1, 60)]


def _drop_line(raw: bytearray, random: Random) -> None:
    start, end = _line(raw, random)
    del raw[start:end]


def _repeat_line(raw: bytearray, random: Random) -> None:
    start, end = _line(raw, random)
    raw[end:end] = raw[start:end] * random.choice((1, 2, 30))


def _move_line(raw: bytearray, random: Random) -> None:
    start, end = _line(raw, random)
    line = bytes(raw[start:end])
    del raw[start:end]
    place, _ = _line(raw, random)
    raw[place:place] = line


def _indent_line(raw: bytearray, random: Random) -> None:
    start, _ = _line(raw, random)
    raw[start:start] = random.choice((b" ", b"  ", b"    ", b"\t", b"> ", b"- "))


def _join_lines(raw: bytearray, random: Random) -> None:
    _, end = _line(raw, random)
    del raw[end - 1 : end]


def _cut(raw: bytearray, random: Random) -> None:
    if random.random() < 0.3:
        del raw[_place(raw, random) :]


def _change_number(raw: bytearray, random: Random) -> None:
    digits = [place for place, byte in enumerate(raw) if 48 <= byte <= 57]
    if digits:
        place = random.choice(digits)
        raw[place : place + 1] = random.choice((b"0", b"9", b"-1", b"99999", b"1.5", b"\xc2\xb2", b""))


_MUTATIONS: Final[tuple[Callable[[bytearray, Random], None], ...]] = (
    _insert_piece, _insert_piece, _insert_piece, _change_byte, _drop_stretch, _drop_line, _repeat_line, _move_line,
    _indent_line, _join_lines, _cut, _change_number,
)  # fmt: skip
