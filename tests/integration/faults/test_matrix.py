"""Every fault for every tool of every delivery class: done, failed or unknown with a reason, never stuck.

After each, the auditor compares the providers' books with our receipts: no effect twice, none without a receipt or a
parked step that names it.
"""

from __future__ import annotations

import pytest

from remit.testing.database import ScratchDatabase
from tests.integration.faults.expected import expected
from tests.integration.faults.lanes import Cell, Providers, serving
from tests.integration.faults.page import PAGE, page
from tests.integration.faults.scenarios import SCENARIOS, Scenario

CELLS_MIN = 18 * 5
"""How many cells the table must have at the least: faults times classes."""


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.tool)
async def test_every_fault_leads_to_a_known_end(
    database: ScratchDatabase, providers: Providers, scenario: Scenario
) -> None:
    """
    Each fault is really played, each run ends as the table says, and books and receipts agree one to one.
    """
    cells = {
        f"one_{scenario.short}_{number}": Cell(scenario=scenario, kinds=(kind,))
        for number, kind in enumerate(scenario.kinds())
    }
    async with serving(database, providers, list(cells)) as served:
        ended, audit = await served.run_cells(cells)

    outcomes = {cell.name: ended[lane].outcome for lane, cell in cells.items()}
    assert {cell.name: expected(scenario, cell.kinds[0]) for cell in cells.values()} == outcomes
    assert {lane: {cell.name: 1} for lane, cell in cells.items()} == {lane: audit.books.fired(lane) for lane in cells}
    assert {} == audit.findings()


def test_matrix_has_every_fault_for_every_class() -> None:
    """
    Each class meets at least eighteen faults, on at least one real tool if a real provider has the class.
    """
    met = {(scenario.delivery, kind) for scenario in SCENARIOS for kind in scenario.kinds()}
    real = {scenario.delivery for scenario in SCENARIOS if scenario.provider != "fake"}
    counts = {delivery: sum(known == delivery for known, _ in met) for delivery in {known for known, _ in met}}

    assert {"pure", "local", "keyed", "keyed, past the window", "queryable", "opaque"} == set(counts)
    assert {"pure", "keyed", "queryable", "opaque"} == real
    assert min(counts.values()) >= 18
    assert len(met) >= CELLS_MIN


def test_page_says_what_the_matrix_proves() -> None:
    """
    The page for readers is the table that the runs are compared with; the module `page` writes it.
    """
    assert page() == PAGE.read_text(encoding="utf-8")
