"""From the record to the common plan.

Owns: which part of a delivery plan becomes what.
Does not know: analysis and compiling.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final

from remit.plans.delivery.lines import plain
from remit.plans.delivery.pairing import Pair, Pairing
from remit.plans.delivery.record import BUILDER, HUMAN, TESTER, DeliveryPlan, Gate, Item, Phase
from remit.plans.plan import (
    Dependency,
    DependencyOrigin,
    Estimate,
    HumanGate,
    PathClaim,
    Plan,
    PlanFormat,
    PlanPhase,
    PlanTask,
    TaskKind,
    Text,
)

_PATH: Final = re.compile(r"`((?:\./)?[\w@-][\w@.-]{0,80}(?:/[\w@.-]{1,80}){1,20}\.\w{1,10})`")


def plan_of(record: DeliveryPlan, pairing: Pairing) -> Plan:
    """Return the common plan of a record and the pairs of its items.

    Phases keep the order of the document, which is that of their execution. A test item depends on the work item that
    it tests, and the work item names it in ``tests``; there are no other dependencies. An item for several roles at
    once is a human gate if a person is among them.
    """
    by_test: defaultdict[str, list[Pair]] = defaultdict(list)
    by_work: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in pairing.pairs:
        by_test[pair.test].append(pair)
        by_work[pair.work].append(pair)
    gates: dict[str, Gate] = {}
    for gate in record.gates:
        gates.setdefault(gate.after, gate)
    tasks = tuple(
        _task(record, phase, item, tests=by_work[item.id], works=by_test[item.id])
        for phase in record.phases
        for item in phase.items
    )
    return Plan(
        format=PlanFormat.DELIVERY_PLAN,
        title=plain(record.title),
        tasks=tasks,
        phases=tuple(_phase(phase, gates.get(phase.id)) for phase in record.phases),
        risks=tuple(
            Text(text=f"{risk.id}: {plain(risk.text)}" if risk.id else plain(risk.text), at=risk.at)
            for risk in record.risks
        ),
    )


def _task(record: DeliveryPlan, phase: Phase, item: Item, *, tests: list[Pair], works: list[Pair]) -> PlanTask:
    names = dict.fromkeys(name for role in item.roles for name in record.names(role))
    return PlanTask(
        id=item.id,
        title=plain(item.title),
        at=item.at,
        kind=_kind(item),
        state=item.state,
        state_at=item.mark_at,
        phase=phase.id,
        role="/".join(item.roles) or None,
        owner=", ".join(names) or None,
        criteria=tuple(Text(text=detail.text, at=detail.at) for detail in item.details),
        files=_files(item),
        estimate=_estimate(item),
        depends_on=tuple(Dependency(id=pair.work, origin=DependencyOrigin.ORDER, at=item.at) for pair in works),
        tests=tuple(pair.test for pair in tests),
    )


def _kind(item: Item) -> TaskKind:
    if HUMAN in item.roles:
        return TaskKind.HUMAN_GATE
    return TaskKind.TEST if TESTER in item.roles and BUILDER not in item.roles else TaskKind.WORK


def _estimate(item: Item) -> Estimate | None:
    duration = item.duration
    if duration is None:
        return None
    return Estimate(
        days_min=duration.days_min * item.repeats,
        days_max=duration.days_max * item.repeats,
        written=duration.written,
        at=duration.at,
    )


def _files(item: Item) -> tuple[PathClaim, ...]:
    """Return the files that an item names in full; ``.../name.ts`` leaves out where it is."""
    texts = ((item.title, item.at), *((detail.text, detail.at) for detail in item.details))
    found: dict[str, PathClaim] = {}
    for text, at in texts:
        for written in _PATH.findall(text) if "`" in text else ():
            path = written.removeprefix("./")
            found.setdefault(path, PathClaim(path=path, written=written, at=at))
    return tuple(found.values())


def _phase(phase: Phase, gate: Gate | None) -> PlanPhase:
    return PlanPhase(
        id=phase.id,
        title=plain(phase.title),
        goal=plain(phase.goal),
        exit_criteria=tuple(Text(text=plain(criterion.text), at=criterion.at) for criterion in phase.criteria),
        gate=None if gate is None else _gate(gate),
        at=phase.at,
    )


def _gate(gate: Gate) -> HumanGate:
    return HumanGate(
        id=gate.id,
        title=plain(gate.text),
        criteria=tuple(Text(text=plain(criterion)) for criterion in gate.criteria),
        at=gate.at,
    )
