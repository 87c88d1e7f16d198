"""The ``@tool`` decorator: from a plain function to a tool with a contract.

Owns: what is taken from the function (name, description, schemas) and which promise is the default: a READ tool is
``pure``, every other one ``opaque``, unless its author declares better.

    @tool(side_effect="FINANCIAL", delivery="keyed", credential="stripe", network=("api.stripe.com",))
    async def refund(context: ToolContext, charge: str, amount: int) -> Refund:
        \"\"\"Give money back.\"\"\"
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Literal, ParamSpec, TypedDict, TypeVar, Unpack

from remit.core.canonical import JsonValue
from remit.core.states import DeliveryClass, Idempotency, SideEffectLevel
from remit.errors import ContractInvalidError
from remit.governance.contracts import ToolContract, validate_contract
from remit.tools.function import FunctionTool, Lookup
from remit.tools.inference import Inferred, infer
from remit.tools.registry import require_lookup

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")


class ToolOptions(TypedDict, total=False):
    """What a tool declares beside its function.

    ``version`` "1.0.0" · ``side_effect`` "READ" · ``delivery`` "pure" for READ, else "opaque" · ``idempotency`` "none"
    for READ and pure, else "step" · ``operation`` "call", what scopes grant · ``timeout`` 30 seconds.

    ``dependency`` names what the tool relies on (breaker, rate); ``credential`` and ``endpoint`` name what the business
    config resolves; ``network`` lists the hosts it connects to; ``rate_limit_rpm`` limits its calls per minute.

    ``input_schema`` and ``output_schema`` replace what the annotations say. ``lookup`` searches for a call's effect,
    and ``key_window`` (24 hours) is how long the provider remembers our key. ``amount`` and ``currency`` are paths in
    the arguments and ``reference`` one in the output, for the receipt. ``sensitive_input`` and ``sensitive_output`` are
    paths that traces mask, ``trace_input`` and ``trace_output`` the only paths that they keep. ``cost_usd_micros`` is
    what one call costs.
    """

    version: str
    side_effect: Literal["READ", "SOFT_WRITE", "HARD_WRITE", "FINANCIAL"]
    delivery: Literal["pure", "local", "keyed", "queryable", "opaque"] | None
    idempotency: Literal["none", "step", "arguments"] | None
    operation: str
    timeout: timedelta
    dependency: str | None
    credential: str | None
    endpoint: str | None
    network: tuple[str, ...]
    rate_limit_rpm: int | None
    input_schema: Mapping[str, JsonValue] | None
    output_schema: Mapping[str, JsonValue] | None
    lookup: Lookup | None
    key_window: timedelta
    amount: str | None
    currency: str | None
    reference: str | None
    sensitive_input: tuple[str, ...]
    sensitive_output: tuple[str, ...]
    trace_input: tuple[str, ...] | None
    trace_output: tuple[str, ...] | None
    cost_usd_micros: int


def tool(
    name: str | None = None, **options: Unpack[ToolOptions]
) -> Callable[[Callable[Parameters, Answer]], FunctionTool[Parameters, Answer]]:
    """Return a decorator that makes a function a tool.

    The function's parameters are the arguments, its docstring's first paragraph is the description, and its
    annotations give the schemas (see `remit.tools.inference`). A parameter annotated with ``ToolContext`` gets the
    context. The function returns JSON data, a record, or a ``ToolResult``; it raises ``ToolError`` to say what it knows
    about its effect.

    Args:
        name: Lower-case words joined by dots; the function's own name by default.
        **options: See `ToolOptions`.

    Raises:
        ContractInvalidError: when the function is decorated: the declarations contradict each other or the function.
    """

    def declare(function: Callable[Parameters, Answer]) -> FunctionTool[Parameters, Answer]:
        tool_name = getattr(function, "__name__", "") if name is None else name
        inferred = infer(function, name=tool_name, input_schema=options.get("input_schema"))
        contract = _contract(tool_name, _description(function), inferred, options)
        validate_contract(contract)
        declared = FunctionTool(function, contract=contract, shape=inferred.shape, lookup=options.get("lookup"))
        require_lookup(declared)
        return declared

    return declare


def _contract(name: str, description: str, inferred: Inferred, options: ToolOptions) -> ToolContract:
    level = _member(SideEffectLevel, options.get("side_effect", "READ"), name)
    delivery = _delivery(level, options, name)
    output_schema = options.get("output_schema")
    return ToolContract(
        name=name,
        version=options.get("version", "1.0.0"),
        description=description,
        input_schema=inferred.input_schema,
        output_schema=inferred.output_schema if output_schema is None else dict(output_schema),
        side_effect_level=level,
        delivery_class=delivery,
        idempotency=_idempotency(level, delivery, options, name),
        operation=options.get("operation", "call"),
        timeout_ms=_milliseconds(options.get("timeout", timedelta(seconds=30))),
        rate_limit_rpm=options.get("rate_limit_rpm"),
        dependency=options.get("dependency"),
        network=tuple(options.get("network", ())),
        credential=options.get("credential"),
        endpoint=options.get("endpoint"),
        key_window_seconds=_milliseconds(options.get("key_window", timedelta(hours=24))) // 1000,
        sensitive_input_fields=tuple(options.get("sensitive_input", ())),
        sensitive_output_fields=tuple(options.get("sensitive_output", ())),
        trace_allowlist_input=_optional_tuple(options.get("trace_input")),
        trace_allowlist_output=_optional_tuple(options.get("trace_output")),
        cost_usd_micros=options.get("cost_usd_micros", 0),
        amount_path=options.get("amount"),
        currency_path=options.get("currency"),
        external_reference_path=options.get("reference"),
    )


def _delivery(level: SideEffectLevel, options: ToolOptions, name: str) -> DeliveryClass:
    declared = options.get("delivery")
    if declared is not None:
        return _member(DeliveryClass, declared, name)
    return DeliveryClass.PURE if level is SideEffectLevel.READ else DeliveryClass.OPAQUE


def _idempotency(level: SideEffectLevel, delivery: DeliveryClass, options: ToolOptions, name: str) -> Idempotency:
    declared = options.get("idempotency")
    if declared is not None:
        return _member(Idempotency, declared, name)
    has_key = level is not SideEffectLevel.READ and delivery is not DeliveryClass.PURE
    return Idempotency.STEP if has_key else Idempotency.NONE


Choice = TypeVar("Choice", SideEffectLevel, DeliveryClass, Idempotency)


def _member(choices: type[Choice], value: str, name: str) -> Choice:
    try:
        return choices(value)
    except ValueError:
        known = ", ".join(choices)
        raise ContractInvalidError(
            f"expected one of {known} for tool {name}, got {value!r}", tool=name, field=choices.__name__
        ) from None


def _description(function: Callable[..., object]) -> str:
    text = inspect.getdoc(function) or ""
    return " ".join(text.partition("\n\n")[0].split())


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


def _optional_tuple(paths: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if paths is None else tuple(paths)
