"""Approvals: which rule asks, and when a tool that moves money asks by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from remit.core.states import SideEffectLevel
from remit.governance.approvals import FINANCIAL_DEFAULT_ID, find_rule
from remit.governance.contracts import ToolContract
from remit.governance.policy import ApprovalRule, BusinessConfig

NewConfig = Callable[..., BusinessConfig]
NewContract = Callable[..., ToolContract]

RUN = {"id": "r", "tenant": "acme", "principal": "anna"}


def rule_for(config: BusinessConfig, contract: ToolContract, amount: int = 5) -> str | None:
    rule = find_rule(config, contract=contract, arguments={"amount": amount}, run=RUN)
    return None if rule is None else rule.id


def test_financial_tool_without_any_rule_asks(new_config: NewConfig, new_contract: NewContract) -> None:
    """
    Money moves only when a person agreed, or the business said when it need not; other tools do not ask by themselves.
    """
    other = ApprovalRule(id="other", tool="shop.ship", condition="true")

    assert FINANCIAL_DEFAULT_ID == rule_for(new_config(), new_contract())
    assert FINANCIAL_DEFAULT_ID == rule_for(new_config(approval_rules=(other,)), new_contract())
    assert rule_for(new_config(), new_contract(side_effect_level=SideEffectLevel.HARD_WRITE)) is None


def test_rule_about_a_financial_tool_replaces_the_default(new_config: NewConfig, contract: ToolContract) -> None:
    """
    A conditional rule is the business's word on when a payment asks: below its threshold it does not.
    """
    config = new_config(approval_rules=(ApprovalRule(id="large", tool="shop.*", condition="input.amount > 100"),))

    assert rule_for(config, contract, amount=100) is None
    assert "large" == rule_for(config, contract, amount=101)


def test_first_matching_rule_asks(new_config: NewConfig, contract: ToolContract) -> None:
    """
    Rules are asked in the order in which they are written.
    """
    rules = (
        ApprovalRule(id="never", tool="shop.refund", condition="false"),
        ApprovalRule(id="for-anna", tool="shop.refund", condition="run.principal == 'anna'"),
        ApprovalRule(id="always", tool="shop.*"),
    )

    assert "for-anna" == rule_for(new_config(approval_rules=rules), contract)
    assert "always" == rule_for(new_config(approval_rules=rules[::-1]), contract)


@pytest.mark.parametrize("condition", ["input.none > 1", "input.amount > 'x'", "input.amount", "input.", "now() > 1"])
def test_condition_that_cannot_be_answered_asks(new_config: NewConfig, contract: ToolContract, condition: str) -> None:
    """
    In doubt a person is asked: a condition that fails, or gives no boolean, or does not compile, counts as true.
    """
    config = new_config(approval_rules=(ApprovalRule(id="odd", tool="shop.refund", condition=condition),))

    assert "odd" == rule_for(config, contract)


def test_condition_knows_the_tool(new_config: NewConfig, contract: ToolContract) -> None:
    """
    One rule can speak of every tool that moves money.
    """
    condition = "tool.side_effect_level == 'FINANCIAL' && tool.operation == 'refund' && tool.version == '1.0.0'"
    config = new_config(approval_rules=(ApprovalRule(id="money", tool="shop.*", condition=condition),))

    assert "money" == rule_for(config, contract)


def test_rule_is_found_for_the_level_of_the_contract(new_config: NewConfig, new_contract: NewContract) -> None:
    """
    A new version of a tool that moves money now asks, although the old one did not.
    """
    config = new_config()

    assert rule_for(config, new_contract(side_effect_level=SideEffectLevel.READ)) is None
    assert FINANCIAL_DEFAULT_ID == rule_for(config, new_contract())
