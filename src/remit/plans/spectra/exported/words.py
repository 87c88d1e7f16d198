"""The words of ``plan.json``, the form of a SPECTRA plan that tools execute.

Owns: the tables of its fields. Schema, reader and writer go by them; tests compare.
Does not know: what a value must look like.

The first half of the plan's and a task's fields are the original format's. It has no place for the rest of what a
document may say; the fields from ``title`` and ``description`` on hold that, so that nothing is lost on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from remit.plans.fields import FieldTable
from remit.plans.plan import TaskState
from remit.plans.spectra import names

SCHEMA_FIELD: Final = "$schema"
VERSION: Final = "1.0"

PLAN: Final = FieldTable(
    what="plan.json",
    names=frozenset(
        {
            SCHEMA_FIELD, "version", "source_hash", "project", "level", "generated", "source", "tasks", "parallelism",
            "title", "fields", "graph", "marks",
        }
    ),
)  # fmt: skip
TASK: Final = FieldTable(
    what="a task",
    names=frozenset(
        {
            "id", "title", "status", "risk", "verify", "max_iterations", "owns", "touches", "reads", "deps",
            "line_number", "scope", "files", "ac",
            "description", "marked", "in_progress", "dependencies", "wiring_proof", "assertions", "fields",
        }
    ),
)  # fmt: skip
PARALLELISM: Final = FieldTable(
    what="the parallelism", names=frozenset({"independent", "sequential", "recommendation", "fields"})
)
WIRING: Final = FieldTable(what="the wiring proof", names=frozenset({"cli", "integration", "others"}))
FIELD: Final = FieldTable(what="a field", names=frozenset({"key", "value", "items"}))

STATUSES: Final[Mapping[str, TaskState]] = MappingProxyType(
    {"pending": TaskState.PENDING, "complete": TaskState.DONE, "stuck": TaskState.STUCK}
)

FIELD_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        names.CRITERIA: "ac",
        names.FILES: "files",
        names.VERIFY: "verify",
        names.RISK: "risk",
        names.ITERATIONS: "max_iterations",
        names.SCOPE: "scope",
        names.OWNERSHIP: "owns",
        names.OWNS: "owns",
        names.READS: "reads",
        names.WIRING: "wiring_proof",
        names.CLI: "cli",
        names.INTEGRATION: "integration",
        names.PARALLELISM: "parallelism",
    }
)
"""What the format's fields are called in JSON."""
