"""A storm on the store: several processes' worth of random operations at once, and a ledger of every answer.

Owns: what clients do, drawn from a seed, and what they wrote down. Does not know: whether the answers add up;
`storm_audit` compares the ledger with what is stored.

    ledger = await storm(scratch, seed=7, operations=400)
    assert [] == await audit(scratch, ledger)

Which statements meet inside the server differs from run to run; what clients ask for follows from the seed.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from datetime import timedelta
from typing import Any

import msgspec

from remit.errors import AlreadyDecidedError, IllegalTransitionError
from remit.ids import PrincipalId, RunId, WorkerId
from remit.ports.store import Append, AppendOutcome, ApprovalRow, Claimed, Disposition
from remit.store import PostgresStore
from remit.testing.database import ScratchDatabase, connect_store
from tests.conformance.store.storm_ledger import Held, Ledger
from tests.conformance.store.world import (
    ACME,
    APPROVER,
    AT,
    SECOND_APPROVER,
    World,
    approval,
    awaiting,
    decision,
    entry,
    event,
    make_worker,
    make_world,
    reserve,
    signal,
    step,
)

CLIENTS = 5
LEASE_SECONDS = 300
LIMBO_SECONDS = 0.001
"""The lease of a worker that died."""

NEVER = AT + timedelta(days=36_500)
KEYS = 6
ORDERS = 5
MESSAGES = 3


class Client:
    """One process: its connections, its worker, and what it believes to own."""

    def __init__(self, store: PostgresStore, worker_id: WorkerId, ledger: Ledger, draw: random.Random) -> None:
        self.store = store
        self.world = World(store=store, tenant_id=ACME, worker_id=worker_id)
        self.ledger = ledger
        self.draw = draw
        self.held: dict[RunId, Held] = {}
        self.lost: list[Held] = []
        self.last: list[Append] = []

    async def act(self) -> None:
        """Do one thing, drawn by weight."""
        names = list(WEIGHTS)
        (name,) = self.draw.choices(names, weights=[WEIGHTS[one] for one in names])
        self.ledger.counts[name] += 1
        await getattr(self, name)()

    # --- runs ----------------------------------------------------------------------------------------------

    async def submit(self) -> None:
        """Create a run, at times under a key that others use as well, at times without claiming it."""
        key = f"key-{self.draw.randrange(KEYS * 4)}" if self.draw.random() < 0.4 else None
        submission = self.world.submission(key=key, claimed=self.draw.random() < 0.5)
        (reply,), _ = await self.store.journal.submit([submission])
        if key is not None:
            self.ledger.by_key[key].add(reply.run_id)
        if not reply.created:
            self.ledger.counts["used key"] += 1
            return
        if reply.run_id in self.ledger.created:
            self.ledger.complaints.append(f"run {reply.run_id} was created twice")
        self.ledger.created[reply.run_id] = reply.epoch
        if submission.worker_id is not None:
            claim = Claimed(tenant_id=ACME, run_id=reply.run_id, epoch=reply.epoch)
            self.note_owner(claim)
            self.held[reply.run_id] = Held(claim=claim, owner=self.world.worker_id, sequence=0, wake_sequence=0)

    async def claim(self) -> None:
        """Claim runs; at times the answer is lost and asked for again."""
        request, limit = str(uuid.UUID(int=self.draw.getrandbits(128))), self.draw.randint(1, 4)
        claims, _ = await self.store.dispatch.claim(self.world.worker_id, request_id=request, limit=limit)
        if self.draw.random() < 0.3:
            again, _ = await self.store.dispatch.claim(self.world.worker_id, request_id=request, limit=limit)
            self.ledger.counts["claim asked again"] += 1
            if claims and {(one.run_id, one.epoch) for one in again} - {(one.run_id, one.epoch) for one in claims}:
                self.ledger.complaints.append(f"request {request} got other claims the second time")
            # Nothing is remembered of a request that got nothing.
            claims = claims or again
        for claim in claims:
            self.note_owner(claim)
        self.ledger.counts["claimed"] += len(claims)
        loaded, _ = await self.store.journal.load(claims) if claims else ([], None)
        for run in loaded:
            self.held[run.run_id] = Held(
                claim=Claimed(tenant_id=ACME, run_id=run.run_id, epoch=run.epoch),
                owner=self.world.worker_id,
                sequence=run.sequence,
                wake_sequence=run.wake_sequence,
                unread=[message.inbox_id for message in run.inbox],
            )

    def note_owner(self, claim: Claimed) -> None:
        """Write down who was told that he owns a run under an epoch."""
        self.ledger.owners[claim.run_id, claim.epoch].append(self.world.worker_id)

    async def append(self) -> None:
        """Append the next entry of a few runs that are ours, with some of the rows that may follow from one."""
        chosen = self.draw.sample(list(self.held.values()), k=min(len(self.held), self.draw.randint(1, 4)))
        if chosen:
            await self.send([self.entry_of(held) for held in chosen])

    def entry_of(self, held: Held) -> Append:
        """Draw the next entry of a run."""
        changes: dict[str, Any] = {"steps": (step(),), "consumed": tuple(held.unread)}
        lot = self.draw.random()
        if lot < 0.35:
            changes |= {"disposition": Disposition.WAIT, "status": "waiting"}
        elif lot < 0.5:
            changes |= {"disposition": Disposition.FINISH, "status": "completed"}
        changes["wake_sequence"] = held.wake_sequence
        if self.draw.random() < 0.25:
            changes["keys"] = (reserve(f"charge-{self.draw.randrange(KEYS)}"),)
        elif held.keys and self.draw.random() < 0.6:
            (change,) = (reserve(key) for key in sorted(held.keys)[:1])
            changes["keys"] = (msgspec.structs.replace(change, action="release"),)
        if self.draw.random() < 0.2:
            changes["correlations"] = (awaiting(f"order:{self.draw.randrange(ORDERS)}"),)
        if self.draw.random() < 0.2 and changes.get("status") != "completed":
            changes["approvals"] = (self.question(),)
        if self.draw.random() < 0.03:
            changes["kinds"] = "a\0b"
        return entry(held.claim, held.sequence + 1, marker=str(self.draw.getrandbits(64)), **changes)

    def question(self) -> ApprovalRow:
        """Draw a request for a decision."""
        row = approval(expires_at=NEVER)
        return msgspec.structs.replace(row, approval_id=str(uuid.UUID(int=self.draw.getrandbits(128))))

    async def send(self, batch: list[Append]) -> None:
        """Append a batch and write down what became of each entry."""
        over = {(held.claim.run_id, held.claim.epoch) for held in self.lost if held.is_over}
        replies = await self.world.append(*batch)
        self.last = batch
        for sent, reply in zip(batch, replies, strict=True):
            self.ledger.counts[reply.outcome] += 1
            held = self.held.get(sent.run_id)
            match reply.outcome:
                case AppendOutcome.APPLIED:
                    self.note_applied(sent)
                    if (sent.run_id, sent.epoch) in over:
                        self.ledger.complaints.append(
                            f"{sent.run_id}: a claim that had ended wrote, epoch {sent.epoch}"
                        )
                    if held is not None and held.claim.epoch == sent.epoch:
                        self.go_on(held, sent, is_released=reply.released, wake_sequence=reply.wake_sequence)
                case AppendOutcome.INVALID:
                    self.ledger.quarantined.add(sent.run_id)
                    self.lose(sent)
                case AppendOutcome.FENCED:
                    self.ledger.refused.append((sent, reply.outcome))
                    self.lose(sent)
                case AppendOutcome.ALREADY:
                    if sent.hash not in {one.hash for one in self.ledger.applied[sent.run_id, sent.sequence]}:
                        self.ledger.complaints.append(
                            f"{sent.run_id} {sent.sequence} is already there, nobody knows why"
                        )
                case _:
                    self.ledger.refused.append((sent, reply.outcome))

    def note_applied(self, sent: Append) -> None:
        """Write down an entry that is stored, and what follows from it."""
        self.ledger.applied[sent.run_id, sent.sequence].append(sent)
        for row in sent.approvals:
            self.ledger.asked[row.approval_id] = (sent.run_id, row)

    def go_on(self, held: Held, sent: Append, *, is_released: bool, wake_sequence: int) -> None:
        """Move on behind an entry that was applied."""
        held.sequence = sent.sequence
        held.unread = []
        for change in sent.keys:
            (held.keys.add if change.action == "reserve" else held.keys.discard)(change.key)
        if is_released:
            self.ledger.counts["released by append"] += 1
            self.let_go(held)
        elif wake_sequence > held.wake_sequence:
            self.ledger.counts["kept by a message"] += sent.disposition is Disposition.WAIT

    def lose(self, sent: Append) -> None:
        """Stop believing in the claim that an entry was sent under."""
        held = self.held.get(sent.run_id)
        if held is not None and held.claim.epoch == sent.epoch:
            self.let_go(held)

    def let_go(self, held: Held) -> None:
        """Note that a claim has ended; one of a worker that we were before ends when that is swept."""
        held.is_over = held.owner == self.world.worker_id
        self.lost.append(self.held.pop(held.claim.run_id))

    async def resend(self) -> None:
        """Send the last batch again, as after a lost reply."""
        if self.last:
            await self.send(self.last)

    async def append_late(self) -> None:
        """Append under a claim that is over, as a worker that slept does."""
        if self.lost:
            await self.send([self.entry_of(self.draw.choice(self.lost[-8:]))])

    async def append_elsewhere(self) -> None:
        """Append past the journal's end."""
        if self.held:
            held = self.draw.choice(list(self.held.values()))
            await self.send([entry(held.claim, held.sequence + 2, marker="elsewhere")])

    async def read_inbox(self) -> None:
        """Read the news of a run that is ours, to be consumed by its next entry."""
        if self.held:
            held = self.draw.choice(list(self.held.values()))
            messages, held.wake_sequence = await self.store.journal.load_inbox(ACME, held.claim.run_id)
            held.unread = [message.inbox_id for message in messages]

    # --- workers -------------------------------------------------------------------------------------------

    async def release(self) -> None:
        """Hand a run back, and at times one that was handed back or lost before."""
        chosen = [self.draw.choice(list(self.held.values()))] if self.held else []
        chosen += self.draw.sample(self.lost[-8:], k=min(len(self.lost[-8:]), 1))
        await self.store.dispatch.release(self.world.worker_id, [held.claim for held in chosen])
        for held in chosen:
            if self.held.get(held.claim.run_id) is held:
                self.let_go(held)

    async def heartbeat(self) -> None:
        """Reconcile: what the database does not say is ours is lost."""
        beat = await self.store.dispatch.heartbeat(self.world.worker_id)
        owned = {(one.run_id, one.epoch) for one in beat.owned}
        for held in list(self.held.values()):
            if (held.claim.run_id, held.claim.epoch) not in owned:
                self.let_go(held)

    async def die(self) -> None:
        """Leave everything as it is, and come back as another worker, still holding on to what was ours."""
        await self.store.dispatch.register_worker(self.world.worker_id, lease_seconds=LIMBO_SECONDS, version="dead")
        self.world.worker_id = await make_worker(self.store, lease_seconds=LEASE_SECONDS)
        if self.draw.random() < 0.5:
            self.lost += self.held.values()
            self.held = {}

    async def sweep(self) -> None:
        """Free the runs of the dead."""
        for claim in await self.store.dispatch.sweep(limit=self.draw.randint(1, 8)):
            self.ledger.counts["swept"] += 1
            self.ledger.freed[claim.run_id, claim.epoch] += 1

    # --- people and providers ------------------------------------------------------------------------------

    async def deliver(self) -> None:
        """Send a run a message, at times one that it had."""
        if not self.ledger.created:
            return
        run_id = self.draw.choice(list(self.ledger.created)[-40:])
        message_id = f"m{self.draw.randrange(MESSAGES)}"
        try:
            is_new = await self.store.inbox.deliver(ACME, run_id, signal(message_id))
        except IllegalTransitionError:
            self.ledger.counts["run was over"] += 1
            return
        self.ledger.delivered[run_id, message_id] += is_new
        self.ledger.counts["message was there"] += not is_new

    async def receive(self) -> None:
        """Bring a provider's event, at times one that came before."""
        number = self.draw.randrange(max(4, self.ledger.counts["receive"]))
        order = f"order:{number % ORDERS}"
        received = await self.store.inbox.receive(ACME, event(f"evt_{number}", correlations=(order,)))
        self.ledger.counts[f"event {received.status}"] += 1
        self.ledger.counts["event held"] += received.status == "stored" and received.held
        if received.status == "stored":
            self.ledger.stored_events[f"evt_{number}"].append(received.delivered_to)

    async def decide(self) -> None:
        """Say a word on a request, at times after somebody else did."""
        if not self.ledger.asked:
            return
        approval_id = self.draw.choice(list(self.ledger.asked)[-6:])
        by = PrincipalId(self.draw.choice([APPROVER, SECOND_APPROVER]))
        word = self.draw.choice(["approve", "deny"])
        _, row = self.ledger.asked[approval_id]
        try:
            await self.store.approvals.decide(ACME, decision(row, by, decision=word))
        except AlreadyDecidedError:
            self.ledger.counts["decided before"] += 1
        else:
            self.ledger.decided[approval_id] += 1


