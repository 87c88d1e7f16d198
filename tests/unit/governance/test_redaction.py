"""Redaction: the order of its parts, its limits, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from remit.governance.contracts import ToolContract
from remit.governance.redaction import TEXT_CHARACTERS_MAX, Redactor, redact_text

NewContract = Callable[..., ToolContract]


def test_structure_comes_before_search(new_contract: NewContract) -> None:
    """
    What the allow-list leaves out and sensitive fields mask is gone before anything is searched, so it is no finding.
    """
    contract = new_contract(
        sensitive_input_fields=("customer.phone", "cards"), trace_allowlist_input=("customer", "cards", "items.sku")
    )
    arguments: Any = {
        "customer": {"name": "Jo", "phone": "+4915112345678", "mail": "jo@example.com"},
        "cards": ["4242424242424242"],
        "items": [{"sku": "A", "note": "123-45-6789"}],
        "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    }

    redacted = Redactor().redact_arguments(contract, arguments)

    assert {
        "customer": {"name": "Jo", "phone": "[redacted:field]", "mail": "j***@***.com"},
        "cards": "[redacted:field]",
        "items": [{"sku": "A"}],
    } == redacted.value
    assert ("email",) == redacted.findings
    assert not redacted.must_alert


def test_output_has_rules_of_its_own(new_contract: NewContract) -> None:
    """
    Rules for arguments do not apply to outputs, nor the other way round.
    """
    contract = new_contract(sensitive_input_fields=("a",), sensitive_output_fields=("b",))

    assert {"a": 1, "b": "[redacted:field]"} == Redactor().redact_output(contract, {"a": 1, "b": 2}).value
    assert {"a": "[redacted:field]", "b": 2} == Redactor().redact_arguments(contract, {"a": 1, "b": 2}).value


def test_empty_allow_list_keeps_nothing(new_contract: NewContract) -> None:
    """
    An allow-list without paths is not the same as none.
    """
    contract = new_contract(trace_allowlist_output=())

    assert {} == Redactor().redact_output(contract, {"a": 1}).value
    assert Redactor().redact_output(contract, "text").value is None


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("john@example.com", "j***@***.com"),
        ("josé.müller@exämple.org", "j***@***.org"),
        ("mail john%40example.com now", "mail j***%40***.com now"),
        ("call +49 151 12345678", "call ***-***-5678"),
        ("call (415) 555-1234", "call ***-***-1234"),
        ("ssn 123-45-6789.", "ssn [redacted:ssn]."),
        ("card 4242 4242 4242 4242!", "card [redacted:card]!"),
        ("card4242424242424242", "card[redacted:card]"),
        ("amex 3782-822463-10005", "amex [redacted:card]"),
        ("old visa 4222222222222", "old visa [redacted:card]"),
        ("no 17 4242424242424242", "no [redacted:card]"),
        ("Authorization: Bearer abcdefghijklmnop", "Authorization: Bearer [redacted:secret]"),
        ("postgres://u:p4ssw0rd@host/db", "postgres://[redacted:secret]@host/db"),
        ("-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----", "[redacted:secret]"),
        ("-----BEGIN PRIVATE KEY-----\nMII cut", "[redacted:secret]"),
    ],
)
def test_text_is_masked(text: str, redacted: str) -> None:
    """
    Each class leaves a mark that says what was there, and what helps a person to recognise it.
    """
    assert redacted == redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "order 1790000000000 at 1790000000000000",
        "gid://shopify/Order/4222222222222",
        "ffffffffff4242424242424242aaaaaaaaaa",
        "0190f3a2-7b1c-7d10-8a55-123456789012",
        "4242424242424241",
        "000-12-3456 and 123-00-4567 and 12-123-45-6789",
        "sk_test and whsec_ and ghp_",
        "https://user@host/path",
        "a@b",
        "v1.2.3 + 12345",
        "192.168.100.100",
    ],
)
def test_text_that_only_looks_similar_stays(text: str) -> None:
    """
    Instants, order numbers, digests, invalid numbers and prefixes alone are left as they are.
    """
    assert text == redact_text(text)


def test_known_secret_is_masked_everywhere() -> None:
    """
    A resolved secret is masked in names, values and numbers; a short one is not searched for.
    """
    redactor = Redactor(["hunter2-hunter2", "7355608", "abc"])

    redacted = redactor.redact_value({"hunter2-hunter2": ["x HUNTER2-hunter2 y", 7355608, "abc"]})

    assert {"[redacted:secret]": ["x [redacted:secret] y", "[redacted:secret]", "abc"]} == redacted.value
    assert redacted.must_alert


def test_lines_of_a_key_file_are_secrets_too() -> None:
    """
    A part of a key gives it away, so each long line of a secret is masked on its own.
    """
    line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
    redactor = Redactor([f"-----BEGIN KEY-----\n{line}\n-----END KEY-----"])

    assert "[redacted:secret]" == redactor.redact_text(line)
    assert "-----BEGIN KEY-----" == redactor.redact_text("-----BEGIN KEY-----")


def test_overlapping_occurrences_are_masked_together() -> None:
    """
    Where one occurrence begins inside another, nothing of either is left.
    """
    redactor = Redactor(["abcabcab"])

    assert "x[redacted:secret]y" == redactor.redact_text("xabcabcabcabcaby")
    assert "[redacted:secret][redacted:secret]" == redactor.redact_text("abcabcab" * 2)


def test_longer_secret_wins_over_its_part() -> None:
    """
    When one secret begins another one, no rest of the longer one stays.
    """
    assert "[redacted:secret]" == Redactor(["secret-a", "secret-a-and-more"]).redact_text("secret-a-and-more")


def test_long_text_is_cut_after_it_was_searched() -> None:
    """
    Cutting first could cut a secret in two and leave its half unrecognised.
    """
    text = "x" * (TEXT_CHARACTERS_MAX - 8) + "4242424242424242"

    redacted = redact_text(text)

    assert "4242" not in redacted
    assert redacted.endswith(f"… [cut: {TEXT_CHARACTERS_MAX - 8 + len('[redacted:card]')} characters]")


def test_value_nested_too_deeply_is_cut() -> None:
    """
    Deeper than JSON is ever accepted, a value ends with a mark.
    """
    value: Any = "4242424242424242"
    for _ in range(200):
        value = [value]

    assert "[redacted:depth]" in str(Redactor().redact_value(value).value)


def test_clean_value_is_returned_itself() -> None:
    """
    The usual case costs one pass and no copy.
    """
    value: Any = {"a": [1, "two", None]}

    assert value is Redactor().redact_value(value).value


def test_half_characters_do_not_stop_redaction() -> None:
    """
    A lone surrogate is replaced, and what stands beside it is masked.
    """
    assert {"t": "? [redacted:card]"} == Redactor().redact_value({"t": "\ud800 4242424242424242"}).value


def test_hostile_digits_are_searched_in_linear_time() -> None:
    """
    Ten thousand groups of one digit, all of which could begin a card number, take no noticeable time.
    """
    text = "4 " * 10_000

    assert text == redact_text(text)
    assert "[redacted:card]" == redact_text(f"{text}4242 4242 4242 4242")


@pytest.mark.parametrize(
    ("text", "is_secret"),
    [
        ("tests/task-status-orchestration.spec.ts", False),
        ("ask-somebody-who-knows-the-answer", False),
        ("sk-abcdefghij-klmnopqrst", True),
        ("KEY=sk-abcdefghij_klmnopqrst", True),
        ("keysk-abcdefghijklmnopqrstuvwx", True),
        ("task-ant-REPLACED", False),
        ("xsk-ant-api03-abcdefghij", True),
    ],
)
def test_name_with_the_letters_of_a_key_is_none(text: str, is_secret: bool) -> None:
    """
    A word that ends in the letters a key begins with is no key, unless what follows cannot be words.
    """
    assert is_secret == ("secret" in Redactor().redact_value(text).findings)
