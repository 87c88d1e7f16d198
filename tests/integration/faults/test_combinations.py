"""Faults that come together: two in a row, one after the other and then right, with a crash, with a breaker."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import asyncpg
import pytest

from remit.core.canonical import JsonValue
from remit.governance.breaker import BreakerConfig
from remit.governance.contracts import ToolContract
from remit.ports.tool import LookupResult, Tool, ToolContext, ToolResult
from remit.testing.database import ScratchDatabase
from remit_commerce.simulators.faults import BEFORE, FaultKind
from tests.crash.kernels import MortalKernel
from tests.crash.points import Watch
from tests.integration.faults.expected import DONE, expected
from tests.integration.faults.lanes import Cell, Lanes, Providers, pack_of, serving, settings_of
from tests.integration.faults.provider import FORGETFUL_SECONDS
from tests.integration.faults.scenarios import BY_TOOL, SCENARIOS, TOOLS, step_id

TELLING = (
    FaultKind.RATE_LIMITED,
    FaultKind.SERVER_ERROR_AFTER,
    FaultKind.HTML_AFTER,
    FaultKind.RESET_BEFORE,
    FaultKind.WRONG_ID,
)
"""One fault of each sort: proven absent, executed or not with an answer or without, about something else."""

PAIRED = (
    "stripe.payment_intents.capture",
    "shopify.fulfillments.create",
    "fake.forgetful",
    "fake.opaque",
    "fake.local",
)
SECONDS_MAX = 100.0
LONG_LEASE = timedelta(seconds=150)
LONG_MS = 120_000
"""Long enough that no call is given up before its worker dies, on any machine."""


@pytest.mark.slow
@pytest.mark.parametrize("tool", PAIRED)
async def test_two_faults_in_a_row_are_as_one(database: ScratchDatabase, providers: Providers, tool: str) -> None:
    """
    The same fault twice, or two different ones, then ok: what the first leaves open stays open until it is found out.
    """
    scenario = BY_TOOL[tool]
    is_opaque = scenario.delivery == "opaque"
    # An opaque call that is parked by the first fault never meets the second.
    firsts = (FaultKind.RATE_LIMITED,) if is_opaque else TELLING
    pairs = list(itertools.product(firsts, TELLING))
    cells = {f"two_{scenario.short}_{number}": Cell(scenario=scenario, kinds=pair) for number, pair in enumerate(pairs)}
    async with serving(database, providers, list(cells)) as served:
        ended, audit = await served.run_cells(cells)

    assert {} == {
        cell.name: outcome
        for lane, cell in cells.items()
        if (outcome := ended[lane].outcome) != expected(scenario, cell.kinds[-1])
    }
    # What was executed is found by its reference, and not asked for again.
    is_found = scenario.delivery in {"queryable", "keyed, past the window"}
    assert {lane: 1 if is_found and cell.kinds[0] not in BEFORE else 2 for lane, cell in cells.items()} == {
        lane: audit.books.fired(lane).total() for lane in cells
    }
    assert {} == audit.findings()


@pytest.mark.slow
async def test_crash_right_after_a_fault_loses_and_doubles_nothing(
    database: ScratchDatabase, providers: Providers
) -> None:
    """
    The worker dies after the fault and before anything is recorded: another one finds out, or asks a person.
    """
    met = list(itertools.product(SCENARIOS, TELLING))
    cells = {f"crash_{number}": Cell(scenario=scenario, kinds=(kind,)) for number, (scenario, kind) in enumerate(met)}
    halted = Halted({lane: step_id(cell.scenario.tool) for lane, cell in cells.items()})
    settings = settings_of(
        database, cells, lease=LONG_LEASE, heartbeat=timedelta(seconds=6), sweep=timedelta(milliseconds=50)
    )

    first = MortalKernel(settings, Watch(), pack=pack_of(halted.tools))
    await first.start()
    served = Lanes(first, providers, database)
    started = await served.in_turns(
        served.lay_out_and_start(lane, cell, timeout_ms=LONG_MS) for lane, cell in cells.items()
    )
    runs = dict(zip(cells, started, strict=True))
    async with asyncio.timeout(SECONDS_MAX):
        await halted.everybody.wait()
    first.watch.die()
    await first.kill()
    await bury(database)
    second = MortalKernel(settings, Watch(), pack=pack_of())
    await second.start()
    second.held.advance(LONG_LEASE.total_seconds())
    rescued = Lanes(second, providers, database)
    ended = await asyncio.gather(*(rescued.end(lane, runs[lane], cell.scenario) for lane, cell in cells.items()))
    audit = await rescued.audit(cells, expected=dict.fromkeys(cells, 1))
    await second.stop()

    outcomes = {(cell.scenario.tool, cell.name): run.outcome for cell, run in zip(cells.values(), ended, strict=True)}
    assert {} == {
        (tool, kind): outcome
        for (tool, kind), outcome in outcomes.items()
        if outcome != (DONE if BY_TOOL[tool].delivery != "opaque" else "unknown: EFFECT_UNKNOWN")
    }
    assert {} == audit.findings()


class Halted:
    """Tools that go silent after the call that a fault is meant for; ``everybody`` is set once all lanes have.

    ``steps`` says which step of a lane that is.
    """

    def __init__(self, steps: Mapping[str, str]) -> None:
        self._steps = steps
        self._seen: set[str] = set()
        self.everybody = asyncio.Event()
        self.tools = {name: HaltingTool(tool, self) for name, tool in TOOLS.items()}

    async def halt(self, context: ToolContext) -> None:
        """Never return, if this is a step under test."""
        if self._steps[context.tenant_id] != context.step:
            return
        self._seen.add(context.tenant_id)
        if len(self._seen) >= len(self._steps):
            self.everybody.set()
        await asyncio.Event().wait()


class HaltingTool:
    """A tool that goes silent after some calls, whatever became of them."""

    def __init__(self, tool: Tool, halted: Halted) -> None:
        self._tool = tool
        self._halted = halted

    @property
    def contract(self) -> ToolContract:
        """Return the tool's own contract."""
        return self._tool.contract

    @property
    def lookup(self) -> Callable[[Mapping[str, JsonValue], ToolContext], Awaitable[LookupResult]] | None:
        """Return the tool's own look-up."""
        return self._tool.lookup

    async def call(self, arguments: Mapping[str, JsonValue], context: ToolContext) -> ToolResult:
        """Call the tool, and say nothing of it if its worker is to die now."""
        try:
            return await self._tool.call(arguments, context)
        finally:
            await self._halted.halt(context)


