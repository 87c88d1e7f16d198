"""The store port: all roles of durable state under one name.

Owns: nothing. Each role has its module (`journal`, `dispatch`, `inbox`, `approvals`, `directory`, `reader`); whoever
needs several of them imports from here. `outbox` and `reservation` stand for themselves.
"""

from __future__ import annotations

from remit.ports.approvals import Approval, Approvals, Decision
from remit.ports.directory import Directory, Endpoints, Principal, StoredDefinition, Tenant, WebhookEndpoint
from remit.ports.dispatch import Dispatch, Heartbeat
from remit.ports.inbox import InboundEvent, InboundReceived, Inbox, Message
from remit.ports.journal import (
    Append,
    Appended,
    AppendOutcome,
    ApprovalRow,
    Claimed,
    Correlation,
    Disposition,
    InboxMessage,
    Journal,
    JournalEntry,
    KeyChange,
    LoadedRun,
    MintedRun,
    ReceiptRow,
    StepRow,
    Submission,
    Submitted,
)
from remit.ports.reader import HeldEvent, Reader, RunSummary, StoredReceipt, StoredStep

__all__ = [
    "Append",
    "AppendOutcome",
    "Appended",
    "Approval",
    "ApprovalRow",
    "Approvals",
    "Claimed",
    "Correlation",
    "Decision",
    "Directory",
    "Dispatch",
    "Disposition",
    "Endpoints",
    "Heartbeat",
    "HeldEvent",
    "InboundEvent",
    "InboundReceived",
    "Inbox",
    "InboxMessage",
    "Journal",
    "JournalEntry",
    "KeyChange",
    "LoadedRun",
    "Message",
    "MintedRun",
    "Principal",
    "Reader",
    "ReceiptRow",
    "RunSummary",
    "StepRow",
    "StoredDefinition",
    "StoredReceipt",
    "StoredStep",
    "Submission",
    "Submitted",
    "Tenant",
    "WebhookEndpoint",
]
