"""The lookout: finds stuck runs, tells the metrics, and gathers what is known of one for whoever has to help it.

Owns: the loop, and collecting what the judgement needs.
Does not know: SQL; what "stuck" means is in ``stuck``. It only reads: nothing is repaired behind the kernel's back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog

from remit.core.canonical import JsonValue
from remit.core.commands import CallTool
from remit.core.definition import ToolStep
from remit.core.program import Program
from remit.core.state import RunState
from remit.errors import NotFoundError, RemitError
from remit.ids import ApprovalId, RunId, TenantId
from remit.ports.store import Approvals, Reader
from remit.ports.suspects import Suspect, Suspects
from remit.ports.tool import ToolSource
from remit.runtime.catalogue import Catalogue
from remit.runtime.dump import DumpSources, dump_run, requests_of
from remit.runtime.metrics import Metrics
from remit.runtime.replay import fold_run
from remit.runtime.stuck import Circumstances, StuckReason, StuckRun, judge

SUSPECTS_MAX: Final = 1_000
"""Of one tenant at a time; more are as bad."""

CALL_SECONDS_ASSUMED: Final = 30.0
"""The time-out of a call of a tool that this process does not have: the default of contracts."""

_log = structlog.get_logger("remit.lookout")


class LookoutPorts(msgspec.Struct, frozen=True, kw_only=True):
    """What a lookout is wired to."""

    suspects: Suspects
    reader: Reader
    approvals: Approvals
    catalogue: Catalogue
    tools: ToolSource
    metrics: Metrics


class LookoutOptions(msgspec.Struct, frozen=True, kw_only=True):
    """``patience``: how long a run may not move that should. ``interval``: the pause between two looks."""

    patience: timedelta
    interval: timedelta


class Lookout:
    """Looks for stuck runs when asked and, once started, again and again.

    ``found`` are the numbers of the last look of the loop, by reason; ``None`` before the first.
    """

    def __init__(self, ports: LookoutPorts, options: LookoutOptions) -> None:
        self._ports = ports
        self._options = options
        self._loop: asyncio.Task[None] | None = None
        self.found: dict[str, int] | None = None

    @property
    def patience(self) -> timedelta:
        """How long a run may not move that should."""
        return self._options.patience

    def start(self) -> None:
        """Look again and again until stopped."""
        self._loop = asyncio.create_task(self._run(), name="lookout")

    async def stop(self) -> None:
        """End the loop."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)

    async def find(
        self, tenant_id: TenantId, *, run_ids: Sequence[RunId] | None = None, patience: timedelta | None = None
    ) -> list[StuckRun]:
        """Return a tenant's stuck runs, the longest stuck first."""
        chosen = self._options.patience if patience is None else patience
        workers, _ = await self._ports.suspects.list_workers()
        suspects, now = await self._ports.suspects.list_suspects(tenant_id, run_ids=run_ids, limit=SUSPECTS_MAX)
        known = {worker.worker_id: worker for worker in workers}
        around = Circumstances(now=now, patience=chosen, workers=known)
        found = [stuck for suspect in suspects if (stuck := await self._judge(tenant_id, suspect, around)) is not None]
        return sorted(found, key=lambda stuck: stuck.since)

    async def find_all(self, *, patience: timedelta | None = None) -> list[StuckRun]:
        """Return the stuck runs of every tenant: for operators of the installation."""
        chosen = self._options.patience if patience is None else patience
        tenants = await self._ports.suspects.list_suspect_tenants(patience=chosen)
        return [stuck for tenant_id in tenants for stuck in await self.find(tenant_id, patience=chosen)]

    async def dump(self, tenant_id: TenantId, run_id: RunId, stuck: StuckRun | None = None) -> dict[str, JsonValue]:
        """Return a run's redacted state as JSON data.

        Raises:
            NotFoundError: the tenant has no such run.
        """
        summary = await self._ports.reader.get_run(tenant_id, run_id)
        run = await self._ports.reader.read_run(tenant_id, run_id)
        program = await self._ports.catalogue.program(tenant_id, run.definition_digest)
        workers, now = await self._ports.suspects.list_workers()
        asked = [await self._ports.approvals.get(tenant_id, ApprovalId(asked_id)) for asked_id in requests_of(run)]
        sources = DumpSources(summary=summary, run=run, program=program, approvals=asked, workers=workers, now=now)
        return dump_run(sources, stuck)

    async def _judge(self, tenant_id: TenantId, suspect: Suspect, around: Circumstances) -> StuckRun | None:
        """Judge by what costs nothing first; only who looks stuck is looked at closely."""
        stuck = judge(tenant_id, suspect, around)
        is_at_rest = suspect.worker_id is None and suspect.claimable_at is None
        if is_at_rest or suspect.quarantined_at is not None:
            return stuck
        if around.now - suspect.updated_at <= around.patience:
            return stuck
        try:
            program = await self._ports.catalogue.program(tenant_id, suspect.definition_digest)
        except RemitError as error:
            _log.warning("definition_unreadable", run_id=suspect.run_id, error=error.message)
            return stuck
        around = msgspec.structs.replace(around, tools=tools_of(program))
        stuck = judge(tenant_id, suspect, around)
        if stuck is None or stuck.reason is not StuckReason.SILENT:
            return stuck
        calls_end_at = await self._calls_end_at(tenant_id, suspect, program)
        return judge(tenant_id, suspect, msgspec.structs.replace(around, calls_end_at=calls_end_at))

    async def _calls_end_at(self, tenant_id: TenantId, suspect: Suspect, program: Program) -> datetime | None:
        """Return when the last of a run's open calls must have ended; ``None`` if it has none or cannot be read."""
        try:
            state = fold_run(await self._ports.reader.read_run(tenant_id, suspect.run_id), program)
        except RemitError as error:
            _log.warning("run_unreadable", run_id=suspect.run_id, error=error.message)
            return None
        seconds = [self._seconds_of(state, command) for command in state.open.values() if isinstance(command, CallTool)]
        return suspect.updated_at + timedelta(seconds=max(seconds)) if seconds else None

    def _seconds_of(self, state: RunState, call: CallTool) -> float:
        step = state.program.steps[call.step].step
        assert isinstance(step, ToolStep)
        if step.timeout_ms is not None:
            return step.timeout_ms / 1000
        try:
            return self._ports.tools.get(step.tool, step.tool_version).contract.timeout_ms / 1000
        except NotFoundError:
            return CALL_SECONDS_ASSUMED

    async def _run(self) -> None:
        while True:  # bound: cancelled by ``stop``
            await asyncio.sleep(self._options.interval.total_seconds())
            try:
                self._tell(await self.find_all())
            except RemitError as error:
                _log.warning("lookout_failed", error=error.message)

    def _tell(self, found: list[StuckRun]) -> None:
        ages: dict[str, list[float]] = {reason.value: [] for reason in StuckReason}
        for stuck in found:
            ages[stuck.reason.value].append(stuck.age.total_seconds())
        self._ports.metrics.stuck({reason: (len(each), max(each, default=0.0)) for reason, each in ages.items()})
        counts = {reason: len(each) for reason, each in ages.items() if each}
        if counts != (self.found or {}):
            _log.warning("runs_stuck", **counts)
        self.found = counts


def tools_of(program: Program) -> frozenset[str]:
    """Return the names of a definition's tools."""
    return frozenset(step.step.tool for step in program.steps.values() if isinstance(step.step, ToolStep))
