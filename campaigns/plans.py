"""Readers of plans at full numbers: mutated documents of every format."""

from __future__ import annotations

from campaigns.record import Figure, Options, at_least, exactly, reading
from remit.plans.formats import FRONTS
from tests.plans.fuzzing import CPU_SECONDS_MAX, Fuzzed, document, fuzz

PROMISE = "Whatever a plan document holds, its reader answers with findings, and within 250 ms of processor."

DOCUMENTS_FULL = 100_000
SHOWN_MAX = 20


def run(options: Options) -> list[Figure]:
    """Read so many mutated documents as each format."""
    count = options.count(DOCUMENTS_FULL)
    figures: list[Figure] = []
    for format_ in FRONTS:
        raised = slow = 0
        slowest = 0.0
        for index in range(count):
            one = fuzz(format_, document(format_, seed=options.seed, index=index))
            raised += one.failure is not None
            slow += one.seconds > CPU_SECONDS_MAX
            slowest = max(slowest, one.seconds)
            if raised + slow <= SHOWN_MAX and (one.failure or one.seconds > CPU_SECONDS_MAX):
                print(f"{format_} {index}: {_shown(one)}", flush=True)
        figures += [
            at_least(f"{format_}: documents", count, count),
            exactly(f"{format_}: exceptions", raised),
            exactly(f"{format_}: beyond 250 ms", slow),
            reading(f"{format_}: slowest, ms", round(slowest * 1000, 1)),
        ]
    return figures


def _shown(one: Fuzzed) -> str:
    return one.failure or f"{one.seconds:.2f} s for {len(one.document)} bytes"
