"""The relay: takes what steps published from the outbox to its subscribers.

Owns: the loop of claims, when a message is tried again, and when it is given up. One relay per worker process.
Does not know: SQL, HTTP; the outbox keeps messages, the notifier tells subscribers.

Delivery is at least once: a message is claimed under a lease, told of, and settled. A relay that dies in between leaves
the lease to end by itself, and the next attempt, by whoever makes it, has the same id.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

import msgspec
import structlog

from remit.clock import Clock
from remit.core.states import OutboxStatus
from remit.errors import NotFoundError, RemitError, SettingsInvalidError, StoreUnavailableError
from remit.governance.outbox import find_subscription
from remit.ids import WorkerId
from remit.ports.notifier import Notification, Notifier, NotifyOutcome
from remit.ports.outbox import Outbox, OutboxClaim, OutboxDelivery, OutboxSettlement
from remit.ports.secrets import Secrets
from remit.runtime.catalogue import Catalogue
from remit.runtime.entropy import Entropy
from remit.runtime.holds import Holds
from remit.runtime.metrics import Metrics

IN_FLIGHT_MAX: Final = 64
"""Attempts of one process at a time: so many slow subscribers, at two each, are needed to hold up a fast one."""

EACH_MAX: Final = 2
"""Attempts for one subscriber at a time, over all processes: the second one hides the latency of the first."""

JITTER_RATIO: Final = 0.2
OUTAGE_DELAY_SECONDS: Final = 0.5
SETTLE_TRIES_MAX: Final = 20
DUE_SLACK_SECONDS: Final = 0.005
"""Only the database says that something is due; asking a moment later than estimated saves asking twice."""

TENANT_PAUSED: Final = "TENANT_PAUSED"
_NOT_TRIED: Final = frozenset({TENANT_PAUSED, StoreUnavailableError.code})
"""Reasons for which nothing was tried: neither the message nor its subscriber is to blame."""

NOT_TRIED_SECONDS: Final = 30.0

_log = structlog.get_logger("remit.relay")


class RelayOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a relay paces itself.

    The n-th attempt that fails is followed by a pause of ``delay_initial`` times 2 to the n - 1, at most ``delay_max``,
    plus up to a fifth. A message is given up when an attempt fails after ``age_max``. A subscriber that fails three
    times in a row gets nothing for ``hold_initial``, then for twice that, up to a minute. ``lease`` must be longer than
    an attempt can take; it is what a crash costs.
    """

    worker_id: WorkerId
    delay_initial: timedelta = timedelta(seconds=2)
    delay_max: timedelta = timedelta(hours=4)
    age_max: timedelta = timedelta(hours=72)
    hold_initial: timedelta = timedelta(seconds=1)
    lease: timedelta = timedelta(seconds=60)
    shutdown_seconds: float = 20.0


class RelayPorts(msgspec.Struct, frozen=True, kw_only=True):
    """What a relay is wired to."""

    outbox: Outbox
    notifier: Notifier
    catalogue: Catalogue
    secrets: Secrets
    clock: Clock
    entropy: Entropy
    metrics: Metrics


