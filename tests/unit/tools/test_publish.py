"""``outbox.publish``, and the examples of its page."""

import re
from pathlib import Path

from remit.core.facts import OutboxMessage
from remit.core.states import DeliveryClass, SideEffectLevel
from remit.governance.contracts import check_arguments
from remit.governance.outbox import check_outbox
from remit.ids import PrincipalId, RunId, StepId, TenantId
from remit.plans.orchestration import compile_orchestration
from remit.ports.tool import ToolContext
from remit.tools.builtin import built_in_tools
from remit.tools.publish import publish

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "outbox.md").read_text(encoding="utf-8")
CONTEXT = ToolContext(
    tenant_id=TenantId("acme"),
    run_id=RunId("01890000-0000-7000-8000-000000000001"),
    step=StepId("announce"),
    attempt=1,
    slot=1,
    principal_id=PrincipalId("operator"),
    correlation_id="c",
    idempotency_key="k",
    external_key="remit:k",
    deadline_seconds=1.0,
)


def example(language: str) -> str:
    """The first example of a language."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


async def test_publish_returns_its_message() -> None:
    """
    The message is what was asked for, and the output names the id that subscribers will see.
    """
    result = await publish.call({"topic": "orders.paid", "body": {"order": 7}, "key": "order-7"}, CONTEXT)

    assert (OutboxMessage(topic="orders.paid", body={"order": 7}, key="order-7"),) == result.outbox
    assert {"message_id": CONTEXT.message_id(1)} == result.output
    assert check_outbox(publish.contract, result.outbox) is None


def test_publish_is_built_in_and_local() -> None:
    """
    Every kernel has it; it changes something, and only in our own database.
    """
    contract = publish.contract

    assert publish in built_in_tools()
    assert (DeliveryClass.LOCAL, SideEffectLevel.SOFT_WRITE, ()) == (
        contract.delivery_class, contract.side_effect_level, contract.network,
    )  # fmt: skip


def test_arguments_are_checked() -> None:
    """
    A topic must be there, other fields may not.
    """
    assert check_arguments(publish.contract, {"topic": "orders.paid"}) is None
    assert check_arguments(publish.contract, {"body": 1}) is not None
    assert check_arguments(publish.contract, {"topic": "orders.paid", "url": "https://elsewhere.example"}) is not None


def test_examples_of_the_page_work() -> None:
    """
    The orchestration compiles, and the tool is one that may publish.
    """
    head = "name: a\nversion: 1.0.0\ninput: {type: object, properties: {order: {type: integer}}}\n"
    result = compile_orchestration(
        (head + example("yaml")).encode(), path="a.yaml", contracts={publish.contract.name: publish.contract}
    )
    defined: dict[str, object] = {}
    exec(compile(example("python"), "outbox.md", "exec"), defined)

    assert [] == list(result.diagnostics)
    assert DeliveryClass.LOCAL == defined["announce"].contract.delivery_class  # type: ignore[attr-defined]
