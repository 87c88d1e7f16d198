"""The page about the crash points: what they are, what is done at each, and what the last campaigns found.

Owns: what the page says; ``python -m tests.crash report`` writes it, a test compares it.
Does not know: how a case works.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from tests.crash.points import READING, Point, listed
from tests.crash.proxy import ARGUMENTS

FOLDER = Path(__file__).parents[2] / "docs" / "assurance"
PAGE = FOLDER / "crash-points.md"
CAMPAIGNS = ("crash-points", "late-workers", "mass-expiry", "server-kills", "sqlstates", "takeovers")
SIGKILLED_IN_SUITE = (
    "submit:after:1",
    "append:after:7",
    "stripe.payment_intents.capture:after:1",
    "printful.orders.create_draft:before:1",
    "sendgrid.mail.send:after:1",
)


RESULTS = "## Last results"
POINTS = "## The points"


def page() -> str:
    """Return the page."""
    points = listed()
    kinds = Counter(point.phase_class for point in points)
    every, statements, replies = len(points), count_of(points, is_statement), count_of(points, loses_reply)
    killed = ", ".join(f"`{point}`" for point in SIGKILLED_IN_SUITE)
    lines = [
        "# Crash points of an order",
        "",
        "Written by `python -m tests.crash report`; a test compares it with the list and the records.",
        "",
        "An order goes from a signed webhook over an authorization, a draft, an approval, a capture, a confirmation, a",
        "signed shipment and a fulfilment to a mail. A *point* is `name:phase:ordinal`: the n-th time that a statement",
        "of the store or a tool of the pack is about to be asked for (`before`), or was executed but never heard of",
        "(`after`). `tests/crash/points.txt` lists them; a test fails when an order reaches one that is not there.",
        "After each case an auditor that shares no code with the kernel compares the providers' books with receipts",
        "and journals, and the run is replayed to the same hash.",
        "",
        "## What is done at each",
        "",
        "| Kind of point | Points |",
        "|---|---|",
        *[f"| {kind} | {count} |" for kind, count in sorted(kinds.items())],
        f"| all | {every} |",
        "",
        "| What happens there | In the suite | In the campaign `crash-points` |",
        "|---|---|---|",
        f"| the kernel dies in its process, its connections are cut; another one finishes | {every} | {every} |",
        f"| the connection of the statement is cut; the same kernel goes on | {statements} | {statements} |",
        f"| a proxy swallows the reply of a statement that was executed | each kind that commits | {replies} |",
        f"| a kernel in a process of its own gets SIGKILL | {len(SIGKILLED_IN_SUITE)} | {every} |",
        "| a second crash at some point of the recovery | 16 pairs by seed, 6 around look-ups | 20,000 pairs |",
        "",
        f"SIGKILL of a real process in every run of the suite: {killed}.",
        "",
        RESULTS,
        "",
        "| Campaign | Figure | Value | Bound | Holds |",
        "|---|---|---|---|---|",
        *[row for name in CAMPAIGNS for row in rows_of(name)],
        "",
        "Each can be repeated with the command in `campaigns/<name>.json`, which has seed, scale, date and machine.",
        "",
        POINTS,
        "",
        "| Name | Kind | before | after |",
        "|---|---|---|---|",
        *[
            f"| `{name}` | {kind_of(name)} | {phases['before']} | {phases['after']} |"
            for name, phases in sorted(by_name(points).items())
        ],
        "",
    ]
    return "\n".join(lines)


def count_of(points: list[Point], fits: Any) -> int:
    """Return how many points fit."""
    return sum(map(fits, points))


def is_statement(point: Point) -> bool:
    """Whether a point is one of the store."""
    return "." not in point.name


def loses_reply(point: Point) -> bool:
    """Whether the reply at a point can get lost."""
    return point.name in ARGUMENTS and point.phase == "before"


def by_name(points: list[Point]) -> dict[str, Counter[str]]:
    """Return how often each name comes in each phase."""
    found: dict[str, Counter[str]] = {}
    for point in points:
        found.setdefault(point.name, Counter())[point.phase] += 1
    return found


def kind_of(name: str) -> str:
    """Return what a name is."""
    if "." in name:
        return "provider call"
    return "reads" if name in READING else "commits"


def rows_of(name: str) -> list[str]:
    """Return the figures of a campaign's last record, if there is one."""
    path = FOLDER / "campaigns" / f"{name}.json"
    if not path.exists():
        return [f"| `{name}` | not recorded yet | | | |"]
    record = json.loads(path.read_bytes())
    title = f"`{name}`, scale {record['scale']:g}, {record['started'][:10]}"
    rows = []
    for figure in record["figures"]:
        verdict = "" if "bound" not in figure else ("yes" if holds(figure) else "**no**")
        rows.append(f"| {title} | {figure['name']} | {figure['value']:,} | {figure.get('bound', '')} | {verdict} |")
        title = ""
    return rows


def holds(figure: dict[str, Any]) -> bool:
    """Whether a recorded figure keeps to its bound."""
    sense, _, bound = figure["bound"].rpartition(" ")
    return {
        "at least": figure["value"] >= float(bound),
        "at most": figure["value"] <= float(bound),
        "exactly": figure["value"] == float(bound),
    }[sense]


def checked(text: str) -> str:
    """Return what of a page does not depend on when campaigns were run last."""
    before, _, rest = text.partition(RESULTS)
    return before + rest.partition(POINTS)[2]


def write_page() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
