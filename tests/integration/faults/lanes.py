"""Lanes: tenants with accounts of their own, in which runs meet faults beside each other without meeting each other.

Owns: a kernel that serves many lanes, how a lane is laid out, scripting its faults, and what became of its runs.
Does not know: which faults; what is right.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import remit_commerce
from remit.bootstrap import Kernel
from remit.core.definition import definition_digest
from remit.core.states import RUN_TERMINAL, RunStatus
from remit.governance.breaker import BreakerConfig
from remit.governance.policy import ApprovalRule, BusinessConfig, Scope, Subscription, encode_policy
from remit.ids import Digest, PrincipalId, RunId, TenantId
from remit.ports.pack import Pack
from remit.ports.store import Principal, RunSummary, Tenant
from remit.ports.tool import Tool
from remit.settings import Settings
from remit.testing.database import ScratchDatabase
from remit_commerce.simulators.client import SimulatorProcess, Simulators
from remit_commerce.simulators.faults import Fault, FaultKind
from tests.crash.kernels import QuickSimulators
from tests.integration.commerce.calling import sample_order
from tests.integration.faults import auditor
from tests.integration.faults.scenarios import ATTEMPTS_MAX, BOUNDS, LATE_SECONDS, TOOLS, Scenario, step_id, timeout_of

SECONDS_MAX: Final = 60.0
LATE_SECONDS_MAX: Final = 10.0
BESIDE_MAX: Final = 40
"""How many lanes are at work at once."""

_Done = TypeVar("_Done")
SERVICE: Final = PrincipalId("service")
NEVER_OPENS: Final = BreakerConfig(failure_threshold=1_000_000)
CREDENTIALS: Final = {
    "stripe": ("stripe_api_key", "sk_test_"),
    "shopify": ("shopify_access_token", "shpat_"),
    "printful": ("printful_token", "smk_"),
    "sendgrid": ("sendgrid_api_key", "SG."),
    "fake": ("fake_token", "fk_"),
}
_ORDERS = itertools.count(7_000_000)


@dataclass(frozen=True, kw_only=True)
class Providers:
    """The simulators with the fake provider among them, and where their books are."""

    simulators: Simulators
    books: Path

    def endpoints(self) -> dict[str, str]:
        """Return every provider's base URL."""
        return {**self.simulators.endpoints(), "fake": f"{self.simulators.url}/fake"}


@contextlib.contextmanager
def running_providers(books: Path) -> Iterator[Providers]:
    """Run the providers while the block runs, on the plan with the largest bucket: costs are no fault."""
    process = SimulatorProcess(books, module="tests.integration.faults")
    try:
        ready = process.start()
        simulators = QuickSimulators(url=ready.url, token=ready.token, pid=ready.pid)
        simulators.choose_plan(2_000)
        yield Providers(simulators=simulators, books=books)
    finally:
        process.stop()


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What became of a run: ``done``, ``failed: REASON`` or ``unknown: REASON``; with the reasons on the way."""

    run_id: RunId
    outcome: str
    reasons: tuple[str, ...]


def secrets_of(lanes: Iterable[str]) -> dict[str, str]:
    """Return the secrets of lanes as settings name them."""
    return {f"{lane}__{secret}": f"{prefix}{lane}" for lane in lanes for secret, prefix in CREDENTIALS.values()}


def accounts_of(lane: str) -> dict[str, str]:
    """Return a lane's credentials by provider, as the auditor wants them."""
    return {provider: f"{prefix}{lane}" for provider, (_, prefix) in CREDENTIALS.items()}


def settings_of(database: ScratchDatabase, lanes: Iterable[str], **changes: Any) -> Settings:
    """Return settings of a kernel that serves these lanes."""
    options = {"heartbeat": timedelta(seconds=2), "sweep": timedelta(milliseconds=500), **changes}
    return Settings(
        database_app_url=database.app_url,
        secrets=secrets_of(lanes),
        poll=timedelta(milliseconds=50),
        **options,
    )


def pack_of(tools: Mapping[str, Tool] = TOOLS) -> Pack:
    """Return the commerce pack with the fake provider's tools in it."""
    return replace(remit_commerce.pack(), tools=tuple(tools.values()), definitions=(), business_configs=())


