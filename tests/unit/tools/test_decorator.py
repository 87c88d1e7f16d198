"""The decorator: what it takes from a function, and which mistakes it finds at once."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import msgspec
import pytest

from remit.core.canonical import JsonValue
from remit.core.states import DeliveryClass, Idempotency, SideEffectLevel
from remit.errors import ContractInvalidError, ToolError
from remit.governance.contracts import check_arguments, contract_digest
from remit.ports.tool import LookupResult, ToolContext, ToolResult
from remit.tools import ToolOptions, tool
from remit.tools.echo import echo


class Item(msgspec.Struct):
    """One line of an order."""

    sku: str
    quantity: int = 1


class Note(TypedDict):
    """A remark."""

    text: str
    by: NotRequired[str]


class Colour(enum.Enum):
    """What can be chosen."""

    RED = "red"
    BLUE = "blue"


@dataclass
class Receipt:
    """What comes back."""

    id: str
    total: int
    on: date


@tool("shop.order", side_effect="HARD_WRITE", delivery="keyed", reference="id", timeout=timedelta(seconds=5))
async def order(
    context: ToolContext,
    items: list[Item],
    note: Note | None = None,
    *,
    colour: Colour = Colour.RED,
    ship: Literal["now", "later"] = "now",
    discount: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0,
    labels: dict[str, str] = {},  # noqa: B006 - the default is what is tested
) -> Receipt:
    """Order goods
    from the shop.

    More about it.
    """
    labels["seen"] = context.tenant_id
    assert all(isinstance(item, Item) for item in items)
    assert len(labels) == 1
    total = sum(item.quantity for item in items)
    return Receipt(id=f"o-{colour.value}-{ship}", total=total, on=date(2026, 1, 31))


async def find_order(arguments: Any, context: ToolContext) -> LookupResult:
    return LookupResult(result=None)


def test_contract_is_taken_from_the_function() -> None:
    """
    Name, description and both schemas follow from the function; the rest from the declaration and safe defaults.
    """
    contract = order.contract

    assert ("shop.order", "1.0.0", "Order goods from the shop.") == (
        contract.name,
        contract.version,
        contract.description,
    )
    assert (SideEffectLevel.HARD_WRITE, DeliveryClass.KEYED) == (contract.side_effect_level, contract.delivery_class)
    assert (Idempotency.STEP, 5_000, 86_400) == (contract.idempotency, contract.timeout_ms, contract.key_window_seconds)
    assert ["items", "note", "colour", "ship", "discount", "labels"] == list(contract.input_schema["properties"])
    assert ["items"] == contract.input_schema["required"]
    assert {"id", "total", "on"} == set(contract.output_schema["properties"])


@pytest.mark.parametrize(
    "arguments",
    [
        {"items": []},
        {"items": [{"sku": "A"}, {"sku": "B", "quantity": 2}], "note": {"text": "t"}, "colour": "blue"},
        {"items": [], "note": None, "ship": "later", "discount": 1, "labels": {"any": "thing"}},
    ],
    ids=["least", "records", "most"],
)
def test_arguments_of_annotated_types_are_accepted(arguments: dict[str, JsonValue]) -> None:
    """
    The inferred schema accepts what the annotations say.
    """
    assert check_arguments(order.contract, arguments) is None


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"items": [{"sku": 1}]},
        {"items": [{"sku": "A", "colour": "x"}]},
        {"items": [], "colour": "green"},
        {"items": [], "ship": "never"},
        {"items": [], "discount": 2},
        {"items": [], "labels": {"a": 1}},
        {"items": [], "note": {"txt": "t"}},
        {"items": [], "context": {}},
        {"items": [], "more": 1},
    ],
    ids=str,
)
def test_arguments_of_other_types_are_refused(arguments: dict[str, JsonValue]) -> None:
    """
    The inferred schema is closed, also inside records, and the context is no argument.
    """
    assert check_arguments(order.contract, arguments) is not None


async def test_call_converts_arguments_and_answer(context: ToolContext) -> None:
    """
    The function gets records and enumerations, and its answer becomes JSON with the provider's reference.
    """
    result = await order.call({"items": [{"sku": "A", "quantity": 3}], "colour": "blue"}, context)

    assert {"id": "o-blue-now", "total": 3, "on": "2026-01-31"} == result.output
    assert "o-blue-now" == result.external_reference


async def test_default_that_can_change_is_fresh_for_each_call(context: ToolContext) -> None:
    """
    What one call does to a default value, the next one does not see.
    """
    for _ in range(2):
        await order.call({"items": []}, context)


async def test_synchronous_function_runs_in_a_thread(context: ToolContext) -> None:
    """
    A function that blocks does not block the worker.
    """

    @tool("test.thread")
    def thread_name() -> str:
        return threading.current_thread().name

    result = await thread_name.call({}, context)

    assert threading.current_thread().name != result.output


async def test_tool_result_is_passed_on(context: ToolContext) -> None:
    """
    A function that knows its tokens, cost or reference says so with a ToolResult.
    """

    @tool("test.result")
    async def priced() -> ToolResult:
        return ToolResult(output={"a": 1}, tokens=7, external_reference="r")

    assert ToolResult(output={"a": 1}, tokens=7, external_reference="r") == await priced.call({}, context)
    assert {} == priced.contract.output_schema


async def test_answer_that_is_no_json_is_an_error_with_unknown_effect(context: ToolContext) -> None:
    """
    The work was done, so the failure must not claim that nothing happened.
    """

    @tool("test.odd", side_effect="SOFT_WRITE", output_schema={})
    async def odd() -> Any:
        return object()

    with pytest.raises(ToolError) as caught:
        await odd.call({}, context)

    assert ("RESULT_UNUSABLE", "unknown") == (caught.value.reason, caught.value.effect)


async def test_arguments_that_a_given_schema_let_through_are_an_error(context: ToolContext) -> None:
    """
    A schema given by hand may accept what the function cannot take; nothing is called then.
    """

    @tool("test.by_hand", input_schema={"type": "object", "properties": {"n": {}}})
    async def by_hand(n: int) -> int:
        return n

    with pytest.raises(ToolError) as caught:
        await by_hand.call({"n": "x"}, context)

    assert ("ARGUMENTS_UNUSABLE", "none") == (caught.value.reason, caught.value.effect)
    assert 5 == (await by_hand.call({"n": 5}, context)).output


async def test_function_of_any_arguments_takes_them_as_they_come(context: ToolContext) -> None:
    """
    With a schema by hand, ``**arguments`` gets everything: this is how tools from elsewhere are wrapped.
    """

    @tool("test.any", input_schema={"type": "object", "properties": {"from": {"type": "string"}}})
    async def anything(context: ToolContext, **arguments: JsonValue) -> JsonValue:
        return {"got": dict(arguments), "tenant": context.tenant_id}

    assert {"got": {"from": "x"}, "tenant": "acme"} == (await anything.call({"from": "x"}, context)).output


async def test_tool_called_directly_calls_its_function(context: ToolContext) -> None:
    """
    A function stays testable as the function it is.
    """
    receipt = await order(context, [Item(sku="A")])

    assert 1 == receipt.total


@pytest.mark.parametrize(
    ("level", "delivery", "expected"),
    [
        ("READ", None, (DeliveryClass.PURE, Idempotency.NONE)),
        ("SOFT_WRITE", None, (DeliveryClass.OPAQUE, Idempotency.STEP)),
        ("SOFT_WRITE", "pure", (DeliveryClass.PURE, Idempotency.NONE)),
        ("FINANCIAL", None, (DeliveryClass.OPAQUE, Idempotency.STEP)),
        ("FINANCIAL", "keyed", (DeliveryClass.KEYED, Idempotency.STEP)),
    ],
)
def test_promise_that_is_not_declared_is_the_safest(
    level: Any, delivery: Any, expected: tuple[DeliveryClass, Idempotency]
) -> None:
    """
    Whoever declares nothing gets no promise that could turn out false.
    """

    @tool("test.default", side_effect=level, delivery=delivery)
    async def function() -> None: ...

    assert expected == (function.contract.delivery_class, function.contract.idempotency)


def test_same_function_gives_the_same_contract_digest() -> None:
    """
    A definition names contracts by digest, so declaring a tool again in another process must not change it.
    """

    def declare() -> str:
        @tool("test.same", side_effect="FINANCIAL", delivery="queryable", lookup=find_order)
        async def same(b: int, a: dict[str, JsonValue], *, c: list[Item]) -> Note: ...

        return contract_digest(same.contract)

    assert declare() == declare()


def unannotated(a) -> int:  # type: ignore[no-untyped-def]
    return int(a)


def positional(*values: int) -> int:
    return len(values)


def keywords(**values: int) -> int:
    return len(values)


def strange(a: threading.Lock) -> int:
    return 1


def unknown_type(a: Missing) -> int:  # type: ignore[name-defined]  # noqa: F821
    return 1


def plain(a: int) -> int:
    return a


def Shouting(a: int) -> int:  # noqa: N802
    return a


@pytest.mark.parametrize(
    ("function", "options", "part"),
    [
        (unannotated, {}, "annotation for parameter 'a'"),
        (positional, {}, "named parameters"),
        (keywords, {}, "named parameters"),
        (strange, {}, "have a JSON form"),
        (unknown_type, {}, "Missing"),
        (Shouting, {}, "name of tool 'Shouting'"),
        (plain, {"side_effect": "WRITE"}, "expected one of READ"),
        (plain, {"delivery": "sure"}, "expected one of pure"),
        (plain, {"side_effect": "FINANCIAL", "delivery": "pure"}, "pure means no effect"),
        (plain, {"side_effect": "HARD_WRITE", "delivery": "queryable"}, "look-up"),
        (plain, {"side_effect": "HARD_WRITE", "idempotency": "none"}, "idempotency"),
        (plain, {"timeout": timedelta(0)}, "timeout_ms"),
        (plain, {"network": ("https://x.test",)}, "network"),
        (plain, {"input_schema": {"type": "object", "requird": []}}, "required"),
        (plain, {"amount": "a b"}, "amount_path"),
    ],
)
def test_declaration_that_contradicts_itself_is_refused(
    function: Callable[..., object], options: ToolOptions, part: str
) -> None:
    """
    A mistake is found when the function is decorated, and the message says which.
    """
    with pytest.raises(ContractInvalidError) as caught:
        tool(**options)(function)

    assert part in caught.value.message


async def test_echo_returns_its_value(context: ToolContext) -> None:
    """
    The built-in tool takes any JSON value.
    """
    assert check_arguments(echo.contract, {"value": {"a": [1, None]}}) is None
    assert {"a": [1, None]} == (await echo.call({"value": {"a": [1, None]}}, context)).output
