"""Id types: a run id never travels as a bare string."""

from __future__ import annotations

from typing import NewType

TenantId = NewType("TenantId", str)
"""Lower-case slug, 1 to 40 characters of ``[a-z0-9_-]``, starting with a letter."""

PrincipalId = NewType("PrincipalId", str)
"""Slug within a tenant: a human, an agent or a service."""

RunId = NewType("RunId", str)
"""UUIDv7 minted in the database, in its hyphenated lower-case form."""

StepId = NewType("StepId", str)
"""Name of a step, unique in its definition."""

ApprovalId = NewType("ApprovalId", str)
"""UUID of one request for a human decision."""

WorkerId = NewType("WorkerId", str)
"""UUID drawn at each process start: never a host name, never reused."""

Epoch = NewType("Epoch", int)
"""Fencing token of a run's claim; grows with every claim."""

Sequence = NewType("Sequence", int)
"""Position of an entry in a run's journal; the first entry has 1."""

Digest = NewType("Digest", str)
"""SHA-256 in lower-case hex."""

InboxId = NewType("InboxId", int)
"""Position of a message in the inbox of all runs."""
