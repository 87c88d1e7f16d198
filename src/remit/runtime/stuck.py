"""Stuck runs: which runs should have moved and did not, and why.

Owns: the reasons, the judgement, and what to do about each reason.
Does not know: where its facts come from. Pure: the same facts, the same judgement. A run that waits for a person, a
message or an instant to come is never stuck.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from remit.ids import RunId, TenantId, WorkerId
from remit.ports.suspects import KnownWorker, Suspect


class StuckReason(StrEnum):
    """Why a run does not move."""

    UNCLAIMED = "unclaimed"
    """It could be claimed, and nobody does."""
    OVERDUE = "overdue"
    """The instant that it waited for has come, and nobody takes it up."""
    ORPHANED = "orphaned"
    """Its worker's lease is over, and nobody reclaims it."""
    TOOLLESS = "toolless"
    """No live worker has all of its tools."""
    SILENT = "silent"
    """A live worker owns it, its calls are past their time-outs, and no entry comes."""
    UNHEARD = "unheard"
    """What it waits for is there, and it is not told."""
    FORGOTTEN = "forgotten"
    """Nobody owns it, nobody can claim it, and it waits for nothing that anybody could bring."""
    SPINNING = "spinning"
    """It is taken up again and again, and nothing comes of it."""
    QUARANTINED = "quarantined"
    """The database refused its rows; nobody claims it until an operator lets it go."""


REMEDIES: Final[dict[StuckReason, str]] = {
    StuckReason.UNCLAIMED: "start a worker, or more of them: `remit worker`",
    StuckReason.OVERDUE: "start a worker, or more of them: `remit worker`",
    StuckReason.ORPHANED: "start a worker: it reclaims what dead ones left after a lease of its own",
    StuckReason.TOOLLESS: "start a worker that has these tools: `remit worker --tools FILE`",
    StuckReason.SILENT: "restart its worker; another one takes the run over after the lease",
    StuckReason.UNHEARD: "restart the workers, and report it: a wake-up was lost",
    StuckReason.FORGOTTEN: "report it, with a dump: this state is not one that the kernel leaves behind",
    StuckReason.SPINNING: "report it, with a dump: a wake-up that brings nothing comes again and again",
    StuckReason.QUARANTINED: "read the reason in `remit runs show`; mend the cause, then let the run go",
}


class StuckRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that should have moved since ``since`` and did not; ``detail`` says more of the reason."""

    tenant_id: TenantId
    suspect: Suspect
    reason: StuckReason
    since: datetime
    age: timedelta
    detail: str = ""

    @property
    def run_id(self) -> RunId:
        """The run."""
        return self.suspect.run_id


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What is known beside the run itself: who works, which tools the run needs, what time it is.

    ``calls_end_at`` is when the last of the run's open calls must have ended; null if it has none.
    """

    now: datetime
    patience: timedelta
    workers: Mapping[WorkerId, KnownWorker]
    tools: Collection[str] = ()
    calls_end_at: datetime | None = None


Finding = tuple[StuckReason, datetime, str]


def judge(tenant_id: TenantId, suspect: Suspect, around: Circumstances) -> StuckRun | None:
    """Return why a run is stuck and since when, or ``None`` if it may still move by itself."""
    finding = _find(suspect, around)
    if finding is None:
        return None
    reason, since, detail = finding
    age = around.now - since
    if age <= around.patience and reason is not StuckReason.QUARANTINED:
        return None
    return StuckRun(tenant_id=tenant_id, suspect=suspect, reason=reason, since=since, age=age, detail=detail)


def should_move_since(suspect: Suspect, now: datetime) -> datetime:
    """Return when a run should have moved at the earliest: since its last entry, message or due instant."""
    instants = [suspect.updated_at]
    if suspect.due_at is not None and suspect.due_at <= now:
        instants.append(suspect.due_at)
    if suspect.unread_at is not None:
        instants.append(suspect.unread_at)
    return max(instants)


def _find(suspect: Suspect, around: Circumstances) -> Finding | None:
    if suspect.quarantined_at is not None:
        return StuckReason.QUARANTINED, suspect.quarantined_at, ""
    if suspect.idle_since is not None:
        return StuckReason.SPINNING, suspect.idle_since, f"entry {suspect.sequence}, claim {suspect.epoch}"
    if suspect.worker_id is not None:
        return _find_owned(suspect, suspect.worker_id, around)
    if suspect.claimable_at is None:
        return _find_resting(suspect)
    if suspect.claimable_at <= around.now:
        return _find_claimable(suspect, suspect.claimable_at, around)
    return None


def _find_owned(suspect: Suspect, worker_id: WorkerId, around: Circumstances) -> Finding | None:
    worker = around.workers.get(worker_id)
    since = should_move_since(suspect, around.now)
    if worker is None:
        return StuckReason.ORPHANED, since, f"worker {worker_id} is not known any more"
    if worker.lease_ends_at <= around.now:
        return StuckReason.ORPHANED, worker.lease_ends_at, f"worker {worker_id} was heard of {worker.heartbeat_at}"
    if suspect.unread_at is not None and around.now - suspect.unread_at > around.patience:
        return StuckReason.UNHEARD, suspect.unread_at, f"worker {worker_id} takes no message"
    toolless = _find_toolless(since, around)
    if toolless is not None:
        return toolless
    if around.calls_end_at is not None:
        since = max(since, around.calls_end_at)
    return StuckReason.SILENT, since, f"worker {worker_id} lives"


def _find_claimable(suspect: Suspect, claimable_at: datetime, around: Circumstances) -> Finding:
    # A run that is passed on is claimable anew each time: how long nothing moved says more.
    toolless = _find_toolless(should_move_since(suspect, around.now), around)
    if toolless is not None and around.now - toolless[1] > around.patience:
        return toolless
    is_due = suspect.due_at is not None and suspect.due_at <= claimable_at
    live = len(_live(around))
    workers = "no worker is alive" if not live else f"{live} worker{'s' if live > 1 else ''} alive"
    return StuckReason.OVERDUE if is_due else StuckReason.UNCLAIMED, claimable_at, workers


def _find_resting(suspect: Suspect) -> Finding:
    told = [instant for instant in (suspect.unread_at, suspect.decided_at) if instant is not None]
    if told:
        what = "a message" if suspect.unread_at is not None else "a decision"
        return StuckReason.UNHEARD, min(told), f"{what} is there, and nobody will claim the run"
    return StuckReason.FORGOTTEN, suspect.updated_at, f"is {suspect.status}, waits for {suspect.waiting_for}"


def _find_toolless(since: datetime, around: Circumstances) -> Finding | None:
    live = _live(around)
    needed = set(around.tools)
    if not live or any(worker.tools is None or needed <= set(worker.tools) for worker in live):
        return None
    fewest = min((sorted(needed - set(worker.tools or ())) for worker in live), key=len)
    return StuckReason.TOOLLESS, since, ", ".join(fewest)


def _live(around: Circumstances) -> list[KnownWorker]:
    return [worker for worker in around.workers.values() if worker.lease_ends_at > around.now]
