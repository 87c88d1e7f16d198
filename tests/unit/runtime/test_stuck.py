"""The judgement on stuck runs: facts in, reason out, for what is hard to bring about on a real server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from remit.ids import Digest, RunId, TenantId, WorkerId
from remit.ports.suspects import KnownWorker, Suspect
from remit.runtime.stuck import REMEDIES, Circumstances, StuckReason, judge

NOW = datetime(2030, 1, 1, tzinfo=UTC)
PATIENCE = timedelta(seconds=60)
WORKER = WorkerId("w1")
TENANT = TenantId("acme")


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def suspect(**changes: object) -> Suspect:
    """Return a run whose last entry was long ago, and that nobody owns or can claim."""
    facts: dict[str, object] = {
        "run_id": RunId("r1"),
        "definition_name": "d",
        "definition_digest": Digest("0" * 64),
        "status": "running",
        "waiting_for": None,
        "sequence": 3,
        "epoch": 1,
        "worker_id": None,
        "claimable_at": None,
        "due_at": None,
        "updated_at": ago(600),
        "quarantined_at": None,
        "unread_at": None,
        "decided_at": None,
        **changes,
    }
    return Suspect(**facts)  # type: ignore[arg-type]  # by name, each of its own type


def around(*, lease_ends: float = 10, tools: tuple[str, ...] | None = None, **changes: object) -> Circumstances:
    """Return circumstances with one worker whose lease ends in so many seconds."""
    worker = KnownWorker(
        worker_id=WORKER,
        version="1",
        started_at=ago(900),
        heartbeat_at=ago(1),
        lease_ends_at=NOW + timedelta(seconds=lease_ends),
        tools=tools,
    )
    return Circumstances(now=NOW, patience=PATIENCE, workers={WORKER: worker}, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("run", "circumstances", "reason"),
    [
        (suspect(claimable_at=ago(61)), around(), "unclaimed"),
        (suspect(claimable_at=ago(59)), around(), None),
        (suspect(claimable_at=ago(-1)), around(), None),
        (suspect(claimable_at=ago(61), due_at=ago(61)), around(), "overdue"),
        (suspect(claimable_at=ago(61), due_at=ago(-9)), around(), "unclaimed"),
        (suspect(claimable_at=ago(1), due_at=ago(1)), around(), None),
        (suspect(worker_id="gone"), around(), "orphaned"),
        (suspect(worker_id="gone", updated_at=ago(5)), around(), None),
        (suspect(worker_id=WORKER), around(lease_ends=-61), "orphaned"),
        (suspect(worker_id=WORKER), around(lease_ends=-59), None),
        (suspect(worker_id=WORKER), around(), "silent"),
        (suspect(worker_id=WORKER, updated_at=ago(59)), around(), None),
        (suspect(worker_id=WORKER), around(calls_end_at=ago(59)), None),
        (suspect(worker_id=WORKER), around(calls_end_at=ago(61)), "silent"),
        (suspect(worker_id=WORKER, unread_at=ago(61), updated_at=ago(1)), around(), "unheard"),
        (suspect(worker_id=WORKER, unread_at=ago(59)), around(), None),
        (suspect(status="waiting", unread_at=ago(61)), around(), "unheard"),
        (suspect(status="waiting", decided_at=ago(61)), around(), "unheard"),
        (suspect(status="waiting", decided_at=ago(59)), around(), None),
        (suspect(), around(), "forgotten"),
        (suspect(updated_at=ago(59)), around(), None),
        (suspect(quarantined_at=ago(0)), around(), "quarantined"),
        (suspect(worker_id=WORKER, updated_at=ago(0), idle_since=ago(61)), around(), "spinning"),
        (suspect(worker_id=WORKER, updated_at=ago(0), idle_since=ago(59)), around(), None),
    ],
)
def test_reason_follows_from_the_facts(run: Suspect, circumstances: Circumstances, reason: str | None) -> None:
    """
    Each reason begins exactly when patience ends, and counts from the instant at which the run should have moved.
    """
    found = judge(TENANT, run, circumstances)

    assert reason == (None if found is None else found.reason.value)


@pytest.mark.parametrize(
    ("has", "needs", "is_toolless"),
    [
        (("a",), ("a", "b"), True),
        (("a", "b", "c"), ("a", "b"), False),
        ((), (), False),
        (None, ("a",), False),
    ],
)
@pytest.mark.parametrize("owner", [None, WORKER], ids=["claimable", "owned"])
def test_run_is_toolless_if_no_live_worker_has_all(
    has: tuple[str, ...] | None, needs: tuple[str, ...], is_toolless: bool, owner: WorkerId | None
) -> None:
    """
    A run that is passed on is claimable anew, or owned anew, each time; a worker that did not say may have every tool.
    """
    run = suspect(worker_id=owner, claimable_at=None if owner else ago(0.1))

    found = judge(TENANT, run, around(tools=has))
    with_needs = judge(TENANT, run, replace_tools(around(tools=has), needs))

    assert found is None or found.reason is not StuckReason.TOOLLESS
    assert is_toolless == (with_needs is not None and with_needs.reason is StuckReason.TOOLLESS)
    if is_toolless and with_needs is not None:
        assert "b" == with_needs.detail


def replace_tools(circumstances: Circumstances, needs: tuple[str, ...]) -> Circumstances:
    return Circumstances(
        now=circumstances.now, patience=circumstances.patience, workers=circumstances.workers, tools=needs
    )


def test_dead_workers_tools_do_not_count() -> None:
    """
    Without any live worker a run is unclaimed, not toolless: nobody can tell which tools the next worker has.
    """
    dead = around(lease_ends=-1, tools=("a",))
    run = suspect(claimable_at=ago(61))

    found = judge(TENANT, run, replace_tools(dead, ("b",)))

    assert found is not None
    assert (StuckReason.UNCLAIMED, "no worker is alive") == (found.reason, found.detail)


def test_every_reason_has_a_remedy() -> None:
    """
    Whoever reads a reason is told what to do.
    """
    assert set(StuckReason) == set(REMEDIES)
