"""The moment counts: decisions before, after, too late, upon a cancellation, across a change or a server's death."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from remit.bootstrap import APPROVER, OPERATOR
from remit.core.canonical import canonical_bytes
from remit.core.definition import Bounds, Definition, ToolStep, definition_digest
from remit.errors import AlreadyDecidedError, NotFoundError, PermissionDeniedError, RemitError, StoreUnavailableError
from remit.governance.policy import ApprovalRule, BusinessConfig, Scope, encode_policy
from remit.ids import ApprovalId, Digest, PrincipalId, RunId
from remit.ports.store import Approval, Claimed, Decision, Disposition, Message, Principal
from remit.store import PostgresStore
from remit.store.database import Database
from remit.store.migrate import upgrade
from remit.testing.database import ScratchDatabase, connect_store, private_server
from remit.testing.tools import ScriptedTool
from tests.conformance.store import world as worlds
from tests.conformance.store.world import ACME, LONG, REQUESTER, SECOND_APPROVER, World, approval, decision, entry
from tests.integration.approvals.races import PEOPLE, WRONG
from tests.integration.approvals.target import ARGUMENTS, EVIDENCE, WAITING, paying
from tests.integration.runtime.stage import TENANT, WIDE, Stage

PERSON = worlds.APPROVER
WORDS = ("approve", "deny")
CLOSING = {"approved": "approve", "denied": "deny"}


@pytest.fixture
async def world(database: ScratchDatabase) -> AsyncIterator[World]:
    store = await connect_store(database)
    yield await worlds.make_world(store)
    await store.close()


@pytest.fixture
async def admin(database: ScratchDatabase) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(database.admin_url)
    yield connection
    await connection.close()


async def close(world: World, how: str) -> tuple[RunId, ApprovalId, str]:
    """Return a request that is over in one of the ways there are."""
    expires_at = await world.now() - timedelta(milliseconds=1) if how == "expired" else None
    claim, row = await world.request(expires_at=expires_at)
    match how:
        case "approved" | "denied":
            await world.store.approvals.decide(ACME, decision(row, decision=CLOSING[how]))
        case "expired":
            await world.store.approvals.expire(ACME, claim.run_id)
        case _:
            (claimed,) = await wake(world, claim.run_id)
            last = entry(claimed, 2, status="cancelled", disposition=Disposition.FINISH, withdrawn=(row.approval_id,))
            await world.append(last)
    stored = await world.store.approvals.get(ACME, ApprovalId(row.approval_id))
    assert how == stored.status
    return claim.run_id, stored.approval_id, stored.digest


async def wake(world: World, run_id: RunId) -> list[Claimed]:
    """Let somebody ask a run to stop, and claim it."""
    cancel = Message(kind="cancel", message_id="cancel", body={"requested_by": "operator"})
    await world.store.inbox.deliver(ACME, run_id, cancel)
    return await world.claim()


@pytest.mark.parametrize("how", ["approved", "denied", "expired", "withdrawn"])
async def test_closed_request_takes_no_word(world: World, admin: asyncpg.Connection[Any], how: str) -> None:
    """
    Whatever closed a request, no word on it counts afterwards: said again, by somebody else, the other way, or forged.
    """
    run_id, approval_id, digest = await close(world, how)
    before = await admin.fetchval(EVIDENCE, run_id)
    refused = 0
    people = (PERSON, SECOND_APPROVER, REQUESTER, PrincipalId("nobody"))
    for person, word, seen in itertools.product(people, WORDS, (digest, "0" * 64)):
        said = Decision(approval_id=approval_id, decision=word, principal_id=person, digest=seen)  # type: ignore[arg-type]
        with pytest.raises((AlreadyDecidedError, PermissionDeniedError)):
            await world.store.approvals.decide(ACME, said)
        refused += 1

    assert 16 == refused
    assert before == await admin.fetchval(EVIDENCE, run_id)


@pytest.mark.parametrize("word", WORDS)
async def test_word_a_millisecond_late_does_not_count(world: World, word: str) -> None:
    """
    The database's clock decides: a request that ended a millisecond ago takes no word, although nobody marked it yet.
    """
    _, late = await world.request(expires_at=await world.now() - timedelta(milliseconds=1))
    _, early = await world.request(expires_at=await world.now() + LONG)

    with pytest.raises(AlreadyDecidedError, match="expired"):
        await world.store.approvals.decide(ACME, decision(late, decision=word))
    taken = await world.store.approvals.decide(ACME, decision(early, decision=word))

    assert "pending" == (await world.store.approvals.get(ACME, ApprovalId(late.approval_id))).status
    assert (PERSON,) == taken.decided_by


async def test_word_before_the_request_does_not_wait_for_it(world: World, admin: asyncpg.Connection[Any]) -> None:
    """
    A decision on a request that is not there yet, with its very id and digest, counts neither then nor later.
    """
    row = approval(expires_at=await world.now() + LONG)
    for word in WORDS:
        with pytest.raises(NotFoundError):
            await world.store.approvals.decide(ACME, decision(row, decision=word))
    claim = await world.submit()
    await world.append(entry(claim, disposition=Disposition.WAIT, status="waiting", approvals=(row,)))

    stored = await world.store.approvals.get(ACME, ApprovalId(row.approval_id))

    assert ("pending", ()) == (stored.status, stored.decided_by)
    assert 0 == await admin.fetchval("select count(*) from remit.approval_decisions")


async def test_role_taken_away_meanwhile_does_not_count(world: World) -> None:
    """
    What somebody is when deciding counts: not an approver any more, not active any more, another kind; then again.
    """
    _, row = await world.request()
    directory = world.store.directory
    known = await directory.get_principal(ACME, PERSON)
    for changes in ({"roles": ("operator",)}, {"roles": ()}, {"active": False}, {"kind": "agent"}, {"kind": "service"}):
        await directory.put_principal(msgspec.structs.replace(known, **changes))
        with pytest.raises(PermissionDeniedError):
            await world.store.approvals.decide(ACME, decision(row))
    await directory.put_principal(known)

    assert "approved" == (await world.store.approvals.decide(ACME, decision(row))).status


class Again(Stage):
    """A stage that finds the tenant's remit as it is."""

    async def apply(self, **changes: Any) -> None:
        """Apply only what is said."""
        if changes:
            await super().apply(**changes)


