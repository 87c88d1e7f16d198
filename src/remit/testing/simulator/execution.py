"""One seed, one execution: a run taken through trouble to its end, under watch.

Owns: the fleet of workers, the phases (trouble, then calm), and what counts as stuck.
Does not know: what is right (``audit``), nor how many seeds there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import msgspec

from remit.core.commands import AwaitMessage
from remit.core.events import ActionFailed, Event
from remit.core.evolve import apply_fact
from remit.core.facts import Fact, decode_facts
from remit.core.outstanding import outstanding
from remit.core.state import RunState
from remit.errors import RemitError
from remit.ids import Digest
from remit.ports.store import Append
from remit.runtime.actor import RunActor
from remit.runtime.catalogue import ActivePolicy
from remit.runtime.metrics import Metrics
from remit.runtime.rows import microseconds_of
from remit.testing.simulator.actor import WatchedActor
from remit.testing.simulator.coverage import Tally
from remit.testing.simulator.database import LEASE_SECONDS, RUN_ID, START, TENANT_ID, Database
from remit.testing.simulator.dice import ALL, Dice, Fault
from remit.testing.simulator.loop import VirtualLoop
from remit.testing.simulator.people import Crowd
from remit.testing.simulator.scenario import Scenario
from remit.testing.simulator.site import Site
from remit.testing.simulator.worker import STALL_SECONDS_MAX, SimulatedWorker
from remit.testing.simulator.world import Effect, World

TROUBLE_TURNS: Final = 30
"""Claims after which faults stop, so that what they left behind must be cleared up without luck."""
CALM_TURNS_MAX: Final = 200
"""Turns of the scheduler in which a run must end, or wait for a message that nobody sends, once faults have stopped."""
WAITS_MAX: Final = 20_000
WAITS_PER_STEP: Final = 2_000
"""How often time may pass in one execution; those that end need a few hundred."""
BROKEN: Final = (RemitError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What a kernel with a bug raises; everything else is the simulator's own."""
WORKERS_MAX: Final = 3
HEARTBEAT_SECONDS: Final = 4.0
AFTERLIFE_SECONDS: Final = STALL_SECONDS_MAX + LEASE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """One entry as the journal holds it, read."""

    sequence: int
    epoch: int
    at_us: int
    facts: tuple[Fact, ...]
    stored_seconds: float
    append: Append


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One event and what was decided on it, at the decision's instant. It may never have become durable."""

    event: Event
    facts: tuple[Fact, ...]
    at_us: int
    is_doubtful: bool
    """Whether an attempt before may have had its effect."""


@dataclass(slots=True, kw_only=True)
class Record:
    """What happened in one execution. ``lines`` are (virtual seconds, kind, what); ``live`` the states by hash."""

    seed: int
    scenario: Scenario
    database: Database
    world: World
    state: RunState
    tally: Tally
    entries: list[StoredEntry] = field(default_factory=list)
    live: dict[bytes, tuple[str, str]] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    lines: list[tuple[float, str, object]] = field(default_factory=list)
    is_cancelled: bool = False
    is_at_rest: bool = False
    calm_turns: int = 0
    fired: Counter[str] = field(default_factory=Counter)

    @property
    def facts(self) -> list[Fact]:
        """Return the whole journal."""
        return [fact for entry in self.entries for fact in entry.facts]


