"""Small messy documents of both forms: every contradiction is found, once, at its place.

Beside each `documents/*.md` stands a file with what is expected, a line `line:column CODE` for each finding.
"""

from pathlib import Path

import pytest

from remit.diagnostics import render_excerpts
from tests.unit.plans.task_table.reading import DOCUMENTS, read, table_lines


@pytest.mark.parametrize("path", sorted(DOCUMENTS.glob("*.md")), ids=lambda path: path.stem)
def test_document_has_its_findings(path: Path) -> None:
    """
    A document with many mistakes gives all of them, each once, at its line and column.
    """
    reading = read(path.read_bytes())

    assert path.with_suffix(".findings").read_text(encoding="utf-8").splitlines() == table_lines(reading)
    assert reading.source is not None
    assert render_excerpts(reading.diagnostics, {reading.path: reading.source})


SOUND_FIELDS = """\
# Sound

| Metric | Value |
|--------|-------|
| Total Tasks | 2 |
| Critical Path Length | 2 tasks |

### T-01: Build

| Field | Value |
|-------|-------|
| **Task_ID** | T-01 |
| **Requirement_IDs** | R1, R2 |
| **Test_Cases** | TC1 |
| **Effort** | 2d |
| **Status** | DONE |

### T-02: Ship

| Field | Value |
|-------|-------|
| **Task_ID** | T-02 |
| **Requirement_IDs** | R2 |
| **Depends_On** | T-01 |
| **Effort** | 1d |
| **Status** | NOT_STARTED |

## Critical Path

```
T-01 ──► T-02
```

## Requirements

| Requirement | Tasks |
|-------------|-------|
| R1 | T-01 |
| R2 | T-01, T-02 |
"""

SOUND_ROWS = """\
# Sound

| ID | Task | Depends on | Estimate | Status |
|----|------|------------|----------|--------|
| T1 | Build | — | 2d | done |
| T2 | Ship | T1 | 1d | todo |
"""


def test_sound_document_has_no_findings() -> None:
    """
    Nothing is reported about a document in the canonical form that agrees with itself.
    """
    assert [] == [str(one) for one in read(SOUND_FIELDS).diagnostics]


def test_sound_rows_are_only_told_how_they_are_read() -> None:
    """
    Of a plain table that is in order only the meaning of its columns is said.
    """
    assert ["3:3 TABLE_COLUMNS_READ"] == [f"{one.span.start} {one.code}" for one in read(SOUND_ROWS).diagnostics]


@pytest.mark.parametrize(
    "table",
    [
        "| ID | Risk | Impact | Mitigation | Status |\n|-|-|-|-|-|\n| 1 | Loss | high | backup | open |\n",
        "| Version | Date | Changes |\n|-|-|-|\n| 1.0 | 2026-01-30 | first |\n",
        "| ID | Decision | Owner | Status |\n|-|-|-|-|\n| D1 | Buy | Ada | final |\n",
        "| Name | Role | Status |\n|-|-|-|\n| Ada | lead | in |\n",
        "| Phase | Tasks | Duration |\n|-|-|-|\n| Build | T1, T2 | 2w |\n",
        "| Field | Value |\n|-|-|\n| Owner | Ada |\n| Status | draft |\n",
        "| Endpoint | Owner | Status |\n|-|-|-|\n| /pay | Ada | live |\n",
        "| ID | Requirement | Priority | Status |\n|-|-|-|-|\n| R1 | It is fast | P0 | open |\n",
    ],
    ids=["risks", "changes", "decisions", "people", "phases", "metadata", "endpoints", "requirements"],
)
def test_other_tables_hold_no_tasks(table: str) -> None:
    """
    A table about something else adds no task to a document, and is no task table by itself.
    """
    alone = read(f"# Notes\n\n{table}").plan
    beside = read(f"{SOUND_ROWS}\n## Notes\n\n{table}").plan

    assert alone is not None
    assert () == alone.tasks
    assert beside is not None
    assert ["T1", "T2"] == [task.id for task in beside.tasks]
