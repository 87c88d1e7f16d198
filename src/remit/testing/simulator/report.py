"""Many seeds: what they reached, what they broke, and how to see it again.

Owns: running seeds one after another, reducing a failing one to the faults that it needs, and the report for people.
Does not know: where scenarios come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import structlog

from remit.core.canonical import JsonValue
from remit.core.facts import Fact
from remit.runtime.metrics import Metrics
from remit.testing.simulator.audit import audit
from remit.testing.simulator.coverage import Tally
from remit.testing.simulator.dice import ALL, Fault
from remit.testing.simulator.execution import Execution, Record
from remit.testing.simulator.scenario import Scenario
from remit.testing.simulator.timeline import timeline
from remit.testing.simulator.world import Effect

FAILURES_MAX: Final = 3
"""Failing seeds after which the rest is not run: they are shown whole."""

Check = Callable[["Outcome"], None]
"""A law of the caller's own: it raises ``AssertionError`` if an outcome breaks it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one execution, for a check.

    ``steps`` are the statuses of steps that began, ``outputs`` what finished ones gave, ``effects`` what was done
    outside. ``status`` is ``waiting`` when the run waits for a message that nobody sends.
    """

    seed: int
    status: str
    output: JsonValue
    steps: dict[str, str]
    outputs: dict[str, JsonValue]
    effects: tuple[Effect, ...]
    facts: tuple[Fact, ...]
    faults: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A seed that broke a promise, reduced to the faults that it takes to break it."""

    seed: int
    findings: tuple[str, ...]
    faults: tuple[Fault, ...]
    lines: tuple[str, ...]

    def render(self) -> str:
        """Return the failure for people: what broke, what it takes, and everything that happened."""
        told = "\n".join(f"  {finding}" for finding in self.findings)
        faults = " ".join(self.faults) or "no fault at all"
        return f"seed {self.seed} breaks a promise, given {faults}:\n{told}\n\n" + "\n".join(self.lines)


@dataclass(slots=True, kw_only=True)
class Report:
    """What many seeds came to."""

    seed_count: int = 0
    tally: Tally = field(default_factory=Tally)
    failures: list[Failure] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether every promise was kept."""
        return not self.failures

    def require_clean(self) -> None:
        """Refuse a report with failures.

        Raises:
            AssertionError: there are some; the message is the report.
        """
        if not self.is_clean:
            raise AssertionError(self.render())

    def render(self) -> str:
        """Return the report for people."""
        struck = ", ".join(f"{name} {count:,}" for name, count in sorted(self.tally.faults.items()))
        endings = ", ".join(f"{name} {count:,}" for name, count in sorted(self.tally.endings.items()))
        lines = [f"{self.seed_count:,} seeds: {endings or 'none'}", f"faults: {struck or 'none'}"]
        lines += [failure.render() for failure in self.failures]
        if self.is_clean:
            lines.append("every promise was kept")
        return "\n".join(lines)


def run_seeds(
    scenario_of: Callable[[int], Scenario],
    seeds: Iterable[int],
    *,
    faults: Iterable[Fault] = ALL,
    check: Check | None = None,
) -> Report:
    """Run one execution for each seed; stop after ``FAILURES_MAX`` failing ones."""
    report = Report()
    bench = _Bench(faults=tuple(faults), check=check)
    with _in_silence():
        for seed in seeds:
            if len(report.failures) == FAILURES_MAX:
                break
            scenario = scenario_of(seed)
            record, findings = bench.judge(scenario, seed, bench.faults)
            report.seed_count += 1
            report.tally.add(record.tally)
            if findings:
                report.failures.append(bench.reduce(scenario, seed))
    return report


def run_seed(scenario: Scenario, seed: int, *, faults: Iterable[Fault] = ALL) -> Record:
    """Run one execution and return everything that happened."""
    with _in_silence():
        return Execution(scenario, seed, metrics=Metrics(), faults=faults).run()


def outcome_of(record: Record) -> Outcome:
    """Return what came of an execution."""
    state = record.state
    return Outcome(
        seed=record.seed,
        status=state.status.value,
        output=state.output,
        steps={step: known.status.value for step, known in state.steps.items()},
        outputs={step: result["output"] for step, result in state.results.items()},
        effects=tuple(record.world.book),
        facts=tuple(record.facts),
        faults=dict(record.fired),
    )


class _Bench:
    """What seeds are run with."""

    def __init__(self, *, faults: tuple[Fault, ...], check: Check | None) -> None:
        self.faults = faults
        self._check = check
        self._metrics = Metrics()

    def judge(self, scenario: Scenario, seed: int, faults: tuple[Fault, ...]) -> tuple[Record, list[str]]:
        """Run one seed and return what is wrong with it."""
        record = Execution(scenario, seed, metrics=self._metrics, faults=faults).run()
        findings = audit(record)
        if self._check is not None:
            try:
                self._check(outcome_of(record))
            except AssertionError as error:
                findings.append(f"check: {error}")
        record.tally.endings[record.state.status.value] += 1
        record.tally.turns_most = record.calm_turns
        return record, findings

    def reduce(self, scenario: Scenario, seed: int) -> Failure:
        """Take away one kind of fault after another, as long as something stays broken."""
        record, findings = self.judge(scenario, seed, self.faults)
        needed = tuple(fault for fault in self.faults if fault in record.fired)
        for fault in needed:
            fewer = tuple(other for other in needed if other is not fault)
            again, broken = self.judge(scenario, seed, fewer)
            if broken:
                needed, record, findings = fewer, again, broken
        return Failure(seed=seed, findings=tuple(findings), faults=needed, lines=tuple(timeline(record)))


def _drop(_logger: Any, _method: str, _event: Any) -> NoReturn:
    raise structlog.DropEvent


@contextmanager
def _in_silence() -> Iterator[None]:
    """Keep the kernel's log quiet: what it has to say about planned faults is in the timeline."""
    before = structlog.get_config()
    structlog.configure(processors=[_drop])
    try:
        yield
    finally:
        structlog.configure(**before)
