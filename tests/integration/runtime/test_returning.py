"""A waiting run that comes back while its worker does not know yet that it was let go."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

from remit.bootstrap import OPERATOR
from remit.core.definition import SignalStep
from remit.ids import RunId
from remit.testing.database import ScratchDatabase
from remit.testing.tools import ScriptedTool, contract
from tests.integration.runtime.stage import TENANT, Stage

SECONDS_MAX = 10.0


class Returning:
    """Holds up the reply by which a run is let go until the same worker has claimed it again, and more."""

    def __init__(self) -> None:
        self.stage: Stage
        self.run_id: RunId | None = None
        self.counts: Counter[str] = Counter()
        self._reached = asyncio.Event()
        self.has_returned = False

    async def before(self, statement: str) -> None:
        """Count."""
        self.counts[statement] += 1
        self._reached.set()

    async def after(self, statement: str) -> None:
        """Send the signal once the run waits, and return when its claim was dealt with."""
        if statement != "append" or self.has_returned or not await self._is_waiting():
            return
        self.has_returned = True
        assert self.run_id is not None
        await self.stage.kernel.runs.signal(TENANT, self.run_id, name="go", payload={}, sent_by=OPERATOR)
        async with asyncio.timeout(SECONDS_MAX):
            while not await self._is_claimed_again():
                self._reached.clear()
                await self._reached.wait()
            for _ in range(2):
                self._reached.clear()
                await self._reached.wait()

    async def _is_waiting(self) -> bool:
        done = await self.stage.execute("update remit.heads set epoch = epoch where worker_id is null and epoch = 1")
        return done == "UPDATE 1"

    async def _is_claimed_again(self) -> bool:
        done = await self.stage.execute(
            "update remit.heads set epoch = epoch where worker_id is not null and epoch = 2"
        )
        return done == "UPDATE 1"


async def test_run_that_comes_back_before_it_was_let_go_is_taken_up(database: ScratchDatabase) -> None:
    """
    Its claim is taken up although the old one is still known here; it is not left lying until heartbeats notice.
    """
    observer, tool = Returning(), ScriptedTool(contract("t.read"))
    async with Stage(database, tool, observer=observer, heartbeat=timedelta(seconds=6)) as observer.stage:
        stage = observer.stage
        steps = [stage.step("t.read", step_id="first"), SignalStep(id="gate", depends_on=("first",), signal="go")]
        observer.run_id = await stage.submit(*steps, stage.step("t.read", "gate", step_id="last"))
        run = await stage.end(observer.run_id)

    assert observer.has_returned
    assert "completed" == run.status
    assert 0 == observer.counts["release"]
    assert ["completed"] * 3 == [status for _, status, _ in await _rows(database, observer)]


async def _rows(database: ScratchDatabase, observer: Returning) -> list[tuple[str, str, str | None]]:
    async with Stage(database) as later:
        assert observer.run_id is not None
        return await later.rows(observer.run_id)
