"""Laws of effects: intents before them, approvals before them, once each, and a receipt for each.

Owns: the comparison of the journal with the world's book and with what people decided.
Does not know: how either came about.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Final

from remit.core import facts
from remit.core.definition import ToolStep
from remit.core.facts import Fact
from remit.core.states import DeliveryClass
from remit.testing.simulator.execution import Record
from remit.testing.simulator.laws_journal import Findings

_INSIDE: Final = frozenset({DeliveryClass.PURE, DeliveryClass.LOCAL})


def check_approvals(record: Record) -> Findings:
    """What is given was asked for, decided in time by the person asked, and nobody is asked in vain."""
    asked: dict[str, facts.ApprovalRequested] = {}
    stored = record.database.approvals
    for fact in record.facts:
        match fact:
            case facts.ApprovalRequested():
                asked[fact.step] = fact
            case facts.ApprovalGiven():
                request, row = asked[fact.step], stored[fact.approval_id]
                if (request.approval_id, request.digest) != (fact.approval_id, fact.digest):
                    yield f"{fact!r} is not what was asked: {request!r}"
                if row.status != "approved" or row.decided_at is None or row.decided_at >= row.row.expires_at:
                    yield f"{fact!r} is {row.status} in the database"
            case facts.ApprovalDenied() | facts.ApprovalExpired():
                word = "denied" if isinstance(fact, facts.ApprovalDenied) else "expired"
                if stored[fact.approval_id].status != word:
                    yield f"{fact!r} is {stored[fact.approval_id].status} in the database"
            case _:
                pass
    if record.state.is_terminal:
        yield from (f"{key} is still pending" for key, row in stored.items() if row.status == "pending")


def check_policies(record: Record) -> Findings:
    """What is approved under one policy is not done under another: who asked for it is asked again."""
    rules = {rule.id for rule in record.scenario.config.approval_rules}
    asked: dict[str, facts.ApprovalRequested] = {}
    for fact in record.facts:
        if isinstance(fact, facts.ApprovalRequested) and fact.rule_id in rules:
            asked[fact.step] = fact
        elif isinstance(fact, facts.IntentRecorded) and fact.step in asked:
            request = asked[fact.step]
            if fact.attempt == request.attempt and fact.policy_digest != request.policy_digest:
                yield f"{fact.step} acts under another policy than the one it was approved under"


def check_effects(record: Record) -> Findings:
    """An effect has its durable intent, a gated one its approval of just these arguments, and each happens once."""
    contracts = {contract.name: contract for contract in record.scenario.contracts}
    rules = {rule.tool for rule in record.scenario.config.approval_rules if rule.condition is None}
    seen: Counter[str] = Counter()
    for effect in record.world.book:
        seen[effect.key] += 1
        before = [
            fact
            for entry in record.entries
            if entry.stored_seconds <= effect.at_seconds
            for fact in entry.facts
            if getattr(fact, "step", None) == effect.step
        ]
        intents = [fact for fact in before if isinstance(fact, facts.IntentRecorded)]
        if not any((intent.external_key, intent.arguments_digest) == (effect.key, effect.arguments_digest)
                   for intent in intents):  # fmt: skip
            yield f"{effect!r} has no durable intent"
        if contracts[effect.tool].delivery_class is DeliveryClass.OPAQUE and (
            effect.attempt not in {intent.attempt for intent in intents}
        ):
            yield f"{effect!r} has no intent of its own"
        if effect.tool in rules:
            yield from _check_gate(record, effect.step, effect.arguments_digest, before)
    yield from (f"{key} was done {count} times" for key, count in seen.items() if count > 1)


def _check_gate(record: Record, step: str, arguments_digest: str, before: list[Fact]) -> Findings:
    given = [fact for fact in before if isinstance(fact, facts.ApprovalGiven)]
    rows = [record.database.approvals[fact.approval_id].row for fact in given]
    if not any(hashlib.sha256(row.arguments).hexdigest() == arguments_digest for row in rows):
        yield f"{step} acted without an approval of what it did"


def check_receipts(record: Record) -> Findings:
    """Receipts and the book agree, one row each way; a settled or adopted effect has its line too."""
    contracts = {contract.name: contract for contract in record.scenario.contracts}
    book = {effect.key: effect for effect in record.world.book}
    keys: set[str] = set()
    for fact in record.facts:
        if not isinstance(fact, facts.StepCompleted):
            continue
        step = record.scenario.program.steps[fact.step].step
        if not isinstance(step, ToolStep):
            continue
        contract = contracts[step.tool]
        receipt = fact.receipt
        if receipt is None or contract.delivery_class in _INSIDE:
            if receipt is None and contract.delivery_class is DeliveryClass.LOCAL:
                yield f"{fact.step} has no receipt"
            continue
        effect = book.get(receipt.external_key or "")
        if effect is None or effect.arguments_digest != receipt.arguments_digest:
            yield f"the receipt of {fact.step} is not in the book"
        if receipt.idempotency_key in keys:
            yield f"{receipt.idempotency_key} has two receipts"
        keys.add(receipt.idempotency_key)
    completed = {fact.step: fact for fact in record.facts if isinstance(fact, facts.StepCompleted)}
    settled = {fact.step for fact in record.facts if isinstance(fact, facts.EffectSettled)}
    for effect in record.world.book:
        step_fact = completed.get(effect.step)
        if step_fact is not None and step_fact.receipt is None and effect.step not in settled:
            yield f"{effect.step} acted and has no receipt"


def check_keys(record: Record) -> Findings:
    """A run that ended holds no reservation."""
    if record.state.is_terminal:
        yield from (
            f"{key} is {held.status}" for key, held in record.database.keys.items() if held.status == "reserved"
        )


def check_doubt(record: Record) -> Findings:
    """No step fails, and no run ends, while an effect in the book is not accounted for."""
    if not record.state.is_terminal:
        return
    for effect in record.world.book:
        step = record.state.steps.get(effect.step)
        if step is None or step.status.value != "completed":
            ended = "never began" if step is None else f"is {step.status}"
            yield f"{effect.tool} was done for {effect.step}, which {ended}"
