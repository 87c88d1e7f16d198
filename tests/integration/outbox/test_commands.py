"""``remit outbox``: people see what became of messages, and send dead letters again."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from remit.cli.app import run
from remit.core.states import OutboxStatus
from remit.testing.database import ScratchDatabase, ScratchServer
from tests.integration.outbox.receiver import GONE, Receiver
from tests.integration.outbox.world import kernel_with, publish, relay_on, settings_of, until_listed


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Commands send the process's logs to their standard error, which ends with the test."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def published(scratch_server: ScratchServer) -> Iterator[ScratchDatabase]:
    """A database with two messages: one is a dead letter, one was delivered."""
    with asyncio.Runner() as runner:
        scratch = runner.run(scratch_server.create())
        runner.run(publish_two(scratch))
        yield scratch
        runner.run(scratch_server.drop(scratch))


async def publish_two(scratch: ScratchDatabase) -> None:
    async with Receiver(GONE) as receiver, kernel_with(scratch, receiver.url, has_relay=False) as kernel:
        async with relay_on(scratch, kernel):
            await publish(kernel)
            await until_listed(kernel, lambda listed: listed[0].status == OutboxStatus.DEAD)
        receiver.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        async with relay_on(scratch, kernel):
            await publish(kernel)
            await until_listed(kernel, lambda listed: listed[0].status == OutboxStatus.DELIVERED)


def said(scratch: ScratchDatabase, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and standard output of a command."""
    capsys.readouterr()
    code = run(list(words), settings=settings_of(scratch))
    return code, capsys.readouterr().out


def listed(scratch: ScratchDatabase, capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    code, output = said(scratch, capsys, "outbox", "list", "--format", "json", *words)
    assert 0 == code
    return json.loads(output)["messages"]


def test_list_shows_what_became_of_messages(published: ScratchDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Newest first, with subscriber, status, tries and the reason of the last failure; a status picks.
    """
    everything = listed(published, capsys)
    dead = listed(published, capsys, "--status", "dead")
    _, table = said(published, capsys, "outbox", "list")

    assert [("delivered", 1, None), ("dead", 1, "HTTP_410")] == [
        (one["status"], one["attempt_count"], one["reason"]) for one in everything
    ]
    assert everything[1:] == dead
    assert {"subscriber-0"} == {one["subscriber"] for one in everything}
    for word in ("orders.paid", "subscriber-0", "HTTP_410", dead[0]["message_id"][:12]):
        assert word in table


def test_dead_letter_is_sent_again(published: ScratchDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    """
    A beginning of its id is enough; what was delivered is left alone.
    """
    delivered, dead = listed(published, capsys)

    first = said(published, capsys, "outbox", "retry", dead["message_id"][:12])
    second = said(published, capsys, "outbox", "retry", delivered["message_id"], "--format", "json")

    assert (0, "1 due now\n") == first
    assert (0, {"due": 0}) == (second[0], json.loads(second[1]))
    assert "pending" == listed(published, capsys)[1]["status"]


def test_all_dead_letters_are_sent_again(published: ScratchDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    """
    One command makes every dead letter due.
    """
    code, output = said(published, capsys, "outbox", "retry", "--dead")

    assert (0, "1 due now\n") == (code, output)
    assert [] == listed(published, capsys, "--status", "dead")


@pytest.mark.parametrize(
    "words", [[], ["msg_00000000", "--dead"], ["--dead", "--to", "subscriber-0"], ["msg_00000000"], ["m"]], ids=str
)
def test_unclear_wish_is_refused(
    published: ScratchDatabase, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """
    Neither, both, or what names no message: exit code 2, and nothing is sent.
    """
    code, _ = said(published, capsys, "outbox", "retry", *words)

    assert 2 == code
    assert "dead" == listed(published, capsys)[1]["status"]
