"""The matrix finds what it is there to find: with a bug planted, outcomes or books are not as they must be.

Each test runs twice, as Remit is and with the bug, so that it is the bug that is found.
"""

from __future__ import annotations

import inspect
import secrets
import sys
import types
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from remit.core.states import DeliveryClass
from remit.errors import ToolError
from remit.ports.tool import Tool, ToolContext
from remit.runtime import outcomes, pipeline
from remit.runtime.outcomes import Outcomes
from remit.runtime.pipeline import Pipeline
from remit.testing.database import ScratchDatabase
from remit_commerce.providers import sendgrid, wire
from remit_commerce.simulators.faults import FaultKind
from remit_commerce.tools import printful
from tests.integration.faults.expected import expected
from tests.integration.faults.lanes import Cell, Providers, serving
from tests.integration.faults.scenarios import BY_TOOL, TOOLS

IS_PLANTED = pytest.mark.parametrize("is_planted", [False, True], ids=["as it is", "planted"])
DRAFT = "printful.orders.create_draft"
MAIL = "sendgrid.mail.send"
MISREAD = (
    (429, "unknown", "outcome: fake.opaque is unknown: http_429"),
    (500, "none", "lost: nobody knows of"),
)
"""A status, the effect that it is taken to mean, and what the matrix says then."""


async def complaints(
    database: ScratchDatabase,
    providers: Providers,
    *met: tuple[str, FaultKind],
    lanes: str,
    tools: Mapping[str, Tool] = TOOLS,
) -> list[str]:
    """Run cells and return everything that the matrix has to say: wrong outcomes, and the auditor's findings."""
    cells = {
        f"{lanes}_{number}": Cell(scenario=BY_TOOL[tool], kinds=(kind,)) for number, (tool, kind) in enumerate(met)
    }
    async with serving(database, providers, list(cells), tools=tools) as served:
        ended, audit = await served.run_cells(cells)
    wrong = [
        f"outcome: {cell.scenario.tool} is {ended[lane].outcome}"
        for lane, cell in cells.items()
        if ended[lane].outcome != expected(cell.scenario, cell.kinds[0])
    ]
    return wrong + [finding for found in audit.findings().values() for finding in found]


def edited(module: types.ModuleType, *edits: tuple[str, str]) -> types.ModuleType:
    """Return a copy of a module whose text is changed; the module itself stays."""
    text = inspect.getsource(module)
    for old, new in edits:
        assert 1 == text.count(old), f"{module.__name__} changed: plant the bug anew"
        text = text.replace(old, new)
    copy = types.ModuleType(f"{module.__name__}_planted")
    sys.modules[copy.__name__] = copy
    exec(compile(text, copy.__name__, "exec"), copy.__dict__)
    return copy


@IS_PLANTED
async def test_new_key_for_each_attempt_is_found(
    database: ScratchDatabase, providers: Providers, monkeypatch: pytest.MonkeyPatch, *, is_planted: bool
) -> None:
    """
    With a fresh key for each call the provider cannot know that it did the work before.
    """
    honest = Outcomes._context

    def context(self: Outcomes, *arguments: Any) -> ToolContext:
        return replace(honest(self, *arguments), external_key=f"remit:{secrets.token_hex(16)}")

    if is_planted:
        monkeypatch.setattr(Outcomes, "_context", context)

    found = await complaints(
        database,
        providers,
        ("fake.keyed", FaultKind.RESET_AFTER),
        ("stripe.payment_intents.authorize", FaultKind.SERVER_ERROR_AFTER),
        lanes=f"newkey_{is_planted}".lower(),
    )

    assert is_planted == any(complaint.startswith("lost: nobody knows of") for complaint in found)
    assert is_planted == bool(found)


@IS_PLANTED
async def test_opaque_call_repeated_blindly_is_found(
    database: ScratchDatabase, providers: Providers, monkeypatch: pytest.MonkeyPatch, *, is_planted: bool
) -> None:
    """
    A call that nobody can look up is made again, and the provider does the work again. Two checks forbid that.
    """
    if is_planted:
        monkeypatch.setattr(outcomes, "_SAFE_TO_REPEAT", frozenset(DeliveryClass))
        branch = "        if delivery is DeliveryClass.OPAQUE:\n"
        hasty = edited(pipeline, (branch, f"{branch}            return await self._send(call)\n"))
        monkeypatch.setattr(pipeline.Pipeline, "_resume", hasty.Pipeline._resume)

    found = await complaints(
        database,
        providers,
        ("fake.opaque", FaultKind.RESET_AFTER),
        (MAIL, FaultKind.SERVER_ERROR_AFTER),
        lanes=f"blind_{is_planted}".lower(),
    )

    assert is_planted == any(complaint.startswith("duplicate: 2 times") for complaint in found)
    assert is_planted == bool(found)


