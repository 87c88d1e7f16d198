"""Playing random programs: real workers on a real server, killed at random, and the audit of what came of it.

Owns: the people and providers that runs wait for, the kills, and the comparison with what must have come of it all.
Does not know: how a program is drawn, or what the right answer is; `model` does.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import asyncpg
import orjson

from remit.bootstrap import APPROVER, OPERATOR, Kernel
from remit.errors import AlreadyDecidedError, IllegalTransitionError, OperationError
from remit.ids import RunId, TenantId
from remit.plans.orchestration import compile_orchestration
from remit.ports.store import Decision, InboundEvent
from remit.runtime.runs import Settlement
from remit.settings import Settings
from tests.crash.programs import tools
from tests.crash.programs.fleet import Fleet
from tests.crash.programs.ledger import Ledger
from tests.crash.programs.model import (
    EFFECTS,
    EVENT,
    NEVER,
    Expected,
    Node,
    Program,
    draw,
    expected_of,
    message_value,
    text_of,
)

Answer = TypeVar("Answer")

REMIT = b"""
business: programs
version: 1.0.0
bounds: {steps_max: 1000, tool_calls_max: 1000, active_time_max: 1h}
scopes: [{tool: programs.*}, {tool: outbox.publish}]
approval_rules: [{id: asked, tool: programs.*, when: "has(input.ask) && input.ask"}]
"""
TOOLS = (tools.compute, tools.flaky, tools.keyed, tools.queryable, tools.opaque)
LOOK_SECONDS = 0.05
DEFAULT_TENANT = TenantId("default")
PROGRESS_OF_A_STEP = 1.4
"""Entries in the journal, about: where in the course of all programs a kill falls."""

UNFINISHED = """
select r.run_id::text as run_id, r.definition_name, h.status, h.waiting_for, h.sequence
from remit.runs r join remit.heads h using (tenant_id, run_id)
where h.finished_at is null and r.tenant_id = $1
"""
PROGRESS = "select coalesce(sum(sequence), 0) from remit.heads where tenant_id = $1"


class StuckProgramsError(Exception):
    """Programs did not end in time; the message says why and where the dumps are."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Where programs are played: a database, a ledger, a folder for logs and dumps; ``python`` is put before what the
    workers' processes find in their environment.

    ``postmaster`` returns the pid that may be killed; ``revive`` starts a killed server again.
    """

    app_url: str
    admin_url: str
    folder: Path
    tenant_id: TenantId = DEFAULT_TENANT
    postmaster: Callable[[], int | None] = lambda: None
    revive: Callable[[], object] = lambda: None
    python: Mapping[str, str] = field(default_factory=dict)

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.folder / "ledger.sqlite"

    @property
    def environment(self) -> dict[str, str]:
        """What workers are told."""
        return {
            "DATABASE_APP_URL": self.app_url,
            "REMIT_TENANT": self.tenant_id,
            tools.LEDGER_VARIABLE: str(self.ledger),
            "REMIT_LOG_FORMAT": "json",
            **self.python,
        }


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is played: so many programs and workers, so many kills of workers and of the server.

    ``script`` is what is played instead of programs drawn at random.
    """

    programs: int = 0
    script: tuple[Program, ...] = ()
    workers: int = 3
    kills: int = 4
    server_kills: int = 1
    seconds_max: float = 180.0
    lease_seconds: int = 4


@dataclass(kw_only=True)
class Played:
    """What came of it. ``findings`` is empty if everything is as it must be."""

    seed: int
    runs: dict[str, RunId] = field(default_factory=dict)
    programs: dict[str, Program] = field(default_factory=dict)
    reached: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