class Lanes:
    """A kernel that serves lanes."""

    def __init__(self, kernel: Kernel, providers: Providers, database: ScratchDatabase) -> None:
        self.kernel = kernel
        self.providers = providers
        self.database = database

    async def lay_out(self, lane: str, *, breakers: Mapping[str, BreakerConfig] | None = None) -> None:
        """Make a tenant that may use every tool, at providers where it is known.

        The providers outlive the database of one test: a lane's name is used by no other test, or its books are, too.
        """
        directory, tenant_id = self.kernel.store.directory, TenantId(lane)
        await directory.create_tenant(Tenant(tenant_id=tenant_id, display_name=lane))
        await directory.put_principal(Principal(tenant_id=tenant_id, principal_id=SERVICE, kind="service"))
        subscription = Subscription(
            id="listener", topic="things.*", url="http://127.0.0.1:9/", secret="fake_token", allow_private=True
        )
        config = BusinessConfig(
            name=lane,
            version="1",
            bounds=BOUNDS,
            scopes=tuple(Scope(tool=tool.contract.name, network=tool.contract.network) for tool in TOOLS.values()),
            # The money's own rule, so that nobody is asked: without one, tools that move money always ask.
            approval_rules=tuple(
                ApprovalRule(id=f"{provider}-free", tool=f"{provider}.*", condition="${{ false }}")
                for provider in ("stripe", "printful")
            ),
            breakers=dict(breakers) if breakers is not None else dict.fromkeys(CREDENTIALS, NEVER_OPENS),
            endpoints=self.providers.endpoints(),
            subscriptions=(subscription,),
        )
        body = encode_policy(config)
        await directory.put_policy(tenant_id, digest=Digest(definition_digest(body)), body=body)

    async def lay_out_and_start(self, lane: str, cell: Cell, *, timeout_ms: int) -> RunId:
        """Lay out a lane and submit its run."""
        await self.lay_out(lane)
        return await self.start(lane, cell.scenario, cell.kinds, timeout_ms=timeout_ms)

    async def start(
        self, lane: str, scenario: Scenario, kinds: Sequence[FaultKind], *, timeout_ms: int | None = None
    ) -> RunId:
        """Script a lane's faults, one after the other on what the tool asks for, and submit the run that meets them."""
        run_input: dict[str, Any] = {}
        if scenario.needs_order:
            run_input["order_id"] = await asyncio.to_thread(self._seed, lane)
        await asyncio.to_thread(self.providers.simulators.add_faults, faults(lane, scenario, kinds))
        definition = scenario.definition(timeout_ms=timeout_ms or timeout_of(tuple(kinds)))
        stored = await self.kernel.put_definition(definition, tenant_id=TenantId(lane))
        submitted = await self.kernel.runs.submit(
            TenantId(lane), definition_digest=stored.digest, run_input=run_input, principal_id=SERVICE
        )
        return submitted.run_id

    async def end(self, lane: str, run_id: RunId, scenario: Scenario) -> Ended:
        """Return what became of a run, once that is known: it is over, or a person is asked."""
        run = await self._reach(lane, run_id)
        rows = await self.kernel.store.reader.list_steps(TenantId(lane), run_id)
        own = [stored.row for stored in rows if stored.row.step == step_id(scenario.tool)]
        reasons = tuple(row.reason for row in own if row.reason is not None)
        # Whether the exchange or the pipeline is first to lose patience says nothing about the call.
        last = reasons[-1].replace("TIMED_OUT", "PROVIDER_TIMEOUT") if reasons else "none"
        outcome = {"completed": "done", "waiting": f"unknown: {last}"}.get(run.status, f"{run.status}: {last}")
        return Ended(run_id=run_id, outcome=outcome, reasons=reasons)

    async def run(self, lane: str, scenario: Scenario, kinds: Sequence[FaultKind]) -> Ended:
        """Run a scenario under faults to its end."""
        return await self.end(lane, await self.start(lane, scenario, kinds), scenario)

    async def in_turns(self, acts: Iterable[Coroutine[Any, Any, _Done]]) -> list[_Done]:
        """Do things beside each other, so many at a time."""
        turns = asyncio.Semaphore(BESIDE_MAX)

        async def take_turn(act: Coroutine[Any, Any, _Done]) -> _Done:
            async with turns:
                return await act

        return await asyncio.gather(*(take_turn(act) for act in acts))

    async def run_cells(self, cells: Mapping[str, Cell]) -> tuple[dict[str, Ended], Audit]:
        """Run cells beside each other, and let the auditor look at their lanes."""
        ended = await self.in_turns(self.run(lane, cell.scenario, cell.kinds) for lane, cell in cells.items())
        expected = {lane: len(cell.kinds) for lane, cell in cells.items()}
        return dict(zip(cells, ended, strict=True)), await self.audit(cells, expected=expected)

    async def audit(self, lanes: Iterable[str], *, expected: Mapping[str, int]) -> Audit:
        """Wait until every fault that was scripted has been played, and let the auditor compare books and tables."""
        names = list(lanes)
        credentials = {lane: accounts_of(lane) for lane in names}
        books = auditor.read_books(self.providers.books, credentials)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LATE_SECONDS_MAX):
                # What is executed late is on record only then.
                while any(sum(books.fired(lane).values()) < expected[lane] for lane in names):
                    await pause(0.1)
                    books = auditor.read_books(self.providers.books, credentials)
        verdicts = await auditor.audit(self.database.admin_url, books, names, attempts_max=ATTEMPTS_MAX)
        return Audit(books=books, verdicts=verdicts)

    def _seed(self, lane: str) -> str:
        order = {**sample_order(), "id": next(_ORDERS)}
        return self.providers.simulators.seed_order(order, access_token=accounts_of(lane)["shopify"])

    async def _reach(self, lane: str, run_id: RunId) -> RunSummary:
        reader = self.kernel.store.reader
        run = await reader.get_run(TenantId(lane), run_id)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SECONDS_MAX):
                while not _is_known(run):
                    run = await reader.wait_for_change(
                        TenantId(lane), run_id, after_sequence=run.sequence, timeout_seconds=5.0
                    )
        return run


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One run under faults, in a lane of its own."""

    scenario: Scenario
    kinds: tuple[FaultKind, ...]

    @property
    def name(self) -> str:
        """Return what the cell is called in a table."""
        return " then ".join(kind.value for kind in self.kinds) or "ok"


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What the books say, and what the auditor says of them."""

    books: auditor.Books
    verdicts: Mapping[str, auditor.Verdict]

    def findings(self) -> dict[str, list[str]]:
        """Return what is wrong, by lane."""
        return {lane: verdict.findings for lane, verdict in self.verdicts.items() if verdict.findings}


