"""What people and programs do with runs: submit, wait, signal, cancel, settle, replay.

Owns: the checks before a run is created, and waiting for one. Does not know: HTTP, terminals.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, Literal

import msgspec
import structlog

from remit.core.canonical import JsonValue
from remit.core.commands import AwaitSettlement
from remit.core.program import Program
from remit.core.state import RunState
from remit.core.states import RUN_TERMINAL, RunStatus
from remit.errors import DefinitionUnrunnableError, IllegalTransitionError, InputInvalidError, PermissionDeniedError
from remit.governance.schemas import compiled_schema
from remit.ids import Digest, PrincipalId, RunId, TenantId
from remit.ports.store import (
    Directory,
    Dispatch,
    Inbox,
    Message,
    Reader,
    RunSummary,
    Submission,
    Submitted,
)
from remit.runtime.catalogue import Catalogue
from remit.runtime.entropy import Entropy
from remit.runtime.replay import ReplayReport, fold_run, replay_run
from remit.runtime.submissions import PreparedSubmission, Submitter, encode_input
from remit.runtime.worker import Worker

WAIT_POLL_SECONDS: Final = 0.5
_log = structlog.get_logger("remit.runs")


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """What a person found out about a parked effect: it ``happened`` (with its output) or is ``absent``."""

    step: str
    outcome: Literal["happened", "absent"]
    decided_by: PrincipalId
    output: JsonValue = None
    reason: str = ""


class RunsPorts(msgspec.Struct, frozen=True, kw_only=True):
    """What ``Runs`` is wired to; ``worker`` is ``None`` in a process that hosts none."""

    directory: Directory
    dispatch: Dispatch
    inbox: Inbox
    reader: Reader
    catalogue: Catalogue
    submitter: Submitter
    entropy: Entropy
    worker: Worker | None


class Runs:
    """The acts on runs of any tenant; the caller has authenticated the principal."""

    def __init__(self, ports: RunsPorts) -> None:
        self._ports = ports
        self._finished: dict[RunId, asyncio.Event] = {}
        self._stirred: dict[RunId, asyncio.Event] = {}
        if ports.worker is not None:
            ports.worker.on_finished = lambda _tenant, run_id: self._announce_finish(run_id)
            ports.worker.on_waiting = lambda _tenant, run_id: self._stir(run_id)

    def _announce_finish(self, run_id: RunId) -> None:
        event = self._finished.pop(run_id, None)
        if event is not None:
            event.set()
        self._stir(run_id)

    def _stir(self, run_id: RunId) -> None:
        event = self._stirred.get(run_id)
        if event is not None:
            event.set()

    async def submit(
        self,
        tenant_id: TenantId,
        *,
        definition_digest: Digest,
        run_input: JsonValue,
        principal_id: PrincipalId,
        submission_key: str | None = None,
        trigger: str | None = None,
    ) -> Submitted:
        """Create a run.

        Raises:
            NotFoundError: the tenant has no such definition.
            InputInvalidError: the input does not match the definition's schema; nothing was created.
            DefinitionUnrunnableError: the definition, stored by another version, is more than this one can run; the
                same holds.
        """
        program = await self._ports.catalogue.program(tenant_id, definition_digest)
        run_input = with_defaults(program.definition.input_schema, run_input)
        require_input(program, run_input)
        policy = await self._ports.catalogue.policy(tenant_id)
        submission = Submission(
            tenant_id=tenant_id,
            definition_digest=definition_digest,
            definition_name=program.definition.name,
            principal_id=principal_id,
            policy_digest=policy.digest,
            input=encode_input(run_input),
            submission_key=submission_key,
            trigger=trigger,
        )
        prepared = PreparedSubmission(submission=submission, program=program, config=policy.config)
        submitted = await self._ports.submitter.submit(prepared)
        if submitted.created and submitted.epoch == 0:
            # Nobody has claimed it yet: a worker of ours that found no room, or one of another process.
            await self._ports.dispatch.announce()
            if self._ports.worker is not None:
                self._ports.worker.wake()
        return submitted

    async def wait(
        self,
        tenant_id: TenantId,
        run_id: RunId,
        *,
        timeout_seconds: float,
        until: Literal["terminal", "at_rest"] = "terminal",
    ) -> RunSummary:
        """Return the run once it is terminal, or as it stands after the timeout.

        ``at_rest`` returns also when the run waits for somebody or something outside: an approval, a signal, an inbound
        event, a settlement. A timer or a retry is no rest.
        """
        event = self._stirred.setdefault(run_id, asyncio.Event())
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_seconds
        summary = await self._ports.reader.get_run(tenant_id, run_id)
        while not _is_done(summary, until=until) and loop.time() < deadline:
            # Another process may move it: the poll is the net under the in-process signal.
            try:
                async with asyncio.timeout(min(WAIT_POLL_SECONDS, max(0.0, deadline - loop.time()))):
                    await event.wait()
            except TimeoutError:
                pass
            event.clear()
            summary = await self._ports.reader.get_run(tenant_id, run_id)
        self._stirred.pop(run_id, None)
        return summary

    async def finished(self, run_id: RunId) -> None:
        """Return when a run that this process's worker owns ends; for a run of another process use ``wait``."""
        worker = self._ports.worker
        if worker is not None and worker.owns(run_id):
            await self._finished.setdefault(run_id, asyncio.Event()).wait()

    async def signal(
        self,
        tenant_id: TenantId,
        run_id: RunId,
        *,
        name: str,
        payload: JsonValue,
        sent_by: PrincipalId,
        message_id: str | None = None,
    ) -> bool:
        """Send a signal; false if the same ``message_id`` was sent before."""
        body: dict[str, JsonValue] = {"name": name, "payload": payload, "sent_by": sent_by}
        message = Message(kind="signal", message_id=message_id or f"signal:{self._ports.entropy.uuid()}", body=body)
        return await self._deliver(tenant_id, run_id, message)

    async def cancel(self, tenant_id: TenantId, run_id: RunId, *, requested_by: PrincipalId, reason: str = "") -> bool:
        """Ask a run to stop; false if somebody asked before."""
        body: dict[str, JsonValue] = {"requested_by": requested_by, "reason": reason}
        return await self._deliver(tenant_id, run_id, Message(kind="cancel", message_id="cancel", body=body))

    async def settle(self, tenant_id: TenantId, run_id: RunId, settlement: Settlement) -> None:
        """Settle a parked effect.

        Raises:
            PermissionDeniedError: the principal is not an active human who is an operator or approver.
            IllegalTransitionError: the step has no parked effect.
        """
        principal = await self._ports.directory.get_principal(tenant_id, settlement.decided_by)
        if principal.kind != "human" or not principal.active:
            message = f"expected an active human to settle an effect, got {principal.kind} {principal.principal_id!r}"
            raise PermissionDeniedError(message)
        state = await self.state(tenant_id, run_id)
        step = settlement.step
        if not isinstance(state.open.get((step, 1)), AwaitSettlement):
            message = f"step {step!r} has no parked effect; `remit runs show` lists those that have"
            raise IllegalTransitionError(message, run_id=run_id, step=step)
        attempt = state.steps[step].attempt
        body: dict[str, JsonValue] = {"slot": 1, **msgspec.structs.asdict(settlement)}
        await self._deliver(tenant_id, run_id, Message(kind="settle", message_id=f"settle:{step}:{attempt}", body=body))

    async def _deliver(self, tenant_id: TenantId, run_id: RunId, message: Message) -> bool:
        is_new = await self._ports.inbox.deliver(tenant_id, run_id, message)
        await self.announce(run_id)
        return is_new

    async def announce(self, run_id: RunId) -> None:
        """Make sure that some worker looks at a run soon."""
        if self._ports.worker is None:
            await self._ports.dispatch.announce()
        else:
            self._ports.worker.wake(run_id)

    def wake(self, run_id: RunId) -> None:
        """Make this process's worker look at a run now."""
        if self._ports.worker is not None:
            self._ports.worker.wake(run_id)

    async def state(self, tenant_id: TenantId, run_id: RunId) -> RunState:
        """Return a run's state, folded from its journal."""
        run = await self._ports.reader.read_run(tenant_id, run_id)
        program = await self._ports.catalogue.program(tenant_id, run.definition_digest)
        return fold_run(run, program)

    async def replay(self, tenant_id: TenantId, run_id: RunId) -> ReplayReport:
        """Verify a run's journal and fold it again; the report says whether everything agrees."""
        run = await self._ports.reader.read_run(tenant_id, run_id)
        summary = await self._ports.reader.get_run(tenant_id, run_id)
        program = await self._ports.catalogue.program(tenant_id, run.definition_digest)
        receipts = await self._ports.reader.list_receipts(tenant_id, run_id=run_id, limit=100_000)
        return replay_run(
            run,
            program,
            recorded_state_hash=summary.state_hash,
            recorded_receipts=[stored.receipt for stored in receipts],
        )

    async def triggered_by(self, tenant_id: TenantId, event: str) -> list[Program]:
        """Return the newest definitions of a tenant that an event of this name may start."""
        programs = []
        for stored in await self._ports.directory.list_definitions(tenant_id):
            try:
                program = await self._ports.catalogue.program(tenant_id, stored.digest)
            except DefinitionUnrunnableError as error:
                # Another version stored it. What it would have started is told; it must not keep others from starting.
                _log.error(
                    "trigger_refused", definition=stored.name, trigger=event, code=error.code, error=error.message
                )
                continue
            if any(trigger.event == event for trigger in program.triggers):
                programs.append(program)
        return programs


def _is_done(run: RunSummary, *, until: Literal["terminal", "at_rest"]) -> bool:
    if RunStatus(run.status) in RUN_TERMINAL:
        return True
    is_resting = run.status == RunStatus.WAITING and not (run.waiting_for or "").startswith(("timer", "retry"))
    return until == "at_rest" and is_resting


def with_defaults(schema: Mapping[str, JsonValue], run_input: JsonValue) -> JsonValue:
    """Return an input in which the members that are absent have the ``default`` of their property, if it has one."""
    properties = schema.get("properties")
    if not isinstance(run_input, dict) or not isinstance(properties, dict):
        return run_input
    defaults = {
        name: member["default"]
        for name, member in properties.items()
        if isinstance(member, dict) and "default" in member
    }
    return {**defaults, **run_input}


def require_input(program: Program, run_input: JsonValue) -> None:
    """Check a run's input against its definition's schema; ``InputInvalidError`` names every mismatch."""
    schema = program.definition.input_schema
    mismatches = compiled_schema(schema).mismatches(run_input) if schema else []
    if mismatches:
        listed = "; ".join(str(mismatch) for mismatch in mismatches)
        raise InputInvalidError(f"the input does not match {program.definition.name}: {listed}")
