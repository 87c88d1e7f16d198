"""Clauses of the approvals port: one decision, by the right person, about exactly these bytes, in time."""

import asyncio
from datetime import timedelta

import orjson
import pytest

from remit.errors import AlreadyDecidedError, NotFoundError, PermissionDeniedError, RemitError
from remit.ids import ApprovalId, PrincipalId
from remit.ports.store import Approval, ApprovalRow, Disposition, Message, Principal
from remit.store import PostgresStore
from tests.conformance.store.world import (
    ACME,
    APPROVER,
    OTHER,
    REQUESTER,
    SECOND_APPROVER,
    World,
    decision,
    entry,
    make_world,
)

DECIDERS = 8
ROUNDS = 10


async def pending(world: World) -> list[str]:
    """Ids of the requests that are open."""
    return [row.approval_id for row in await world.store.approvals.list(world.tenant_id)]


async def test_decide_01_approval_reaches_the_run(world: World) -> None:
    """
    An approval closes the request and wakes its run with who, what and about which digest.
    """
    claim, row = await world.request()

    stored = await world.store.approvals.decide(ACME, decision(row, reason="fine"))

    (claimed,) = await world.claim()
    (message,), _ = await world.store.journal.load_inbox(ACME, claim.run_id)
    assert ("approved", (APPROVER,), "fine") == (stored.status, stored.decided_by, stored.decision_reason)
    assert claim.run_id == claimed.run_id
    assert "approval" == message.kind
    assert {
        "approval_id": row.approval_id,
        "decision": "approved",
        "decided_by": APPROVER,
        "reason": "fine",
        "digest": row.digest,
    } == orjson.loads(message.body)


