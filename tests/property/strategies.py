"""Random runs: a random definition, and a schedule of everything that can happen to it, drawn from one generator.

Owns: the part of the pipeline, the people, the clock, the network and the crashes, as far as the core can see them.
Does not know: the laws. ``random.Random`` is the only source of choice: a seed repeats a run, Hypothesis shrinks one.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Iterable

from hypothesis import strategies as st

from remit.core.canonical import JsonValue
from remit.core.commands import (
    AwaitApproval,
    AwaitMessage,
    AwaitRetry,
    AwaitSettlement,
    AwaitTimer,
    CallTool,
    Command,
)
from remit.core.definition import EventStep, ToolStep
from remit.core.events import (
    ApprovalDecided,
    ApprovalVoided,
    CancelAsked,
    DeadlineReached,
    EffectResolved,
    Event,
    MessageArrived,
)
from remit.core.evolve import apply_fact
from remit.core.facts import Fact, OutboxMessage, Usage, decode_facts, encode_facts
from remit.core.limits import Policy
from remit.core.state import RunState, state_hash
from remit.testing.definitions import (
    EVENT_NAME,
    PAY_TOOL,
    POST_TOOL,
    READ_TOOL,
    REASONS,
    random_definition,
    random_input,
)
from remit.testing.events import failed, intended, lost, receipt_of, refused, submitted, succeeded, suspended
from remit.testing.rehearsal import Rehearsal

FAULTS = (
    "fail", "lose", "doubt", "refuse", "suspend", "void", "deny", "expire", "forge", "duplicate", "reorder", "cancel",
    "crash", "noise", "skew",
)  # fmt: skip
"""Kinds of trouble; each is switched on or off per run, and then strikes as often as the run's draw says."""

POLICY = Policy(recovery_attempts_max=3, messages_max=20)


