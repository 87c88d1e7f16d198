"""What must be true after a storm: the ledger of answers and the stored rows tell the same story.

Owns: the invariants, read by a superuser from the tables. Each finding names what is wrong and where.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import asyncpg

from remit.testing.database import ScratchDatabase
from tests.conformance.store.storm_ledger import Ledger

JOURNAL = "select run_id::text, sequence, epoch, hash from remit.journal order by run_id, sequence"
HEADS = """
select run_id::text, epoch, sequence, hash, worker_id, claimable_at, finished_at, quarantined_at, due_at, status::text,
    wake_sequence, seen_wake_sequence, clock_timestamp() as now,
    (select count(*) from remit.inbox i where i.run_id = h.run_id and i.consumed_sequence is null) as unread
from remit.heads h
"""
INBOX = "select run_id::text, kind, message_id, consumed_sequence, inbound_id from remit.inbox"
KEYS = "select key, run_id::text, status from remit.idempotency_keys"
APPROVALS = "select approval_id, run_id::text, status from remit.approvals"
EVENTS = "select event_key, inbound_id, status from remit.inbound_events"


async def audit(scratch: ScratchDatabase, ledger: Ledger) -> list[str]:
    """Return everything that does not add up."""
    connection = await asyncpg.connect(scratch.admin_url)
    try:
        rows = {
            name: await connection.fetch(query)
            for name, query in {
                "journal": JOURNAL,
                "heads": HEADS,
                "inbox": INBOX,
                "keys": KEYS,
                "approvals": APPROVALS,
                "events": EVENTS,
            }.items()
        }
    finally:
        await connection.close()
    return [
        *ledger.complaints,
        *audit_journal(ledger, rows["journal"]),
        *audit_heads(ledger, rows["heads"], rows["journal"]),
        *audit_claims(ledger),
        *audit_submissions(ledger, rows["heads"]),
        *audit_messages(ledger, rows["inbox"]),
        *audit_events(ledger, rows["events"], rows["inbox"]),
        *audit_keys(ledger, rows["keys"]),
        *audit_approvals(ledger, rows["approvals"], rows["inbox"]),
    ]


def audit_journal(ledger: Ledger, journal: list[Any]) -> list[str]:
    """What was acknowledged is stored, once, and nothing else is; epochs never fall."""
    findings = []
    stored = {(row["run_id"], row["sequence"]): row for row in journal}
    for place, sent in ledger.applied.items():
        if len(sent) != 1:
            findings.append(f"{place}: {len(sent)} entries were acknowledged for one place")
        elif place not in stored:
            findings.append(f"{place}: acknowledged and lost")
        elif (stored[place]["hash"], stored[place]["epoch"]) != (sent[0].hash, sent[0].epoch):
            findings.append(f"{place}: another entry than the acknowledged one is stored")
    findings += [f"{place}: stored, and never acknowledged" for place in stored.keys() - ledger.applied.keys()]
    runs: dict[str, list[Any]] = defaultdict(list)
    for row in journal:
        runs[row["run_id"]].append(row)
    for run_id, entries in runs.items():
        if [row["sequence"] for row in entries] != list(range(1, len(entries) + 1)):
            findings.append(f"{run_id}: the journal has a gap")
        epochs = [row["epoch"] for row in entries]
        if epochs != sorted(epochs):
            findings.append(f"{run_id}: a stale claim wrote: epochs {epochs}")
    return findings


def audit_heads(ledger: Ledger, heads: list[Any], journal: list[Any]) -> list[str]:
    """A head stands where its journal ends; a run that has work to do is owned or claimable; quarantine is exact."""
    findings = []
    last = {row["run_id"]: row for row in journal}
    for head in heads:
        run_id, end = head["run_id"], last.get(head["run_id"])
        stands_at = (head["sequence"], bytes(head["hash"]))
        ends_at = (end["sequence"], bytes(end["hash"])) if end else (0, stands_at[1])
        if stands_at != ends_at:
            findings.append(f"{run_id}: the head stands at {head['sequence']}, the journal ends at {ends_at[0]}")
        if (head["quarantined_at"] is not None) != (run_id in ledger.quarantined):
            findings.append(f"{run_id}: quarantine and answers differ")
        is_out = head["finished_at"] is not None or head["quarantined_at"] is not None
        is_free = head["worker_id"] is None and head["claimable_at"] is None
        has_work = head["unread"] > 0 or head["status"] != "waiting"
        if not is_out and is_free and has_work:
            findings.append(f"{run_id}: nobody will ever look at it ({head['status']}, {head['unread']} unread)")
        if is_out and head["claimable_at"] is not None:
            findings.append(f"{run_id}: is over and claimable")
    return findings


def audit_claims(ledger: Ledger) -> list[str]:
    """An epoch of a run was told to one worker, and is a sweep's or a claim's, never both."""
    findings = []
    for (run_id, epoch), owners in ledger.owners.items():
        if len(owners) > 1:
            findings.append(f"{run_id}: epoch {epoch} was given to {len(owners)} claims")
        if ledger.freed[run_id, epoch]:
            findings.append(f"{run_id}: epoch {epoch} is a claim's and a sweep's")
    findings += [f"{place}: swept {count} times" for place, count in ledger.freed.items() if count > 1]
    return findings


def audit_submissions(ledger: Ledger, heads: list[Any]) -> list[str]:
    """A submission key stands for one run, and there are exactly the runs that were created."""
    findings = [f"{key}: stands for {len(runs)} runs" for key, runs in ledger.by_key.items() if len(runs) > 1]
    there = {head["run_id"] for head in heads}
    if there != set(ledger.created):
        findings.append(f"{len(there ^ set(ledger.created))} runs are stored or acknowledged, not both")
    return findings


def audit_messages(ledger: Ledger, inbox: list[Any]) -> list[str]:
    """A signal is stored once for each id that was taken; what an entry consumed was consumed by a stored entry."""
    findings = []
    there = {(row["run_id"], row["message_id"]) for row in inbox if row["kind"] == "signal"}
    taken = {place for place, count in ledger.delivered.items() if count}
    findings += [f"{place}: taken {count} times" for place, count in ledger.delivered.items() if count > 1]
    findings += [f"{place}: taken and lost" for place in taken - there]
    findings += [f"{place}: stored, and never taken" for place in there - taken]
    findings += [
        f"{row['run_id']} {row['message_id']}: consumed by an entry that is not stored"
        for row in inbox
        if row["consumed_sequence"] is not None and (row["run_id"], row["consumed_sequence"]) not in ledger.applied
    ]
    return findings


def audit_events(ledger: Ledger, events: list[Any], inbox: list[Any]) -> list[str]:
    """An event is stored once, and reached exactly the runs that it said, or is held, or was taken by a later wait."""
    findings = []
    reached = defaultdict(set)
    for row in inbox:
        if row["inbound_id"] is not None:
            reached[row["inbound_id"]].add(row["run_id"])
    if {row["event_key"] for row in events} != set(ledger.stored_events):
        findings.append("events are stored or acknowledged, not both")
    for row in events:
        answers = ledger.stored_events[row["event_key"]]
        if len(answers) != 1:
            findings.append(f"{row['event_key']}: acknowledged as new {len(answers)} times")
            continue
        if answers[0] and set(answers[0]) != reached[row["inbound_id"]]:
            findings.append(f"{row['event_key']}: reached others than it said")
        if (row["status"] == "held") == bool(reached[row["inbound_id"]]):
            findings.append(
                f"{row['event_key']}: is {row['status']} and reached {len(reached[row['inbound_id']])} runs"
            )
    return findings


def audit_keys(ledger: Ledger, keys: list[Any]) -> list[str]:
    """A key that is reserved is held by the run whose last applied change of it is a reservation, and by no other."""
    findings = []
    holds: dict[str, set[str]] = defaultdict(set)
    changes: dict[tuple[str, str], str] = {}
    for (run_id, _), sent in sorted(ledger.applied.items(), key=lambda item: item[0]):
        for change in sent[0].keys:
            changes[run_id, change.key] = change.action
    for (run_id, key), action in changes.items():
        if action == "reserve":
            holds[key].add(run_id)
    for row in keys:
        expected = holds[row["key"]] if row["status"] == "reserved" else set()
        actual = {row["run_id"]} if row["status"] == "reserved" else set()
        if actual != holds[row["key"]]:
            findings.append(f"{row['key']}: is {row['status']} for {actual}, and {len(expected)} runs won it")
    findings += [f"{key}: won by {len(runs)} runs at once" for key, runs in holds.items() if len(runs) > 1]
    return findings


def audit_approvals(ledger: Ledger, approvals: list[Any], inbox: list[Any]) -> list[str]:
    """A request has one winner, and its run was told once."""
    findings = []
    told = [row["run_id"] for row in inbox if row["kind"] == "approval"]
    if {row["approval_id"] for row in approvals} != set(ledger.asked):
        findings.append("requests are stored or acknowledged, not both")
    for row in approvals:
        winners = ledger.decided[row["approval_id"]]
        if winners != (row["status"] in {"approved", "denied"}):
            findings.append(f"{row['approval_id']}: {winners} decisions won, and it is {row['status']}")
    if len(told) != ledger.decided.total():
        findings.append(f"{ledger.decided.total()} decisions, and {len(told)} messages about them")
    return findings
