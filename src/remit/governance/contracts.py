"""Tool contracts: what a tool accepts, returns, changes and promises.

Owns: the contract record, its digest, its validity, and the checks of stage 2 (arguments) and stage 11 (results).
Does not know: the tool's code.

Schemas are JSON Schema 2020-12. Input schemas are closed: a property that none of them names is refused unless they say
otherwise. Output schemas are as open as they are written: a provider that adds a field must not turn a finished effect
into a failure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from remit.core.canonical import JsonValue, digest
from remit.core.states import DeliveryClass, Idempotency, SideEffectLevel
from remit.errors import ContractInvalidError
from remit.governance.memo import per_record
from remit.governance.mismatches import Mismatch
from remit.governance.redaction import redact_text
from remit.governance.schemas import Schema, close_schema, require_schema, require_stated_members
from remit.governance.verdicts import Refusal, Stage
from remit.ids import Digest

NAME_PATTERN: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*\Z")
VERSION_PATTERN: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?\Z")
HOST_PATTERN: Final = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\Z")
PATH_PATTERN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.([A-Za-z_][A-Za-z0-9_-]*|\*))*\Z")

NAME_CHARACTERS_MAX: Final = 128
DESCRIPTION_CHARACTERS_MAX: Final = 4_000
SCHEMA_BYTES_MAX: Final = 64 * 1024
TIMEOUT_MS_MAX: Final = 24 * 60 * 60 * 1000
"""A call that takes longer than a day is a wait: start it, and wait for its event."""


class ToolContract(msgspec.Struct, frozen=True, kw_only=True):
    """The promise of one version of a tool.

    ``delivery_class`` is ``opaque`` unless the author declares better. ``idempotency`` ``step`` binds the key to run,
    step and slot; ``arguments`` to the canonical arguments (for calls that must happen once per content).
    ``dependency`` names what the call relies on (breaker and rate are per dependency and tenant); ``network`` lists the
    host names it may connect to; ``credential`` and ``endpoint`` name entries of the tenant's credentials, resolved at
    call time. ``key_window_seconds`` is how long the provider remembers a key (keyed tools).
    ``sensitive_*`` are dotted paths; ``trace_allowlist_*`` set means that only those paths are traced.
    ``amount_path`` and ``currency_path`` (dotted, in the arguments) let a receipt of a FINANCIAL tool carry its amount.
    """

    name: str
    version: str = "1.0.0"
    description: str = ""
    input_schema: dict[str, JsonValue]
    output_schema: dict[str, JsonValue] = {}
    side_effect_level: SideEffectLevel = SideEffectLevel.READ
    delivery_class: DeliveryClass = DeliveryClass.OPAQUE
    idempotency: Idempotency = Idempotency.STEP
    operation: str = "call"
    timeout_ms: int = 30_000
    rate_limit_rpm: int | None = None
    dependency: str | None = None
    network: tuple[str, ...] = ()
    credential: str | None = None
    endpoint: str | None = None
    key_window_seconds: int = 86_400
    sensitive_input_fields: tuple[str, ...] = ()
    sensitive_output_fields: tuple[str, ...] = ()
    trace_allowlist_input: tuple[str, ...] | None = None
    trace_allowlist_output: tuple[str, ...] | None = None
    cost_usd_micros: int = 0
    amount_path: str | None = None
    currency_path: str | None = None
    external_reference_path: str | None = None

    @property
    def has_effect(self) -> bool:
        """Whether a completed call leaves a receipt."""
        return self.side_effect_level is not SideEffectLevel.READ


@per_record
def contract_digest(contract: ToolContract) -> Digest:
    """Return the digest under which definitions and approvals name this contract."""
    return Digest(digest(msgspec.to_builtins(contract)))


def check_arguments(contract: ToolContract, arguments: Mapping[str, JsonValue]) -> Refusal | None:
    """Say why the contract rejects a call's arguments, or ``None``. Stage 2."""
    return _refusal(_schemas(contract)[0], arguments, stage="contract", code="SCHEMA_INVALID")


def check_result(contract: ToolContract, output: JsonValue) -> Refusal | None:
    """Say why the contract rejects a call's result, or ``None``. Stage 11; without output schema it takes any."""
    schema = _schemas(contract)[1]
    return None if schema is None else _refusal(schema, output, stage="result", code="RESULT_INVALID")


def validate_contract(contract: ToolContract) -> None:
    """Refuse a contract that contradicts itself.

    Raises:
        ContractInvalidError: the first contradiction; carries ``tool`` and ``field``.
    """
    _require_names(contract)
    _require_limits(contract)
    _require_promises(contract)
    _require_paths(contract)
    _require_schemas(contract)


@per_record
def _schemas(contract: ToolContract) -> tuple[Schema, Schema | None]:
    output = Schema(contract.output_schema) if contract.output_schema else None
    return Schema(close_schema(contract.input_schema)), output


