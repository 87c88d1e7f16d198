"""Values of a task's simple fields: verify, risk, iterations, scope.

Owns: reading each in every form, and saying which was expected.
Does not know: which fields a level wants.
"""

from __future__ import annotations

import re
from typing import Final

from remit.plans.plan import Place, RiskClass, Text
from remit.plans.spectra import names
from remit.plans.spectra.body import RawField
from remit.plans.spectra.commands import reads_as_words
from remit.plans.spectra.hidden import Fence, Hidden
from remit.plans.spectra.pieces import Piece
from remit.plans.texts import PlanReporter

_WORD: Final = re.compile(r"[*_`\"'(\[]*(?P<word>[A-Za-z][A-Za-z-]*)")
_NUMBER: Final = re.compile(r"[*_`\"'(\[]*(?P<number>-?[0-9]+)(?![0-9.])")
_RANGE: Final = re.compile(r"[ \t]*(?:[-/,]|\N{EN DASH}|\N{EM DASH}|\.\.|to\b|or\b)[ \t]*[0-9]")
_ALSO: Final = re.compile(r"[,/+&|]|(?:or|and|to)\b", re.IGNORECASE)
_SUCCEEDS: Final = re.compile(
    r"(?:(?:should|must)[ ])?(?:pass(?:es)?|succeeds?|(?:exits?|returns?)(?:[ ]with)?(?:[ ](?:code|status))?[ ]0)[.]?",
    re.IGNORECASE,
)
_TICKS: Final = re.compile(r"`+")


def read_risk(raw: RawField, reporter: PlanReporter) -> RiskClass | None:
    """Read ``low``, ``medium`` or ``high``; words behind it and markup around it are told."""
    return risk_of(raw.value, reporter, at=_place(raw))


def risk_of(value: Piece, reporter: PlanReporter, *, at: Place) -> RiskClass | None:
    """Return the risk that a text names; ``at`` is what is marked if it is none."""
    word = _word(value)
    risk = None if word is None or _has_others(value, word) else names.RISKS.get(word.casefold())
    if risk is None or risk.value not in names.ALLOWED_RISKS:
        said = "; it is read, and other readers refuse it" if risk is not None else ""
        reporter.report(
            "SPECTRA_RISK_INVALID",
            f"expected one of {', '.join(names.ALLOWED_RISKS)}, got {_shown(value)}{said}; choose one",
            at=at,
        )
    elif value.text != risk.value:
        reporter.report(
            "SPECTRA_RISK_FORM",
            f"expected {risk.value!r} alone, got {value.text!r}; other readers take it for no risk, or for medium",
            at=value.place,
            replacement=risk.value,
        )
    return risk


def read_scope(raw: RawField, reporter: PlanReporter) -> str | None:
    """Read one of the scopes."""
    word = _word(raw.value)
    scope = None if word is None or word.casefold() not in names.SCOPES else word.casefold()
    if scope is None or word is None or _has_others(raw.value, word):
        reporter.report(
            "SPECTRA_SCOPE_INVALID",
            f"expected one of {', '.join(names.SCOPES)}, got {_shown(raw.value)}; choose one",
            at=_place(raw),
        )
    elif raw.value.text.casefold() != scope:
        reporter.report(
            "SPECTRA_SCOPE_FORM",
            f"expected {scope!r} alone, got {raw.value.text!r}",
            at=raw.value.place,
            replacement=scope,
        )
    return scope


def read_iterations(raw: RawField, reporter: PlanReporter) -> int | None:
    """Read the bound of a task's loop."""
    found = _NUMBER.match(raw.value.text)
    if found is None or len(found["number"]) > 9 or _RANGE.match(raw.value.text, found.end()):
        reporter.report(
            "SPECTRA_ITERATIONS_INVALID",
            f"expected one whole number of iterations, got {_shown(raw.value)}; write one, such as 5",
            at=_place(raw),
        )
        return None
    number = int(found["number"])
    if raw.value.text != str(number):
        reporter.report(
            "SPECTRA_ITERATIONS_FORM",
            f"expected {str(number)!r} alone, got {raw.value.text!r}",
            at=raw.value.place,
            replacement=str(number),
        )
    return check_iterations(number, at=raw.value.place, reporter=reporter)


