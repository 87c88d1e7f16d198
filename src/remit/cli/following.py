"""Watching a run: its facts as they become durable, until it ends or waits for somebody.

Owns: how long is watched, and what is printed meanwhile. Facts go to standard output as lines, or as JSON lines.
"""

from __future__ import annotations

import sys
from enum import Enum, auto
from typing import Final

import orjson
from rich.text import Text

from remit.api.records import entry_json
from remit.cli.facts_text import line_of
from remit.cli.options import Options
from remit.cli.output import STYLES, clock_time, stdout
from remit.cli.session import Session
from remit.core.facts import decode_facts
from remit.core.states import RUN_TERMINAL, RunStatus
from remit.diagnostics.rendering import harmless
from remit.ids import RunId
from remit.ports.store import JournalEntry, RunSummary

CHANGE_SECONDS: Final = 5.0
"""How long one question for news may take; then the run is asked for again."""

WAITS_FOR_OTHERS: Final = ("approval", "signal", "event", "settlement")
"""What a run waits for that does not come by itself."""


class Until(Enum):
    """When watching ends, beside the run's own end."""

    TERMINAL = auto()
    OUTSIDE = auto()
    """Also when the run waits for a person, a signal or an event."""


def is_terminal(run: RunSummary) -> bool:
    """Return whether nothing can happen any more."""
    return RunStatus(run.status) in RUN_TERMINAL


def waits_for_others(run: RunSummary) -> bool:
    """Return whether somebody outside has to do something before the run goes on."""
    return run.status == RunStatus.WAITING and (run.waiting_for or "").split(" ")[0] in WAITS_FOR_OTHERS


async def watch(session: Session, run_id: RunId, *, until: Until) -> RunSummary:
    """Return the run when it is over, or waits for somebody and ``until`` says that this is enough."""
    run = await session.reader.get_run(session.tenant_id, run_id)
    while not _is_enough(run, until):
        run = await session.reader.wait_for_change(
            session.tenant_id, run_id, after_sequence=run.sequence, timeout_seconds=CHANGE_SECONDS
        )
    return run


async def follow(session: Session, run_id: RunId, options: Options) -> RunSummary:
    """Print a run's facts as they come, until it is terminal."""
    shown = 0
    run = await session.reader.get_run(session.tenant_id, run_id)
    while True:  # bound: the run's end; whoever watches may stop before
        shown = await _print_news(session, run_id, options, after=shown)
        if is_terminal(run) and shown >= run.sequence:
            return run
        run = await session.reader.wait_for_change(
            session.tenant_id, run_id, after_sequence=shown, timeout_seconds=CHANGE_SECONDS
        )


async def _print_news(session: Session, run_id: RunId, options: Options, *, after: int) -> int:
    loaded = await session.reader.read_run(session.tenant_id, run_id)
    for entry in loaded.entries:
        if entry.sequence > after:
            print_entry(entry, options)
    return max(after, loaded.sequence)


def print_entry(entry: JournalEntry, options: Options) -> None:
    """Print one entry: a JSON line, or a line for each fact."""
    if options.is_json:
        sys.stdout.write(orjson.dumps(entry_json(entry)).decode() + "\n")
        sys.stdout.flush()
        return
    console = stdout()
    for fact in decode_facts(entry.payload or b"[]"):
        subject, word, details = line_of(fact)
        line = Text.assemble((f"{clock_time(entry.at)}  ", "dim"))
        line.append(f"{harmless(subject):<14} ", style="bold")
        line.append(f"{word:<10} ", style=STYLES.get(word, ""))
        line.append(harmless(details))
        console.print(line, soft_wrap=True)


def _is_enough(run: RunSummary, until: Until) -> bool:
    return is_terminal(run) or (until is Until.OUTSIDE and waits_for_others(run))
