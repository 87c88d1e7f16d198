"""Checks of the summary against the tasks themselves.

Owns: what a metric of the summary counts, recounting it, and percentages.
Does not know: the critical path, and coverage of requirements and tests; those checks recount them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from remit.plans.plan import Place
from remit.plans.task_table.columns import TaskField, plain
from remit.plans.task_table.counting import Counts
from remit.plans.task_table.details import Details
from remit.plans.task_table.record import Entry, SideKind
from remit.plans.task_table.wording import counted
from remit.plans.texts import PlanReporter

_COUNT: Final = re.compile(
    r"(\d{1,9})(?:\s?/\s?(\d{1,9}))?(?:\s?\(?(\d{1,3}(?:\.\d{1,3})?)\s?%\)?)?(\s[a-zA-Z ]{1,40})?"
)
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_TOTAL_NAMES: Final = frozenset({"totaltasks", "tasks", "numberoftasks", "taskcount", "total", "alltasks", "tasktotal"})
_DISTINCT: Final = {
    "workstreams": TaskField.WORKSTREAM, "phases": TaskField.PHASE, "owners": TaskField.OWNER,
    "milestones": TaskField.PHASE,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A row of the summary."""

    name: str
    value: Entry

    @property
    def key(self) -> str:
        """Return the name as it compares."""
        return plain(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A number that a document writes: ``28 (87%)``, ``58/58 (100%)``, ``13 tasks``; places are the numbers'."""

    count: int
    of: int | None
    percent: Decimal | None
    unit: str
    at: Place
    percent_at: Place


def metrics_of(details: Details) -> Iterator[Metric]:
    """Yield the rows of the summary."""
    for table in details.record.of_kind(SideKind.SUMMARY):
        for row in table.rows:
            if len(row) > 1 and row[0].text:
                yield Metric(name=row[0].text.strip("`* "), value=row[1])


def claim_of(entry: Entry) -> Claim | None:
    """Return the number that a cell claims; ``None`` if it claims something else, or only about."""
    text = entry.text.strip("`*")
    shift = entry.at[0] + entry.text.find(text)
    found = _COUNT.fullmatch(text.strip())
    if found is None:
        return None
    return Claim(
        count=int(found[1]),
        of=None if found[2] is None else int(found[2]),
        percent=None if found[3] is None else Decimal(found[3]),
        unit=plain(found[4] or ""),
        at=(shift + found.start(1), shift + max(found.end(1), found.end(2))),
        percent_at=(shift + found.start(3), shift + found.end(3)),
    )


def check_summary(details: Details, counts: Counts, reporter: PlanReporter) -> None:
    """Report counts and percentages of the summary that the tasks contradict."""
    for metric in metrics_of(details):
        claim = claim_of(metric.value)
        if claim is None:
            continue
        found = list(_counts_of(metric, counts))
        if not found:
            continue
        if claim.count not in found:
            _report_count(metric, claim, (found[0], counts.total), reporter)
        elif claim.percent is not None and not is_share(claim.percent, claim.count, counts.total):
            _report_share(metric, claim, counts.total, reporter)


def _counts_of(metric: Metric, counts: Counts) -> Iterator[int]:
    """Yield what a metric may count; a name may be a value of two fields, such as a phase and a priority ``P1``."""
    if metric.key in _TOTAL_NAMES:
        yield counts.total
        return
    distinct = _DISTINCT.get(metric.key)
    if distinct is not None:
        yield sum(count > 0 for count in counts.of(distinct).values())
        return
    yield from (counts.of(meant)[key] for meant, key in counts.fields_of(metric.name))


def _report_count(metric: Metric, claim: Claim, right: tuple[int, int], reporter: PlanReporter) -> None:
    count, total = right
    at, replacement = claim.at, str(count)
    if claim.percent is not None:
        # Up to the sign: both numbers are wrong together.
        at = (claim.at[0], claim.percent_at[1])
        start = metric.value.at[0]
        written = metric.value.text[at[0] - start : at[1] - start]
        numbers = iter((str(count), str(share(count, total))))
        replacement = _NUMBER.sub(lambda _: next(numbers), written)
    of = "" if metric.key in _TOTAL_NAMES else f" of {counted(total, 'task')}"
    reporter.report(
        "TABLE_TOTAL_WRONG",
        f"expected {metric.name} to be {count}{of}, as their details say, got {claim.count}; correct one of both",
        at=at,
        replacement=replacement,
    )


def _report_share(metric: Metric, claim: Claim, total: int, reporter: PlanReporter) -> None:
    percent = share(claim.count, total)
    reporter.report(
        "TABLE_SHARE_WRONG",
        f"expected {metric.name} to be {percent}%, for {claim.count} of {total} are, got {claim.percent}%; correct "
        "one of both",
        at=claim.percent_at,
        replacement=str(percent),
    )


def share(count: int, total: int) -> int:
    """Return a share in percent, rounded half up."""
    return (200 * count + total) // (2 * total) if total else 0


def is_share(percent: Decimal, count: int, total: int) -> bool:
    """Whether a percentage is a share, rounded in any way."""
    if not total:
        return True
    exponent = percent.as_tuple().exponent
    unit = Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)
    return abs(percent - Decimal(100 * count) / total) < unit