class Play:
    """One play of many programs."""

    def __init__(self, ground: Ground, plan: Plan, *, seed: int, prefix: str = "p") -> None:
        self.ground = ground
        self.plan = plan
        self.rng = random.Random(seed)
        self.played = Played(seed=seed)
        self.ledger = Ledger.create(ground.ledger)
        self.told: set[str] = set()
        self.settled: set[str] = set()
        drawn = [draw(self.rng, f"{prefix}{number}") for number in range(plan.programs)]
        self.played.programs = {program.name: program for program in [*plan.script, *drawn]}
        entries = PROGRESS_OF_A_STEP * sum(len(program.nodes) for program in self.played.programs.values())
        kills = ["worker"] * plan.kills + ["server"] * plan.server_kills
        self.rng.shuffle(kills)
        self.kills = sorted(zip((self.rng.uniform(0.02, 0.75) * entries for _ in kills), kills, strict=True))
        self.progress = 0

    @property
    def reached(self) -> Counter[str]:
        """How often everything happened."""
        return self.played.reached

    async def run(self) -> Played:
        """Play everything to its end, and audit it."""
        patience = timedelta(seconds=min(20.0, self.plan.seconds_max / 2))
        settings = Settings(database_app_url=self.ground.app_url, tenant=self.ground.tenant_id, stuck_after=patience)
        try:
            async with Kernel(tools=TOOLS, packs=[], settings=settings, has_worker=False) as kernel:
                await self.submit(kernel)
                log, lease = self.ground.folder / "workers.log", self.plan.lease_seconds
                with Fleet(self.ground.environment, log=log, lease_seconds=lease) as fleet:
                    await self.attend(kernel, fleet)
                    self.reached["workers started"] += fleet.started
                await self.audit(kernel)
        finally:
            self.ledger.close()
        return self.played

    # --- submitting ---------------------------------------------------------------------------------------------------

    async def submit(self, kernel: Kernel) -> None:
        """Compile every program from its text, and submit it."""
        await kernel.apply_business(REMIT, path="remit.yaml", tenant_id=self.ground.tenant_id)
        policy = await kernel.catalogue.policy(self.ground.tenant_id)
        for program in self.played.programs.values():
            text = text_of(program).encode()
            result = compile_orchestration(
                text, path=f"{program.name}.yaml", contracts=kernel.registry, policy=policy.config
            )
            assert result.definition is not None, (program, text.decode(), result.diagnostics.to_json())
            stored = await kernel.put_definition(result.definition, tenant_id=self.ground.tenant_id)
            submitted = await kernel.runs.submit(
                self.ground.tenant_id,
                definition_digest=stored.digest,
                run_input={"number": program.number},
                principal_id=OPERATOR,
                submission_key=program.name,
            )
            self.played.runs[program.name] = submitted.run_id
            for node in self.rng.sample(program.nodes, len(program.nodes)):
                self.reached[node.kind] += 1
                if node.is_early:
                    await self.tell(kernel, program, node)

    async def tell(self, kernel: Kernel, program: Program, node: Node) -> None:
        """Send what a step waits for, or will wait for; several times if the answer was lost."""
        run_id = self.played.runs[program.name]
        body = {"value": message_value(node)} if node.kind in {"signal", "event"} else None
        if node.kind == "signal":
            with suppress(IllegalTransitionError):
                await kernel.runs.signal(
                    self.ground.tenant_id,
                    run_id,
                    name=node.label.replace("/", "."),
                    payload=body,
                    sent_by=OPERATOR,
                    message_id=f"signal:{node.label}",
                )
        elif node.kind == "event":
            event = InboundEvent(
                source="programs",
                name=EVENT,
                event_key=node.label,
                occurred_at=None,
                body=body,
                raw_sha256="0" * 64,
                correlations=(node.label,),
            )
            await kernel.store.inbox.receive(self.ground.tenant_id, event)
            await kernel.runs.announce(run_id)
        else:
            return
        self.reached["messages sent"] += 1

    # --- attending ----------------------------------------------------------------------------------------------------

    async def attend(self, kernel: Kernel, fleet: Fleet) -> None:
        """Be everybody whom runs wait for, and whoever kills, until no run is left.

        Raises:
            StuckProgramsError: some did not end in time.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.plan.seconds_max
        while True:  # bound: the deadline
            fleet.fill(self.plan.workers)
            with suppress(OperationError, asyncpg.PostgresError, OSError):
                unfinished = await self.look()
                if not unfinished:
                    return
                await self.strike(fleet)
                await self.decide(kernel)
                for run in unfinished:
                    await self.serve(kernel, run)
            if loop.time() > deadline:
                raise StuckProgramsError(await self.describe(kernel))
            await asyncio.to_thread(self.ground.revive)
            await pause(LOOK_SECONDS)

    async def look(self) -> list[asyncpg.Record]:
        """Return the runs that have not ended."""
        connection = await asyncpg.connect(self.ground.admin_url, timeout=5.0)
        try:
            self.progress = await connection.fetchval(PROGRESS, self.ground.tenant_id)
            return await connection.fetch(UNFINISHED, self.ground.tenant_id)
        finally:
            await connection.close(timeout=5.0)

    async def strike(self, fleet: Fleet) -> None:
        """Kill what is to be killed at this point of the play."""
        while self.kills and self.kills[0][0] <= self.progress:
            _, victim = self.kills.pop(0)
            if victim == "server":
                pid = self.ground.postmaster()
                if pid is not None:
                    os.kill(pid, signal.SIGKILL)
                    self.reached["server killed"] += 1
                return
            if fleet.pids:
                fleet.kill(self.rng.choice(fleet.pids))
                self.reached["worker killed"] += 1

    async def decide(self, kernel: Kernel) -> None:
        """Be the person who agrees or refuses."""
        for approval in await kernel.store.approvals.list(self.ground.tenant_id, limit=500):
            label = str(orjson.loads(approval.arguments)["label"])
            name, _, step = label.partition("/")
            word = self.played.programs[name].node(step).ask
            decision = Decision(
                approval_id=approval.approval_id,
                decision="approve" if word == "approve" else "deny",
                principal_id=APPROVER,
                digest=approval.digest,
            )
            with suppress(AlreadyDecidedError):
                await kernel.store.approvals.decide(self.ground.tenant_id, decision)
                self.reached[f"asked and {word}"] += 1
            await kernel.runs.announce(approval.run_id)

    async def serve(self, kernel: Kernel, run: asyncpg.Record) -> None:
        """Give a waiting run what it waits for."""
        what, _, rest = (run["waiting_for"] or "").partition(" ")
        program = self.played.programs[run["definition_name"]]
        if what == "settlement":
            await self.settle(kernel, program, program.node(rest.removeprefix("of ")))
        elif what == "event":
            for node in self.rng.sample(program.nodes, len(program.nodes)):
                await self.tell_once(kernel, program, node, kind="event")
        elif what == "signal" and rest == NEVER:
            if await kernel.runs.cancel(self.ground.tenant_id, RunId(run["run_id"]), requested_by=OPERATOR):
                self.reached["cancelled"] += 1
        elif what == "signal":
            for node in program.nodes:
                if node.label.replace("/", ".") == rest:
                    await self.tell_once(kernel, program, node, kind="signal")

    async def tell_once(self, kernel: Kernel, program: Program, node: Node, *, kind: str) -> None:
        """Send a message that was not sent before, as far as we know."""
        if node.kind == kind and node.label not in self.told:
            await self.tell(kernel, program, node)
            self.told.add(node.label)

    async def settle(self, kernel: Kernel, program: Program, node: Node) -> None:
        """Be the person who looks into the ledger for an effect that nobody can know of."""
        found = self.ledger.find_by_label(node.label)
        settlement = Settlement(
            step=node.id,
            outcome="absent" if found is None else "happened",
            decided_by=OPERATOR,
            output=None if found is None else {"value": found},
        )
        with suppress(IllegalTransitionError):
            await kernel.runs.settle(self.ground.tenant_id, self.played.runs[program.name], settlement)
            if node.label not in self.settled:
                self.settled.add(node.label)
                self.reached[f"parked and {settlement.outcome}"] += 1

    async def describe(self, kernel: Kernel) -> str:
        """Return which runs did not end and why, and write their dumps."""
        unfinished = await self.look()
        stuck = {one.run_id: one for one in await kernel.lookout.find(self.ground.tenant_id)}
        lines = [f"seed {self.played.seed}: {len(unfinished)} programs did not end"]
        for run in unfinished:
            run_id = RunId(run["run_id"])
            found = stuck.get(run_id)
            why = "no reason found" if found is None else f"{found.reason} for {found.age}: {found.detail}"
            dump = await kernel.lookout.dump(self.ground.tenant_id, run_id, found)
            path = self.ground.folder / f"{run['definition_name']}.dump.json"
            path.write_bytes(orjson.dumps(dump, option=orjson.OPT_INDENT_2))
            lines.append(f"{run['definition_name']}: {run['status']}, waits for {run['waiting_for']}: {why}: {path}")
        return "\n".join(lines)

    # --- the audit ----------------------------------------------------------------------------------------------------

    async def audit(self, kernel: Kernel) -> None:
        """Compare every program with what must have come of it."""
        counts = self.ledger.counts()
        self.reached.update({f"died {phase} an effect": count for phase, count in self.ledger.deaths().items()})
        self.reached["calls"] += self.ledger.call_count()
        self.reached["effects"] += counts.total()
        for program in self.played.programs.values():
            expected = expected_of(program)
            found = [
                *await self.audit_run(kernel, program, expected),
                *audit_effects(expected, counts),
            ]
            self.played.findings += [f"seed {self.played.seed}, {program.name}: {finding}" for finding in found]
        known = {node.label for program in self.played.programs.values() for node in program.nodes}
        self.played.findings += [f"unknown effect {label}" for label in counts.keys() - known]
        suspects, _ = await kernel.store.suspects.list_suspects(self.ground.tenant_id)
        self.played.findings += [f"stuck: {suspect}" for suspect in suspects]

    async def audit_run(self, kernel: Kernel, program: Program, expected: Expected) -> list[str]:
        """Return what is wrong with a run."""
        run_id = self.played.runs[program.name]
        run = await insist(lambda: kernel.store.reader.get_run(self.ground.tenant_id, run_id))
        self.reached[f"run {run.status}"] += 1
        self.reached["claims"] += run.epoch
        findings = []
        if run.status != expected.status:
            findings.append(f"expected {expected.status}, got {run.status}: {run.error!r}")
        elif run.status == "completed" and orjson.loads(run.output or b"null") != expected.output:
            findings.append(f"expected {expected.output}, got {run.output!r}")
        elif expected.error is not None:
            error = orjson.loads(run.error or b"{}")
            if (error.get("code"), error.get("step")) != expected.error:
                findings.append(f"expected {expected.error}, got {error}")
        report = await insist(lambda: kernel.runs.replay(self.ground.tenant_id, run_id))
        findings += [f"replay: {finding}" for finding in report.findings]
        self.reached["journals verified"] += report.is_verified
        self.reached["facts"] += report.facts
        findings += await self.audit_rows(kernel, program, expected)
        return findings

    async def audit_rows(self, kernel: Kernel, program: Program, expected: Expected) -> list[str]:
        """Return which steps ended more than once, and which effects lack their receipt or have two."""
        run_id = self.played.runs[program.name]
        steps = await insist(lambda: kernel.store.reader.list_steps(self.ground.tenant_id, run_id))
        ends = Counter(step.row.step for step in steps if step.row.status in {"completed", "skipped"})
        parked = {step.row.step for step in steps if step.row.status == "unknown"}
        self.reached["steps parked"] += len(parked)
        self.reached["steps skipped"] += sum(step.row.status == "skipped" for step in steps)
        self.reached["attempts failed"] += sum(step.row.status == "failed" for step in steps)
        receipts = await insist(lambda: kernel.store.reader.list_receipts(self.ground.tenant_id, run_id=run_id))
        proven = Counter(stored.receipt.step for stored in receipts)
        self.reached["receipts"] += proven.total()
        findings = [f"step {step} ended {count} times" for step, count in ends.items() if count != 1]
        for node in program.nodes:
            if node.kind not in EFFECTS or node.label in expected.uncertain or node.id in parked:
                continue
            if proven[node.id] != expected.effects[node.label]:
                findings.append(f"expected {expected.effects[node.label]} receipts of {node.id}, got {proven[node.id]}")
        return findings


def audit_effects(expected: Expected, counts: Counter[str]) -> list[str]:
    """Return which effects there are too many or too few of."""
    findings = []
    for label, count in expected.effects.items():
        found = counts[label]
        is_right = found <= 1 if label in expected.uncertain else found == count
        if not is_right:
            findings.append(f"expected {count} effects of {label}, found {found}")
    return findings


def postmaster_of(folder: Path) -> int | None:
    """Return the pid of the server whose data is below a folder, if one runs there."""
    for file in folder.rglob("postmaster.pid"):
        with suppress(FileNotFoundError, IndexError, ValueError):
            return int(file.read_text().split("\n", 1)[0])
    return None


async def insist(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask again while the store is away."""
    for _ in range(100):
        try:
            return await ask()
        except OperationError:
            await pause(LOOK_SECONDS)
    return await ask()


async def pause(seconds: float) -> None:
    """Wait for nothing, so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()


def reached_of(many: list[Played]) -> Counter[str]:
    """Return how often everything happened in several plays."""
    total: Counter[str] = Counter()
    for played in many:
        total += played.reached
    return total
