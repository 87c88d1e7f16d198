"""A run driven by hand: events in, facts out, no store and no tools.

Owns: the folded state of one run, its journal in memory, and the instant that decisions are given.
Does not know: what an event should be; tests say that (``testing.events`` builds plausible ones).
"""

from __future__ import annotations

from remit.core.canonical import JsonValue
from remit.core.commands import AwaitApproval, CallTool, Command
from remit.core.decide import DEFAULT_POLICY, Policy, advance
from remit.core.definition import Definition
from remit.core.events import ApprovalDecided, DeadlineReached, Event, MessageArrived
from remit.core.facts import Fact
from remit.core.outstanding import next_due_us, outstanding
from remit.core.state import RunState
from remit.ids import RunId, TenantId
from remit.testing.definitions import program_of
from remit.testing.events import submitted

START_US = 1_700_000_000_000_000
TENANT_ID = TenantId("rehearsal")
RUN_ID = RunId("01890000-0000-7000-8000-000000000001")


class Rehearsal:
    """One run in the hands of a test.

    ``entries`` holds the facts of each event that had any, in order, and ``instants`` when they were decided;
    ``events`` holds every event that was sent.
    """

    def __init__(self, definition: Definition, *, policy: Policy = DEFAULT_POLICY) -> None:
        self.program = program_of(definition)
        self.state = RunState(self.program, tenant_id=TENANT_ID, run_id=RUN_ID)
        self.policy = policy
        self.now_us = START_US
        self.entries: list[list[Fact]] = []
        self.instants: list[int] = []
        self.events: list[Event] = []

    @classmethod
    def of(cls, definition: Definition, run_input: JsonValue = None, *, policy: Policy = DEFAULT_POLICY) -> Rehearsal:
        """Return a run that has begun."""
        run = cls(definition, policy=policy)
        run.send(submitted(run.program, run_input))
        return run

    @property
    def facts(self) -> list[Fact]:
        """Return the whole journal."""
        return [fact for entry in self.entries for fact in entry]

    @property
    def open(self) -> tuple[Command, ...]:
        """Return what is outstanding."""
        return outstanding(self.state)

    def send(self, event: Event) -> list[Fact]:
        """Decide what follows from an event, fold it, and return it."""
        self.events.append(event)
        facts = advance(self.state, event, policy=self.policy, now_us=self.now_us)
        if facts:
            self.entries.append(facts)
            self.instants.append(self.state.last_us)
        return facts

    def call(self, step: str, *, slot: int = 1) -> CallTool:
        """Return a step's call in flight; ``AssertionError`` if there is none."""
        command = self.state.open.get((step, slot))
        assert isinstance(command, CallTool), f"no call of {step} is open: {command!r}"
        return command

    def approve(self, step: str, *, decided_by: str = "approver") -> list[Fact]:
        """Approve what a step waits for."""
        command = self.state.open[step, 1]
        request = self.state.steps[step].request
        assert isinstance(command, AwaitApproval)
        assert request is not None
        return self.send(
            ApprovalDecided(
                approval_id=command.approval_id, decision="approved", digest=request.digest, decided_by=decided_by
            )
        )

    def signal(self, name: str, payload: JsonValue = None, *, message_id: str | None = None) -> list[Fact]:
        """Send a signal; its id is new unless given."""
        return self.send(
            MessageArrived(
                source="signal",
                name=name,
                message_id=f"m{len(self.events)}" if message_id is None else message_id,
                payload=payload,
                sent_by="operator",
            )
        )

    def inbound(self, name: str, payload: JsonValue = None, *, message_id: str | None = None) -> list[Fact]:
        """Send an inbound event; its id is new unless given."""
        message_id = f"m{len(self.events)}" if message_id is None else message_id
        return self.send(MessageArrived(source="event", name=name, message_id=message_id, payload=payload))

    def wait(self, milliseconds: int) -> list[Fact]:
        """Let time pass, then say that what is due is due."""
        self.now_us += milliseconds * 1_000
        return self.send(DeadlineReached())

    def wait_until_due(self) -> list[Fact]:
        """Let time pass until the earliest deadline."""
        due_us = next_due_us(self.state)
        assert due_us is not None, "nothing is due"
        self.now_us = max(self.now_us, due_us)
        return self.send(DeadlineReached())
