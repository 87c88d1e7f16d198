"""The relay: what follows from an attempt, and a loop that asks only when there is a reason."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest

from remit.core.definition import Bounds
from remit.core.states import OutboxStatus
from remit.errors import StoreUnavailableError
from remit.governance.policy import BusinessConfig, Subscription
from remit.ids import Digest, RunId, TenantId, WorkerId
from remit.ports.notifier import Notification, NotifyOutcome
from remit.ports.outbox import OutboxClaim, OutboxDelivery, OutboxRow, OutboxSettlement
from remit.runtime.catalogue import ActivePolicy
from remit.runtime.entropy import SystemEntropy
from remit.runtime.metrics import Metrics
from remit.runtime.relay import IN_FLIGHT_MAX, Relay, RelayOptions, RelayPorts, retry_delay, settlement_of
from remit.testing.outbox import MemoryOutbox, ScriptedNotifier
from tests.unit.runtime.clocks import MovedClock

TENANT = TenantId("acme")
RUN = RunId("01890000-0000-7000-8000-000000000001")
OPTIONS = RelayOptions(worker_id=WorkerId("00000000-0000-0000-0000-000000000001"), hold_initial=timedelta(0))
DELIVERED = NotifyOutcome(result="delivered")
FAILED = NotifyOutcome(result="failed", reason="HTTP_500")
Answer = Callable[[Notification], Awaitable[NotifyOutcome]]

# --- what follows from an attempt -------------------------------------------------------------------------------------


def delivery(attempt: int = 1) -> OutboxDelivery:
    clock = MovedClock()
    claim = OutboxClaim(tenant_id=TENANT, message_id="msg_1", destination="warehouse", leased_until=clock.now())
    return OutboxDelivery(claim=claim, topic="orders.paid", body=b"{}", attempt=attempt, queued_at=clock.now())


def settled(outcome: NotifyOutcome, *, attempt: int = 1, age: timedelta = timedelta(0)) -> OutboxSettlement:
    return settlement_of(delivery(attempt), outcome, options=OPTIONS, age=age, jitter=0.0)


@pytest.mark.parametrize(
    ("attempt", "seconds"),
    [(1, 2), (2, 4), (3, 8), (10, 1024), (13, 8192), (14, 14_400), (15, 14_400), (10_000, 14_400)],
)
def test_pause_doubles_up_to_four_hours(attempt: int, seconds: int) -> None:
    """
    2, 4, 8 seconds and so on; no number of attempts makes it longer than the maximum.
    """
    assert timedelta(seconds=seconds) == retry_delay(OPTIONS, attempt=attempt, jitter=0.0)


def test_jitter_adds_up_to_a_fifth() -> None:
    """
    Messages that failed together are tried again one after the other.
    """
    pauses = [retry_delay(OPTIONS, attempt=3, jitter=jitter) for jitter in (0.0, 0.5, 0.999)]

    assert [8.0, 8.8] == [pause.total_seconds() for pause in pauses[:2]]
    assert timedelta(seconds=9.5) < pauses[2] < timedelta(seconds=9.6)


def test_attempts_fill_three_days() -> None:
    """
    A message that always fails gets a few dozen attempts, and the last one at the age at which it is given up.
    """
    age, attempts = timedelta(0), 0
    while True:
        attempts += 1
        answer = settled(FAILED, attempt=attempts, age=age)
        if answer.status is OutboxStatus.DEAD:
            break
        age += answer.retry_after

    assert timedelta(hours=72) == age
    assert 20 < attempts < 40


def test_outcome_becomes_a_status() -> None:
    """
    Delivered is done, failed is tried again, refused is dead at once; reasons are kept.
    """
    answers = [settled(one) for one in (DELIVERED, FAILED, NotifyOutcome(result="refused", reason="HTTP_410"))]

    assert [
        (OutboxStatus.DELIVERED, None),
        (OutboxStatus.PENDING, "HTTP_500"),
        (OutboxStatus.DEAD, "HTTP_410"),
    ] == [(one.status, one.reason) for one in answers]


def test_receiver_may_ask_for_a_longer_pause() -> None:
    """
    What a receiver asks for counts if it is longer than ours, but not beyond the age at which a message is given up.
    """
    patient = NotifyOutcome(result="failed", reason="HTTP_429", retry_after_seconds=3600)

    assert timedelta(hours=1) == settled(patient).retry_after
    assert timedelta(seconds=14_400) == settled(patient, attempt=20).retry_after
    assert timedelta(minutes=5) == settled(patient, age=timedelta(hours=71, minutes=55)).retry_after


@pytest.mark.parametrize("reason", ["TENANT_PAUSED", "STORE_UNAVAILABLE"])
def test_what_was_not_tried_is_neither_counted_nor_given_up(reason: str) -> None:
    """
    A paused tenant's messages wait as long as it takes.
    """
    answer = settled(NotifyOutcome(result="failed", reason=reason), age=timedelta(days=30))

    assert (OutboxStatus.PENDING, False) == (answer.status, answer.is_attempt)


# --- the loop ---------------------------------------------------------------------------------------------------------


class CountingOutbox(MemoryOutbox):
    """Counts what the relay asks, and is away when told."""

    def __init__(self, clock: MovedClock) -> None:
        super().__init__(clock)
        self.asked: list[str] = []
        self.away: set[str] = set()
        self.settled = asyncio.Event()

    async def claim(self, *arguments: object, **options: object) -> object:  # type: ignore[override]
        self._ask("claim")
        return await super().claim(*arguments, **options)  # type: ignore[arg-type]

    async def load(self, claims: list[OutboxClaim]) -> list[OutboxDelivery]:  # type: ignore[override]
        self._ask("load")
        return await super().load(claims)

    async def settle(self, settlements: list[OutboxSettlement]) -> list[bool]:  # type: ignore[override]
        self._ask("settle")
        answers = await super().settle(settlements)
        self.settled.set()
        return answers

    def _ask(self, name: str) -> None:
        self.asked.append(name)
        if name in self.away:
            self.away.discard(name)
            raise StoreUnavailableError("away", retryable=True)


class FixedCatalogue:
    """A catalogue with one business config for everybody."""

    def __init__(self, *subscriptions: Subscription) -> None:
        config = BusinessConfig(name="shop", version="1.0.0", bounds=Bounds(), subscriptions=subscriptions)
        self.answer = ActivePolicy(digest=Digest("d" * 64), config=config, is_paused=False)

    async def policy(self, tenant_id: TenantId) -> ActivePolicy:
        return self.answer


class FixedSecrets:
    """The same secret for everybody."""

    def resolve(self, tenant_id: TenantId, name: str) -> str:
        return "first\n\n second \n"

    def known_values(self) -> frozenset[str]:
        return frozenset()


class Stage:
    """A relay with everything it is wired to."""

    def __init__(self, answer: Answer) -> None:
        self.clock = MovedClock()
        self.outbox = CountingOutbox(self.clock)
        self.notifier = ScriptedNotifier(answer)
        subscriptions = [
            Subscription(id=f"s{number}", topic="orders.*", url=f"https://s{number}.example/", secret="hooks")
            for number in range(100)
        ]
        self.metrics = Metrics()
        ports = RelayPorts(
            outbox=self.outbox,
            notifier=self.notifier,
            catalogue=FixedCatalogue(*subscriptions),  # type: ignore[arg-type]
            secrets=FixedSecrets(),
            clock=self.clock,
            entropy=SystemEntropy(),
            metrics=self.metrics,
        )
        self.relay = Relay(ports, OPTIONS)

    def publish(self, *destinations: str, message_id: str = "msg_1") -> None:
        row = OutboxRow(
            message_id=message_id, step="a", topic="orders.paid", destinations=destinations or ("s0",), body=b"{}"
        )
        self.outbox.publish(TENANT, RUN, row)

    async def until_settled(self, count: int = 1) -> None:
        async with asyncio.timeout(5):
            while self.outbox.asked.count("settle") < count:
                self.outbox.settled.clear()
                await self.outbox.settled.wait()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A relay whose subscribers take everything."""

    async def deliver(_: Notification) -> NotifyOutcome:
        return DELIVERED

    stage = Stage(deliver)
    stage.relay.start()
    yield stage
    await stage.relay.stop()


