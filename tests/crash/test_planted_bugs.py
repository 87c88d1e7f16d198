"""The suite finds what it is there to find: with a bug planted, the auditor is not content.

Each test runs twice, as the kernel is and with the bug, so that it is the bug that is found.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from remit.core.commands import CallTool
from remit.core.events import Event
from remit.core.state import RunState
from remit.ports.tool import ToolContext
from remit.runtime.outcomes import Outcomes
from remit.runtime.pipeline import Pipeline
from tests.crash.auditor import audit
from tests.crash.kernels import MortalKernel, Shop
from tests.crash.points import Point, Watch
from tests.crash.world import World, live, rescue
from tests.crash.zombies import Zombie

IS_PLANTED = pytest.mark.parametrize("is_planted", [False, True], ids=["as it is", "planted"])
FENCE = (
    ("h.epoch <> e.epoch or h.worker_id is null", "false"),
    ("h.epoch is not distinct from e.epoch and h.worker_id is not null and ", ""),
)


async def crash_and_rescue(world: World, point: str) -> list[str]:
    """Crash an order at a point, let another kernel finish it, and return the auditor's findings."""
    settings = world.shop.settings(world.account)
    assert not await live(MortalKernel(settings, Watch(Point.parse(point))), world)
    await world.bury()
    await rescue(MortalKernel(settings, Watch()), world)
    return await audit(world.order)


@IS_PLANTED
@pytest.mark.parametrize(
    ("point", "duplicate"),
    [
        ("stripe.payment_intents.authorize:after:1", "duplicate: 2 times payment_intents.authorize"),
        ("printful.orders.create_draft:after:1", "duplicate: 2 times orders.create_draft"),
    ],
)
async def test_new_key_for_each_attempt_is_found(
    point: str, duplicate: str, world: World, monkeypatch: pytest.MonkeyPatch, *, is_planted: bool
) -> None:
    """
    With a fresh key for each call, the provider cannot know that it did the work before.
    """
    honest = Outcomes._context

    def context(self: Outcomes, *arguments: Any) -> ToolContext:
        return replace(honest(self, *arguments), external_key=f"remit:{secrets.token_hex(16)}")

    if is_planted:
        monkeypatch.setattr(Outcomes, "_context", context)

    findings = await crash_and_rescue(world, point)

    assert is_planted == (duplicate in findings)
    assert is_planted == bool(findings)


@IS_PLANTED
async def test_call_made_again_blindly_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch, *, is_planted: bool
) -> None:
    """
    A recovery that takes a call that may have been sent for a new one sends a second mail.
    """
    honest = Pipeline.act

    async def act(self: Pipeline, command: CallTool, state: RunState, *, resumed: bool) -> Event:
        return await honest(self, command, state, resumed=False)

    if is_planted:
        monkeypatch.setattr(Pipeline, "act", act)

    findings = await crash_and_rescue(world, "sendgrid.mail.send:after:1")

    assert is_planted == ("duplicate: 2 times mail.send" in findings)
    assert is_planted == bool(findings)


@IS_PLANTED
async def test_missing_fence_is_found(own_shop: Shop, *, is_planted: bool) -> None:
    """
    Without the check of epochs, a worker that lost its run writes into it while another one owns it.
    """
    connection = await asyncpg.connect(own_shop.database.admin_url)
    if is_planted:
        await remove_fence(connection)
    world = World(own_shop, connection)
    world.open_shop()

    async with Zombie(own_shop, world.order_id, Point.parse("append:before:5")) as first:
        await world.expire_leases()
        async with Zombie(own_shop, world.order_id, Point.parse("append:before:1"), life=rescue) as second:
            taken_over = await world.look()
            assert taken_over is not None
            world.fences.append((taken_over["sequence"], taken_over["epoch"]))
            await first.go_on()
            findings = await audit(world.order)
            if is_planted:
                await second.kill()
                await first.kill()
    await connection.close()

    stale = [finding for finding in findings if finding.startswith("stale write")]
    assert is_planted == bool(stale)


async def remove_fence(connection: asyncpg.Connection[Any]) -> None:
    """Replace the append function of this database by one that does not look at epochs."""
    text = await connection.fetchval(
        "select pg_get_functiondef(p.oid) from pg_proc p "
        "where p.proname = 'append_v1' and p.pronamespace = 'remit'::regnamespace"
    )
    for check, nothing in FENCE:
        assert check in text, "the append function changed: plant the bug anew"
        text = text.replace(check, nothing)
    await connection.execute(text)
