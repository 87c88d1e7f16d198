"""From a step that publishes to its subscribers: signed, at least once, under one id, whatever happens in between."""


from remit.core.states import RunStatus
from remit.testing.database import ScratchDatabase
from tests.integration.outbox.receiver import Receiver, instant_of
from tests.integration.outbox.world import TENANT, kernel_with, publish


async def test_what_a_step_publishes_arrives_signed(scratch: ScratchDatabase, receiver: Receiver) -> None:
    """
    A run's message reaches its subscriber with a signature that the library verifies, and the run has its receipt.
    """
    async with kernel_with(scratch, receiver.url) as kernel:
        (run,) = await publish(kernel)
        await receiver.until(lambda seen: len(seen.received) == 1)
        receipts = await kernel.store.reader.list_receipts(TENANT, run_id=run.run_id)

    (received,) = receiver.received
    body = received.verified()
    assert RunStatus.COMPLETED == run.status
    assert ("orders.paid", {"order": 0}, "order-0") == (body["type"], body["data"], body["key"])
    assert f'"{received.message_id}"'.encode() == run.output
    assert ("POST", "/in", "application/json") == (received.method, received.path, received.headers["content-type"])
    assert run.created_at <= instant_of(received) <= run.updated_at
    assert [("outbox.publish", "local")] == [(one.receipt.tool, one.receipt.delivery_class) for one in receipts]
