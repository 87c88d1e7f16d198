"""The action pipeline: the only caller of tools.

Owns: the order of the twelve stages, and how each outcome becomes an event. Each check is a pure function.
Does not know: how facts are decided or stored. It never suspends by raising: waiting for a person, or for a durable
intent, is an event that it returns; the call comes back later with the approval or the intent on it.

    1 resolve · 2 contract · 3 permission · 4 look-up · 5 bounds · 6 loop · 7 approval · 8 breaker and rate ·
    9 reserve and intend · 10 act · 11 result contract · 12 receipt and trace
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

import msgspec
import orjson
import structlog

from remit.clock import Clock
from remit.core.canonical import JsonValue
from remit.core.commands import CallTool
from remit.core.definition import ToolStep
from remit.core.events import (
    ActionFailed,
    ActionIntended,
    ActionRefused,
    ActionSucceeded,
    ActionSuspended,
    ActionUnknown,
    ApprovalVoided,
    Event,
)
from remit.core.facts import ApprovalRequested, IntentRecorded
from remit.core.program import Program
from remit.core.state import RunState
from remit.core.states import DeliveryClass, Idempotency
from remit.errors import NotFoundError, StoreUnavailableError
from remit.governance.approvals import ApprovalSubject, approval_digest, find_rule
from remit.governance.bounds import check_bounds
from remit.governance.contracts import check_arguments
from remit.governance.loops import check_loop
from remit.governance.policy import ApprovalRule
from remit.governance.scopes import check_permission
from remit.governance.verdicts import Refusal
from remit.ports.reservation import Reservation
from remit.ports.secrets import Secrets
from remit.runtime.calls import Call, ToolBook, UsageView, arguments_key, external_key_of, reserves_key, step_key
from remit.runtime.catalogue import ActivePolicy, Catalogue
from remit.runtime.entropy import Entropy
from remit.runtime.guards import BreakerBook
from remit.runtime.metrics import Metrics
from remit.runtime.outcomes import Outcomes
from remit.runtime.rows import microseconds_of

RATE_WAIT_SECONDS_MAX: Final = 5.0
"""A longer wait for the rate limit gives the attempt back as retryable instead of holding a worker's task."""

KEY_WAIT_SECONDS_MAX: Final = 30.0
KEY_POLL_SECONDS: Final = 0.1

WINDOW_SAFE_FRACTION: Final = 0.8
"""Share of a provider's key window inside which a call is simply sent again (ARCHITECTURE.md, delivery classes)."""

_log = structlog.get_logger("remit.pipeline")


class PipelinePorts(msgspec.Struct, frozen=True, kw_only=True):
    """What the pipeline is wired to."""

    tools: ToolBook
    catalogue: Catalogue
    reservation: Reservation
    secrets: Secrets
    breakers: BreakerBook
    outcomes: Outcomes
    clock: Clock
    entropy: Entropy
    metrics: Metrics


