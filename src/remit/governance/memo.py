"""Memory for what is derived from an immutable record: compiled once, found by the record itself.

Owns: `per_record`. Records with mappings inside have no hash, and their digests take longer than the checks that ask
for them; but a process holds each contract and business config once, so identity finds them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

Record = TypeVar("Record")
Derived = TypeVar("Derived")

RECORDS_MAX: Final = 1_024
"""Most records remembered by one function; beyond it the oldest is derived again when asked for."""


def per_record(derive: Callable[[Record], Derived]) -> Callable[[Record], Derived]:
    """Return ``derive``, computed once for each record object.

    The answer depends on the record alone, so remembering changes nothing but time. A remembered record is kept alive:
    its identity cannot be taken by another one.
    """
    known: dict[int, tuple[Record, Derived]] = {}

    def derived(record: Record) -> Derived:
        key = object.__hash__(record)
        entry = known.get(key)
        if entry is not None and entry[0] is record:
            return entry[1]
        answer = derive(record)
        if len(known) >= RECORDS_MAX:
            known.pop(next(iter(known)), None)
        known[key] = (record, answer)
        return answer

    return derived
