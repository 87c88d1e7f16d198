"""Money as integers in minor units, converted exactly.

Owns: the exponent of each currency and the conversion between a provider's decimal string and minor units.
Does not know: rates between currencies. A float never touches an amount.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from remit.errors import InputInvalidError

EXPONENT_DEFAULT: Final = 2
EXPONENTS: Final = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Digits after the point by ISO 4217, where they are not two."""

MINOR_UNITS_MAX: Final = 10**12
"""Ten billion dollars: above any order, far below the integers that JSON carries exactly."""

_CURRENCY: Final = re.compile(r"[A-Za-z]{3}\Z")
_AMOUNT: Final = re.compile(r"-?\d{1,16}(\.\d{1,8})?\Z", re.ASCII)


def currency_code(text: str) -> str:
    """Return the currency in upper case.

    Raises:
        InputInvalidError: it is not three letters.
    """
    if not _CURRENCY.match(text):
        raise InputInvalidError(f"expected an ISO 4217 code such as USD, got {text!r}", currency=text)
    return text.upper()


def exponent(currency: str) -> int:
    """Return how many digits the currency has after the point."""
    return EXPONENTS.get(currency_code(currency), EXPONENT_DEFAULT)


def to_minor(amount: str, *, currency: str) -> int:
    """Return a decimal string in minor units: ``("409.94", USD) -> 40994``.

    Raises:
        InputInvalidError: not a plain decimal, more digits than the currency has, or beyond `MINOR_UNITS_MAX`.
    """
    if not _AMOUNT.match(amount):
        raise InputInvalidError(f"expected a plain decimal such as '12.50', got {amount!r}", amount=amount)
    scaled = Decimal(amount).scaleb(exponent(currency))
    if scaled != scaled.to_integral_value():
        raise InputInvalidError(
            f"expected at most {exponent(currency)} digits for {currency}, got {amount!r}", amount=amount
        )
    if abs(scaled) > MINOR_UNITS_MAX:
        raise InputInvalidError(f"expected at most {MINOR_UNITS_MAX} minor units, got {amount!r}", amount=amount)
    return int(scaled)


def from_minor(amount: int, *, currency: str) -> str:
    """Return minor units as the decimal string providers use: ``(40994, USD) -> "409.94"``."""
    digits = exponent(currency)
    return str(Decimal(amount).scaleb(-digits)) if digits == 0 else f"{Decimal(amount).scaleb(-digits):.{digits}f}"
