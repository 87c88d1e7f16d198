"""The auditor: whether an execution kept every promise.

Owns: the list of laws. They are stated on the journal's facts, the world's book, the people's decisions and the
database's answers.
Does not know: decide, evolve, outstanding or the chain's code: what both sides got wrong together would go unseen. The
laws ask one thing of the core: to fold a prefix, so that what comes of it can be compared with a reckoning of their
own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from remit.testing.simulator.execution import Record
from remit.testing.simulator.laws_decisions import check_decisions
from remit.testing.simulator.laws_effects import (
    check_approvals,
    check_doubt,
    check_effects,
    check_keys,
    check_policies,
    check_receipts,
)
from remit.testing.simulator.laws_journal import (
    Findings,
    check_chain,
    check_end,
    check_fence,
    check_kernel_faults,
    check_prefixes,
    check_steps,
    check_stopping,
)
from remit.testing.simulator.laws_outcome import check_outcome
from remit.testing.simulator.laws_time import check_attempts, check_bounds, check_instants, check_messages

LAWS: Final[tuple[Callable[[Record], Findings], ...]] = (
    check_chain, check_fence, check_end, check_prefixes, check_kernel_faults, check_decisions, check_steps,
    check_stopping, check_doubt, check_attempts, check_bounds, check_approvals, check_policies, check_effects,
    check_receipts,
    check_keys, check_instants, check_messages, check_outcome,
)  # fmt: skip


def audit(record: Record) -> list[str]:
    """Return every broken promise, in words; nothing if there is none."""
    found = list(record.findings)
    for law in LAWS:
        name = law.__name__.removeprefix("check_").replace("_", " ")
        found += [f"{name}: {finding}" for finding in law(record)]
    return found