async def yield_often() -> None:
    """Let every other task go on until it waits."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_relay_asks_nothing_until_it_is_woken(stage: Stage) -> None:
    """
    A kernel that publishes nothing sends no statement for its outbox.
    """
    stage.publish()
    await yield_often()

    assert [] == stage.outbox.asked


async def test_woken_relay_delivers_what_is_due(stage: Stage) -> None:
    """
    A notification has the message's id and body, the subscription's URL, and each line of its secret.
    """
    stage.publish()
    stage.relay.wake()
    await stage.until_settled()

    (told,) = stage.notifier.received
    (listed,) = await stage.outbox.list(TENANT)
    assert ("msg_1", b"{}", "https://s0.example/", ("first", "second")) == (
        told.message_id, told.body, told.url, told.secrets,
    )  # fmt: skip
    assert (False, stage.clock.now()) == (told.allows_loopback, told.sent_at)
    assert OutboxStatus.DELIVERED == listed.status
    assert 1.0 == stage.metrics.registry.get_sample_value("remit_outbox_attempts_total", {"status": "delivered"})


async def test_relay_stops_asking_when_nothing_is_left(stage: Stage) -> None:
    """
    After the last message it asks once more, and then no more.
    """
    stage.publish()
    stage.relay.wake()
    await stage.until_settled()
    await yield_often()
    asked = len(stage.outbox.asked)
    await yield_often()

    assert asked == len(stage.outbox.asked)
    assert 2 == stage.outbox.asked.count("claim")


@pytest.mark.parametrize("lost", ["claim", "load"])
async def test_outage_delays_and_loses_nothing(stage: Stage, lost: str) -> None:
    """
    A database that is away is asked again; what was claimed before is loaded then.
    """
    stage.outbox.away = {lost}
    stage.publish()
    stage.relay.wake()
    await stage.until_settled()

    assert 1 == len(stage.notifier.received)


async def test_settlement_is_said_until_it_is_heard(stage: Stage) -> None:
    """
    A message that arrived is not sent again because the database was away for a moment.
    """
    stage.outbox.away = {"settle"}
    stage.publish()
    stage.relay.wake()
    await stage.until_settled(2)

    (listed,) = await stage.outbox.list(TENANT)
    assert (1, OutboxStatus.DELIVERED) == (len(stage.notifier.received), listed.status)


async def test_new_time_for_each_attempt_and_the_same_message() -> None:
    """
    Attempts differ in nothing but their time.
    """
    answers = iter([FAILED, DELIVERED])

    async def answer(_: Notification) -> NotifyOutcome:
        return next(answers)

    stage = Stage(answer)
    stage.relay.start()
    stage.publish()
    stage.relay.wake()
    await stage.until_settled()
    stage.clock.advance(60)
    stage.relay.wake()
    await stage.until_settled(2)
    await stage.relay.stop()

    first, second = stage.notifier.received
    assert (first.message_id, first.body, first.url) == (second.message_id, second.body, second.url)
    assert second.sent_at - first.sent_at >= timedelta(seconds=60)


async def test_fault_of_ours_is_a_failed_attempt() -> None:
    """
    A bug ends an attempt in a known way, and the relay goes on.
    """

    async def answer(_: Notification) -> NotifyOutcome:
        raise ZeroDivisionError

    stage = Stage(answer)
    stage.relay.start()
    stage.publish()
    stage.relay.wake()
    await stage.until_settled()
    await stage.relay.stop()

    (listed,) = await stage.outbox.list(TENANT)
    assert (OutboxStatus.PENDING, "KERNEL_FAULT") == (listed.status, listed.reason)


async def test_attempts_are_bounded() -> None:
    """
    Only so many attempts are under way at a time, two for each subscriber; the rest follow as they end.
    """
    gate, waiting = asyncio.Event(), 0

    async def answer(_: Notification) -> NotifyOutcome:
        nonlocal waiting
        waiting += 1
        await gate.wait()
        return DELIVERED

    stage = Stage(answer)
    stage.relay.start()
    for number in range(3):
        stage.publish(*[f"s{place}" for place in range(50)], message_id=f"msg_{number}")
    stage.relay.wake()
    await yield_often()
    under_way = waiting
    gate.set()
    await stage.until_settled(150)
    await stage.relay.stop()

    assert IN_FLIGHT_MAX == under_way
    assert 150 == len(stage.notifier.received)


async def test_stop_lets_attempts_end() -> None:
    """
    What is under way is told to its end and settled; nothing new begins.
    """
    begun, gate = asyncio.Event(), asyncio.Event()

    async def answer(_: Notification) -> NotifyOutcome:
        begun.set()
        await gate.wait()
        return DELIVERED

    stage = Stage(answer)
    stage.relay.start()
    stage.publish()
    stage.relay.wake()
    await begun.wait()
    stage.publish(message_id="msg_2")
    stopping = asyncio.ensure_future(stage.relay.stop())
    await yield_often()
    gate.set()
    await stopping

    assert {"msg_1": OutboxStatus.DELIVERED, "msg_2": OutboxStatus.PENDING} == {
        one.message_id: one.status for one in await stage.outbox.list(TENANT)
    }


async def test_stop_of_a_relay_that_never_began_is_quick(stage: Stage) -> None:
    """
    Stopping twice, or without a message, ends at once.
    """
    await stage.relay.stop()
    await stage.relay.stop()

    assert [] == stage.outbox.asked
