"""Random programs under kills come to exactly the result that plain arithmetic says, with every effect once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from campaigns.planting import Bug, plant
from tests.crash.programs.model import KINDS, Node, Program
from tests.crash.programs.play import Ground, Plan, Play, Played, StuckProgramsError

SEED = 20_261_129
PLAN = Plan(programs=80, workers=3, kills=4, server_kills=1)
FLOORS = {
    "worker killed": 4,
    "server killed": 1,
    "workers started": 7,
    "run completed": 40,
    "run failed": 5,
    "run cancelled": 2,
    "steps skipped": 10,
    "attempts failed": 40,
    "asked and approve": 5,
    "asked and deny": 3,
    "effects": 80,
    "messages sent": 30,
    "journals verified": 80,
    **dict.fromkeys((kind for kind, _ in KINDS), 8),
}
"""What must have happened at least so often: a play without kills or waits proves nothing."""

DEADLY = tuple(
    Program(
        name=f"deadly{number}",
        number=number,
        nodes=(
            Node(id="s1", label=f"deadly{number}/s1", kind=kind, constant=5, attempts=2, die="after"),
            Node(id="s2", label=f"deadly{number}/s2", kind="compute", depends_on=("s1",)),
        ),
    )
    for number, kind in enumerate(("opaque", "queryable"), 1)
)
"""Each kills the worker that has just had its effect."""

CROSSED = Program(
    name="crossed",
    number=1,
    nodes=tuple(
        Node(id=f"s{number}", label=f"crossed/s{number}", kind="event", constant=number) for number in range(1, 7)
    ),
)
"""Waits for six events of one name, each about something else."""

BLIND = Bug(
    name="blind",
    file="remit/runtime/pipeline.py",
    old="        if intent.attempt == call.command.attempt and not resumed:\n",
    new="        if intent.attempt == call.command.attempt:\n",
)
UNCORRELATED = Bug(
    name="uncorrelated",
    file="remit/core/progress.py",
    old="        if not _is_correlated(command, message):\n            return False\n",
    new="",
)


async def play(ground: Ground, plan: Plan, *bugs: Bug) -> Played:
    """Play with bugs planted into the workers' sources."""
    if bugs:
        planted = plant(ground.folder / "planted", *bugs)
        ground = replace(ground, python={"PYTHONPATH": planted["PYTHONPATH"]})
    return await Play(ground, plan, seed=SEED).run()


@pytest.mark.timeout(280)
async def test_programs_under_kills_come_to_their_results(mortal_ground: Ground) -> None:
    """
    Workers and the server are killed at random; every run ends as computed, its effects happened once, it replays.
    """
    played = await Play(mortal_ground, PLAN, seed=SEED).run()

    assert [] == played.findings
    assert {} == {name: played.reached[name] for name, floor in FLOORS.items() if played.reached[name] < floor}


@pytest.mark.parametrize("bugs", [(), (BLIND,)], ids=["as it is", "planted"])
async def test_call_made_again_blindly_is_found(ground: Ground, bugs: tuple[Bug, ...]) -> None:
    """
    Workers die right after an effect; with a kernel that sends again without looking, the ledger has it twice.
    """
    played = await play(ground, Plan(script=DEADLY, workers=3, kills=0, server_kills=0), *bugs)

    doubled = [finding for finding in played.findings if "expected 1 effects of" in finding]
    assert 2 == played.reached["died after an effect"]
    assert bool(bugs) == bool(doubled)
    assert bool(bugs) == bool(played.findings)


@pytest.mark.parametrize("bugs", [(), (UNCORRELATED,)], ids=["as it is", "planted"])
async def test_event_taken_by_the_wrong_step_is_found(ground: Ground, bugs: tuple[Bug, ...]) -> None:
    """
    Events come in another order than steps wait for them; a kernel that takes the first of its name computes nonsense.
    """
    plan = Plan(script=(CROSSED,), workers=1, kills=0, server_kills=0)
    try:
        findings = (await play(ground, plan, *bugs)).findings
    except StuckProgramsError as error:
        # The event that another step took is waited for: that is the bug, too.
        findings = [str(error)]

    assert bool(bugs) == bool(findings)


async def test_programs_that_do_not_end_are_dumped(ground: Ground) -> None:
    """
    Without workers nothing ends: the play fails, says why of each run, and leaves a dump of its state.
    """
    plan = Plan(script=DEADLY, workers=0, kills=0, server_kills=0, seconds_max=1.0)

    with pytest.raises(StuckProgramsError) as caught:
        await Play(ground, plan, seed=SEED).run()

    assert 2 == str(caught.value).count("unclaimed")
    assert 2 == str(caught.value).count("dump.json")
