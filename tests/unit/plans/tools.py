"""Tools that documents of tests call: one reads, one moves money, one books, one sends mail."""

from remit.core.states import Idempotency, SideEffectLevel
from remit.governance.contracts import ToolContract

ORDER = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}

TOOLS = {
    contract.name: contract
    for contract in (
        ToolContract(
            name="shop.order.get",
            version="1.2.0",
            input_schema={
                "type": "object",
                "properties": {"id": {"type": "string"}, "only": {"enum": ["open", "all"]}},
                "required": ["id"],
            },
        ),
        ToolContract(
            name="pay.refund",
            side_effect_level=SideEffectLevel.FINANCIAL,
            input_schema={
                "type": "object",
                "properties": {"order": {"type": "string"}, "amount": {"type": "integer"}},
                "required": ["order", "amount"],
            },
            network=("api.pay.example",),
        ),
        ToolContract(
            name="ledger.post",
            side_effect_level=SideEffectLevel.SOFT_WRITE,
            idempotency=Idempotency.ARGUMENTS,
            input_schema=ORDER,
        ),
        ToolContract(
            name="mail.send",
            side_effect_level=SideEffectLevel.SOFT_WRITE,
            input_schema={"type": "object", "properties": {"to": {"type": "string"}}},
        ),
    )
}
"""The tools by name."""