REMIT = BusinessConfig(
    name="stage", version="1", bounds=WIDE, scopes=(Scope(tool="t.*"),),
    approval_rules=(ApprovalRule(id="ask", tool="t.pay"),),
    endpoints={"bank": "https://bank.example"}, credentials={"bank": "bank_key"},
)  # fmt: skip
WIDER = {"type": "object", "additionalProperties": True, "description": "changed by one word"}


async def put(store: PostgresStore, **changes: Any) -> None:
    """Make a remit the tenant's."""
    body = encode_policy(msgspec.structs.replace(REMIT, **changes))
    await store.directory.put_policy(TENANT, digest=Digest(definition_digest(body)), body=body)


async def asked(database: ScratchDatabase, tool: ScriptedTool) -> Approval:
    """Return a request that waits in a database on which no worker is left."""
    async with Again(database, tool) as stage:
        await put(stage.kernel.store)
        stage.kernel.catalogue.forget(TENANT)
        run_id = await stage.submit(stage.step("t.pay", input=dict(ARGUMENTS)))
        await stage.wait_for(run_id, WAITING)
        return await stage.approval()


async def approve(store: PostgresStore, request: Approval) -> None:
    word = Decision(
        approval_id=request.approval_id, decision="approve", principal_id=APPROVER, digest=request.digest, reason=""
    )
    await store.approvals.decide(TENANT, word)


async def replaced_definition(store: PostgresStore) -> None:
    step = ToolStep(id="pay", tool="t.pay", tool_version="1.0.0", contract_digest="0" * 64, input={"amount": 1_000_000})
    body = canonical_bytes(msgspec.to_builtins(Definition(name="staged", version="2", steps=(step,), bounds=Bounds())))
    await store.directory.put_definition(
        TENANT, name="staged", version="2", digest=Digest(definition_digest(body)), body=body
    )


Change = Callable[[PostgresStore], Awaitable[object]]
VOIDING: dict[str, Change] = {
    "rule's reason": lambda s: put(s, approval_rules=(ApprovalRule(id="ask", tool="t.pay", reason="x"),)),
    "rule's name": lambda s: put(s, approval_rules=(ApprovalRule(id="ask-", tool="t.pay"),)),
    "approvers required": lambda s: put(
        s, approval_rules=(ApprovalRule(id="ask", tool="t.pay", approvers_required=2),)
    ),
    "no rule any more": lambda s: put(s, approval_rules=()),
    "policy's version": lambda s: put(s, version="2"),
    "endpoint": lambda s: put(s, endpoints={"bank": "https://bank.example.evil"}),
    "endpoint gone": lambda s: put(s, endpoints={}),
    "credential": lambda s: put(s, credentials={"bank": "other_key"}),
    "bounds": lambda s: put(s, bounds=Bounds(tool_calls_max=999)),
}
"""Changes after which the same call is asked for again."""

REFUSING: dict[str, tuple[Change, dict[str, Any]]] = {
    "scope": (lambda s: put(s, scopes=()), {}),
    "kill switch": (lambda s: s.directory.pause_tenant(TENANT, paused=True), {}),
    "contract's schema": (lambda s: asyncio.sleep(0), {"input_schema": WIDER}),
    "contract's endpoint": (lambda s: asyncio.sleep(0), {"endpoint": "bank2"}),
    "contract's credential": (lambda s: asyncio.sleep(0), {"credential": "bank2"}),
    "contract's timeout": (lambda s: asyncio.sleep(0), {"timeout_ms": 7_000}),
}
"""Changes after which the call is refused."""


