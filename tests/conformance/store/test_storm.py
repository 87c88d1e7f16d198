"""Many clients at once on every server: what they were told is what is stored, and planted bugs are found."""

import pytest

from remit.testing.database import MAJORS, ScratchDatabase, pristine_database
from tests.conformance.store.storm import FLOORS, storm
from tests.conformance.store.storm_audit import audit
from tests.conformance.store.storm_bugs import BUGS, SqlBug, plant
from tests.servers import Servers

OPERATIONS = 1_000
OPERATIONS_PLANTED = 600
STORMS_PLANTED_MAX = 8


@pytest.mark.parametrize("seed", [1, 2])
async def test_storm_01_answers_and_rows_agree(scratch: ScratchDatabase, seed: int) -> None:
    """
    After a thousand operations of five clients, rare answers among them, nothing was lost, done twice or left lying.
    """
    ledger = await storm(scratch, seed=seed, operations=OPERATIONS)

    assert [] == await audit(scratch, ledger)
    assert {} == {name: ledger.counts[name] for name, floor in FLOORS.items() if ledger.counts[name] < floor}


@pytest.mark.parametrize("bug", BUGS, ids=[bug.name.replace(" ", "-") for bug in BUGS])
async def test_storm_02_planted_bug_is_found(servers: Servers, bug: SqlBug) -> None:
    """
    With a promise taken out of a server function, such storms leave something that does not add up: each of them, or,
    where only a race shows it, one of a few.
    """
    found: list[str] = []
    seeds = iter(range(1, STORMS_PLANTED_MAX + 1))
    while not found and (seed := next(seeds, None)) is not None:
        async with pristine_database(servers.of(MAJORS[0])) as scratch:
            await plant(scratch, bug)
            ledger = await storm(scratch, seed=seed, operations=OPERATIONS_PLANTED)
            found = [finding for finding in await audit(scratch, ledger) if bug.finding in finding]

    assert found