def check_iterations(number: int, *, at: Place, reporter: PlanReporter) -> int | None:
    """Return a bound of a loop, ``None`` if it is less than one."""
    lowest, highest = names.ITERATIONS_RANGE
    if number < lowest:
        reporter.report(
            "SPECTRA_ITERATIONS_INVALID",
            f"expected {lowest} iteration or more, got {number}; the task would never be tried",
            at=at,
        )
        return None
    if number > highest:
        reporter.report(
            "SPECTRA_ITERATIONS_RANGE",
            f"expected from {lowest} to {highest} iterations, got {number}; split a task that needs more",
            at=at,
        )
    return number


def read_verify(raw: RawField, hidden: Hidden, reporter: PlanReporter) -> Text | None:
    """Read the command that shows that a task is done; it stands in backticks, and nothing behind it."""
    if not raw.value.text:
        fence = hidden.fences.get(raw.item.line.number + 1)
        return None if fence is None else _fenced(fence, reporter)
    ticks = _TICKS.match(raw.value.text)
    if ticks is None:
        # That words are no command is said where commands are checked.
        if not reads_as_words(raw.value.text):
            _report_bare(raw, reporter)
        return Text(text=raw.value.text, at=raw.value.place)
    closing = raw.value.text.find(ticks.group(), ticks.end())
    if closing < 0 and set(raw.value.text) != {"`"}:
        command = raw.value.cut(ticks.end()).strip()
        reporter.report(
            "SPECTRA_VERIFY_FORM",
            f"expected a command between backticks, got {raw.value.text!r}, which has no closing one",
            at=raw.value.place,
        )
        return Text(text=command.text, at=command.place)
    if set(raw.value.text) == {"`"}:
        return Text(text="", at=raw.value.place)
    command = raw.value.cut(ticks.end(), closing).strip()
    behind = raw.value.cut(closing + len(ticks.group())).strip()
    if behind.text:
        is_said = _SUCCEEDS.fullmatch(behind.text) is not None
        reporter.report(
            "SPECTRA_VERIFY_FORM",
            f"expected nothing behind the command, got {behind.text!r}, which "
            + ("its status says already" if is_said else "nobody checks; let the command fail when it does not hold"),
            at=(command.end + len(ticks.group()), behind.end) if is_said else behind.place,
            replacement="" if is_said else None,
        )
    elif len(ticks.group()) > 1 and "`" not in command.text:
        reporter.report(
            "SPECTRA_VERIFY_FORM",
            f"expected one backtick on each side of the command, got {len(ticks.group())}",
            at=raw.value.place,
            replacement=f"`{command.text}`",
        )
    return Text(text=command.text, at=command.place)


def _report_bare(raw: RawField, reporter: PlanReporter) -> None:
    value = raw.value
    replacement = f"`{value.text}`" if "`" not in value.text else None
    reporter.report(
        "SPECTRA_VERIFY_FORM",
        f"expected a command between backticks, got {value.text!r}",
        at=value.place,
        replacement=replacement,
    )


def _fenced(fence: Fence, reporter: PlanReporter) -> Text | None:
    lines = [line.text.strip() for line in fence.lines if line.text.strip()]
    if not lines:
        return None
    place = (fence.lines[0].start, fence.lines[-1].end)
    reporter.report(
        "SPECTRA_VERIFY_FORM",
        "expected one command between backticks on the line of the field, got a block of code; it is read as a script",
        at=place,
    )
    return Text(text="\n".join(lines), at=place)


def _has_others(value: Piece, word: str) -> bool:
    """Whether another word stands beside one, as in ``low, medium``; words in brackets are about it."""
    return _ALSO.match(value.text.partition(word)[2].lstrip("*_`\"')] ")) is not None


def _word(value: Piece) -> str | None:
    found = _WORD.match(value.text)
    return None if found is None else found["word"]


def _place(raw: RawField) -> Place:
    return raw.value.place if raw.value.text else raw.item.place


def _shown(value: Piece) -> str:
    return repr(value.text) if value.text else "nothing"
