"""A kernel on the real store with scripted tools, and what tests do with it.

Owns: the tenant's remit, definitions made of steps, waiting for runs. Does not know: what a test is about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, Self

import asyncpg
import msgspec

from remit.bootstrap import APPROVER, OPERATOR
from remit.core.canonical import JsonValue
from remit.core.definition import Bounds, Definition, RetryPolicy, Step, ToolStep, definition_digest
from remit.core.states import RUN_TERMINAL, RunStatus
from remit.errors import StoreUnavailableError
from remit.governance.contracts import contract_digest
from remit.governance.policy import ApprovalRule, BusinessConfig, Scope, encode_policy
from remit.ids import ApprovalId, Digest, PrincipalId, RunId, TenantId
from remit.ports.store import Approval, Decision, Principal, RunSummary
from remit.ports.tool import Tool
from remit.settings import Settings
from remit.store import Observer
from remit.testing.database import ScratchDatabase
from tests.crash.kernels import HeldClock, ObservedKernel

TENANT: Final = TenantId("default")
SECOND_APPROVER: Final = PrincipalId("second-approver")
SECONDS_MAX: Final = 10.0
WIDE: Final = Bounds(steps_max=1_000, tool_calls_max=1_000, active_seconds_max=3_600)
QUICK: Final = RetryPolicy(attempts_max=3, delay_initial_ms=1, delay_max_ms=5)


class Stage:
    """One kernel with its tools, on a database of its own."""

    def __init__(
        self,
        database: ScratchDatabase,
        *tools: Tool,
        observer: Observer | None = None,
        clock: HeldClock | None = None,
        heartbeat: timedelta = timedelta(milliseconds=50),
    ) -> None:
        settings = Settings(
            database_app_url=database.app_url,
            tenant=TENANT,
            secrets={f"{TENANT}__bank_key": "s3cret-of-the-bank"},
            lease=timedelta(seconds=20),
            heartbeat=heartbeat,
            sweep=timedelta(milliseconds=10),
            poll=timedelta(milliseconds=50),
        )
        self.database = database
        self.tools = {tool.contract.name: tool for tool in tools}
        self.kernel = ObservedKernel(observer=observer, tools=tools, packs=[], settings=settings)
        self.held = clock
        if clock is not None:
            self.kernel.clock = clock

    async def __aenter__(self) -> Self:
        await self.kernel.start()
        second = Principal(tenant_id=TENANT, principal_id=SECOND_APPROVER, kind="human", roles=("approver",))
        await self.kernel.store.directory.put_principal(second)
        await self.apply()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kernel.stop()

    # --- what a business and its people do -----------------------------------------------------------------

    async def apply(self, **changes: Any) -> None:
        """Make a remit the tenant's: every tool for everybody, but for the changes."""
        config = BusinessConfig(
            name="stage",
            version="1",
            bounds=changes.pop("bounds", WIDE),
            scopes=changes.pop("scopes", tuple(Scope(tool=name) for name in self.tools)),
            **changes,
        )
        body = encode_policy(config)
        await self.kernel.store.directory.put_policy(TENANT, digest=Digest(definition_digest(body)), body=body)
        self.kernel.catalogue.forget(TENANT)

    async def ask_before(self, tool: str, **changes: Any) -> None:
        """Let a person be asked before each call of a tool."""
        await self.apply(approval_rules=(ApprovalRule(id="ask", tool=tool, **changes),))

    async def approval(self) -> Approval:
        """Return the one pending request."""
        (approval,) = await self.kernel.store.approvals.list(TENANT)
        return approval

    async def decide(self, approval: Approval, word: str = "approve", *, by: PrincipalId = APPROVER) -> Approval:
        """Say a person's word on a request."""
        decision = Decision(
            approval_id=ApprovalId(approval.approval_id),
            decision="approve" if word == "approve" else "deny",
            principal_id=by,
            digest=approval.digest,
            reason="because",
        )
        decided = await self.kernel.store.approvals.decide(TENANT, decision)
        await self.kernel.runs.announce(approval.run_id)
        return decided

    # --- runs ----------------------------------------------------------------------------------------------

    def step(self, tool: str, *depends_on: str, step_id: str | None = None, **changes: Any) -> ToolStep:
        """Return a step that calls a tool; by default it is named like the tool's last part."""
        contract = self.tools[tool].contract
        return ToolStep(
            id=step_id or tool.rpartition(".")[2],
            depends_on=depends_on,
            tool=tool,
            tool_version=contract.version,
            contract_digest=changes.pop("digest", contract_digest(contract)),
            **changes,
        )

    async def submit(self, *steps: Step, run_input: JsonValue = None, bounds: Bounds = WIDE, **more: Any) -> RunId:
        """Define a run of these steps and submit it in the operator's name."""
        definition = Definition(name=more.pop("name", "staged"), version="1", steps=steps, bounds=bounds, **more)
        stored = await self.kernel.put_definition(definition)
        submitted = await self.kernel.runs.submit(
            TENANT, definition_digest=stored.digest, run_input=run_input, principal_id=OPERATOR
        )
        return submitted.run_id

    async def end(self, run_id: RunId) -> RunSummary:
        """Return the run once it is over."""
        return await self.reach(run_id, lambda run: RunStatus(run.status) in RUN_TERMINAL)

    async def wait_for(self, run_id: RunId, waiting_for: str) -> RunSummary:
        """Return the run once it waits for something."""
        return await self.reach(run_id, lambda run: run.waiting_for == waiting_for)

    async def reach(self, run_id: RunId, is_there: Callable[[RunSummary], bool]) -> RunSummary:
        """Return the run once a condition holds.

        Raises:
            TimeoutError: it does not hold in time; the message says where the run stands.
        """
        run = await self.kernel.store.reader.get_run(TENANT, run_id)
        with suppress(TimeoutError):
            async with asyncio.timeout(SECONDS_MAX):
                while not is_there(run):
                    run = await self.kernel.store.reader.wait_for_change(
                        TENANT, run_id, after_sequence=run.sequence, timeout_seconds=0.05
                    )
                return run
        if is_there(run):
            return run
        raise TimeoutError(f"{run.status}, waits for {run.waiting_for!r}, entry {run.sequence}: {run.error!r}")

    async def run(self, *steps: Step, **options: Any) -> RunSummary:
        """Submit and return the run once it is over."""
        return await self.end(await self.submit(*steps, **options))

    async def rows(self, run_id: RunId) -> list[tuple[str, str, str | None]]:
        """Return step, status and reason of every finished attempt."""
        found = await self.kernel.store.reader.list_steps(TENANT, run_id)
        return [(step.row.step, step.row.status, step.row.reason) for step in found]

    async def receipts(self, run_id: RunId) -> list[Any]:
        """Return the run's receipts."""
        found = await self.kernel.store.reader.list_receipts(TENANT, run_id=run_id)
        return [stored.receipt for stored in found]

    async def facts(self, run_id: RunId) -> list[dict[str, Any]]:
        """Return the run's journal as data."""
        run = await self.kernel.store.reader.read_run(TENANT, run_id)
        return [fact for entry in run.entries for fact in msgspec.json.decode(entry.payload or b"[]")]

    async def kinds(self, run_id: RunId) -> list[str]:
        """Return the kinds of the run's facts in order."""
        return [fact["fact"] for fact in await self.facts(run_id)]

    async def is_replayed(self, run_id: RunId) -> bool:
        """Whether the run's journal verifies and folds to the same hash and receipts."""
        report = await self.kernel.runs.replay(TENANT, run_id)
        return report.is_verified

    # --- behind the kernel's back --------------------------------------------------------------------------

    async def execute(self, statement: str, *arguments: object) -> str:
        """Run a statement as a superuser."""
        connection = await asyncpg.connect(self.database.admin_url)
        try:
            return await connection.execute(statement, *arguments)
        finally:
            await connection.close()

    async def expire_lease(self) -> None:
        """Let this kernel's worker look dead."""
        assert self.kernel.worker is not None
        await self.execute(
            "update remit.workers set heartbeat_at = heartbeat_at - interval '1 hour', lease = interval '0' "
            "where worker_id = $1",
            self.kernel.worker.worker_id,
        )


