"""Laws of redaction: planted canaries never come out, in whatever form they went in."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from remit.core.canonical import JsonValue
from remit.governance.cards import has_check_digit, is_card_number
from remit.governance.paths import keep_paths, mask_paths
from remit.governance.redaction import TEXT_CHARACTERS_MAX, Redactor, mask_secrets

ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper": str.upper,
    "json": lambda text: json.dumps(text)[1:-1],
    "json-unicode": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "url": lambda text: quote(text, safe=""),
    "url-path": quote,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64-inside": lambda text: base64.b64encode(f"user:{text}:end".encode()).decode(),
    "base64-url": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "reversed": lambda text: text[::-1],
    "repr": lambda text: repr(text)[1:-1],
}

canaries = st.text(st.characters(min_codepoint=33, max_codepoint=0x24F), min_size=14, max_size=40).filter(
    lambda text: len(set(text)) > 7
)
results = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
surroundings = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(canary=canaries, before=surroundings, after=surroundings)
def test_known_secret_is_masked_in_every_encoding(encoding: str, canary: str, before: str, after: str) -> None:
    """
    A secret that was resolved is found by its value, also after an encoder; at most its edges are left of an encoding
    that mixes neighbours.
    """
    planted = ENCODINGS[encoding](canary)
    middle = planted[len(planted) // 3 : -len(planted) // 3]
    assume(middle not in before + after)
    redactor = Redactor([canary])

    text = redactor.redact_text(f"{before}{planted}{after}")

    assert planted not in text
    assert "[redacted:" in text
    assert middle not in text.replace("[redacted:secret]", "")


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(canary=canaries, before=surroundings)
def test_masked_result_holds_no_secret_and_all_else(encoding: str, canary: str, before: str) -> None:
    """
    A result loses a secret in names and values, at any depth, and nothing else: nothing is cut or taken for a pattern.
    """
    planted = ENCODINGS[encoding](canary)
    rest = "anna@example.org " * (TEXT_CHARACTERS_MAX // 10)
    assume(planted not in before)
    value: JsonValue = {"a": [before, {"b": f"{before}{planted}", planted: 1}], "rest": rest, "n": 2**60, "none": None}

    masked = mask_secrets(value, frozenset({canary}))

    assert isinstance(masked, dict)
    assert planted not in json.dumps(masked, ensure_ascii=False)
    assert (rest, 2**60, None) == (masked["rest"], masked["n"], masked["none"])


@given(
    value=st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_result_without_secrets_is_the_same_object(value: JsonValue) -> None:
    """
    What holds no secret is handed on as it is.
    """
    assume("canary-of-the-mine" not in str(value))

    assert value is mask_secrets(value, frozenset({"canary-of-the-mine", "short"}))
    assert value is mask_secrets(value, frozenset())


# In two parts, so that no scanner takes the examples for leaks.
secrets = st.sampled_from(
    [
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "rk_test_4eC39HqLyjWDarjtT1zdp7dc",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy",
        "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",
        "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",
        "smk_0123456789abcdef0123",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
        "sk-proj-0123456789abcdefghijklmnop",
    ]
)
cards = st.builds(
    lambda prefix, digits: with_check_digit((prefix + digits)[:15]),
    st.sampled_from(["4", "51", "2221", "6011", "3530"]),
    st.text("0123456789", min_size=15, max_size=15),
)
personal = {
    "secret": secrets,
    "card": cards,
    "email": st.from_regex(r"\A[a-z][a-z0-9]{2,9}(\.[a-z]{2,6})?@[a-z]{3,9}\.(com|org|co\.uk)\Z"),
    "phone": st.from_regex(r"\A\+[1-9][0-9]{9,13}\Z"),
    "ssn": st.from_regex(r"\A[1-5][0-9]{2}-[1-9][0-9]-[1-9][0-9]{3}\Z"),
}
places: dict[str, Callable[[str], JsonValue]] = {
    "value": lambda text: {"note": text},
    "inside": lambda text: {"note": f"see {text}, please"},
    "deep": lambda text: {"a": [{"b": [1, "x", {"c": f"({text})"}]}]},
    "key": lambda text: {"map": {text: 1}},
    "json": lambda text: {"body": json.dumps({"inner": text})},
    "url": lambda text: {"link": f"https://example.test/?q={quote(text, safe='')}&x=1"},
}


def with_check_digit(digits: str) -> str:
    return next(digits + str(last) for last in range(10) if has_check_digit(digits + str(last)))


@pytest.mark.parametrize("place", places)
@pytest.mark.parametrize("kind", personal)
@given(data=st.data())
def test_canary_is_masked_and_reported(kind: str, place: str, data: st.DataObject) -> None:
    """
    Keys, card numbers, mail addresses, telephone and social security numbers are masked wherever they stand, and the
    finding says what it was.
    """
    canary = data.draw(personal[kind])
    value = places[place](canary)

    redacted = Redactor().redact_value(value)

    shown = msgspec.json.encode(redacted.value).decode()
    assert canary not in shown
    assert quote(canary, safe="") not in shown
    assert kind in redacted.findings
    assert (kind in {"secret", "card", "ssn"}) == redacted.must_alert


@given(cards)
def test_card_number_as_integer_or_in_groups_is_masked(card: str) -> None:
    """
    A card number is one as a number, and in groups of four with spaces or hyphens.
    """
    value: JsonValue = {"n": int(card), "s": [" ".join(groups_of(card)), "-".join(groups_of(card))]}

    redacted = Redactor().redact_value(value)

    assert {"n": "[redacted:card]", "s": ["[redacted:card]"] * 2} == redacted.value


def groups_of(card: str) -> Iterator[str]:
    return (card[start : start + 4] for start in range(0, len(card), 4))


@given(cards, st.integers(0, 15), st.integers(1, 9))
def test_number_with_wrong_check_digit_is_no_card(card: str, place: int, shift: int) -> None:
    """
    Changing one digit makes it another number: the check digit of Luhn sees every such change.
    """
    changed = card[:place] + str((int(card[place]) + shift) % 10) + card[place + 1 :]

    assert is_card_number(card)
    assert not is_card_number(changed)


harmless = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**11), 10**11)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "order 17", "2024-01-31T12:30:00Z", "gid://shopify/Order/4876543219876", "a-b_c", "é"])
    | st.uuids().map(str)
    | st.binary(max_size=32).map(bytes.hex).filter(lambda text: len(text) != 19),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcdef"), inner, max_size=4),
    max_leaves=12,
)


@given(harmless)
def test_harmless_value_stays_as_it_is(value: JsonValue) -> None:
    """
    Amounts, instants, identifiers and digests of every-day records pass unchanged and without a finding.
    """
    redacted = Redactor(["a secret that is not there"]).redact_value(value)

    assert value == redacted.value
    assert () == redacted.findings


@given(harmless, cards | secrets)
def test_redacting_twice_changes_nothing(value: JsonValue, canary: str) -> None:
    """
    What was redacted is clean: a second pass finds nothing.
    """
    redactor = Redactor()
    once = redactor.redact_value({"value": value, "canary": f"x {canary} y"}).value

    twice = redactor.redact_value(once)

    assert once == twice.value
    assert () == twice.findings


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("utf-8", "surrogateescape")))
def test_any_text_is_redacted_without_failing(text: str) -> None:
    """
    No text makes the redactor fail, also none with half characters.
    """
    redactor = Redactor(["a known secret"])

    redacted = redactor.redact_text(text)

    redacted.encode()
    assert isinstance(redactor.redact_value({"t": text}).value, dict)


names = st.sampled_from(["a", "b", "c"])
trees = st.recursive(
    st.integers(0, 9),
    lambda inner: st.dictionaries(names, inner, max_size=3) | st.lists(inner, max_size=3),
    max_leaves=10,
)
paths = st.lists(names | st.just("*"), min_size=1, max_size=3).map(".".join)


ITEM = "[]"


def leaves(value: JsonValue, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], JsonValue]]:
    """Yield every leaf with the names on the way to it; an item of a list is `ITEM`."""
    match value:
        case dict():
            for name, item in value.items():
                yield from leaves(item, (*place, name))
        case list():
            for item in value:
                yield from leaves(item, (*place, ITEM))
        case _:
            yield place, value


def covers(parts: list[str], place: tuple[str, ...]) -> bool:
    """Whether a path leads to a place or above it; a list is passed through, or named by a wildcard."""
    if not parts:
        return True
    if not place:
        return False
    passes = place[0] == ITEM and covers(parts, place[1:])
    return passes or (parts[0] in {"*", place[0]} and covers(parts[1:], place[1:]))


def is_on(place: tuple[str, ...], some_paths: list[str]) -> bool:
    return any(covers(path.split("."), place) for path in some_paths)


@given(trees, st.lists(paths, min_size=1, max_size=3))
def test_mask_covers_exactly_its_paths(value: JsonValue, masked_paths: list[str]) -> None:
    """
    Every leaf on a masked path is gone, every other one stays.
    """
    masked = mask_paths(value, tuple(masked_paths), mark="#")

    kept = [(place, leaf) for place, leaf in leaves(masked) if leaf != "#"]
    assert [(place, leaf) for place, leaf in leaves(value) if not is_on(place, masked_paths)] == kept


@given(trees, st.lists(paths, max_size=3))
def test_allow_list_keeps_only_its_paths(value: JsonValue, allowed: list[str]) -> None:
    """
    Nothing outside the allowed paths is kept; without wildcards everything on them is.
    """
    kept = [leaf for leaf in leaves(keep_paths(value, tuple(allowed))) if leaf != ((), None)]

    assert all(is_on(place, allowed) for place, _ in kept)
    if not any("*" in path for path in allowed):
        assert [(place, leaf) for place, leaf in leaves(value) if is_on(place, allowed)] == kept