class Relay:
    """Runs until stopped; asks the outbox only when woken, or when something it knows of becomes due."""

    def __init__(self, ports: RelayPorts, options: RelayOptions) -> None:
        self._ports = ports
        self._options = options
        self._holds = Holds(ports.clock, seconds_initial=options.hold_initial.total_seconds())
        self._wake = asyncio.Event()
        self._claimed: list[OutboxClaim] = []
        self._attempts: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._is_stopping = False

    def start(self) -> None:
        """Begin to deliver what is claimed after the first `wake`."""
        self._loop = asyncio.create_task(self._run(), name="relay")

    def wake(self) -> None:
        """Look for messages now: this process published some, or the database says that some are due."""
        self._wake.set()

    async def stop(self) -> None:
        """Claim nothing more and let attempts under way end; what is not done then is cancelled, as in a crash."""
        self._is_stopping = True
        self._wake.set()
        if self._loop is not None:
            # What a claim under way brings is begun before the attempts are waited for.
            await self._finish({self._loop})
        await self._finish(set(self._attempts))

    async def _finish(self, tasks: set[asyncio.Task[None]]) -> None:
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=self._options.shutdown_seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    # --- claims ------------------------------------------------------------------------------------

    async def _run(self) -> None:
        await self._wake.wait()
        while not self._is_stopping:
            self._wake.clear()
            try:
                pause = await self._claim_once()
            except RemitError as error:
                # Whatever it is, a relay that stops delivers nothing any more.
                _log.warning("outbox_claim_failed", error=error.message)
                await asyncio.sleep(OUTAGE_DELAY_SECONDS)
                self._wake.set()
                continue
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _claim_once(self) -> float | None:
        """Start attempts for what is due; return the seconds until something else is, as far as this process knows."""
        await self._begin_all()
        room = IN_FLIGHT_MAX - len(self._attempts)
        if room <= 0:
            return None  # the end of an attempt makes room
        answer = await self._ports.outbox.claim(
            self._options.worker_id, limit=room, each=EACH_MAX, lease=self._options.lease, held=self._holds.current()
        )
        self._ports.clock.observe(answer.now)
        self._claimed += answer.claims
        await self._begin_all()
        pauses = [self._holds.seconds_to_next()]
        if answer.next_due_at is not None:
            seconds = (answer.next_due_at - self._ports.clock.now()).total_seconds()
            pauses.append(max(0.0, seconds) + DUE_SLACK_SECONDS)
        return min((pause for pause in pauses if pause is not None), default=None)

    async def _begin_all(self) -> None:
        """Start attempts for what is claimed; after an outage also for what could not be read then."""
        deliveries = await self._ports.outbox.load(self._claimed) if self._claimed else []
        self._claimed = []
        for delivery in deliveries:
            self._begin(delivery)

    # --- attempts ----------------------------------------------------------------------------------

    def _begin(self, delivery: OutboxDelivery) -> None:
        task = asyncio.create_task(self._attempt(delivery))
        self._attempts.add(task)
        task.add_done_callback(self._end)
        self._ports.metrics.relaying(len(self._attempts))

    def _end(self, task: asyncio.Task[None]) -> None:
        self._attempts.discard(task)
        self._ports.metrics.relaying(len(self._attempts))
        self._wake.set()  # there is room, and perhaps more for the same subscriber

    async def _attempt(self, delivery: OutboxDelivery) -> None:
        started = self._ports.clock.monotonic()
        try:
            async with asyncio.timeout(self._options.lease.total_seconds() / 2):
                outcome = await self._notify(delivery)
        except TimeoutError:
            outcome = NotifyOutcome(result="failed", reason="TIMED_OUT")
        except RemitError as error:
            outcome = NotifyOutcome(result="failed", reason=error.code)
        except Exception as fault:  # boundary: a bug of ours ends this attempt in a known way, not the relay
            _log.exception("relay_fault", message_id=delivery.claim.message_id, error=type(fault).__name__)
            outcome = NotifyOutcome(result="failed", reason="KERNEL_FAULT")
        self._hold(delivery, outcome)
        settled = settlement_of(
            delivery,
            outcome,
            options=self._options,
            age=self._ports.clock.now() - delivery.queued_at,
            jitter=self._ports.entropy.fraction(),
        )
        await self._settle(settled)
        self._ports.metrics.relayed(settled.status.value, self._ports.clock.monotonic() - started)
        if settled.status is OutboxStatus.DEAD:
            _log.error("message_dead", message_id=settled.claim.message_id, reason=settled.reason)

    async def _notify(self, delivery: OutboxDelivery) -> NotifyOutcome:
        """Tell a subscriber, as the business config in force says."""
        claim = delivery.claim
        policy = await self._ports.catalogue.policy(claim.tenant_id)
        if policy.is_paused:
            return NotifyOutcome(result="failed", reason=TENANT_PAUSED)
        subscription = None if policy.config is None else find_subscription(policy.config, claim.destination)
        if subscription is None:
            return NotifyOutcome(result="refused", reason="SUBSCRIPTION_MISSING")
        try:
            secret = self._ports.secrets.resolve(claim.tenant_id, subscription.secret)
        except (NotFoundError, SettingsInvalidError):
            return NotifyOutcome(result="failed", reason="SECRET_MISSING")
        return await self._ports.notifier.notify(
            Notification(
                message_id=claim.message_id,
                body=delivery.body,
                sent_at=self._ports.clock.now(),
                url=subscription.url,
                secrets=tuple(line.strip() for line in secret.splitlines() if line.strip()),
                allows_loopback=subscription.allow_private,
            )
        )

    def _hold(self, delivery: OutboxDelivery, outcome: NotifyOutcome) -> None:
        """Leave a subscriber alone that fails again and again: its queue must not cost an attempt each."""
        place = delivery.claim.place
        if outcome.reason in _NOT_TRIED:
            self._holds.hold(place, NOT_TRIED_SECONDS)
        elif outcome.result == "failed":
            self._holds.failed(place)
        else:
            self._holds.answered(place)

    async def _settle(self, settlement: OutboxSettlement) -> None:
        for _ in range(SETTLE_TRIES_MAX):
            try:
                await self._ports.outbox.settle([settlement])
            except StoreUnavailableError as error:
                _log.warning("outbox_settle_failed", message_id=settlement.claim.message_id, error=error.message)
                await asyncio.sleep(OUTAGE_DELAY_SECONDS)
            else:
                return
        # The lease ends by itself, and the message goes out once more under the same id.


def settlement_of(
    delivery: OutboxDelivery, outcome: NotifyOutcome, *, options: RelayOptions, age: timedelta, jitter: float
) -> OutboxSettlement:
    """Return what follows from an attempt: delivered, tried again, or the dead letter.

    Args:
        delivery: What was tried.
        outcome: What became of it.
        options: The pauses and the age at which a message is given up.
        age: How long it has been tried.
        jitter: Fraction in [0, 1).
    """
    claim, reason = delivery.claim, outcome.reason
    if outcome.result == "delivered":
        return OutboxSettlement(claim=claim, status=OutboxStatus.DELIVERED)
    if reason in _NOT_TRIED:
        pause = timedelta(seconds=NOT_TRIED_SECONDS)
        return OutboxSettlement(
            claim=claim, status=OutboxStatus.PENDING, reason=reason, retry_after=pause, is_attempt=False
        )
    if outcome.result == "refused" or age >= options.age_max:
        return OutboxSettlement(claim=claim, status=OutboxStatus.DEAD, reason=reason)
    delay = max(
        retry_delay(options, attempt=delivery.attempt, jitter=jitter),
        timedelta(seconds=outcome.retry_after_seconds or 0.0),
    )
    # The last attempt is made at the age at which a failure is final, not somewhere before it.
    return OutboxSettlement(
        claim=claim, status=OutboxStatus.PENDING, reason=reason, retry_after=min(delay, options.age_max - age)
    )


def retry_delay(options: RelayOptions, *, attempt: int, jitter: float) -> timedelta:
    """Return the pause after a failed attempt, which counts from 1.

    delay = min(delay_max, delay_initial * 2 ** (attempt - 1)) * (1 + jitter / 5)
    """
    doublings = min(attempt - 1, 40)  # beyond any maximum, and far from overflow
    delay = min(options.delay_max, options.delay_initial * (1 << doublings))
    return delay * (1 + JITTER_RATIO * jitter)