class After:
    """An observer that does something once, after a statement was executed and before its reply is read."""

    def __init__(self, statement: str, act: Callable[[], Awaitable[None]]) -> None:
        self._statement = statement
        self._act: Callable[[], Awaitable[None]] | None = act

    async def before(self, statement: str) -> None:
        """Let it leave."""

    async def after(self, statement: str) -> None:
        """Act, the first time."""
        if statement == self._statement and self._act is not None:
            act, self._act = self._act, None
            await act()


class Failing:
    """An observer that lets statements fail: those named, so many times, in one phase.

    Armed with ``fail``; ``failed`` counts.
    """

    def __init__(self) -> None:
        self._statement = ""
        self._phase = ""
        self._times = 0
        self._error: Exception = StoreUnavailableError("cut by the test", retryable=True)
        self.failed = 0

    def fail(self, statement: str, phase: str = "before", *, times: int = 1, error: Exception | None = None) -> None:
        """Let the next executions of a statement fail."""
        self._statement, self._phase, self._times = statement, phase, times
        self._error = error or StoreUnavailableError("cut by the test", retryable=True)

    async def before(self, statement: str) -> None:
        """Fail before a statement leaves, if it is to."""
        self._reach(statement, "before")

    async def after(self, statement: str) -> None:
        """Fail after a statement was executed, if it is to."""
        self._reach(statement, "after")

    def _reach(self, statement: str, phase: str) -> None:
        if (statement, phase) == (self._statement, self._phase) and self._times > 0:
            self._times -= 1
            self.failed += 1
            raise self._error


def reasons(rows: Sequence[tuple[str, str, str | None]]) -> list[str | None]:
    """Return the reasons of the attempts that did not succeed."""
    return [reason for _, _, reason in rows if reason is not None]