class Execution:
    """Runs one seed of a scenario."""

    def __init__(self, scenario: Scenario, seed: int, *, metrics: Metrics, faults: Iterable[Fault] = ALL) -> None:
        self.loop = VirtualLoop(waits_max=WAITS_MAX + WAITS_PER_STEP * len(scenario.program.steps))
        self.dice = Dice(seed, frozenset(faults) - scenario.excluded)
        self.heard: list[Event] = []
        run_input = msgspec.json.encode(scenario.run_input)
        database = Database(
            self.loop.time,
            definition_digest=scenario.program.digest,
            run_input=run_input,
            principal_id=scenario.principal_id,
        )
        world = World(
            loop=self.loop,
            dice=self.dice,
            acts=scenario.acts,
            may_strike=scenario.may_strike,
            on_effect=self._on_effect,
        )
        self.record = Record(
            seed=seed,
            scenario=scenario,
            database=database,
            world=world,
            state=RunState(scenario.program, tenant_id=TENANT_ID, run_id=RUN_ID),
            tally=Tally(),
        )
        self._site = Site(
            loop=self.loop,
            dice=self.dice,
            database=database,
            world=world,
            program=scenario.program,
            contracts=scenario.contracts,
            policy=ActivePolicy(digest=Digest("0" * 64), config=scenario.config, is_paused=False),
            core_policy=scenario.core_policy,
            metrics=metrics,
            actors=type("ActorUnderWatch", (WatchedActor,), {"watch": self}),
            breakers={},
        )
        self._crowd = Crowd(scenario, self._site, on_finding=self.record.findings.append)
        self._workers: list[SimulatedWorker] = []
        self._worker_count = 0
        self._turns = 0
        self._is_doubtful = False
        self._news = self.loop.create_future()
        database.on_stored = self._on_stored
        database.on_news = self._on_news
        database.on_message = self._on_message

    def run(self) -> Record:
        """Run to the end and return what happened."""
        try:
            self.loop.run(self._live())
        except BROKEN as error:
            owner = self.record.database.owner
            told = f"stuck: {owner} owns the run, and {error}"
            self.record.findings.append(told if self.loop.is_stuck else f"broken: {error!r}")
        self.record.findings += [f"unhandled: {error!r}" for error in self.loop.unhandled]
        self.record.is_cancelled = bool({Fault.CANCEL, Fault.EARLY_CANCEL} & self.dice.fired.keys())
        self.record.fired = self.dice.fired
        self.record.tally.faults = self.dice.fired
        return self.record

    async def _live(self) -> None:
        self._crowd.begin()
        await self._work()
        if self.record.database.finished_as is not None:
            # Let what was sent arrive, and whoever was stalled come back.
            await self._until(self.loop.time() + AFTERLIFE_SECONDS)

    # --- the fleet -------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        database = self._site.database
        while database.finished_as is None:
            alive = {worker.name for worker in self._workers if worker.is_responsive}
            lease_end = database.sweep(alive)
            self._count_turn()
            if self.record.calm_turns > CALM_TURNS_MAX:
                self.record.findings.append(f"not at rest {CALM_TURNS_MAX} turns after the last fault")
                return
            if self._claim():
                continue
            if database.owner is None and database.claimable_at is None and not self._crowd.pending_count:
                self._check_rest()
                return
            times = [time for time in (database.claimable_at, lease_end, self._next_beat()) if time is not None]
            await self._until(min(times, default=None))

    def _next_beat(self) -> float | None:
        """Return when the owner's heartbeat may have news for it; if there are some, it hears of them by then."""
        database = self._site.database
        worker = next((worker for worker in self._workers if worker.name == database.owner), None)
        if worker is None or not worker.is_responsive:
            return None
        beat = self.loop.time() + HEARTBEAT_SECONDS
        if database.has_news:
            self.loop.call_at(beat, worker.hear_soon)
            return beat
        if database.due_at is None:
            return None
        return max(beat, (database.due_at - START).total_seconds() + self.dice.pause(HEARTBEAT_SECONDS))

    def _count_turn(self) -> None:
        self._turns += 1
        if self.dice.is_calm:
            self.record.calm_turns += 1
        elif self._turns > TROUBLE_TURNS:
            self.dice.is_calm = True
            self._crowd.calm()

    def _claim(self) -> bool:
        """Let some worker claim the run if it is due."""
        database = self._site.database
        if database.owner is not None or database.claimable_at is None or database.claimable_at > self.loop.time():
            return False
        worker = self._some_worker()
        database.sweep({worker.name})
        if worker.name not in database.leases:
            # It was away for longer than its lease: it has to become known again before it claims.
            self._start(worker.report)
            return False
        claim = database.claim(worker.name)
        if claim is None:
            return False
        self.note("claim", (worker.name, claim.epoch))
        if self.dice.strikes(Fault.LOST_CLAIM):
            # The reply got lost: two heartbeats later the worker gives back what it knows nothing of.
            self.loop.call_later(2 * HEARTBEAT_SECONDS, self._start, partial(worker.hand_back, claim))
        else:
            self._start(partial(worker.take, claim))
        return True

    def _start(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        self.loop.start(work())

    def _some_worker(self) -> SimulatedWorker:
        ready = [worker for worker in self._workers if worker.is_responsive]
        if not ready or (len(ready) < WORKERS_MAX and self.dice.rng.random() < 0.3):
            self._worker_count += 1
            ready.append(SimulatedWorker(self._site, f"w{self._worker_count}"))
            self._workers = ready + [worker for worker in self._workers if not worker.is_responsive]
            return ready[-1]
        return self.dice.rng.choice(ready)

    async def _until(self, when: float | None) -> None:
        """Wait for news, or until an instant."""
        if self._news.done():
            self._news = self.loop.create_future()
        timer = None if when is None else self.loop.call_at(when, self._on_news)
        await self._news
        if timer is not None:
            timer.cancel()

    def _check_rest(self) -> None:
        """A run at rest waits for a message that nobody will send."""
        self.record.is_at_rest = True
        state = self.record.state
        others = [command for command in outstanding(state) if not isinstance(command, AwaitMessage)]
        if others or not state.open:
            self.record.findings.append(
                f"at rest although nobody is asked: {[type(other).__name__ for other in others]}"
            )

    # --- what is heard ---------------------------------------------------------------------------------------------

    def note(self, kind: str, what: object) -> None:
        """Keep a line for the record; it is put in words only if somebody reads it."""
        self.record.lines.append((self.loop.time(), kind, what))

    def _on_news(self) -> None:
        if not self._news.done():
            self._news.set_result(None)

    def _on_message(self) -> None:
        owner = self._site.database.owner
        worker = next((worker for worker in self._workers if worker.name == owner), None)
        if worker is not None:
            self.loop.call_later(self.dice.pause(), worker.hear_soon)

    def _on_stored(self, append: Append) -> None:
        facts = decode_facts(append.payload)
        for fact in facts:
            apply_fact(self.record.state, fact)
        entry = StoredEntry(
            sequence=append.sequence,
            epoch=append.epoch,
            at_us=microseconds_of(append.at),
            facts=tuple(facts),
            stored_seconds=self.loop.time(),
            append=append,
        )
        self.record.entries.append(entry)
        self.note("entry", entry)
        self.record.tally.facts.update(type(fact).__name__ for fact in facts)
        self.record.tally.commands.update(type(command).__name__ for command in outstanding(self.record.state))
        self._crowd.on_stored(facts)

    def _on_effect(self, effect: Effect) -> None:
        self.note("effect", (effect, len(self.record.entries)))

    def on_event(self, state: RunState, event: Event) -> None:
        """Count what an actor is about to decide on."""
        step = state.steps.get(event.step) if isinstance(event, ActionFailed) else None
        self._is_doubtful = step is not None and step.effect == "unknown"
        self.record.tally.count_event(state, event)

    def on_decided(self, state: RunState, event: Event, facts: list[Fact]) -> None:
        """Keep what it decided."""
        heard = Heard(event=event, facts=tuple(facts), at_us=state.last_us, is_doubtful=self._is_doubtful)
        self.record.heard.append(heard)
        self.note("event", heard)

    def on_heeded(self, event: Event, facts: list[Fact]) -> None:
        """Object to an actor that heeds what was not for it."""
        names = [type(fact).__name__ for fact in facts]
        self.record.findings.append(f"heeded something old or foreign: {event!r} led to {names}")

    def on_sealed(self, actor: RunActor, append: Append) -> None:
        """Keep how the live state stood when an entry was made of it."""
        assert isinstance(actor, WatchedActor)
        self.record.live[append.hash] = actor.fingerprint()