WEIGHTS = {
    "submit": 10,
    "claim": 12,
    "append": 30,
    "resend": 4,
    "append_late": 6,
    "append_elsewhere": 2,
    "read_inbox": 8,
    "release": 4,
    "heartbeat": 4,
    "die": 2,
    "sweep": 5,
    "deliver": 12,
    "receive": 10,
    "decide": 8,
}

FLOORS = {
    "applied": 80,
    "already": 5,
    "conflict": 2,
    "fenced": 15,
    "key_taken": 8,
    "invalid": 1,
    "claimed": 40,
    "claim asked again": 10,
    "swept": 5,
    "released by append": 20,
    "kept by a message": 5,
    "event held": 5,
    "event duplicate": 5,
    "message was there": 3,
    "decided before": 5,
    "used key": 2,
}
"""What a storm of a thousand operations has met at least so often, or it proves nothing."""


async def storm(scratch: ScratchDatabase, *, seed: int, operations: int) -> Ledger:
    """Let clients act at once until they have done so many operations, and return what they wrote down."""
    ledger = Ledger()
    stores = [await connect_store(scratch) for _ in range(CLIENTS)]
    await make_world(stores[0])
    draw = random.Random(seed)
    clients = [
        Client(
            store, await make_worker(store, lease_seconds=LEASE_SECONDS), ledger, random.Random(draw.getrandbits(64))
        )
        for store in stores
    ]

    async def live(client: Client) -> None:
        for _ in range(operations // CLIENTS):
            await client.act()

    try:
        async with asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(live(client))
    finally:
        for store in stores:
            await store.close()
    return ledger
