"""Webhooks in: from raw bytes to a stored event, waiting runs that get it, and runs that it starts.

Owns: the order: endpoint → tenant → signature over raw bytes → strict parsing → stored once → delivered → triggers.
Does not know: HTTP. Triggers run for duplicates too: a crash after storing must not lose a run, and the submission key
makes a second submission harmless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import structlog

from remit.clock import Clock
from remit.core.program import CompiledTrigger, Program
from remit.errors import EvaluationError, NotFoundError, RemitError, SignatureInvalidError
from remit.ids import RunId, TenantId
from remit.ports.secrets import Secrets
from remit.ports.store import Endpoints, InboundEvent, InboundReceived, Inbox, Submitted, WebhookEndpoint
from remit.ports.webhook import WebhookSource
from remit.runtime.metrics import Metrics
from remit.runtime.runs import Runs

BODY_BYTES_MAX: Final = 256 * 1024

_log = structlog.get_logger("remit.ingress")


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one webhook delivery."""

    received: InboundReceived
    started: tuple[RunId, ...] = ()


class IngressPorts(msgspec.Struct, frozen=True, kw_only=True):
    """What the ingress is wired to. ``endpoints`` finds the tenant of a path segment."""

    endpoints: Endpoints
    inbox: Inbox
    secrets: Secrets
    runs: Runs
    clock: Clock
    metrics: Metrics


class Ingress:
    """Takes webhook deliveries."""

    def __init__(self, ports: IngressPorts, sources: Sequence[WebhookSource]) -> None:
        self._ports = ports
        self._sources = {source.name: source for source in sources}

    async def receive(self, endpoint_id: str, *, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Verify, store and act on one delivery; the same delivery again changes nothing.

        Args:
            endpoint_id: The unguessable segment of the path.
            headers: Names in lower case.
            body: The raw bytes, at most ``BODY_BYTES_MAX``.

        Raises:
            NotFoundError: no such endpoint, or its source is not installed.
            SignatureInvalidError: not genuine; nothing was stored.
            JsonSyntaxError, InputInvalidError: genuine but unreadable; nothing was stored.
        """
        endpoint = await self._ports.endpoints.find_endpoint(endpoint_id)
        source = None if endpoint is None else self._sources.get(endpoint.source)
        if endpoint is None or source is None:
            raise NotFoundError("there is no such webhook endpoint")
        secret = self._ports.secrets.resolve(endpoint.tenant_id, endpoint.secret_name)
        try:
            source.verify(headers=headers, body=body, secret=secret, now=self._ports.clock.now())
        except SignatureInvalidError:
            self._ports.metrics.received(endpoint.source, "forged")
            raise
        event = source.parse(headers=headers, body=body)
        received = await self._ports.inbox.receive(endpoint.tenant_id, event)
        self._ports.metrics.received(endpoint.source, received.status)
        if received.status == "conflict":
            _log.error("inbound_conflict", source=event.source, event_key=event.event_key)
            return Delivery(received=received)
        for run_id in received.delivered_to:
            self._ports.runs.wake(run_id)
        submitted = await self._start_runs(endpoint, event)
        if submitted and received.held:
            await self._ports.inbox.mark_started(endpoint.tenant_id, received.inbound_id)
            received = msgspec.structs.replace(received, held=False)
        return Delivery(received=received, started=tuple(run.run_id for run in submitted if run.created))

    async def _start_runs(self, endpoint: WebhookEndpoint, event: InboundEvent) -> list[Submitted]:
        """Submit every run that this event is to start; those that it started before are found by their keys."""
        submitted = []
        for program in await self._ports.runs.triggered_by(endpoint.tenant_id, event.name):
            for trigger in program.triggers:
                if trigger.event == event.name:
                    run = await self._start_run(endpoint, program, trigger, event)
                    submitted.extend([] if run is None else [run])
        return submitted

    async def _start_run(
        self, endpoint: WebhookEndpoint, program: Program, trigger: CompiledTrigger, event: InboundEvent
    ) -> Submitted | None:
        scope = {"event": event.body}
        try:
            if trigger.condition is not None and not trigger.condition.evaluate_bool(scope):
                return None
            key = trigger.key.render(scope)
            run_input = trigger.input.render(scope)
        except EvaluationError as error:
            _log.error("trigger_failed", definition=program.definition.name, trigger=event.name, error=error.message)
            return None
        try:
            return await self._ports.runs.submit(
                TenantId(endpoint.tenant_id),
                definition_digest=program.digest,
                run_input=run_input,
                principal_id=endpoint.principal_id,
                submission_key=str(key),
                trigger=event.name,
            )
        except RemitError as error:
            if getattr(error, "retryable", False):
                raise
            _log.error("trigger_refused", definition=program.definition.name, trigger=event.name, error=error.message)
            return None
