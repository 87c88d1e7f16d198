"""``python -m tests.integration.store.newcomer``: a kernel in a process of its own, on a database named on its input.

It approves what waits, runs a few runs, and prints as JSON which schema it insists on and how the runs ended. With the
sources of another version in front of its path it is that version's kernel.
"""

from __future__ import annotations

import asyncio
import sys

import msgspec

from remit.core.states import SideEffectLevel
from remit.store.database import SCHEMA_VERSION
from remit.testing.database import ScratchDatabase
from remit.testing.tools import ScriptedTool, contract
from tests.integration.runtime.stage import Stage

RUNS = 3


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the runs: how many ended in which state, and how many journals verify."""

    schema_version: str
    completed: int
    verified: int


def tools() -> tuple[ScriptedTool, ScriptedTool]:
    """A tool that works, and one that somebody has to agree to."""
    pay = msgspec.structs.replace(contract("t.pay", delivery="keyed"), side_effect_level=SideEffectLevel.FINANCIAL)
    return ScriptedTool(contract("t.work")), ScriptedTool(pay)


async def serve(database: ScratchDatabase) -> Told:
    """Approve what waits and run a few runs."""
    async with Stage(database, *tools()) as stage:
        await stage.ask_before("t.pay")
        approvals = await stage.kernel.store.approvals.list(stage.kernel.tenant_id)
        for approval in approvals:
            await stage.decide(approval)
        ended = [await stage.end(approval.run_id) for approval in approvals]
        ended += [await stage.run(stage.step("t.work")) for _ in range(RUNS)]
        return Told(
            schema_version=SCHEMA_VERSION,
            completed=sum(run.status == "completed" for run in ended),
            verified=sum([await stage.is_replayed(run.run_id) for run in ended]),
        )


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, str])
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(serve(ScratchDatabase(**asked)))))
