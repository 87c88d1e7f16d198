"""Laws of approvals: a digest stands for exactly one call, and in doubt a person is asked."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from remit.core.definition import Bounds
from remit.core.states import DeliveryClass, SideEffectLevel
from remit.governance.approvals import ApprovalSubject, approval_digest, find_rule
from remit.governance.contracts import ToolContract
from remit.governance.display import render_narration, render_request
from remit.governance.legibility import deceptions, visible
from remit.governance.policy import ApprovalRule, BusinessConfig

FIELDS = ApprovalSubject.__struct_fields__
TEXT_FIELDS = tuple(name for name in FIELDS if name not in {"arguments", "expires_us", "slot"})

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers(0, 2**53 - 1)
subjects = st.builds(
    ApprovalSubject,
    **dict.fromkeys(TEXT_FIELDS, texts),
    slot=numbers,
    expires_us=numbers,
    arguments=st.binary(max_size=40),
)


@given(subjects, subjects)
def test_digests_are_equal_exactly_for_equal_subjects(first: ApprovalSubject, second: ApprovalSubject) -> None:
    """
    Two requests have the same digest only if every field is the same: no value can slide into a neighbouring field.
    """
    assert (first == second) == (approval_digest(first) == approval_digest(second))


@given(subjects, st.data())
def test_digest_changes_with_any_byte_of_the_arguments(subject: ApprovalSubject, data: st.DataObject) -> None:
    """
    One bit of what will be sent changes the digest.
    """
    assume(subject.arguments)
    place = data.draw(st.integers(0, len(subject.arguments) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(subject.arguments)
    changed[place] ^= 1 << bit

    other = msgspec.structs.replace(subject, arguments=bytes(changed))

    assert approval_digest(subject) != approval_digest(other)


@pytest.mark.parametrize("name", FIELDS)
@given(subject=subjects, data=st.data())
def test_digest_changes_with_any_field(name: str, subject: ApprovalSubject, data: st.DataObject) -> None:
    """
    Each field is covered: tenant, run, step, slot, principal, tool, contract, arguments, credential, endpoint, policy,
    expiry and nonce.
    """
    value = data.draw({"arguments": st.binary(max_size=40), "slot": numbers, "expires_us": numbers}.get(name, texts))
    assume(value != getattr(subject, name))

    other = msgspec.structs.replace(subject, **{name: value})

    assert approval_digest(subject) != approval_digest(other)


@given(texts, texts)
def test_text_cannot_move_between_neighbouring_fields(left: str, right: str) -> None:
    """
    Moving a character from the end of one field to the start of the next makes another digest.
    """
    assume(left)
    fields = dict.fromkeys(TEXT_FIELDS, "x")
    base = ApprovalSubject(**fields, slot=1, expires_us=1, arguments=b"{}")
    first = msgspec.structs.replace(base, tool=left, tool_version=right)
    second = msgspec.structs.replace(base, tool=left[:-1], tool_version=left[-1] + right)

    assert approval_digest(first) != approval_digest(second)


conditions = st.sampled_from(
    [None, "true", "false", "input.amount > 5", "input.missing > 5", "1 / input.zero > 0", "input.", "size(input)"]
)


@given(st.lists(conditions, max_size=4), st.integers(0, 10), st.sampled_from(list(SideEffectLevel)))
def test_first_rule_that_is_not_false_asks(
    given_conditions: list[str | None], amount: int, level: SideEffectLevel
) -> None:
    """
    A rule asks unless its condition is a plain false; without any rule only a tool that moves money asks.
    """
    rules = tuple(
        ApprovalRule(id=f"r{number}", tool="shop.pay", condition=condition)
        for number, condition in enumerate(given_conditions)
    )
    config = BusinessConfig(name="b", version="1.0.0", bounds=Bounds(), approval_rules=rules)
    contract = ToolContract(
        name="shop.pay", input_schema={}, side_effect_level=level, delivery_class=DeliveryClass.OPAQUE
    )
    is_false = {"false", *(["input.amount > 5"] if amount <= 5 else [])}

    found = find_rule(config, contract=contract, arguments={"amount": amount, "zero": 0}, run={})

    expected = next((rule.id for rule in rules if rule.condition not in is_false), None)
    if not rules and level is SideEffectLevel.FINANCIAL:
        expected = "financial-default"
    assert expected == (None if found is None else found.id)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary(max_size=60) | anything.map(msgspec.json.encode))
def test_display_never_hides_anything(arguments: bytes) -> None:
    """
    Whatever the bytes are, what is shown holds no control or hidden character, and whatever was hidden is reported.
    """
    display = render_request(arguments)

    assert visible(display.text) == display.text
    hidden = {warning.kind for warning in display.warnings} & {"hidden", "bidirectional"}
    assert ("⟨U+" in display.text) <= (bool(hidden) or b"\xe2\x9f\xa8" in arguments)


@given(st.text(max_size=200))
def test_narration_marks_every_line(text: str) -> None:
    """
    No line of a model's text can pass for the kernel's.
    """
    display = render_narration(text)

    assert all(line.startswith("model says │") for line in display.text.split("\n"))


@given(st.text(max_size=80))
def test_visible_text_deceives_nobody_twice(text: str) -> None:
    """
    What is made visible has nothing hidden left, and text without deceptions stays as it is.
    """
    shown = visible(text)

    assert not {"hidden", "bidirectional"} & set(deceptions(shown))
    if not deceptions(text):
        assert text == shown