async def test_decide_02_race_has_exactly_one_winner(world: World, other_store: PostgresStore) -> None:
    """
    Of many people who decide at the same time, one decides; everybody else is told that it was decided.
    """
    people = [PrincipalId(f"person-{number}") for number in range(DECIDERS)]
    for person in people:
        await world.store.directory.put_principal(
            Principal(tenant_id=ACME, principal_id=person, kind="human", roles=("approver",))
        )
    for _ in range(ROUNDS):
        claim, row = await world.request()
        words = ["approve", "deny"] * (DECIDERS // 2)
        answers = await asyncio.gather(
            *[
                (world.store, other_store)[number % 2].approvals.decide(
                    ACME, decision(row, person, decision=words[number])
                )
                for number, person in enumerate(people)
            ],
            return_exceptions=True,
        )

        winners = [answer for answer in answers if isinstance(answer, Approval)]
        assert 1 == len(winners)
        assert {AlreadyDecidedError} == {type(answer) for answer in answers if not isinstance(answer, Approval)}
        messages, _ = await world.store.journal.load_inbox(ACME, claim.run_id)
        assert 1 == len(messages)


async def test_decide_03_denial_closes_at_once(world: World) -> None:
    """
    One denial is enough, however many approvals are required.
    """
    _, row = await world.request(approvers=2)

    stored = await world.store.approvals.decide(ACME, decision(row, decision="deny", reason="too much"))

    assert ("denied", "too much") == (stored.status, stored.decision_reason)


async def test_decide_04_two_approvers_are_two_people(world: World) -> None:
    """
    Where two must agree, the first one's second word does not count, and the run hears of it once.
    """
    claim, row = await world.request(approvers=2)
    first = await world.store.approvals.decide(ACME, decision(row))
    with pytest.raises(PermissionDeniedError):
        await world.store.approvals.decide(ACME, decision(row))
    before, _ = await world.store.journal.load_inbox(ACME, claim.run_id)

    second = await world.store.approvals.decide(ACME, decision(row, SECOND_APPROVER))

    after, _ = await world.store.journal.load_inbox(ACME, claim.run_id)
    assert ["pending", "approved"] == [first.status, second.status]
    assert (APPROVER, SECOND_APPROVER) == second.decided_by
    assert [0, 1] == [len(before), len(after)]


@pytest.mark.parametrize(
    ("principal", "kind", "roles", "active"),
    [
        (REQUESTER, "human", ("approver",), True),
        ("agent", "agent", ("approver",), True),
        ("service", "service", ("approver", "admin"), True),
        ("operator", "human", ("operator", "admin"), True),
        ("gone", "human", ("approver",), False),
        ("nobody", None, (), True),
    ],
    ids=["requester", "agent", "service", "no-approver", "inactive", "unknown"],
)
async def test_decide_05_wrong_person_decides_nothing(
    world: World, principal: str, kind: str | None, roles: tuple[str, ...], active: bool
) -> None:
    """
    Only an active human who is an approver now, and not the requester, decides; the request stays open for others.
    """
    person = PrincipalId(principal)
    if kind is not None:
        await world.store.directory.put_principal(
            Principal(tenant_id=ACME, principal_id=person, kind=kind, roles=roles, active=active)
        )
    _, row = await world.request()

    with pytest.raises(PermissionDeniedError):
        await world.store.approvals.decide(ACME, decision(row, person))

    assert [row.approval_id] == await pending(world)
    assert [] == await world.claim()


async def test_decide_06_role_counts_when_deciding(world: World) -> None:
    """
    Who was an approver when asked but is none any more decides nothing.
    """
    _, row = await world.request()
    await world.store.directory.put_principal(
        Principal(tenant_id=ACME, principal_id=APPROVER, kind="human", roles=("operator",))
    )

    with pytest.raises(PermissionDeniedError):
        await world.store.approvals.decide(ACME, decision(row))

    assert [row.approval_id] == await pending(world)


async def test_decide_07_changed_bytes_are_not_approved(world: World) -> None:
    """
    A decision about a digest that is not the request's is refused.
    """
    _, row = await world.request()

    with pytest.raises(AlreadyDecidedError):
        await world.store.approvals.decide(ACME, decision(row, digest="d" * 64))

    assert [row.approval_id] == await pending(world)


async def test_decide_08_expired_request_is_not_approved(world: World) -> None:
    """
    After its time, by the database's clock, a request cannot be approved, also before anybody marked it expired.
    """
    _, row = await world.request(expires_at=await world.now() - timedelta(milliseconds=1))

    with pytest.raises(AlreadyDecidedError):
        await world.store.approvals.decide(ACME, decision(row))

    assert [] == await world.claim()


async def test_decide_09_withdrawn_request_is_not_approved(world: World) -> None:
    """
    A request that its run withdrew cannot be approved.
    """
    _, row = await world.request()
    await world.store.inbox.deliver(ACME, (await world.store.approvals.get(ACME, row_id(row))).run_id, cancel())
    (claim,) = await world.claim()
    await world.append(
        entry(claim, 2, status="cancelled", disposition=Disposition.FINISH, withdrawn=(row.approval_id,))
    )

    with pytest.raises(AlreadyDecidedError):
        await world.store.approvals.decide(ACME, decision(row))


async def test_decide_10_foreign_request_is_not_found(world: World) -> None:
    """
    Another tenant's request is as unknown as one that never was.
    """
    await make_world(world.store, OTHER)
    _, row = await world.request()

    for tenant_id, approval_id in [(OTHER, row.approval_id), (ACME, "no-such-approval")]:
        with pytest.raises(NotFoundError):
            await world.store.approvals.decide(tenant_id, decision(row, approval_id=ApprovalId(approval_id)))

    assert [row.approval_id] == await pending(world)


async def test_decide_11_decision_and_withdrawal_exclude_each_other(world: World, other_store: PostgresStore) -> None:
    """
    Whichever comes first, a withdrawal by the run or a decision: the request ends in one state that all agree on.
    """
    for _ in range(ROUNDS):
        claim, row = await world.request()
        await world.store.inbox.deliver(ACME, claim.run_id, cancel())
        (claim,) = await world.claim()
        last = entry(claim, 2, status="cancelled", disposition=Disposition.FINISH, withdrawn=(row.approval_id,))
        decided, appended = await asyncio.gather(
            other_store.approvals.decide(ACME, decision(row)),
            world.store.journal.append([last]),
            return_exceptions=True,
        )
        assert not isinstance(appended, BaseException)
        if appended[0][0].outcome == "busy":
            await world.append(last)

        status = (await world.store.approvals.get(ACME, row_id(row))).status
        assert ("withdrawn" if isinstance(decided, RemitError) else "approved") == status


async def test_expire_01_run_hears_of_expiry_once(world: World) -> None:
    """
    Requests past their time expire and tell their run, once.
    """
    claim, row = await world.request(expires_at=await world.now() - timedelta(milliseconds=1))

    first = await world.store.approvals.expire(ACME, claim.run_id)
    second = await world.store.approvals.expire(ACME, claim.run_id)

    (message,), _ = await world.store.journal.load_inbox(ACME, claim.run_id)
    assert (1, 0) == (first, second)
    assert "expired" == orjson.loads(message.body)["decision"]
    assert "expired" == (await world.store.approvals.get(ACME, row_id(row))).status


async def test_expire_02_open_request_stays_open(world: World) -> None:
    """
    A request that still has time does not expire.
    """
    claim, row = await world.request()

    expired = await world.store.approvals.expire(ACME, claim.run_id)

    assert 0 == expired
    assert [row.approval_id] == await pending(world)


async def test_get_01_unique_prefix_is_enough(world: World) -> None:
    """
    A request is found by its id or the first characters of it, and by nothing shorter than six.
    """
    _, row = await world.request()

    found = await world.store.approvals.get(ACME, ApprovalId(row.approval_id[:8]))

    assert (row.approval_id, row.arguments) == (found.approval_id, found.arguments)
    with pytest.raises(NotFoundError):
        await world.store.approvals.get(ACME, ApprovalId(row.approval_id[:5]))


def row_id(row: ApprovalRow) -> ApprovalId:
    """The id of a request."""
    return ApprovalId(row.approval_id)


def cancel() -> Message:
    """Somebody asks the run to stop."""
    return Message(kind="cancel", message_id="cancel", body={"requested_by": "operator"})


async def test_list_04_oldest_first_by_status(world: World) -> None:
    """
    Requests are listed oldest first, those that are open unless others are asked for.
    """
    rows = [(await world.request())[1] for _ in range(3)]
    await world.store.approvals.decide(ACME, decision(rows[1]))

    everything = await world.store.approvals.list(ACME, status=None)
    decided = await world.store.approvals.list(ACME, status="approved")

    assert [rows[0].approval_id, rows[2].approval_id] == await pending(world)
    assert [row.approval_id for row in rows] == [one.approval_id for one in everything]
    assert [rows[1].approval_id] == [one.approval_id for one in decided]
    assert 2 == len(await world.store.approvals.list(ACME, status=None, limit=2))