@pytest.mark.parametrize("name", VOIDING)
async def test_approval_across_a_change_covers_nothing(database: ScratchDatabase, name: str) -> None:
    """
    When anything that the digest covers changed between request and call, what was approved does not run: a person is
    asked again, about what would run now.
    """
    tool = ScriptedTool(paying())
    request = await asked(database, tool)
    store = await connect_store(database)
    await VOIDING[name](store)
    await approve(store, request)
    await store.close()
    async with Again(database, tool) as stage:
        await stage.reach(request.run_id, lambda run: run.sequence > 3 and run.waiting_for == WAITING)
        (second,) = await stage.kernel.store.approvals.list(TENANT)

    assert [] == tool.calls
    assert request.approval_id != second.approval_id
    assert request.digest != second.digest


@pytest.mark.parametrize("name", REFUSING)
async def test_approval_does_not_overrule_a_refusal(database: ScratchDatabase, name: str) -> None:
    """
    An approved call whose scope, tenant or contract is not what it was is refused, not sent.
    """
    change, contract = REFUSING[name]
    request = await asked(database, ScriptedTool(paying()))
    store = await connect_store(database)
    await change(store)
    await approve(store, request)
    await store.close()
    tool = ScriptedTool(paying(**contract))
    async with Again(database, tool) as stage:
        run = await stage.end(request.run_id)

    assert "failed" == run.status
    assert [] == tool.calls


@pytest.mark.parametrize("name", ["nothing", "definition of the same name"])
async def test_approved_bytes_are_what_runs_later(database: ScratchDatabase, name: str) -> None:
    """
    With nothing changed, or a newer definition under the same name, exactly the approved bytes are sent, once.
    """
    tool = ScriptedTool(paying())
    request = await asked(database, tool)
    store = await connect_store(database)
    if name != "nothing":
        await replaced_definition(store)
    await approve(store, request)
    await store.close()
    async with Again(database, tool) as stage:
        run = await stage.end(request.run_id)

    assert "completed" == run.status
    assert [request.arguments] == [canonical_bytes(dict(call.arguments)) for call in tool.calls]


async def test_approval_after_a_cancellation_sends_nothing(database: ScratchDatabase) -> None:
    """
    A run that is told to stop, and then that it was approved, before it hears either, stops and sends nothing.
    """
    tool = ScriptedTool(paying())
    request = await asked(database, tool)
    store = await connect_store(database)
    cancel = Message(kind="cancel", message_id="cancel", body={"requested_by": OPERATOR, "reason": ""})
    await store.inbox.deliver(TENANT, request.run_id, cancel)
    await approve(store, request)
    await store.close()
    async with Again(database, tool) as stage:
        run = await stage.end(request.run_id)

    assert "cancelled" == run.status
    assert [] == tool.calls


@dataclass
class Weather:
    """What deciders met: an answer, a server that is away, and that it is back."""

    answered: asyncio.Event = field(default_factory=asyncio.Event)
    away: asyncio.Event = field(default_factory=asyncio.Event)
    back: asyncio.Event = field(default_factory=asyncio.Event)


async def insist(store: PostgresStore, said: Decision, weather: Weather) -> str:
    """Decide until the database answers, however often it is away; return what it answered."""
    while True:  # bound: the test's own timeout
        try:
            await store.approvals.decide(ACME, said)
        except StoreUnavailableError:
            weather.away.set()
            await weather.back.wait()
        except RemitError as error:
            weather.answered.set()
            return error.code
        else:
            weather.answered.set()
            return "DECIDED"


async def test_decisions_while_the_server_dies_are_one() -> None:
    """
    Eight people decide while PostgreSQL is killed and comes back: each insists until answered, and of every request
    exactly one decision is stored, with one message that says the same.
    """
    weather = Weather()
    with private_server() as server:
        address = await asyncio.to_thread(server.start)
        await upgrade(address.owner_url)
        database = Database(address.app_url)
        await database.connect()
        world = await worlds.make_world(PostgresStore(database))
        for person in PEOPLE:
            principal = Principal(tenant_id=ACME, principal_id=person, kind="human", roles=("approver",))
            await world.store.directory.put_principal(principal)
        rows = [(await world.request())[1] for _ in range(8)]
        words = [decision(row, person, decision=WORDS[at % 2]) for at, row in enumerate(rows) for person in PEOPLE]
        deciding = asyncio.gather(*(insist(world.store, said, weather) for said in words))
        await weather.answered.wait()
        os.kill(address.pid, signal.SIGKILL)
        await weather.away.wait()
        await asyncio.to_thread(server.start)
        weather.back.set()
        answers = await deciding
        connection = await asyncpg.connect(address.admin_url)
        wrong = await connection.fetch(WRONG)
        decided = await connection.fetchval("select count(*) from remit.approval_decisions")
        await connection.close()
        await world.store.close()

    assert [] == wrong
    assert len(rows) == decided
    assert len(words) == len(answers)
    assert {"DECIDED", "ALREADY_DECIDED"} >= set(answers) - {"PERMISSION_DENIED"}
    assert answers.count("DECIDED") <= len(rows)
