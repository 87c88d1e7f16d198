"""Readers of plans at full numbers: mutated documents of every format, on every core."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from campaigns.record import Figure, Options, at_least, exactly, reading
from remit.plans.formats import FRONTS
from remit.plans.plan import PlanFormat
from tests.plans.fuzzing import CPU_SECONDS_MAX, Fuzzed, document, fuzz

PROMISE = "Whatever a plan document holds, its reader answers with findings, and within 250 ms of processor."

DOCUMENTS_FULL = 100_000
BATCH = 500
SHOWN_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What came of some documents: how many were read, how many raised or took too long, and what to print of those."""

    read: int
    raised: int
    slow: int
    slowest_seconds: float
    shown: tuple[str, ...]


def run(options: Options) -> list[Figure]:
    """Read so many mutated documents as each format."""
    count = options.count(DOCUMENTS_FULL)
    figures: list[Figure] = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for format_ in FRONTS:
            starts = range(0, count, BATCH)
            batches = list(pool.map(partial(_read, format_, options.seed, count), starts))
            for line in [line for batch in batches for line in batch.shown][:SHOWN_MAX]:
                print(line, flush=True)
            figures += [
                at_least(f"{format_}: documents", sum(batch.read for batch in batches), count),
                exactly(f"{format_}: exceptions", sum(batch.raised for batch in batches)),
                exactly(f"{format_}: beyond 250 ms", sum(batch.slow for batch in batches)),
                reading(f"{format_}: slowest, ms", round(max(batch.slowest_seconds for batch in batches) * 1000, 1)),
            ]
    return figures


def _read(format_: PlanFormat, seed: int, count: int, start: int) -> Batch:
    """Read one batch; an index and the seed repeat a document, in whatever batch it is."""
    tried = [
        (index, fuzz(format_, document(format_, seed=seed, index=index)))
        for index in range(start, min(start + BATCH, count))
    ]
    bad = [(index, one) for index, one in tried if one.failure or one.seconds > CPU_SECONDS_MAX]
    return Batch(
        read=len(tried),
        raised=sum(one.failure is not None for _, one in tried),
        slow=sum(one.seconds > CPU_SECONDS_MAX for _, one in tried),
        slowest_seconds=max(one.seconds for _, one in tried),
        shown=tuple(f"{format_} {index}: {_shown(one)}" for index, one in bad[:SHOWN_MAX]),
    )


def _shown(one: Fuzzed) -> str:
    return one.failure or f"{one.seconds:.2f} s for {len(one.document)} bytes"
