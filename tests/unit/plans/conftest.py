"""Tools that documents of these tests call."""

import pytest

from remit.core.states import SideEffectLevel
from remit.governance.contracts import ToolContract


@pytest.fixture
def contracts() -> dict[str, ToolContract]:
    """Return three tools: one reads, one moves money, one sends mail."""
    return {
        "shop.order.get": ToolContract(
            name="shop.order.get",
            version="1.2.0",
            input_schema={
                "type": "object",
                "properties": {"id": {"type": "string"}, "only": {"enum": ["open", "all"]}},
                "required": ["id"],
            },
        ),
        "pay.refund": ToolContract(
            name="pay.refund",
            side_effect_level=SideEffectLevel.FINANCIAL,
            input_schema={
                "type": "object",
                "properties": {"order": {"type": "string"}, "amount": {"type": "integer"}},
                "required": ["order", "amount"],
            },
            network=("api.pay.example",),
        ),
        "mail.send": ToolContract(
            name="mail.send",
            side_effect_level=SideEffectLevel.SOFT_WRITE,
            input_schema={"type": "object", "properties": {"to": {"type": "string"}}},
        ),
    }
