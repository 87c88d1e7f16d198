"""Approvals end to end: what was approved is, byte for byte, what runs, and somebody else agreed to it."""

from __future__ import annotations

import asyncio
import hashlib

import msgspec
import pytest

from remit.bootstrap import APPROVER, OPERATOR
from remit.core.canonical import canonical_bytes
from remit.core.states import SideEffectLevel
from remit.errors import AlreadyDecidedError, NotFoundError, PermissionDeniedError
from remit.governance.contracts import ToolContract
from remit.ids import ApprovalId, PrincipalId
from remit.ports.store import Principal
from remit.testing.database import ScratchDatabase
from remit.testing.tools import ScriptedTool, Turn, contract, refusal
from tests.integration.runtime.stage import QUICK, SECOND_APPROVER, TENANT, After, Stage, reasons

WAITING = "approval of pay"


def paying() -> ToolContract:
    """Return the contract of a tool that moves money."""
    return msgspec.structs.replace(contract("t.pay", delivery="keyed"), side_effect_level=SideEffectLevel.FINANCIAL)


async def test_approved_call_runs_with_the_approved_bytes(database: ScratchDatabase) -> None:
    """
    The run waits without a worker; what was shown and approved is what the tool gets, and the receipt names it.
    """
    tool = ScriptedTool(paying())
    async with Stage(database, tool) as stage:
        await stage.ask_before("t.pay", condition="input.amount > 10", reason="a lot")
        run_id = await stage.submit(stage.step("t.pay", input={"amount": 11, "to": "${{ run.principal }}"}))
        waiting = await stage.wait_for(run_id, WAITING)
        owned = stage.kernel.worker.owned_count
        approval = await stage.approval()
        calls_before = len(tool.calls)
        decided = await stage.decide(approval)
        run = await stage.end(run_id)
        (receipt,) = await stage.receipts(run_id)
        replayed = await stage.is_replayed(run_id)

    assert ("waiting", 0, 0) == (waiting.status, owned, calls_before)
    assert approval.arguments == canonical_bytes(dict(tool.calls[0].arguments))
    assert ("approved", (APPROVER,)) == (decided.status, decided.decided_by)
    assert "completed" == run.status
    assert approval.approval_id == receipt.approval_id
    assert hashlib.sha256(approval.arguments).hexdigest() == receipt.arguments_digest
    assert replayed


async def test_call_below_the_rule_asks_nobody(database: ScratchDatabase) -> None:
    """
    A rule whose condition is false asks nobody; one that cannot be evaluated does.
    """
    tool = ScriptedTool(paying())
    async with Stage(database, tool) as stage:
        await stage.ask_before("t.pay", condition="input.amount > 10")
        below = await stage.run(stage.step("t.pay", input={"amount": 10}))
        run_id = await stage.submit(stage.step("t.pay", input={"other": 1}))
        in_doubt = await stage.wait_for(run_id, WAITING)

    assert "completed" == below.status
    assert "waiting" == in_doubt.status


async def test_denied_call_is_not_made(database: ScratchDatabase) -> None:
    """
    A denial fails the step with its reason, and the tool is not called.
    """
    tool = ScriptedTool(paying())
    async with Stage(database, tool) as stage:
        await stage.ask_before("t.pay")
        run_id = await stage.submit(stage.step("t.pay", retry=QUICK))
        await stage.wait_for(run_id, WAITING)
        await stage.decide(await stage.approval(), "deny")
        run = await stage.end(run_id)
        rows = await stage.rows(run_id)

    assert "failed" == run.status
    assert ["APPROVAL_DENIED"] == reasons(rows)
    assert [] == tool.calls


@pytest.mark.parametrize(
    ("who", "kind", "roles"),
    [
        (OPERATOR, "human", ("operator", "approver")),
        ("bot", "agent", ("approver",)),
        ("clerk", "human", ("operator",)),
        ("ghost", None, ()),
    ],
    ids=["requester", "agent", "no-approver", "unknown"],
)
async def test_wrong_person_decides_nothing(database: ScratchDatabase, who: str, kind: str, roles: tuple[str]) -> None:
    """
    Nobody approves an own request, and only people who are approvers do; the run goes on waiting.
    """
    tool = ScriptedTool(paying())
    async with Stage(database, tool) as stage:
        if kind is not None:
            principal = Principal(tenant_id=TENANT, principal_id=PrincipalId(who), kind=kind, roles=roles)
            await stage.kernel.store.directory.put_principal(principal)
        await stage.ask_before("t.pay")
        run_id = await stage.submit(stage.step("t.pay"))
        await stage.wait_for(run_id, WAITING)
        approval = await stage.approval()

        with pytest.raises(PermissionDeniedError):
            await stage.decide(approval, by=PrincipalId(who))
        after = await stage.approval()

    assert approval == after
    assert [] == tool.calls


