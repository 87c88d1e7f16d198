"""Numbers of documents: only what every JSON reader reads back unchanged.

Owns: the limits of numbers, for both syntaxes.
Does not know: which texts are numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from remit.core.canonical import INTEGER_MAX

_DIGITS_MAX: Final = 20
"""Longer integers are out of range whatever they are; Python's own conversion is quadratic in the digits."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """Not a number that we take; ``code`` and ``message`` say why."""

    code: str
    message: str


def integer(text: str, *, base: int = 10) -> int | Unfit:
    """Return the integer that digits (with an optional sign) stand for, if JSON readers keep it exactly."""
    digits = text.lstrip("+-").lstrip("0")
    if len(digits) <= _DIGITS_MAX and abs(number := int(digits or "0", base)) <= INTEGER_MAX:
        return -number if text.startswith("-") else number
    return Unfit(
        "NUMBER_OUT_OF_RANGE",
        f"expected an integer between -(2**53 - 1) and 2**53 - 1, got {_shown(text)}; write it as a string",
    )


def real(text: str) -> float | Unfit:
    """Return the float that a decimal text stands for, unless it overflows, or is not zero and vanishes."""
    number = float(text)
    if math.isinf(number):
        return Unfit("NUMBER_NOT_FINITE", f"expected a finite number, got {_shown(text)}; write it as a string")
    mantissa = text.lower().partition("e")[0]
    if number == 0 and mantissa.strip("+-0."):
        return Unfit(
            "NUMBER_OUT_OF_RANGE", f"expected a number that is not lost, got {_shown(text)}; write 0 or a string"
        )
    return number


def _shown(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:24]}…"
