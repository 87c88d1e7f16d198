"""Card numbers: which digits are one.

Owns: the check digit and the issuers' ranges. One number in ten has a right check digit, and identifiers of 13 to 19
digits are common; therefore the issuer's range, the length and the surroundings are asked, too.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import Final

PHONE_DIGITS_MAX: Final = 15
"""Longest telephone number after its plus sign (ITU-T E.164)."""

LENGTH_MIN: Final = 13
LENGTH_MAX: Final = 19
"""So many digits have the numbers of cards (ISO/IEC 7812)."""

_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_AS_VALUE: Final = bytes((byte - 48) % 10 for byte in range(256))
_AS_DOUBLED: Final = bytes(_DOUBLED[byte % 10] for byte in range(256))
_SEPARATOR: Final = re.compile(r"%20|[ -]")
_HEX_DIGITS: Final = frozenset("0123456789abcdefABCDEF")

_ISSUERS: Final[tuple[tuple[int, int, frozenset[int]], ...]] = (
    (2200, 2204, frozenset(range(16, 20))),  # Mir
    (2221, 2720, frozenset({16})),  # Mastercard
    (3000, 3059, frozenset(range(14, 20))),  # Diners Club
    (3095, 3095, frozenset(range(14, 20))),
    (3400, 3499, frozenset({15})),  # American Express
    (3528, 3589, frozenset(range(16, 20))),  # JCB
    (3600, 3699, frozenset(range(14, 20))),  # Diners Club
    (3700, 3799, frozenset({15})),  # American Express
    (3800, 3999, frozenset(range(14, 20))),  # Diners Club
    (4000, 4999, frozenset({13, 16, 19})),  # Visa
    (5000, 5099, frozenset(range(14, 20))),  # Maestro
    (5100, 5599, frozenset({16})),  # Mastercard
    (5600, 5899, frozenset(range(14, 20))),  # Maestro
    (6000, 6999, frozenset(range(14, 20))),  # Maestro, Discover, UnionPay, RuPay
)
"""First four digits from and to, and the lengths issued (ISO/IEC 7812 and the issuers' published ranges)."""


def contains_card_number(text: str, *, before: str = "", after: str = "") -> bool:
    """Whether digits, in groups or not, contain a card number that begins and ends with a group.

    Args:
        text: Digits with single separators between them.
        before: What precedes the text, as much as is known.
        after: What follows it.
    """
    if before[-1:].isdigit():
        return False  # the middle of a longer number
    groups = _SEPARATOR.split(text)
    if before.endswith(("+", "%2B", "%2b")) and len("".join(groups)) <= PHONE_DIGITS_MAX:
        return False
    if len(groups) == 1 and _is_identifier(text, before, after):
        return False
    return _has_card(groups)


def is_card_number(digits: str) -> bool:
    """Whether 13 to 19 digits are a card number: an issuer's range and length, and the check digit of Luhn."""
    if not LENGTH_MIN <= len(digits) <= LENGTH_MAX:
        return False
    prefix = int(digits[:4])
    is_issued = any(low <= prefix <= high and len(digits) in lengths for low, high, lengths in _ISSUERS)
    return is_issued and has_check_digit(digits)


def has_check_digit(digits: str) -> bool:
    """Whether the last digit is Luhn's check digit of those before it."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        total += _DOUBLED[value] if index % 2 else value
    return total % 10 == 0


def _has_card(groups: list[str]) -> bool:
    """Whether adjacent groups together are a card number; the time is linear in the digits.

    A sum over any stretch of digits is the difference of two sums from the start; there are two such sums, because
    every other digit is doubled, counted from the end of the stretch.
    """
    digits = "".join(groups)
    edges = [0, *accumulate(len(group) for group in groups)]
    values = digits.encode().translate(_AS_VALUE)
    doubled = values.translate(_AS_DOUBLED)
    sums = (_running_sums(values, doubled, odd=0), _running_sums(values, doubled, odd=1))
    first = 1
    for start in edges[:-1]:
        while first < len(edges) - 1 and edges[first] - start < LENGTH_MIN:
            first += 1
        for end in edges[first : first + LENGTH_MAX - LENGTH_MIN + 1]:
            if end - start > LENGTH_MAX:
                break
            running = sums[end % 2]
            if (running[end] - running[start]) % 10 == 0 and is_card_number(digits[start:end]):
                return True
    return False


def _running_sums(values: bytes, doubled: bytes, *, odd: int) -> list[int]:
    """Return the sums from the start up to each digit, where every other one is doubled, from ``odd`` on."""
    mixed = bytearray(values)
    mixed[odd::2] = doubled[odd::2]
    return [0, *accumulate(mixed)]


def _is_identifier(digits: str, before: str, after: str) -> bool:
    """Whether the digits are part of a digest, or an old-style 13-digit number in a path, where shops put their ids."""
    if len(digits) == 13 and before.endswith("/"):
        return True
    head = re.search(r"[A-Za-z0-9]*\Z", before)
    tail = re.match(r"[A-Za-z0-9]*", after)
    assert head is not None
    assert tail is not None
    around = head.group() + tail.group()
    return bool(around) and _HEX_DIGITS.issuperset(around)
