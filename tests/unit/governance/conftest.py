"""Builders of contracts and business configs."""

from __future__ import annotations

import time
from typing import Any

import pytest

from remit.core.definition import Bounds
from remit.core.states import DeliveryClass, Idempotency, SideEffectLevel
from remit.governance.contracts import ToolContract
from remit.governance.policy import BusinessConfig

REFUND_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "charge": {"type": "string", "pattern": "^ch_[a-z0-9]+$"},
        "amount": {"type": "integer", "minimum": 1},
        "reason": {"enum": ["duplicate", "requested"]},
        "items": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
    },
    "required": ["charge", "amount"],
}


@pytest.fixture
def contract() -> ToolContract:
    """A tool that moves money."""
    return make_contract()


def make_contract(**changes: Any) -> ToolContract:
    fields: dict[str, Any] = {
        "name": "shop.refund",
        "input_schema": REFUND_SCHEMA,
        "side_effect_level": SideEffectLevel.FINANCIAL,
        "delivery_class": DeliveryClass.KEYED,
        "idempotency": Idempotency.STEP,
        "operation": "refund",
        "network": ("api.shop.test",),
    }
    return ToolContract(**(fields | changes))


def make_config(**changes: Any) -> BusinessConfig:
    fields: dict[str, Any] = {"name": "shop", "version": "1.0.0", "bounds": Bounds()}
    return BusinessConfig(**(fields | changes))


@pytest.fixture
def new_contract() -> Any:
    """Return the builder of contracts."""
    return make_contract


@pytest.fixture
def new_config() -> Any:
    """Return the builder of business configs."""
    return make_config


@pytest.fixture
def benchmark_seconds() -> Any:
    """Return a function that says how long another one takes."""

    def measure(work: Any) -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    return measure