class RandomRun:
    """One run under a random schedule.

    ``instants`` are those of the facts. ``reached`` counts the kinds of events, facts and faults that really happened:
    a law that holds because nothing happened proves nothing.
    """

    def __init__(self, rng: random.Random, *, steps_max: int = 20) -> None:
        self.rng = rng
        self.definition = random_definition(rng, steps_max=steps_max)
        self.run = Rehearsal(self.definition, policy=POLICY)
        self.input = random_input(rng)
        self.faults = {fault: rng.choice((0.05, 0.2, 0.5)) for fault in FAULTS if rng.random() < 0.4}
        self.reached: Counter[str] = Counter()
        self.late: list[tuple[Command | None, Event]] = []
        self.instants: list[int] = []
        self.requests = 0
        self.messages = 0

    @property
    def state(self) -> RunState:
        return self.run.state

    @property
    def facts(self) -> list[Fact]:
        return self.run.facts

    def play(self, *, events_max: int) -> None:
        """Let everything happen to the run, in any order, until it ends or the events are used up."""
        if self.strikes("noise"):
            self.send(self.random_message())
        self.send(submitted(self.run.program, self.input))
        for _ in range(events_max):
            if self.state.is_terminal:
                break
            self.happen()

    def finish(self) -> int:
        """Stop all trouble, deliver what is still under way, and answer whatever is open; returns how many answers."""
        self.send(submitted(self.run.program, self.input))
        for _, event in self.late:
            self.send(event)
        self.late.clear()
        count = 0
        while self.run.open and count < 50 * len(self.definition.steps) + 50:
            self.answer_well(self.run.open[0])
            count += 1
        return count

    # --- what happens -------------------------------------------------------------------------------------------------

    def happen(self) -> None:
        """Let one thing happen."""
        if self.strikes("crash", 0.5):
            self.reload()
        if self.strikes("skew"):
            self.run.now_us -= 5_000_000
        if self.strikes("cancel", 0.2):
            self.send(CancelAsked(requested_by="operator"))
        if self.strikes("noise", 0.5):
            self.send(self.random_message())
        if self.strikes("duplicate"):
            self.send(self.rng.choice(self.run.events))
        if self.late and self.rng.random() < 0.3:
            self.send(self.late.pop(self.rng.randrange(len(self.late)))[1])
        free = [command for command in self.run.open if not self.is_under_way(command)]
        if free and self.rng.random() < 0.85:
            command = self.rng.choice(free)
            self.reached[type(command).__name__] += 1
            self.post(command, self.answer(command))
        else:
            self.pass_time(self.rng.choice((0, 1_000, 10_000_000, 3_600_000_000)))

    def strikes(self, fault: str, rarity: float = 1.0) -> bool:
        if fault in self.faults and self.rng.random() < self.faults[fault] * rarity:
            self.reached[fault] += 1
            return True
        return False

    def post(self, command: Command, event: Event | None) -> None:
        """Deliver an answer now, or some time later."""
        if event is None:
            return
        if self.strikes("reorder"):
            self.late.append((command if isinstance(command, CallTool) else None, event))
        else:
            self.send(event)

    def is_under_way(self, command: Command) -> bool:
        """Whether a call's one answer was given and not heard yet: a worker performs a call once at a time."""
        return any(answered == command for answered, _ in self.late)

    def send(self, event: Event) -> None:
        self.reached[type(event).__name__] += 1
        for fact in self.run.send(event):
            self.reached[type(fact).__name__] += 1
            self.instants.append(self.state.last_us)

    def reload(self) -> None:
        """The worker dies, and with it what its calls would have said; another one folds the journal from its bytes."""
        self.late = [(answered, event) for answered, event in self.late if answered is None]
        fresh = RunState(self.run.program, tenant_id=self.state.tenant_id, run_id=self.state.run_id)
        for entry in self.run.entries:
            for fact in decode_facts(encode_facts(entry)):
                apply_fact(fresh, fact)
        fresh.last_us = self.state.last_us
        fresh.fresh.clear()
        self.run.state = fresh

    def pass_time(self, microseconds: int) -> None:
        self.run.now_us += microseconds
        self.send(DeadlineReached())

    # --- answers of the world -----------------------------------------------------------------------------------------

    def answer(self, command: Command) -> Event | None:
        """Return what the world may say to a command."""
        match command:
            case CallTool():
                return self.act(command)
            case AwaitApproval():
                return self.judge(command)
            case AwaitMessage():
                return self.random_message() if self.rng.random() < 0.6 else self.message_for(command)
            case AwaitSettlement():
                outcome = self.rng.choice(("happened", "absent"))
                return EffectResolved(step=command.step, slot=command.slot, outcome=outcome, decided_by="approver")
            case AwaitRetry() | AwaitTimer():
                self.pass_time(max(0, command.due_us - self.run.now_us) + self.rng.choice((-1, 0, 1_000)))
                return None

    def act(self, call: CallTool) -> Event:
        """Return what the pipeline may say to a call: checked, asked, intended and only then made."""
        if self.strikes("refuse", 0.3):
            return refused(call)
        if self.strikes("fail"):
            return self.failure(call, effect="none")
        before = self.before_acting(call)
        if before is not None:
            return before
        if self.tool_of(call) != READ_TOOL:
            if self.strikes("lose"):
                return lost(call)
            if self.tool_of(call) != POST_TOOL and self.strikes("doubt"):
                return self.failure(call, effect="unknown")
        return self.success(call)

    def before_acting(self, call: CallTool) -> Event | None:
        tool = self.tool_of(call)
        if tool == READ_TOOL:
            return None
        if call.intent is not None and (tool != POST_TOOL or call.intent.attempt == call.attempt):
            return None
        if call.approval is not None and self.strikes("void"):
            approval_id = call.approval.approval_id
            return ApprovalVoided(step=call.step, slot=call.slot, approval_id=approval_id, reason="policy changed")
        if call.approval is None and (tool == PAY_TOOL or self.strikes("suspend")):
            self.requests += 1
            return suspended(call, f"approval-{self.requests}", now_us=self.run.now_us)
        delivery_class = "opaque" if tool == POST_TOOL else "keyed"
        return intended(call, tool=tool, delivery_class=delivery_class, now_us=self.run.now_us)

    def failure(self, call: CallTool, *, effect: str) -> Event:
        return failed(
            call,
            self.rng.choice(REASONS),
            retryable=effect == "unknown" or self.rng.random() < 0.8,
            effect=effect,
            jitter=self.rng.random(),
            retry_after_ms=self.rng.choice((None, 0, 30_000)),
        )

    def success(self, call: CallTool) -> Event:
        output: JsonValue = self.rng.choice((None, {"ok": True}, {"ok": False, "id": "x"}, [1.5, "ü"]))
        usage = Usage(tokens=self.rng.randint(0, 9), cost_usd_micros=self.rng.randint(0, 9), duration_ms=1)
        tool = self.tool_of(call)
        if tool == READ_TOOL:
            return succeeded(call, output, usage=usage)
        message = OutboxMessage(topic="tests.done", body=output, destinations=("listener",))
        outbox = (message,) * self.rng.randint(0, 2)
        return succeeded(call, output, usage=usage, receipt=receipt_of(call, tool=tool), outbox=outbox)

    def judge(self, command: AwaitApproval) -> Event:
        decision, digest = "approved", self.digest_of(command)
        if self.strikes("deny"):
            decision = "denied"
        elif self.strikes("expire"):
            decision = "expired"
        elif self.strikes("forge"):
            digest = "0" * 64
        return ApprovalDecided(approval_id=command.approval_id, decision=decision, digest=digest, decided_by="approver")

    def digest_of(self, command: AwaitApproval) -> str:
        request = self.state.steps[command.step].request
        return "" if request is None else request.digest

    def tool_of(self, call: CallTool) -> str:
        step = self.run.program.steps[call.step].step
        assert isinstance(step, ToolStep)
        return step.tool

    def random_message(self) -> MessageArrived:
        self.messages += 1
        source, name = self.rng.choice((("signal", "go"), ("signal", "stop"), ("event", EVENT_NAME)))
        payload = self.rng.choice((None, {"ok": True}, {"ok": False}, {"ok": "yes"}))
        return MessageArrived(source=source, name=name, message_id=f"m{self.messages}", payload=payload)

    def message_for(self, command: AwaitMessage) -> MessageArrived:
        self.messages += 1
        payload = {"ok": True} if isinstance(self.run.program.steps[command.step].step, EventStep) else None
        return MessageArrived(source=command.source, name=command.name, message_id=f"m{self.messages}", payload=payload)

    # --- the end of all trouble ---------------------------------------------------------------------------------------

    def answer_well(self, command: Command) -> None:
        """Answer a command as it should be answered."""
        match command:
            case CallTool():
                self.send(self.before_acting(command) or self.success(command))
            case AwaitApproval():
                digest = self.digest_of(command)
                self.send(ApprovalDecided(approval_id=command.approval_id, decision="approved", digest=digest))
            case AwaitMessage():
                if len(self.state.messages) >= POLICY.messages_max:
                    # A run that is full of messages that nobody wants hears no more; a person gives it up.
                    self.send(CancelAsked(requested_by="operator"))
                self.send(self.message_for(command))
            case AwaitSettlement():
                self.send(
                    EffectResolved(step=command.step, slot=command.slot, outcome="happened", decided_by="approver")
                )
            case AwaitRetry() | AwaitTimer():
                self.pass_time(max(0, command.due_us - self.run.now_us))


def played(rng: random.Random, *, steps_max: int = 20, events_max: int = 120) -> RandomRun:
    """Return a run after its troubles, ended or not."""
    run = RandomRun(rng, steps_max=steps_max)
    run.play(events_max=events_max)
    return run


def random_runs() -> st.SearchStrategy[RandomRun]:
    """Return small random runs that Hypothesis can shrink."""
    return st.randoms(use_true_random=False).map(lambda rng: played(rng, steps_max=5, events_max=20))


def journals_digest(seeds: Iterable[int]) -> str:
    """Return one digest over the journals and state hashes of many seeds, to compare between processes."""
    sha = hashlib.sha256()
    for seed in seeds:
        run = played(random.Random(seed))
        run.finish()
        for entry in run.run.entries:
            sha.update(encode_facts(entry))
        sha.update(state_hash(run.state).encode())
    return sha.hexdigest()