@contextlib.asynccontextmanager
async def serving(
    database: ScratchDatabase,
    providers: Providers,
    lanes: Sequence[str],
    *,
    tools: Mapping[str, Tool] = TOOLS,
    breakers: Mapping[str, BreakerConfig] | None = None,
) -> AsyncIterator[Lanes]:
    """Run a kernel that serves these lanes, laid out."""
    async with Kernel(packs=[pack_of(tools)], settings=settings_of(database, lanes)) as kernel:
        served = Lanes(kernel, providers, database)
        await served.in_turns(served.lay_out(lane, breakers=breakers) for lane in lanes)
        yield served


def faults(lane: str, scenario: Scenario, kinds: Sequence[FaultKind]) -> list[Fault]:
    """Return the faults of a lane, in order, on what the scenario's tool asks its provider to do."""
    account = auditor.account(accounts_of(lane)[scenario.provider])
    # SendGrid tells the instant of its limit's reset, a minute away, unless told otherwise.
    at_once = {"retry_after_seconds": 0} if scenario.provider == "sendgrid" else {}
    return [
        Fault(
            provider=scenario.provider,
            kind=kind,
            operation=scenario.target,
            account=account,
            hold_seconds=LATE_SECONDS if kind is FaultKind.LATE else 0.2 if kind is FaultKind.DELAYED else 10.0,
            **(at_once if kind is FaultKind.RATE_LIMITED else {}),  # type: ignore[arg-type]
        )
        for kind in kinds
    ]


def _is_known(run: RunSummary) -> bool:
    is_asking = run.status == "waiting" and str(run.waiting_for).startswith("settlement of ")
    return is_asking or RunStatus(run.status) in RUN_TERMINAL


async def pause(seconds: float) -> None:
    """Let others work for a while."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()