@IS_PLANTED
async def test_any_200_taken_for_success_is_found(
    database: ScratchDatabase, providers: Providers, monkeypatch: pytest.MonkeyPatch, *, is_planted: bool
) -> None:
    """
    A gateway's page with a status of success becomes a receipt for a mail that never went out.
    """
    if is_planted:
        old = "    if reply.status != (200 if is_sandbox else 202):"
        monkeypatch.setattr(sendgrid, "send", edited(sendgrid, (old, "    if False:")).send)

    found = await complaints(
        database,
        providers,
        (MAIL, FaultKind.ERROR_INSIDE_BEFORE),
        (MAIL, FaultKind.HTML_AFTER),
        lanes=f"any200_{is_planted}".lower(),
    )

    assert is_planted == any("proves nothing" in complaint for complaint in found)
    assert is_planted == bool(found)


@IS_PLANTED
async def test_answer_about_another_object_taken_for_ours_is_found(
    database: ScratchDatabase, providers: Providers, *, is_planted: bool
) -> None:
    """
    A success that names another order becomes a receipt for that one.
    """
    tools = dict(TOOLS)
    if is_planted:
        old = "    order = _decoded(data, _Order, changes=True)\n    if order.external_id != context.reference:"
        new = "    order = _decoded(data, _Order, changes=True)\n    if False:"
        tools[DRAFT] = edited(printful, (old, new)).create_draft

    found = await complaints(
        database, providers, (DRAFT, FaultKind.WRONG_ID), lanes=f"wrong_{is_planted}".lower(), tools=tools
    )

    assert is_planted == any("names 999999, the book" in complaint for complaint in found)
    assert is_planted == bool(found)


@IS_PLANTED
async def test_missing_look_up_after_the_window_is_found(
    database: ScratchDatabase, providers: Providers, monkeypatch: pytest.MonkeyPatch, *, is_planted: bool
) -> None:
    """
    A key that the provider has forgotten is sent again as if it were remembered.
    """
    if is_planted:
        monkeypatch.setattr(Pipeline, "_is_inside_window", lambda *_: True)

    found = await complaints(
        database,
        providers,
        ("fake.forgetful", FaultKind.RESET_AFTER),
        ("fake.forgetful", FaultKind.HTML_AFTER),
        lanes=f"window_{is_planted}".lower(),
    )

    assert is_planted == any(complaint.startswith("duplicate: 2 times") for complaint in found)
    assert is_planted == bool(found)


@IS_PLANTED
@pytest.mark.parametrize("bug", MISREAD, ids=lambda bug: f"{bug[0]} {bug[1]}")
async def test_status_that_says_something_else_about_the_effect_is_found(
    database: ScratchDatabase,
    providers: Providers,
    monkeypatch: pytest.MonkeyPatch,
    bug: tuple[int, str, str],
    *,
    is_planted: bool,
) -> None:
    """
    A rate limit that parks a call asks a person for nothing; a server error taken for a refusal hides an effect.
    """
    honest = wire.failure
    status, effect, complaint = bug

    def failure(provider: str, reply: wire.Reply, **more: Any) -> ToolError:
        error = honest(provider, reply, **more)
        return ToolError(error.message, effect=effect, reason=error.reason) if reply.status == status else error

    if is_planted:
        monkeypatch.setattr(wire, "failure", failure)

    found = await complaints(
        database,
        providers,
        ("fake.opaque", FaultKind.RATE_LIMITED),
        ("fake.keyed", FaultKind.SERVER_ERROR_AFTER),
        lanes=f"status{status}_{is_planted}".lower(),
    )

    assert is_planted == any(said.startswith(complaint) for said in found)
    assert is_planted == bool(found)


@IS_PLANTED
async def test_text_that_no_row_can_hold_is_found(
    database: ScratchDatabase, providers: Providers, monkeypatch: pytest.MonkeyPatch, *, is_planted: bool
) -> None:
    """
    A reference with U+0000 that is taken as it is takes its run out of service: stuck, and its effect unproven.
    """
    if is_planted:
        monkeypatch.setattr(outcomes, "_plain", lambda text: text)
        monkeypatch.setattr("tests.integration.faults.lanes.SECONDS_MAX", 5.0)

    found = await complaints(database, providers, ("fake.keyed", FaultKind.NUL), lanes=f"nul_{is_planted}".lower())

    assert is_planted == any(complaint.startswith("stuck") for complaint in found)
    assert is_planted == bool(found)