async def bury(database: ScratchDatabase) -> None:
    """Let the server notice that a kernel is dead, its lease be over, and so the shortest window of a key."""
    connection = await asyncpg.connect(database.admin_url)
    await connection.execute("select pg_sleep($1)", FORGETFUL_SECONDS)
    await connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and usename = 'remit_app'"
    )
    await connection.execute(
        "update remit.workers set heartbeat_at = heartbeat_at - interval '1 hour', lease = interval '0'"
    )
    await connection.close()


@pytest.mark.slow
async def test_breaker_opens_and_closes_without_a_second_effect(
    database: ScratchDatabase, providers: Providers
) -> None:
    """
    While a dependency is left alone nothing is sent; afterwards the doubt is settled, and the effect is there once.
    """
    quick = BreakerConfig(failure_threshold=2, open_seconds=1, half_open_calls_max=1, success_threshold=1)
    tools = ("fake.keyed", "fake.queryable")
    cells = {
        f"breaker_{number}": Cell(scenario=BY_TOOL[tool], kinds=(FaultKind.SERVER_ERROR_BEFORE, FaultKind.RESET_BEFORE))
        for number, tool in enumerate(tools)
    }
    async with serving(database, providers, list(cells), breakers={"fake": quick}) as served:
        ended, audit = await served.run_cells(cells)

    assert [DONE, DONE] == [run.outcome for run in ended.values()]
    assert all("DEPENDENCY_UNAVAILABLE" in run.reasons for run in ended.values())
    assert {} == audit.findings()