async def test_two_approvers_are_two_people(database: ScratchDatabase) -> None:
    """
    With two required, one person's word twice does not do; the second person's does.
    """
    tool = ScriptedTool(paying())
    async with Stage(database, tool) as stage:
        await stage.ask_before("t.pay", approvers_required=2)
        run_id = await stage.submit(stage.step("t.pay"))
        await stage.wait_for(run_id, WAITING)
        approval = await stage.approval()
        first = await stage.decide(approval)
        with pytest.raises(PermissionDeniedError):
            await stage.decide(approval)
        calls_after_one = len(tool.calls)
        second = await stage.decide(approval, by=SECOND_APPROVER)
        run = await stage.end(run_id)

    assert ("pending", 0) == (first.status, calls_after_one)
    assert {APPROVER, SECOND_APPROVER} == set(second.decided_by)
    assert "completed" == run.status


async def test_one_denial_of_two_is_enough(database: ScratchDatabase) -> None:
    """
    With two required, the first no ends it.
    """
    tool = ScriptedTool(paying())
    async with Stage(database, tool) as stage:
        await stage.ask_before("t.pay", approvers_required=2)
        run_id = await stage.submit(stage.step("t.pay"))
        await stage.wait_for(run_id, WAITING)
        approval = await stage.approval()
        await stage.decide(approval)
        await stage.decide(approval, "deny", by=SECOND_APPROVER)
        run = await stage.end(run_id)
        with pytest.raises(AlreadyDecidedError):
            await stage.decide(approval, by=SECOND_APPROVER)

    assert "failed" == run.status
    assert [] == tool.calls


async def test_expired_request_fails_the_step(database: ScratchDatabase) -> None:
    """
    When nobody decides in time the step fails; a decision afterwards is too late.
    """
    tool = ScriptedTool(paying())
    async with Stage(database, tool) as stage:
        await stage.ask_before("t.pay", timeout_seconds=1)
        run_id = await stage.submit(stage.step("t.pay", retry=QUICK))
        await stage.wait_for(run_id, WAITING)
        approval = await stage.approval()
        run = await stage.end(run_id)
        rows = await stage.rows(run_id)
        with pytest.raises(AlreadyDecidedError):
            await stage.decide(approval)

    assert "failed" == run.status
    assert ["APPROVAL_EXPIRED"] == reasons(rows)
    assert [] == tool.calls


async def test_changed_policy_asks_again(database: ScratchDatabase) -> None:
    """
    An approval under a policy that was replaced since covers nothing: the same call is asked for again.
    """
    tool = ScriptedTool(paying())
    async with Stage(database, tool) as stage:
        await stage.ask_before("t.pay", reason="first version")
        run_id = await stage.submit(stage.step("t.pay"))
        await stage.wait_for(run_id, WAITING)
        first = await stage.approval()
        await stage.ask_before("t.pay", reason="second version")
        await stage.decide(first)
        await stage.reach(run_id, lambda run: run.waiting_for == WAITING and run.sequence > 3)
        second = await stage.approval()
        calls_before = len(tool.calls)
        await stage.decide(second)
        run = await stage.end(run_id)
        kinds = await stage.kinds(run_id)
        replayed = await stage.is_replayed(run_id)

    assert first.approval_id != second.approval_id
    assert first.digest != second.digest
    assert ("second version", 0) == (second.reason, calls_before)
    assert "completed" == run.status
    assert 2 == kinds.count("approval_requested") == kinds.count("approval_given")
    assert 1 == len(tool.calls)
    assert replayed


async def test_approval_is_of_one_tenant(database: ScratchDatabase) -> None:
    """
    A request that does not exist for the tenant is not found, and changes nothing.
    """
    async with Stage(database, ScriptedTool(paying())) as stage:
        await stage.ask_before("t.pay")
        run_id = await stage.submit(stage.step("t.pay"))
        await stage.wait_for(run_id, WAITING)
        approval = await stage.approval()
        foreign = msgspec.structs.replace(approval, approval_id=ApprovalId("0" * 8 + approval.approval_id[8:]))

        with pytest.raises(NotFoundError):
            await stage.decide(foreign)


