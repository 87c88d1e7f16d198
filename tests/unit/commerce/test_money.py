"""Amounts are exact, whatever the currency."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.errors import InputInvalidError
from remit_commerce.money import MINOR_UNITS_MAX, exponent, from_minor, to_minor


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("409.94", "USD", 40994),
        ("0.07", "usd", 7),
        ("12.5", "USD", 1250),
        ("12.500", "USD", 1250),
        ("1099", "JPY", 1099),
        ("1.234", "KWD", 1234),
        ("-5.00", "EUR", -500),
        ("0", "USD", 0),
    ],
)
def test_decimal_string_becomes_minor_units(amount: str, currency: str, minor: int) -> None:
    """
    The currency's own exponent decides; nothing is rounded.
    """
    assert minor == to_minor(amount, currency=currency)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("409.945", "USD"),
        ("10.5", "JPY"),
        ("1e3", "USD"),
        ("NaN", "USD"),
        ("Infinity", "USD"),
        ("", "USD"),
        (" 1.00", "USD"),
        ("1,00", "USD"),
        ("1.", "USD"),
        ("\u0661.00", "USD"),
        ("1.00", "DOLLARS"),
        ("1.00", ""),
        ("99999999999999.00", "USD"),
    ],
)
def test_amount_that_is_not_exact_is_refused(amount: str, currency: str) -> None:
    """
    What cannot be said in whole minor units is an error, never a rounding.
    """
    with pytest.raises(InputInvalidError):
        to_minor(amount, currency=currency)


@given(
    minor=st.integers(min_value=-MINOR_UNITS_MAX, max_value=MINOR_UNITS_MAX),
    currency=st.sampled_from(["USD", "JPY", "KWD", "EUR", "ISK", "BHD"]),
)
def test_minor_units_survive_the_way_through_text(minor: int, currency: str) -> None:
    """
    Minor units to text and back is the identity, and the text is the amount.
    """
    text = from_minor(minor, currency=currency)

    assert minor == to_minor(text, currency=currency)
    assert Decimal(text).scaleb(exponent(currency)) == minor
