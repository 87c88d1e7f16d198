"""What people read: amounts, costs, durations, and text that cannot steer a terminal."""

from __future__ import annotations

import pytest

from remit.cli.output import amount, duration, print_fields, print_table, short_receipt, short_run, usd


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (40_994, "USD", "409.94 USD"),
        (5, "eur", "0.05 EUR"),
        (1_200, "JPY", "1200 JPY"),
        (1_234, "KWD", "1.234 KWD"),
        (-199, "USD", "-1.99 USD"),
        (10**15 + 1, "USD", "10000000000000.01 USD"),
        (None, "USD", ""),
        (1, None, ""),
    ],
)
def test_amount_has_the_digits_of_its_currency(minor: int | None, currency: str | None, shown: str) -> None:
    """
    Minor units are shown with as many digits as ISO 4217 gives the currency, exactly.
    """
    assert shown == amount(minor, currency)


@pytest.mark.parametrize(
    ("micros", "shown"), [(0, ""), (1, "$0.000001"), (412, "$0.000412"), (1_500_000, "$1.50"), (2_000_000, "$2.00")]
)
def test_cost_is_exact_to_the_millionth(micros: int, shown: str) -> None:
    """
    Costs have at least cents and at most millionths.
    """
    assert shown == usd(micros)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0, "0 ms"), (0.0124, "12 ms"), (3.44, "3.4 s"), (59.9, "59.9 s"), (125, "2 min 5 s"), (3_720, "1 h 2 min")],
)
def test_duration_has_two_units_at_most(seconds: float, shown: str) -> None:
    """
    Durations are rounded as people say them.
    """
    assert shown == duration(seconds)


def test_short_ids_keep_the_random_part() -> None:
    """
    A run's id begins with the time, a receipt's with its kind: the rest tells them apart.
    """
    assert "0c0d0e0f" == short_run("0190a0b0-1111-7222-8333-44440c0d0e0f")
    assert "9fd8cc33" == short_receipt("rcpt_9fd8cc33aabbccdd")


def test_text_from_outside_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Escapes in names and reasons are replaced before they are printed.
    """
    print_table(("name",), [("\x1b[2J\x1b]0;owned\x07",)], empty="none")
    print_fields((("reason", "\x1b[31mred"), ("left out", None)))

    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "left out" not in shown


def test_empty_table_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """
    No rows are said in words.
    """
    print_table(("name",), [], empty="nothing yet; make one")

    assert "nothing yet; make one" == capsys.readouterr().out.strip()