async def test_retry_after_approval_asks_nobody_again(database: ScratchDatabase) -> None:
    """
    The attempts of an approved call are one call: agreed to once.
    """
    tool = ScriptedTool(paying(), refusal("BUSY", retryable=True), Turn())
    async with Stage(database, tool) as stage:
        await stage.ask_before("t.pay")
        run_id = await stage.submit(stage.step("t.pay", retry=QUICK))
        await stage.wait_for(run_id, WAITING)
        await stage.decide(await stage.approval())
        run = await stage.end(run_id)
        kinds = await stage.kinds(run_id)

    assert "completed" == run.status
    assert 1 == kinds.count("approval_requested")
    assert 2 == len(tool.calls)


async def test_retry_under_a_changed_policy_asks_again(database: ScratchDatabase) -> None:
    """
    An attempt that had no effect is over; under a policy that was replaced meanwhile the next one needs a new word.
    """
    gate = asyncio.Event()
    busy = refusal("BUSY", retryable=True)
    tool = ScriptedTool(paying(), Turn(until=gate, error=busy.error, is_done=False), Turn())
    async with Stage(database, tool) as stage:
        await stage.ask_before("t.pay", reason="first version")
        run_id = await stage.submit(stage.step("t.pay", retry=QUICK))
        await stage.wait_for(run_id, WAITING)
        await stage.decide(await stage.approval())
        await tool.wait_for_calls(1)
        await stage.ask_before("t.pay", reason="second version")
        gate.set()
        await stage.reach(run_id, lambda run: run.waiting_for == WAITING and run.sequence > 3)
        second, calls_before = await stage.approval(), len(tool.calls)
        await stage.decide(second)
        run = await stage.end(run_id)
        kinds, replayed = await stage.kinds(run_id), await stage.is_replayed(run_id)

    assert ("second version", 1) == (second.reason, calls_before)
    assert "completed" == run.status
    assert (2, 2) == (kinds.count("approval_given"), kinds.count("intent_recorded"))
    assert 2 == len(tool.calls)
    assert replayed


async def test_withdrawn_request_of_a_cancelled_run_cannot_be_decided(database: ScratchDatabase) -> None:
    """
    Cancelling a run that waits for a person withdraws what was asked.
    """
    tool = ScriptedTool(paying())
    async with Stage(database, tool) as stage:
        await stage.ask_before("t.pay")
        run_id = await stage.submit(stage.step("t.pay"))
        await stage.wait_for(run_id, WAITING)
        approval = await stage.approval()
        await stage.kernel.runs.cancel(TENANT, run_id, requested_by=OPERATOR)
        run = await stage.end(run_id)
        with pytest.raises(AlreadyDecidedError):
            await stage.decide(approval)
        pending = await stage.kernel.store.approvals.list(TENANT)

    assert "cancelled" == run.status
    assert [] == pending == tool.calls


async def test_decision_in_the_same_instant_is_heard(database: ScratchDatabase) -> None:
    """
    A decision that comes while the request is being committed, before its reply is read, is not lost.
    """
    tool = ScriptedTool(paying())
    decided = asyncio.Event()

    async def decide() -> None:
        await stage.decide(await stage.approval())
        decided.set()

    async with Stage(database, tool, observer=After("append", decide)) as stage:
        await stage.ask_before("t.pay")
        run = await stage.end(await stage.submit(stage.step("t.pay")))

    assert decided.is_set()
    assert "completed" == run.status


async def test_parallel_steps_wait_for_approvals_of_their_own(database: ScratchDatabase) -> None:
    """
    Two calls at once are two requests; one denied and one approved, each gets its own answer.
    """
    tool = ScriptedTool(paying())
    async with Stage(database, tool) as stage:
        await stage.ask_before("t.pay")
        run_id = await stage.submit(
            stage.step("t.pay", step_id="a", input={"n": 1}),
            stage.step("t.pay", step_id="b", input={"n": 2}, on_failure="continue"),
        )
        await stage.reach(run_id, lambda run: run.status == "waiting")
        requests = {a.step: a for a in await stage.kernel.store.approvals.list(TENANT)}
        await stage.decide(requests["a"])
        await stage.decide(requests["b"], "deny")
        run = await stage.end(run_id)

    assert {"a", "b"} == requests.keys()
    assert "completed" == run.status
    assert [{"n": 1}] == [arguments for _, arguments in tool.effects]
