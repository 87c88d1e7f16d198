"""The attacks find what they are there to find: with a check of the deciding function gone, one of them succeeds.

Each test runs twice, as the product is and with the bug, so that it is the bug that is found.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from remit.core.states import ApprovalStatus
from remit.errors import AlreadyDecidedError
from remit.runtime.pipeline import Pipeline
from remit.testing.database import ScratchDatabase, ScratchServer, connect_store, pristine_database
from remit.testing.tools import ScriptedTool
from tests.conformance.store.world import ACME, decision, make_world
from tests.integration.approvals import attacks
from tests.integration.approvals.attacks import Attack
from tests.integration.approvals.races import Outcome, Races
from tests.integration.approvals.target import Target, paying, waiting
from tests.integration.approvals.test_attacks import accepted
from tests.integration.approvals.test_moments import VOIDING, Again, approve, asked
from tests.integration.isolation.planting import replant

IS_PLANTED = pytest.mark.parametrize("is_planted", [False, True], ids=["as it is", "planted"])
Family = Callable[[Target], Iterator[Attack]]


@dataclass(frozen=True, kw_only=True)
class Hole:
    """A check that is gone from the deciding function, and the family of attacks that goes through it."""

    old: str
    new: str
    family: Family


HOLES = {
    "requester may decide": Hole(old="request.requested_by = decider", new="false", family=attacks.wrong_people),
    "agents may decide": Hole(old="person.kind is distinct from 'human'", new="false", family=attacks.wrong_people),
    "inactive may decide": Hole(old="not person.active", new="false", family=attacks.wrong_people),
    "anybody may decide": Hole(old="not 'approver' = any (person.roles)", new="false", family=attacks.wrong_people),
    "digest is not compared": Hole(old="request.digest <> seen_digest", new="false", family=attacks.altered_digests),
    "digest by its beginning": Hole(
        old="request.digest <> seen_digest", new="not starts_with(request.digest, seen_digest)",
        family=attacks.altered_digests,
    ),
    "id by its beginning": Hole(
        old="a.approval_id = approval;", new="starts_with(a.approval_id, approval);", family=attacks.forged_ids
    ),
}  # fmt: skip
AGREEING = (
    ("a.digest = seen_digest", "true"),
    ("a.approval_id = approval ", "a.approval_id = request.approval_id "),
    ("a.approval_id = approval\n", "a.approval_id = request.approval_id\n"),
    ("values (tenant, approval,", "values (tenant, request.approval_id,"),
    ("d.approval_id = approval ", "d.approval_id = request.approval_id "),
)
"""What the function checks or says a second time, and what would hold up a hole in the first."""


@pytest.fixture
async def pristine(scratch_server: ScratchServer) -> AsyncIterator[ScratchDatabase]:
    async with pristine_database(scratch_server) as database:
        yield database


@pytest.fixture
async def owner(pristine: ScratchDatabase) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(pristine.admin_url)
    yield connection
    await connection.close()


@pytest.mark.parametrize("name", HOLES)
async def test_missing_check_is_found_by_an_attack(
    pristine: ScratchDatabase, owner: asyncpg.Connection[Any], name: str
) -> None:
    """
    Without one check of who decides what, an attack of its family succeeds; with it none does.
    """
    hole = HOLES[name]
    async with waiting(pristine) as target:
        found = [await accepted(target, attack) for attack in hole.family(target)]
        await replant(owner, "decide_approval", (hole.old, hole.new), *AGREEING)
        planted = [await accepted(target, attack) for attack in hole.family(target)]

    assert [None] * len(found) == found
    assert any(planted)


@IS_PLANTED
async def test_missing_expiry_is_found_a_millisecond_late(
    pristine: ScratchDatabase, owner: asyncpg.Connection[Any], *, is_planted: bool
) -> None:
    """
    A deciding function that believes a clock that stands an hour back takes a word that is a millisecond late.
    """
    if is_planted:
        await replant(owner, "decide_approval", ("clock_timestamp()", "(clock_timestamp() - interval '1 hour')"))
    store = await connect_store(pristine)
    world = await make_world(store)
    _, late = await world.request(expires_at=await world.now() - timedelta(milliseconds=1))
    try:
        status = (await store.approvals.decide(ACME, decision(late))).status
    except AlreadyDecidedError:
        status = ApprovalStatus.PENDING
    await store.close()

    assert is_planted == (status == ApprovalStatus.APPROVED)


@IS_PLANTED
async def test_missing_lock_is_found_by_races(
    pristine: ScratchDatabase, owner: asyncpg.Connection[Any], *, is_planted: bool
) -> None:
    """
    Without the locks and the condition of the last update, several of eight people believe that they decided.
    """
    if is_planted:
        await replant(owner, "decide_approval", (" for no key update", ""), ("a.status = 'pending' and ", ""))
        await replant(owner, "tell_decision", ("'approval:' ||", "gen_random_uuid() || 'approval:' ||"))
    store, other = await connect_store(pristine), await connect_store(pristine)
    races = Races(await make_world(store), other, 1)
    await races.invite()
    for _ in range(12):
        await races.race()
    await races.judge(owner)
    outcome: Outcome = races.outcome
    for resource in (store, other):
        await resource.close()

    assert is_planted == bool(outcome.wrong)


@IS_PLANTED
async def test_missing_comparison_before_the_call_is_found_by_a_change(
    pristine: ScratchDatabase, monkeypatch: pytest.MonkeyPatch, *, is_planted: bool
) -> None:
    """
    A pipeline that does not compare the digest before it calls sends an approved call to an exchanged endpoint.
    """
    tool = ScriptedTool(paying())
    request = await asked(pristine, tool)
    store = await connect_store(pristine)
    await VOIDING["endpoint"](store)
    await approve(store, request)
    await store.close()
    if is_planted:
        monkeypatch.setattr(Pipeline, "_digest", lambda self, call, asked_for: request.digest)
    async with Again(pristine, tool) as stage:
        await stage.reach(request.run_id, lambda run: run.status == "completed" or run.sequence > 3)

    assert is_planted == bool(tool.calls)
