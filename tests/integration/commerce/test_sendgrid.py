"""Mail against the simulated SendGrid."""

from dataclasses import replace

import pytest

from remit.errors import ToolError
from remit_commerce.simulators.faults import FaultKind
from tests.integration.commerce.calling import MAIL, TOOLS, Shop, mail


async def test_mail_is_sent_with_our_reference(shop: Shop) -> None:
    """
    An accepted mail has an id, and the provider's record of it holds our reference and no address of the receiver.
    """
    sent = await shop.call(MAIL, "mail", **mail())

    effects = shop.effects(MAIL)
    assert [sent["message_id"]] == [effect["object_id"] for effect in effects]
    assert {"reference": shop.reference("mail"), "milestone": "shipped"} == effects[0]["details"]["custom_args"]


@pytest.mark.parametrize(
    ("kind", "executed"),
    [
        (FaultKind.SERVER_ERROR_BEFORE, 0),
        (FaultKind.SERVER_ERROR_AFTER, 1),
        (FaultKind.TIMEOUT_BEFORE, 0),
        (FaultKind.TIMEOUT_AFTER, 1),
        (FaultKind.RESET_AFTER, 1),
        (FaultKind.HTML_AFTER, 1),
        (FaultKind.REDIRECT, 0),
    ],
)
async def test_lost_answer_leaves_the_mail_unknown(shop: Shop, kind: FaultKind, executed: int) -> None:
    """
    Nothing can tell whether a mail went out: the tool has no look-up, and its failure says "unknown".
    """
    shop.simulators.fault("sendgrid", kind, hold_seconds=3)

    failure = await shop.lose(MAIL, "mail", **mail())

    assert "unknown" == failure.effect
    assert TOOLS[MAIL].lookup is None
    assert executed == len(shop.effects(MAIL))


async def test_rate_limit_names_the_seconds_until_the_reset(shop: Shop) -> None:
    """
    SendGrid names the instant of the reset instead of a wait; the failure has the seconds until then.
    """
    shop.simulators.fault("sendgrid", FaultKind.RATE_LIMITED, retry_after_seconds=90)

    failure = await shop.fail(MAIL, "mail", **mail())

    assert ("none", True) == (failure.effect, failure.retryable)
    assert failure.retry_after_seconds is not None
    assert [] == shop.effects(MAIL)


async def test_wrong_key_is_final_without_effect(shop: Shop) -> None:
    """
    A refused credential is not tried again.
    """
    tool = TOOLS[MAIL]
    context = replace(shop.context(tool, "mail"), credentials={"sendgrid_api_key": "wrong"})

    with pytest.raises(ToolError, match="401") as caught:
        await tool.call(mail(), context)

    assert ("none", False) == (caught.value.effect, caught.value.retryable)
    assert [] == shop.effects(MAIL)
