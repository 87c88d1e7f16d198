"""Names of the format: fields, their other spellings, and their closed sets of values.

Owns: the tables.
Does not know: where a name may stand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from remit.plans.plan import RiskClass, TaskState
from remit.plans.texts import NOTHING_WORDS

TITLE: Final = "SPECTRA Execution Plan"

PROJECT: Final = "Project"
LEVEL: Final = "Level"
GENERATED: Final = "Generated"
SOURCE: Final = "Source"

HEADER_FIELDS: Final = (PROJECT, LEVEL, GENERATED, SOURCE)

CRITERIA: Final = "AC"
FILES: Final = "Files"
VERIFY: Final = "Verify"
RISK: Final = "Risk"
ITERATIONS: Final = "Max-iterations"
SCOPE: Final = "Scope"
DEPENDENCIES: Final = "Dependencies"
OWNERSHIP: Final = "File-ownership"
WIRING: Final = "Wiring-proof"
ASSERTIONS: Final = "Assertions"

FIELDS: Final = (
    CRITERIA, FILES, VERIFY, RISK, ITERATIONS, SCOPE, DEPENDENCIES, OWNERSHIP, WIRING, ASSERTIONS,
)  # fmt: skip
"""Fields of a task in the order in which they are written."""

NESTED: Final = frozenset({CRITERIA, OWNERSHIP, WIRING, ASSERTIONS})
"""Fields whose values stand on lines of their own."""

REQUIRED_FROM: Final[Mapping[str, int]] = MappingProxyType(
    {CRITERIA: 0, FILES: 0, VERIFY: 0, RISK: 1, ITERATIONS: 1, SCOPE: 2, WIRING: 2, OWNERSHIP: 3}
)
"""The lowest level at which a task must have the field."""

LEVEL_MAX: Final = 4
OWNERSHIP_LEVEL: Final = 3
WIRING_LEVEL: Final = 2

LEGACY_KEYS: Final = frozenset({"Max iterations", "Wiring proof", "File ownership"})
"""Spellings that older versions of the format had."""

_OTHER_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "acceptance": CRITERIA,
        "acceptance criteria": CRITERIA,
        "acs": CRITERIA,
        "criteria": CRITERIA,
        "file": FILES,
        "verification": VERIFY,
        "verify command": VERIFY,
        "verify with": VERIFY,
        "risk level": RISK,
        "max iteration": ITERATIONS,
        "iterations max": ITERATIONS,
        "dependency": DEPENDENCIES,
        "depends": DEPENDENCIES,
        "depends on": DEPENDENCIES,
        "deps": DEPENDENCIES,
        "blocked by": DEPENDENCIES,
        "ownership": OWNERSHIP,
        "files ownership": OWNERSHIP,
        "wiring": WIRING,
        "wiring proofs": WIRING,
        "assertion": ASSERTIONS,
    }
)

STATE_KEYS: Final = frozenset({"status", "state"})
"""Keys of fields, unknown to the format, that say how far a task is."""

OWNS: Final = "owns"
TOUCHES: Final = "touches"
READS: Final = "reads"
OWNERSHIP_KEYS: Final = (OWNS, TOUCHES, READS)

CHANGE_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "creates": OWNS,
        "create": OWNS,
        "new": OWNS,
        "deletes": OWNS,
        "delete": OWNS,
        "owns": OWNS,
        "touches": TOUCHES,
        "touch": TOUCHES,
        "may touch": TOUCHES,
        "modifies": TOUCHES,
        "modify": TOUCHES,
        "updates": TOUCHES,
        "reads": READS,
        "read": READS,
    }
)
"""What sub-items of ``Files`` that say how a file is changed mean as ownership."""

CLI: Final = "CLI"
INTEGRATION: Final = "Integration"

SCOPES: Final = ("code", "infra", "docs", "config", "multi-repo")
RISKS: Final[Mapping[str, RiskClass]] = MappingProxyType({risk.value: risk for risk in RiskClass})
ALLOWED_RISKS: Final = ("low", "medium", "high")

ITERATIONS_RANGE: Final = (1, 20)

MARKS: Final[Mapping[str, TaskState]] = MappingProxyType(
    {
        " ": TaskState.PENDING,
        "x": TaskState.DONE,
        "X": TaskState.DONE,
        "!": TaskState.STUCK,
        "~": TaskState.IN_PROGRESS,
    }
)
MARK_OF: Final[Mapping[TaskState, str]] = MappingProxyType(
    {TaskState.PENDING: " ", TaskState.DONE: "x", TaskState.STUCK: "!", TaskState.IN_PROGRESS: "~"}
)

TEAM_ELIGIBLE: Final = "TEAM_ELIGIBLE"
SEQUENTIAL_ONLY: Final = "SEQUENTIAL_ONLY"
RECOMMENDATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        TEAM_ELIGIBLE: TEAM_ELIGIBLE,
        "PARALLEL_OK": TEAM_ELIGIBLE,
        "PARALLEL": TEAM_ELIGIBLE,
        SEQUENTIAL_ONLY: SEQUENTIAL_ONLY,
        "SEQUENTIAL": SEQUENTIAL_ONLY,
        "SEQUENTIAL_REQUIRED": SEQUENTIAL_ONLY,
    }
)
"""Words of recommendations, and which of the format's two they mean."""

PARALLELISM: Final = "Parallelism Assessment"
GRAPH: Final = "Dependency Graph"
INDEPENDENT: Final = "Independent tasks"
SEQUENTIAL: Final = "Sequential dependencies"
RECOMMENDATION: Final = "Recommendation"

NONE_WORDS: Final = NOTHING_WORDS | {""}

_SPACES: Final = re.compile(r"[-_\s]+")


def plain_key(written: str) -> str:
    """Return a key without differences of case, hyphens and spaces."""
    return _SPACES.sub(" ", written.strip()).casefold()


_KEYS: Final[Mapping[str, str]] = MappingProxyType({**_OTHER_KEYS, **{plain_key(field): field for field in FIELDS}})
_HEADER_KEYS: Final[Mapping[str, str]] = MappingProxyType({plain_key(field): field for field in HEADER_FIELDS})


def field_of(key: str) -> str | None:
    """Return the field of a task that a key names, however it is spelt."""
    return _KEYS.get(plain_key(key))


def header_field_of(key: str) -> str | None:
    """Return the field of the header that a key names, however it is spelt."""
    return _HEADER_KEYS.get(plain_key(key))
