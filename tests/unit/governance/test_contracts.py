"""Contracts: what they refuse about calls, and what is refused about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from remit.core.states import DeliveryClass, Idempotency, SideEffectLevel
from remit.errors import ContractInvalidError
from remit.governance.contracts import ToolContract, check_arguments, check_result, validate_contract

NewContract = Callable[..., ToolContract]

GOOD: dict[str, Any] = {"charge": "ch_1", "amount": 5}


def test_arguments_that_match_pass(contract: ToolContract) -> None:
    """
    A valid call is not refused, with and without optional arguments.
    """
    assert check_arguments(contract, GOOD) is None
    assert check_arguments(contract, {**GOOD, "reason": "duplicate", "items": [{"sku": "A"}]}) is None


@pytest.mark.parametrize(
    ("arguments", "path", "expected", "got"),
    [
        ({"amount": 5}, "$.charge", "a value (it is required)", "nothing"),
        ({"amount": 5, "chage": "ch_1"}, "$.charge", "a value (it is required)", "nothing; is it 'chage'"),
        ({**GOOD, "amount": None}, "$.amount", "an integer", "null"),
        ({**GOOD, "amount": "5"}, "$.amount", "an integer", "a string"),
        ({**GOOD, "amount": 1.5}, "$.amount", "an integer", "a number"),
        ({**GOOD, "amount": True}, "$.amount", "an integer", "a boolean"),
        ({**GOOD, "amount": 0}, "$.amount", "at least 1", "a smaller integer"),
        ({**GOOD, "charge": "x' OR 1=1"}, "$.charge", "text that matches ^ch_[a-z0-9]+$", "another string"),
        ({**GOOD, "reason": "fun"}, "$.reason", 'one of "duplicate", "requested"', "another string"),
        ({**GOOD, "resaon": "fun"}, "$", "only known properties", "\"resaon\"; did you mean 'reason'"),
        ({**GOOD, "items": [{"sku": "A"}, {"sku": 1}]}, "$.items[1].sku", "a string", "an integer"),
        ({**GOOD, "items": [{"skus": "A"}]}, "$.items[0]", "only known properties", "\"skus\"; did you mean 'sku'"),
        ({**GOOD, "items": {}}, "$.items", "an array", "an object"),
    ],
)
def test_arguments_that_do_not_match_are_refused(
    contract: ToolContract, arguments: dict[str, Any], path: str, expected: str, got: str
) -> None:
    """
    A refusal says where, what was expected and what type came.
    """
    refusal = check_arguments(contract, arguments)

    assert refusal is not None
    assert ("contract", "SCHEMA_INVALID") == (refusal.stage, refusal.code)
    assert {"path": path, "expected": expected, "got": got} in refusal.evidence["mismatches"]


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"const": 3}, 4, "expected 3 at $.x, got another integer"),
        ({"const": 3}, "3", "expected 3 at $.x, got a string"),
        ({"enum": [1, None]}, "1", "expected one of 1, null at $.x, got a string"),
        ({"not": {"type": "null"}}, None, "expected anything but what 'not' describes at $.x, got another null"),
        (
            {"oneOf": [{"type": "integer"}, {"minimum": 2}]},
            3,
            "expected exactly one of the alternatives at $.x, got what matches several",
        ),
        ({"exclusiveMaximum": 3}, 3, "expected less than 3 at $.x, got a larger integer"),
        ({"multipleOf": 5}, 7, "expected a multiple of 5 at $.x, got another integer"),
        ({"uniqueItems": True}, [1, 1], "expected every item once at $.x, got an item twice"),
        ({"maxItems": 1}, [1, 2], "expected at most 1 items at $.x, got 2 items"),
        ({"maxLength": 3}, "abcd", "expected at most 3 characters at $.x, got 4 characters"),
        (
            {"minProperties": 1, "additionalProperties": True},
            {},
            "expected at least 1 properties at $.x, got 0 properties",
        ),
        ({"format": "date-time"}, "soon", "expected the format date-time at $.x, got another string"),
        ({"additionalProperties": {"type": "null"}}, {"a b": 1}, 'expected null at $.x["a b"], got an integer'),
        ({"contains": {"type": "null"}}, [1], "expected an item that matches 'contains' at $.x, got another array"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("expected") else "",
)
def test_keyword_has_its_words(new_contract: NewContract, schema: dict[str, Any], value: Any, message: str) -> None:
    """
    Every common keyword of JSON Schema is told in words of its own.
    """
    contract = new_contract(input_schema={"type": "object", "properties": {"x": schema}})

    refusal = check_arguments(contract, {"x": value})

    assert refusal is not None
    assert message == refusal.message


def test_refusal_tells_every_mismatch_at_once(contract: ToolContract) -> None:
    """
    A caller, most of all a model, can correct everything in one go; the message counts what it leaves out.
    """
    refusal = check_arguments(contract, {"amount": "x", "reason": 1, "more": 1})

    assert refusal is not None
    assert 4 == len(refusal.evidence["mismatches"])
    assert refusal.message.endswith("(and 3 more)")


def test_refusal_tells_at_most_ten_mismatches(new_contract: NewContract) -> None:
    """
    Hundreds of mismatches do not become hundreds of lines of trace.
    """
    contract = new_contract(
        input_schema={"type": "object", "properties": {f"p{n}": {"type": "null"} for n in range(99)}}
    )

    refusal = check_arguments(contract, {f"p{n}": 1 for n in range(99)})

    assert refusal is not None
    assert 10 == len(refusal.evidence["mismatches"])


def test_alternatives_are_told_by_the_one_that_was_meant(new_contract: NewContract) -> None:
    """
    Of several alternatives the one whose type fits is explained; if none fits, all types are named.
    """
    either = {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"a": {"type": "integer"}}}]}
    contract = new_contract(input_schema={"type": "object", "properties": {"x": either}})

    close = check_arguments(contract, {"x": {"a": "1"}})
    far = check_arguments(contract, {"x": 1})

    assert close is not None
    assert far is not None
    assert "expected an integer at $.x.a, got a string" == close.message
    assert "expected null or an object at $.x, got an integer" == far.message


def test_objects_put_together_are_closed_as_a_whole(new_contract: NewContract) -> None:
    """
    The parts of an `allOf` know some of the properties each; together they know all, and nothing else is accepted.
    """
    parts = [{"properties": {"a": {"type": "integer"}}}, {"$ref": "#/$defs/b"}]
    schema = {
        "type": "object",
        "allOf": parts,
        "$defs": {"b": {"type": "object", "properties": {"b": {"type": "integer"}}}},
    }
    contract = new_contract(input_schema=schema)
    validate_contract(contract)

    assert check_arguments(contract, {"a": 1, "b": 2}) is None
    assert check_arguments(contract, {"a": 1, "b": 2, "c": 3}) is not None


def test_object_that_says_so_stays_open(new_contract: NewContract) -> None:
    """
    `additionalProperties: true` is respected.
    """
    contract = new_contract(
        input_schema={"type": "object", "properties": {"m": {"type": "object", "additionalProperties": True}}}
    )

    assert check_arguments(contract, {"m": {"anything": [1]}}) is None


def test_result_is_checked_but_may_have_more(new_contract: NewContract) -> None:
    """
    A result of the wrong shape is refused; a field that a provider adds is not.
    """
    contract = new_contract(
        output_schema={"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
    )

    assert check_result(contract, {"id": "re_1", "new": 1}) is None
    assert check_result(new_contract(), 17) is None
    refusal = check_result(contract, {"id": 1})
    assert refusal is not None
    assert ("result", "RESULT_INVALID") == (refusal.stage, refusal.code)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "Refund"}, "name"),
        ({"name": "shop..refund"}, "name"),
        ({"name": "shop.refund\n"}, "name"),
        ({"name": "a" * 200}, "name"),
        ({"version": "1"}, "version"),
        ({"version": "01.0.0"}, "version"),
        ({"operation": "Do it"}, "operation"),
        ({"dependency": "Stripe!"}, "dependency"),
        ({"credential": "sk live"}, "credential"),
        ({"network": ("https://api.shop.test",)}, "network"),
        ({"network": ("API.shop.test",)}, "network"),
        ({"timeout_ms": 0}, "timeout_ms"),
        ({"timeout_ms": 10**10}, "timeout_ms"),
        ({"rate_limit_rpm": 0}, "rate_limit_rpm"),
        ({"cost_usd_micros": -1}, "cost_usd_micros"),
        ({"delivery_class": DeliveryClass.PURE}, "delivery_class"),
        ({"side_effect_level": SideEffectLevel.HARD_WRITE, "delivery_class": DeliveryClass.PURE}, "delivery_class"),
        ({"key_window_seconds": 0}, "key_window_seconds"),
        ({"idempotency": Idempotency.NONE}, "idempotency"),
        ({"sensitive_input_fields": ("$.card",)}, "sensitive_input_fields"),
        ({"trace_allowlist_output": ("a b",)}, "trace_allowlist_output"),
        ({"amount_path": ""}, "amount_path"),
        ({"input_schema": {}}, "input_schema"),
        ({"input_schema": {"type": "array"}}, "input_schema"),
        ({"input_schema": {"type": "object", "properties": {"a": {"type": "strin"}}}}, "input_schema"),
        ({"input_schema": {"type": "object", "properties": {"a": {"$ref": "http://x.test/s"}}}}, "input_schema"),
        ({"input_schema": {"type": "object", "properties": {"a": {"$ref": "file:///etc/passwd"}}}}, "input_schema"),
        ({"input_schema": {"type": "object", "properties": {"a": {"$ref": "#/$defs/none"}}}}, "input_schema"),
        ({"input_schema": {"type": "object", "$schema": "http://json-schema.org/draft-07/schema#"}}, "input_schema"),
        ({"input_schema": {"type": "object", "$id": "http://x.test/"}}, "input_schema"),
        ({"input_schema": {"type": "object", "requried": ["a"]}}, "input_schema"),
        ({"input_schema": {"type": "object", "properties": {"a": {"pattern": "(a+)\\1"}}}}, "input_schema"),
        ({"input_schema": {"type": "object", "properties": {"a": {"format": "date-tme"}}}}, "input_schema"),
        ({"input_schema": {"type": "object", "properties": {"a": {"type": "object"}}}}, "input_schema"),
        ({"input_schema": {"type": "object", "description": "x" * 70_000}}, "input_schema"),
        ({"output_schema": {"type": "strin"}}, "output_schema"),
    ],
)
def test_contract_that_contradicts_itself_is_refused(
    new_contract: NewContract, changes: dict[str, Any], field: str
) -> None:
    """
    What is wrong with a contract is found when the tool is added, not when it is called.
    """
    with pytest.raises(ContractInvalidError) as caught:
        validate_contract(new_contract(**changes))

    assert field == caught.value.fields["field"]


def test_schema_nested_too_deeply_is_refused(new_contract: NewContract) -> None:
    """
    A schema deeper than any that a person writes is refused before it costs anything.
    """
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(40):
        schema = {"type": "object", "properties": {"a": schema}}

    with pytest.raises(ContractInvalidError):
        validate_contract(new_contract(input_schema=schema))


def test_slow_pattern_is_matched_in_linear_time(new_contract: NewContract) -> None:
    """
    A pattern that takes others exponential time is answered at once: this test has no other way to end.
    """
    contract = new_contract(input_schema={"type": "object", "properties": {"a": {"pattern": "^(a+)+$"}}})
    validate_contract(contract)

    assert check_arguments(contract, {"a": "a" * 50_000 + "!"}) is not None


def test_reference_inside_plain_data_is_no_reference(new_contract: NewContract) -> None:
    """
    A `$ref` in a constant or default is data.
    """
    schema = {"type": "object", "properties": {"a": {"const": {"$ref": "http://x.test/"}}}}

    validate_contract(new_contract(input_schema=schema))

    assert check_arguments(new_contract(input_schema=schema), {"a": {"$ref": "http://x.test/"}}) is None
