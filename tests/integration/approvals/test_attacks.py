"""Hundreds of attacks on an approval: none is accepted, nothing changes, and the true decision counts afterwards."""

from __future__ import annotations

from collections import Counter

from remit.bootstrap import APPROVER
from remit.core.canonical import canonical_bytes
from remit.errors import RemitError
from remit.testing.database import ScratchDatabase
from tests.integration.approvals.attacks import Attack, every
from tests.integration.approvals.target import ARGUMENTS, WAITING, Target, waiting

CASES_MIN = 380


async def accepted(target: Target, attack: Attack) -> str | None:
    """Try an attack; return what speaks for its success, if anything does."""
    before = await target.evidence()
    try:
        answer = await attack.act()
    except RemitError:
        answer = None
    after = await target.evidence()
    if before != after:
        return f"{attack.name}: rows or calls changed"
    if answer is not None and not isinstance(answer, int):
        return f"{attack.name}: {answer}"
    return None


async def test_no_attack_on_an_open_request_is_accepted(database: ScratchDatabase) -> None:
    """
    Forged ids, altered digests, digests of altered calls, wrong people, another tenant, followed links, forged forms,
    wrong keys and texts that claim approval: all refused, or heard as the mere messages that they are. What the
    approver then says counts, once, and exactly the approved bytes are sent.
    """
    async with waiting(database) as target:
        attacks = list(every(target))
        successes = [found for attack in attacks if (found := await accepted(target, attack)) is not None]
        run = await target.stage.kernel.store.reader.get_run(target.approval.tenant_id, target.run_id)
        calls_before = len(target.tool.calls)
        status = await target.send()
        ended = await target.stage.end(target.run_id)
        decided = await target.stage.kernel.store.approvals.get(target.approval.tenant_id, target.approval.approval_id)

    assert [] == successes
    assert len(attacks) >= CASES_MIN, len(attacks)
    assert 1 == max(Counter(attack.name for attack in attacks).values())
    assert (WAITING, 0) == (run.waiting_for, calls_before)
    assert (200, "completed", (APPROVER,)) == (status, ended.status, decided.decided_by)
    assert [ARGUMENTS] == [dict(call.arguments) for call in target.tool.calls]
    assert canonical_bytes(dict(target.tool.calls[0].arguments)) == target.approval.arguments