class Pipeline:
    """Takes one call through the stages and returns what happened as an event."""

    def __init__(self, ports: PipelinePorts) -> None:
        self._ports = ports

    def missing_tools(self, program: Program) -> list[str]:
        """Return the names of a definition's tools that this process does not have: it cannot work on its runs."""
        return self._ports.tools.missing(program)

    async def act(self, command: CallTool, state: RunState, *, resumed: bool) -> Event:
        """Run one call.

        Args:
            command: The call as the journal fixed it.
            state: The owner's state, read only, before the first await.
            resumed: The call may have been sent before, by a process that is gone.

        Returns:
            One event of the ``Action…`` family, or ``ApprovalVoided`` when a given approval no longer covers the call.
        """
        policy = self._ports.catalogue.fresh_policy(state.tenant_id)
        if policy is None:
            policy = await self._ports.catalogue.policy(state.tenant_id)
        call = self._resolve(command, state, policy)
        if isinstance(call, Refusal):
            return self._refuse(command, call)
        refusal = self._check(call, state)
        if refusal is not None:
            return self._refuse(command, refusal)
        intent, is_open = command.intent, state.steps[command.step].effect == "unknown"
        if intent is None or (intent.attempt != command.attempt and not is_open):
            # Another attempt at something that did not happen is a call like any other: it counts, a changed policy
            # asks again, and it gets an intent of its own, so that a crash in it is known to be one in it.
            return await self._approach(call, state)
        return await self._resume(call.in_doubt("open") if resumed or is_open else call, intent, resumed=resumed)

    # --- stages 1 to 3: every time -----------------------------------------------------------------

    def _resolve(self, command: CallTool, state: RunState, policy: ActivePolicy) -> Call | Refusal:
        step = state.program.steps[command.step].step
        assert isinstance(step, ToolStep)
        try:
            entry = self._ports.tools.find(step.tool, step.tool_version)
        except NotFoundError as error:
            return Refusal(stage="resolve", code="TOOL_UNKNOWN", message=error.message)
        if entry.contract_digest != step.contract_digest:
            name = f"{step.tool} {step.tool_version}"
            message = f"the contract of {name} changed since this definition was compiled; compile it again"
            return Refusal(stage="resolve", code="TOOL_UNKNOWN", message=message)
        if policy.is_paused:
            return Refusal(stage="permission", code="PERMISSION_DENIED", message="the tenant is paused (kill switch)")
        if policy.config is None:
            message = "the tenant has no business config, so nothing is permitted; apply a remit file"
            return Refusal(stage="permission", code="PERMISSION_DENIED", message=message)
        return Call(
            command=command,
            tenant_id=state.tenant_id,
            run_id=state.run_id,
            principal_id=state.principal_id,
            entry=entry,
            policy_digest=policy.digest,
            config=policy.config,
            arguments=orjson.loads(command.arguments),
            timeout_ms=step.timeout_ms or entry.contract.timeout_ms,
        )

    def _check(self, call: Call, state: RunState) -> Refusal | None:
        contract = call.entry.contract
        refusal = check_arguments(contract, call.arguments)
        if refusal is not None:
            return refusal
        return check_permission(
            call.config,
            principal_id=state.principal_id,
            contract=contract,
            arguments_size=len(call.command.arguments),
        )

    # --- stages 4 to 9: before anything may have happened ------------------------------------------

    async def _approach(self, call: Call, state: RunState) -> Event:
        contract = call.entry.contract
        command = call.command
        refusal = self._within_bounds(call, state) or check_loop(
            state.fingerprints, repeats_max=state.bounds.loop_repeats_max
        )
        if contract.idempotency is Idempotency.ARGUMENTS and contract.has_effect:
            adopted = await self._look_up_key(call)
            if adopted is not None:
                return adopted
        if refusal is not None:
            return self._refuse(command, refusal)
        asked = self._approval(call, state)
        if asked is not None:
            return asked
        held = await self._hold_back(call)
        if held is not None:
            return held
        if call.entry.needs_intent:
            return ActionIntended(intent=self._intent(call))
        return await self._send(call)

    @staticmethod
    def _within_bounds(call: Call, state: RunState) -> Refusal | None:
        contract = call.entry.contract
        usage = UsageView.of(state.usage, call.command, tool=contract.name)
        return check_bounds(state.bounds, usage, tool=contract.name, cost_usd_micros=contract.cost_usd_micros)

    async def _look_up_key(self, call: Call) -> Event | None:
        """Return the first outcome of the same call, once there is one; ``None`` when the key is free."""
        key = arguments_key(call)
        waited = 0.0
        while waited <= KEY_WAIT_SECONDS_MAX:
            known = await self._ports.reservation.find_key(call.tenant_id, key)
            if known is None or (known.run_id, known.step, known.slot) == (
                call.run_id,
                call.command.step,
                call.command.slot,
            ):
                return None
            if known.status == "succeeded":
                output: JsonValue = None if known.outcome is None else orjson.loads(known.outcome)
                return self._ports.outcomes.adopted(call, output, receipt_id=known.receipt_id)
            if known.status == "unknown":
                message = f"the same call in run {known.run_id} is parked as unknown; settle it first"
                return self._ports.outcomes.failed(call, reason="DUPLICATE_UNKNOWN", message=message, retryable=True)
            if known.status == "tombstone":
                return None
            await asyncio.sleep(KEY_POLL_SECONDS)
            waited += KEY_POLL_SECONDS
        message = f"the same call is still under way elsewhere after {KEY_WAIT_SECONDS_MAX:.0f} s"
        return self._ports.outcomes.failed(call, reason="DUPLICATE_IN_PROGRESS", message=message, retryable=True)

    def _approval(self, call: Call, state: RunState) -> Event | None:
        """Ask a person, or check that what was approved is, byte for byte, what would run."""
        command = call.command
        rule = find_rule(
            call.config,
            contract=call.entry.contract,
            arguments=call.arguments,
            run={"id": state.run_id, "tenant": state.tenant_id, "principal": state.principal_id},
        )
        if command.approval is not None:
            request = state.steps[command.step].request
            if request is not None and self._digest(call, request) == command.approval.digest:
                return None
            return ApprovalVoided(
                step=command.step,
                slot=command.slot,
                approval_id=command.approval.approval_id,
                reason="what would run is no longer what was approved",
            )
        if rule is None:
            return None
        return ActionSuspended(request=self._request(call, rule))

    def _request(self, call: Call, rule: ApprovalRule) -> ApprovalRequested:
        ports = self._ports
        expires = ports.clock.now() + timedelta(seconds=rule.timeout_seconds)
        request = ApprovalRequested(
            step=call.command.step,
            attempt=call.command.attempt,
            slot=call.command.slot,
            approval_id=ports.entropy.uuid(),
            rule_id=rule.id,
            reason=rule.reason,
            digest="",
            nonce=ports.entropy.nonce(),
            policy_digest=call.policy_digest,
            contract_digest=call.entry.contract_digest,
            endpoint=call.endpoint or "",
            credential=call.credential_name or "",
            approvers_required=rule.approvers_required,
            expires_us=microseconds_of(expires),
            on_timeout=rule.on_timeout,
        )
        return msgspec.structs.replace(request, digest=self._digest(call, request))

    def _digest(self, call: Call, request: ApprovalRequested) -> str:
        """Return the digest over what would run now, under the request's nonce and expiry."""
        return approval_digest(
            ApprovalSubject(
                tenant_id=call.tenant_id,
                run_id=call.run_id,
                step=call.command.step,
                slot=call.command.slot,
                principal_id=call.principal_id,
                tool=call.entry.contract.name,
                tool_version=call.entry.contract.version,
                contract_digest=call.entry.contract_digest,
                arguments=call.command.arguments,
                credential=call.credential_name or "",
                endpoint=call.endpoint or "",
                policy_digest=call.policy_digest,
                expires_us=request.expires_us,
                nonce=request.nonce,
            )
        )

    async def _hold_back(self, call: Call) -> Event | None:
        contract = call.entry.contract
        if contract.dependency is not None:
            admission = await self._ports.breakers.admit(call)
            if not admission.allowed:
                return self._ports.outcomes.failed(
                    call,
                    reason="DEPENDENCY_UNAVAILABLE",
                    message=f"the breaker of {contract.dependency} is open",
                    retryable=True,
                    retry_after_ms=int(admission.retry_after_seconds * 1000),
                )
        if contract.rate_limit_rpm is None:
            return None
        name = contract.dependency or contract.name
        wait = await self._ports.reservation.take_rate(call.tenant_id, name=name, per_minute=contract.rate_limit_rpm)
        if wait > RATE_WAIT_SECONDS_MAX:
            message = f"the rate of {contract.rate_limit_rpm} a minute is used up for {wait:.0f} s"
            return self._ports.outcomes.failed(
                call, reason="RATE_LIMITED", message=message, retryable=True, retry_after_ms=int(wait * 1000)
            )
        if wait > 0:
            await asyncio.sleep(wait)
        return None

    def _intent(self, call: Call) -> IntentRecorded:
        contract = call.entry.contract
        reserves = reserves_key(contract)
        key = arguments_key(call) if reserves else step_key(call)
        now_us = microseconds_of(self._ports.clock.now())
        first = call.command.intent
        return IntentRecorded(
            step=call.command.step,
            attempt=call.command.attempt,
            slot=call.command.slot,
            tool=contract.name,
            contract_digest=call.entry.contract_digest,
            policy_digest=call.policy_digest,
            delivery_class=contract.delivery_class.value,
            idempotency_key=key,
            external_key=external_key_of(key),
            arguments_digest=call.arguments_digest,
            # The provider's window began when it first saw the key.
            recorded_us=now_us if first is None else first.recorded_us,
            reserves_key=reserves,
        )

    # --- stages 9 to 12: the intent is durable -----------------------------------------------------

    async def _resume(self, call: Call, intent: IntentRecorded, *, resumed: bool) -> Event:
        """Send a call whose intent is durable, or find out what became of it."""
        if intent.attempt == call.command.attempt and not resumed:
            return await self._send(call)
        delivery = call.entry.contract.delivery_class
        if delivery is DeliveryClass.OPAQUE:
            message = "the call may have been sent before the worker stopped, and this tool cannot be asked"
            return self._ports.outcomes.unknown(call, reason="EFFECT_UNKNOWN", message=message)
        if not call.entry.acts_outside:
            return await self._send(call)
        held = await self._hold_back(call)
        if held is not None:
            return held
        if delivery is DeliveryClass.KEYED and self._is_inside_window(call, intent):
            return await self._confirm(call, await self._send(call))
        found = await self._ports.outcomes.look_up(call)
        return found if found is not None else await self._send(call.in_doubt("cleared"))

    async def _confirm(self, call: Call, event: Event) -> Event:
        """A final no may be about this request only: ask whether the one before it had its effect."""
        if call.doubt != "open" or not isinstance(event, ActionFailed) or event.effect != "none":
            return event
        found = await self._ports.outcomes.look_up(call)
        return found if found is not None else msgspec.structs.replace(event, effect="absent")

    def _is_inside_window(self, call: Call, intent: IntentRecorded) -> bool:
        age_seconds = (microseconds_of(self._ports.clock.now()) - intent.recorded_us) / 1e6
        return age_seconds < WINDOW_SAFE_FRACTION * call.entry.contract.key_window_seconds

    async def _send(self, call: Call) -> Event:
        event = await self._ports.outcomes.call_tool(call)
        if call.entry.contract.dependency is not None:
            try:
                await self._ports.breakers.record(call, event)
            except StoreUnavailableError as error:
                # The call was made: what became of it must not be lost, or it would be made again.
                _log.warning("breaker_not_recorded", dependency=call.entry.contract.dependency, error=error.message)
        self._count(event)
        return event

    # --- answers -----------------------------------------------------------------------------------

    def _refuse(self, command: CallTool, refusal: Refusal) -> Event:
        self._ports.metrics.refused(refusal.code)
        return ActionRefused(
            step=command.step,
            attempt=command.attempt,
            slot=command.slot,
            reason=refusal.code,
            message=refusal.message,
            checks=f"{refusal.stage}:refused",
            evidence=refusal.evidence,
        )

    def _count(self, event: Event) -> None:
        match event:
            case ActionSucceeded():
                self._ports.metrics.acted("succeeded")
            case ActionFailed():
                self._ports.metrics.acted("failed")
            case ActionUnknown():
                self._ports.metrics.acted("unknown")
            case _:
                pass
