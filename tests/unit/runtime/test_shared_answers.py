"""One question for all who ask at the same time, and one heartbeat for all who renew."""

from __future__ import annotations

import asyncio

import pytest

from remit.clock import DatabaseClock
from remit.errors import StoreUnavailableError
from remit.runtime.guards import LeaseGuard
from remit.runtime.shared_answers import SharedAnswers


class Question:
    """A question that is answered when a test says so."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def ask(self) -> int:
        """Count, and wait for the answer."""
        self.asked += 1
        return await asyncio.shield(self.answer)


async def test_question_is_asked_once_for_all() -> None:
    """
    Who asks while it is under way gets the same answer; who asks later asks anew.
    """
    answers, question = SharedAnswers[str, int](), Question()
    asking = [asyncio.create_task(answers.ask("a", question.ask)) for _ in range(100)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    question.answer.set_result(7)

    assert [7] * 100 == await asyncio.gather(*asking)
    assert 1 == question.asked
    assert 7 == await answers.ask("a", question.ask)
    assert 2 == question.asked


async def test_question_outlives_the_caller_who_asked_it_first() -> None:
    """
    A caller that is cancelled takes nobody's answer away; an error is everybody's.
    """
    answers, question = SharedAnswers[str, int](), Question()
    first = asyncio.create_task(answers.ask("a", question.ask))
    await asyncio.sleep(0)
    second = asyncio.create_task(answers.ask("a", question.ask))
    await asyncio.sleep(0)
    first.cancel()
    question.answer.set_exception(StoreUnavailableError("away"))

    with pytest.raises(StoreUnavailableError):
        await second
    assert first.cancelled() or await asyncio.gather(first, return_exceptions=True)
    assert 1 == question.asked


async def test_forgotten_question_is_asked_anew() -> None:
    """
    After a change an answer that was under way before is nobody's who asks later.
    """
    answers, before, after = SharedAnswers[str, int](), Question(), Question()
    early = asyncio.create_task(answers.ask("a", before.ask))
    await asyncio.sleep(0)
    answers.forget("a")
    late = asyncio.create_task(answers.ask("a", after.ask))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    before.answer.set_result(1)
    after.answer.set_result(2)

    assert [1, 2] == await asyncio.gather(early, late)


async def test_renewals_share_a_heartbeat_that_was_sent_after_they_asked() -> None:
    """
    Of a hundred calls that make sure of their lease one sends a heartbeat, and who comes while it is under way waits
    for the next.
    """
    lease, beats = LeaseGuard(DatabaseClock(), lease_seconds=20, margin_seconds=2), Question()
    lease.renew = beats.ask
    early = [asyncio.create_task(lease.allow(30.0)) for _ in range(100)]
    for _ in range(3):
        await asyncio.sleep(0)
    late = [asyncio.create_task(lease.allow(30.0)) for _ in range(100)]
    await asyncio.sleep(0)

    assert 1 == beats.asked
    beats.answer.set_result(0)
    await asyncio.gather(*early, *late)
    assert 2 == beats.asked
