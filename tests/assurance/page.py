"""The page for sceptics: each promise with its tests, the bug that they find, the number and the last result.

Owns: what ``docs/assurance/README.md`` says. Does not know: how results come about.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from tests.assurance.promises import ROOT, Promise

PAGE = ROOT / "docs" / "assurance" / "README.md"
RECORDS = ROOT / "docs" / "assurance" / "campaigns"

HEAD = """# Why you can believe it

Every promise of the [README](../../README.md#guarantees), what holds it, how we know that this is not an empty test,
and the last result. Ten minutes, in three steps:

1. **Choose a row.** Its tests are linked. Run them: `make setup`, then `.venv/bin/pytest` and the path.
2. **Break the promise.** Each row names a bug. `.venv/bin/pytest tests/assurance -k <promise>` copies the sources,
   plants that one edit, runs the very tests of the row and fails unless *they* fail. Or edit the line yourself.
3. **Read the number.** What needs more than a suite may take is a campaign: `make campaign-<name>` runs it at its full
   numbers, with a seed that repeats it, and records what came out. A campaign counts how often each fault really fired
   and fails below a floor, so it cannot pass because nothing happened.

`make test` runs all tests and plants all bugs; nothing in it may skip. "0 of N" means a rate below 3/N at 95 %
confidence.

"""

FOOT = """
Written by `python -m tests.assurance` from `tests/assurance/promises.toml` and the records; a test fails when it is not
current. Further pages: [figures and peers](performance.md), [isolation and approvals](isolation.md), [provider
faults](provider-faults.md).
"""


def render(promises: list[Promise]) -> str:
    """Return the page."""
    lines = [HEAD.rstrip("\n"), "", "## Promise → test → planted bug → number", ""]
    lines += ["| Promise | Held by | Found when planted | Number |", "|---|---|---|---|"]
    lines += [_row(promise) for promise in promises]
    lines += ["", "## Campaigns", "", *_campaigns(), FOOT.rstrip("\n"), ""]
    return "\n".join(lines)


def _row(promise: Promise) -> str:
    numbers = [promise.number] if promise.number else []
    numbers += [f"[{name}](#{name})" for name in promise.campaigns]
    held = "<br>".join(_link(node) for node in promise.tests)
    return (
        f"| **{promise.id}**: {promise.says} | {held} | {_found(promise)} | {'<br>'.join(numbers) or 'each passed'} |"
    )


def _found(promise: Promise) -> str:
    if promise.bug is not None:
        return f"an edit of [`{Path(promise.bug.file).name}`](../../src/{promise.bug.file})"
    return "<br>".join(_link(node) for node in promise.planted)


def _link(node: str) -> str:
    path, _, name = node.partition("::")
    return f"[`{name or path.removeprefix('tests/')}`](../../{path})"


def _campaigns() -> list[str]:
    records = [orjson.loads(path.read_bytes()) for path in sorted(RECORDS.glob("*.json"))]
    return [line for record in records for line in _campaign(record)]


def _campaign(record: dict[str, Any]) -> list[str]:
    machine = record["machine"]
    run = f"`{record['command']}` · {record['started'][:10]} · {record['duration_seconds']:,.0f} s"
    place = f"{machine['cores']} cores, {machine['memory_gib']} GiB, {machine['processor']}, Python {machine['python']}"
    lines = [
        f"### {record['campaign']}",
        "",
        record["promise"],
        "",
        f"{run} · {place} · **{'holds' if record['holds'] else 'does not hold'}**",
        "",
        "| Figure | Value | Bound |",
        "|---|---|---|",
    ]
    lines += [f"| {row['name']} | {row['value']:,.10g} | {row.get('bound', '')} |" for row in record["figures"]]
    return [*lines, ""]