def _refusal(schema: Schema, value: Any, *, stage: Stage, code: str) -> Refusal | None:
    if schema.matches(value):
        return None
    mismatches = schema.mismatches(value)
    told = [_told(mismatch) for mismatch in mismatches]
    more = f" (and {len(mismatches) - 1} more)" if len(mismatches) > 1 else ""
    return Refusal(
        stage=stage, code=code, message=redact_text(str(mismatches[0])) + more, evidence={"mismatches": told}
    )


def _told(mismatch: Mismatch) -> JsonValue:
    # Names come from the caller, too: one may hold what no trace should.
    return {"path": redact_text(mismatch.path), "expected": mismatch.expected, "got": redact_text(mismatch.got)}


def _require_names(contract: ToolContract) -> None:
    for field, value, pattern, example in (
        ("name", contract.name, NAME_PATTERN, "'stripe.create_refund'"),
        ("version", contract.version, VERSION_PATTERN, "'1.0.0'"),
        ("operation", contract.operation, NAME_PATTERN, "'call'"),
    ):
        _require(contract, field, len(value) <= NAME_CHARACTERS_MAX and pattern.match(value), f"a name like {example}")
    for field in ("dependency", "credential", "endpoint"):
        value = getattr(contract, field)
        _require(contract, field, value is None or NAME_PATTERN.match(value), "a name like 'stripe', or none")
    for host in contract.network:
        _require(contract, "network", HOST_PATTERN.match(host), "host names like 'api.stripe.com'")


def _require_limits(contract: ToolContract) -> None:
    _require(contract, "timeout_ms", 0 < contract.timeout_ms <= TIMEOUT_MS_MAX, f"1 to {TIMEOUT_MS_MAX} milliseconds")
    rate = contract.rate_limit_rpm
    _require(contract, "rate_limit_rpm", rate is None or rate > 0, "a positive number, or none")
    _require(contract, "cost_usd_micros", contract.cost_usd_micros >= 0, "zero or more")
    is_short = len(contract.description) <= DESCRIPTION_CHARACTERS_MAX
    _require(contract, "description", is_short, f"at most {DESCRIPTION_CHARACTERS_MAX} characters")


def _require_promises(contract: ToolContract) -> None:
    delivery = contract.delivery_class
    is_strong = contract.side_effect_level in {SideEffectLevel.HARD_WRITE, SideEffectLevel.FINANCIAL}
    is_without_effect = not contract.has_effect or delivery is DeliveryClass.PURE
    _require(
        contract,
        "delivery_class",
        not (is_strong and delivery is DeliveryClass.PURE),
        f"keyed, queryable, opaque or local for a {contract.side_effect_level} tool (pure means no effect)",
    )
    _require(
        contract,
        "key_window_seconds",
        delivery is not DeliveryClass.KEYED or contract.key_window_seconds > 0,
        "a positive window for a keyed tool",
    )
    _require(
        contract,
        "idempotency",
        contract.idempotency is not Idempotency.NONE or is_without_effect,
        "step or arguments for a tool with an effect (none is for READ and pure)",
    )


def _require_paths(contract: ToolContract) -> None:
    for field in (
        "sensitive_input_fields", "sensitive_output_fields", "trace_allowlist_input", "trace_allowlist_output",
    ):  # fmt: skip
        for path in getattr(contract, field) or ():
            _require(contract, field, PATH_PATTERN.match(path), "dotted paths like 'customer.email' or 'items.*.sku'")
    for field in ("amount_path", "currency_path", "external_reference_path"):
        path = getattr(contract, field)
        _require(contract, field, path is None or PATH_PATTERN.match(path), "a dotted path, or none")


def _require_schemas(contract: ToolContract) -> None:
    _require(contract, "input_schema", contract.input_schema.get("type") == "object", '"type": "object" at its root')
    for field, schema in (("input_schema", contract.input_schema), ("output_schema", contract.output_schema)):
        size = len(msgspec.json.encode(schema))
        _require(contract, field, size <= SCHEMA_BYTES_MAX, f"at most {SCHEMA_BYTES_MAX} bytes")
        try:
            require_schema(schema)
            if field == "input_schema":
                require_stated_members(schema)
        except ContractInvalidError as error:
            raise ContractInvalidError(
                f"{field} of {contract.name}: {error.message}",
                tool=contract.name,
                field=field,
                path=error.fields["path"],
            ) from None
    Schema(close_schema(contract.input_schema))


def _require(contract: ToolContract, field: str, holds: object, expected: str) -> None:
    if holds:
        return
    raise ContractInvalidError(
        f"expected {expected} as {field} of tool {contract.name[:NAME_CHARACTERS_MAX]!r}, "
        f"got {str(getattr(contract, field))[:NAME_CHARACTERS_MAX]!r}",
        tool=contract.name,
        field=field,
    )
