"""Stages 10 to 12: the tool's call, its result's contract, its receipt; and what each failure means for the effect.

Owns: credentials at call time, timeouts, the classification of failures by delivery class, receipts.
Does not know: whether the call may be made; the pipeline asked that before.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

import msgspec
import structlog

from remit.clock import Clock
from remit.core.canonical import JsonValue, canonical_bytes, digest
from remit.core.events import ActionFailed, ActionSucceeded, ActionUnknown, Event
from remit.core.facts import OutboxMessage, Receipt, Usage
from remit.core.states import DeliveryClass
from remit.errors import CanonicalizationError, NotFoundError, RemitError, StoreUnavailableError, ToolError
from remit.governance.contracts import check_result
from remit.governance.outbox import address_outbox, check_outbox
from remit.governance.redaction import Redactor, mask_secrets
from remit.ids import PrincipalId, RunId, StepId, TenantId
from remit.ports.secrets import Secrets
from remit.ports.tool import ToolContext, ToolResult
from remit.runtime.calls import Call, external_key_of, idempotency_key, receipt_id_of
from remit.runtime.entropy import Entropy
from remit.runtime.guards import LeaseGuard

RESULT_BYTES_MAX: Final = 1_000_000
MESSAGE_CHARACTERS_MAX: Final = 500
REASON_CHARACTERS_MAX: Final = 200
REFERENCE_CHARACTERS_MAX: Final = 1_000
NUL: Final = "\x00"
"""What PostgreSQL keeps in no text: a row that holds it would take its whole run out of service."""

CHECKS_PLAIN: Final = "resolve contract permission bounds loop act result"
CHECKS_EFFECT: Final = (
    "resolve contract permission look-up bounds loop approval:not-required breaker intent act result receipt"
)
CHECKS_APPROVED: Final = (
    "resolve contract permission look-up bounds loop approval:given breaker intent act result receipt"
)

_log = structlog.get_logger("remit.outcomes")

_SECRET: Final = "secret"  # noqa: S105 - the name of a class of findings
_SAFE_TO_REPEAT: Final = frozenset(
    {DeliveryClass.PURE, DeliveryClass.LOCAL, DeliveryClass.KEYED, DeliveryClass.QUERYABLE}
)


class Outcomes:
    """Calls tools and says what became of it."""

    def __init__(self, *, clock: Clock, entropy: Entropy, secrets: Secrets, lease: LeaseGuard) -> None:
        self._clock = clock
        self._entropy = entropy
        self._secrets = secrets
        self._lease = lease

    async def call_tool(self, call: Call) -> Event:
        """Make the call, inside its timeout and this worker's lease.

        Raises:
            StoreUnavailableError: the lease could not be made sure of, so nothing was sent.
        """
        seconds = await self._seconds(call)
        try:
            context = self._context(call, seconds)
        except NotFoundError as error:
            return self.failed(call, reason="CREDENTIAL_MISSING", message=error.message, retryable=False)
        started = self._clock.monotonic()
        try:
            async with asyncio.timeout(seconds):
                result = await call.entry.tool.call(call.arguments, context)
        except TimeoutError:
            message = f"expected an answer within {seconds:.1f} s, got none"
            effect = "unknown" if _may_have_acted(call) else "none"
            late = ToolError(message, retryable=True, effect=effect, reason="TIMED_OUT")
            return self._judge(call, late, self._since(started))
        except ToolError as error:
            return self._judge(call, error, self._since(started))
        except Exception as crash:  # boundary: a tool's bug must end its step, not its worker
            effect = "unknown" if _may_have_acted(call) else "none"
            message = f"the tool raised {type(crash).__name__}: {crash}"
            return self._judge(call, ToolError(message, effect=effect, reason="TOOL_CRASHED"), self._since(started))
        return self._accept(call, result, self._since(started))

    async def look_up(self, call: Call) -> Event | None:
        """Ask whether the effect is there already; ``None`` means proven absent, so it may be asked for.

        A tool without a look-up cannot prove anything: the effect is unknown then.
        """
        lookup = call.entry.tool.lookup
        if lookup is None:
            message = "the effect may be there, and this tool has no look-up that could tell"
            return self.unknown(call, reason="LOOKUP_MISSING", message=message)
        started = self._clock.monotonic()
        try:
            seconds = await self._seconds(call)
            async with asyncio.timeout(seconds):
                found = await lookup(call.arguments, self._context(call, seconds))
        except (ToolError, TimeoutError, StoreUnavailableError, NotFoundError) as error:
            # Looking changes nothing, so it may be tried again; the effect stays as unknown as it was.
            message = f"the look-up failed: {error}"
            failure = ToolError(message, retryable=True, effect="unknown", reason="LOOKUP_FAILED")
            return self._failed(call, failure, self._since(started))
        except Exception as crash:  # boundary: a look-up's bug must end its step, not its worker
            message = f"the look-up raised {type(crash).__name__}: {crash}"
            return self.unknown(call, reason="LOOKUP_CRASHED", message=message)
        if found.result is None:
            return None
        return self._accept(call, found.result, self._since(started))

    # --- events ------------------------------------------------------------------------------------

    def adopted(self, call: Call, output: JsonValue, *, receipt_id: str | None) -> ActionSucceeded:
        """Return the first outcome of an equal call."""
        return ActionSucceeded(
            step=call.command.step,
            attempt=call.command.attempt,
            slot=call.command.slot,
            output=output,
            checks="resolve contract permission look-up:adopted",
            policy_digest=call.policy_digest,
            usage=Usage(),
            adopted_from=receipt_id,
        )

    def failed(
        self, call: Call, *, reason: str, message: str, retryable: bool, retry_after_ms: int | None = None
    ) -> ActionFailed:
        """Return a failure before anything was sent."""
        # This attempt sent nothing, which says nothing about those that were sent before it.
        return ActionFailed(
            step=call.command.step,
            attempt=call.command.attempt,
            slot=call.command.slot,
            reason=reason,
            message=message,
            retryable=retryable,
            checks="",
            usage=Usage(),
            jitter=self._entropy.fraction(),
            retry_after_ms=retry_after_ms,
            effect="unknown" if call.doubt == "open" else "none",
        )

    def unknown(self, call: Call, *, reason: str, message: str) -> ActionUnknown:
        """Return that nobody can tell whether the effect happened."""
        return ActionUnknown(
            step=call.command.step,
            attempt=call.command.attempt,
            slot=call.command.slot,
            reason=self._word(reason),
            message=self._clean(message),
        )

    # --- inside ------------------------------------------------------------------------------------

    async def _seconds(self, call: Call) -> float:
        wanted = call.timeout_ms / 1000
        if not _may_have_acted(call):
            return wanted
        try:
            allowed = await self._lease.allow(wanted)
        except RemitError as error:
            message = f"the lease could not be made sure of: {error.message}"
            raise StoreUnavailableError(message, retryable=True) from error
        if allowed <= 0:
            raise StoreUnavailableError("the lease is over")
        return allowed

    def _context(self, call: Call, seconds: float) -> ToolContext:
        contract = call.entry.contract
        credentials = {}
        if contract.credential is not None and call.credential_name is not None:
            credentials[contract.credential] = self._secrets.resolve(call.tenant_id, call.credential_name)
        key = idempotency_key(call)
        return ToolContext(
            tenant_id=TenantId(call.tenant_id),
            run_id=RunId(call.run_id),
            step=StepId(call.command.step),
            attempt=call.command.attempt,
            slot=call.command.slot,
            principal_id=PrincipalId(call.principal_id),
            correlation_id=call.run_id,
            idempotency_key=key,
            external_key=external_key_of(key) if call.command.intent is None else call.command.intent.external_key,
            deadline_seconds=seconds,
            credentials=credentials,
            endpoint=call.endpoint,
            network=contract.network,
        )

    def _since(self, started: float, *, tokens: int = 0, cost_usd_micros: int = 0) -> Usage:
        duration_ms = int((self._clock.monotonic() - started) * 1000)
        return Usage(tokens=tokens, cost_usd_micros=cost_usd_micros, duration_ms=duration_ms)

    def _judge(self, call: Call, error: ToolError, usage: Usage) -> Event:
        """Say what a failure means, given what the delivery class allows."""
        effect = error.effect if _may_have_acted(call) else "none"
        if effect == "none" and call.doubt == "open" and error.retryable:
            effect = "unknown"
        elif effect == "none" and call.doubt == "cleared":
            effect = "absent"
        if effect == "unknown" and call.entry.contract.delivery_class not in _SAFE_TO_REPEAT:
            return self.unknown(call, reason=error.reason, message=error.message)
        judged = ToolError(
            error.message,
            retryable=error.retryable or effect == "unknown",
            effect=effect,
            reason=error.reason,
            retry_after_seconds=error.retry_after_seconds,
        )
        return self._failed(call, judged, usage)

    def _failed(self, call: Call, error: ToolError, usage: Usage) -> ActionFailed:
        seconds = error.retry_after_seconds
        return ActionFailed(
            step=call.command.step,
            attempt=call.command.attempt,
            slot=call.command.slot,
            reason=self._word(error.reason),
            message=self._clean(error.message),
            retryable=error.retryable,
            checks=CHECKS_PLAIN,
            usage=usage,
            jitter=self._entropy.fraction(),
            retry_after_ms=None if seconds is None else int(seconds * 1000),
            effect=error.effect,
        )

    def _clean(self, message: str) -> str:
        """Return a message that holds no secret and no novel."""
        return _plain(Redactor(self._secrets.known_values()).redact_text(message)[:MESSAGE_CHARACTERS_MAX])

    def _word(self, reason: str) -> str:
        """Return a reason as it is kept and shown: it may be a provider's own code, or a tool's slip."""
        return self._clean(reason)[:REASON_CHARACTERS_MAX]

    def _accept(self, call: Call, result: ToolResult, usage: Usage) -> Event:
        """Check a result against its contract and write its receipt."""
        contract = call.entry.contract
        problem = self._problem_of(call, result)
        if problem is not None:
            if _may_have_acted(call):
                return self.unknown(call, reason="RESULT_INVALID", message=problem)
            return self._failed(call, ToolError(problem, reason="RESULT_INVALID"), usage)
        if contract.credential is not None:
            result = self._without_secrets(call, result)
        usage = msgspec.structs.replace(
            usage, tokens=result.tokens, cost_usd_micros=contract.cost_usd_micros + result.cost_usd_micros
        )
        return ActionSucceeded(
            step=call.command.step,
            attempt=call.command.attempt,
            slot=call.command.slot,
            output=result.output,
            checks=self._checks(call),
            policy_digest=call.policy_digest,
            usage=usage,
            receipt=self._receipt(call, result) if contract.has_effect else None,
            outbox=address_outbox(call.config, result.outbox) if result.outbox else (),
        )

    def _problem_of(self, call: Call, result: ToolResult) -> str | None:
        refusal = check_result(call.entry.contract, result.output)
        if refusal is None and result.outbox:
            refusal = check_outbox(call.entry.contract, result.outbox)
        if refusal is not None:
            return refusal.message
        reference = result.external_reference or ""
        if reference != _plain(reference) or len(reference) > REFERENCE_CHARACTERS_MAX:
            return (
                f"expected a reference of at most {REFERENCE_CHARACTERS_MAX} plain characters, got {reference[:100]!r}"
            )
        try:
            size = len(canonical_bytes(result.output))
        except CanonicalizationError as error:
            return error.message
        if size > RESULT_BYTES_MAX:
            return f"expected a result of at most {RESULT_BYTES_MAX} bytes, got {size}"
        if result.outbox and self._holds_secret(result.outbox):
            return "expected messages without secrets, got one that holds a secret; subscribers would learn it"
        return None

    def _without_secrets(self, call: Call, result: ToolResult) -> ToolResult:
        """Return a result without the secrets that tools got: no later step, journal or reader has any use for them."""
        secrets = self._secrets.known_values()
        output = mask_secrets(result.output, secrets)
        reference = mask_secrets(result.external_reference, secrets)
        if output is result.output and reference is result.external_reference:
            return result
        _log.warning("secret_in_result", tool=call.entry.contract.name, run_id=call.run_id, step=call.command.step)
        assert reference is None or isinstance(reference, str)
        return replace(result, output=output, external_reference=reference)

    def _holds_secret(self, messages: tuple[OutboxMessage, ...]) -> bool:
        redactor = Redactor(self._secrets.known_values())
        return any(_SECRET in redactor.redact_value(message.body).findings for message in messages)

    @staticmethod
    def _checks(call: Call) -> str:
        if not call.entry.contract.has_effect:
            return CHECKS_PLAIN
        checks = CHECKS_APPROVED if call.command.approval is not None else CHECKS_EFFECT
        return checks if call.entry.needs_intent else checks.replace(" intent", "")

    def _receipt(self, call: Call, result: ToolResult) -> Receipt:
        contract = call.entry.contract
        key = idempotency_key(call)
        amount = _at_path(call.arguments, contract.amount_path)
        currency = _at_path(call.arguments, contract.currency_path)
        return Receipt(
            receipt_id=receipt_id_of(call.run_id, key),
            tool=contract.name,
            tool_version=contract.version,
            side_effect_level=contract.side_effect_level.value,
            delivery_class=contract.delivery_class.value,
            idempotency_key=key,
            arguments_digest=call.arguments_digest,
            result_digest=digest(result.output),
            external_key=external_key_of(key),
            external_reference=result.external_reference,
            amount_minor=amount if isinstance(amount, int) else None,
            currency=_plain(currency.upper()) if isinstance(currency, str) else None,
            approval_id=None if call.command.approval is None else call.command.approval.approval_id,
        )


def _may_have_acted(call: Call) -> bool:
    """Whether a call that was begun, and whose step is not durable, may have changed something."""
    return call.entry.contract.has_effect and call.entry.acts_outside


def _plain(text: str) -> str:
    """Return a text as any store can keep it: without U+0000 and half characters, which providers do send."""
    return text.replace(NUL, "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


def _at_path(value: JsonValue, path: str | None) -> JsonValue:
    if path is None:
        return None
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value
