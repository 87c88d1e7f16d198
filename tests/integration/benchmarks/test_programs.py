"""The bench in small: programs that need no other environment take a whole turn."""

import os

import pytest

from benchmarks.peers.__main__ import take_turn
from benchmarks.peers.contestants import BY_NAME, fresh_database, running
from benchmarks.peers.figures import Turn, summarise
from remit.testing.database import ScratchServer

SCALE = 0.02


@pytest.mark.parametrize("name", ["remit", "floor", "bare"])
async def test_program_takes_a_whole_turn(server: ScratchServer, name: str) -> None:
    """
    The program runs every workload that it has, its results are right, and its turn yields every figure of the report.
    """
    contestant = BY_NAME[name]
    turn = Turn(contestant=name, number=1, loadavg=0.0)

    async with (
        fresh_database(server.address, has_schema=contestant.has_schema, name=f"bench_{os.getpid()}") as urls,
        running(contestant, urls) as engine,
    ):
        await take_turn(turn, contestant, engine, address=server.address, scale=SCALE)

    (figures,) = summarise([contestant], [turn])["engines"]
    assert set(contestant.works) == set(turn.works)
    assert figures["w1_steps_per_second"]["median"] > 0
    assert {"1", "4", "16", "256"} == set(figures["steps_per_second_by_in_flight"])
    assert figures["cost_per_step"]["transactions"]["median"] > 0
    assert turn.checked_runs > 0
