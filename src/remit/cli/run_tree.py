"""A run as a tree: its steps with states, times and costs, and below each what happened on the way.

Owns: the layout. Everything is read from the journal, so what is shown is what was recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import orjson
from rich.text import Text

from remit.cli.facts_text import line_of
from remit.cli.output import (
    STYLES,
    amount,
    duration,
    instant,
    short_receipt,
    short_run,
    state_text,
    stdout,
    time_of_day,
    usd,
)
from remit.cli.session import Session
from remit.core.definition import EventStep, RunnableStep, SignalStep, TimerStep, ToolStep
from remit.core.evolve import apply_fact
from remit.core.facts import (
    ApprovalRequested,
    AttemptStarted,
    Fact,
    IntentRecorded,
    RunFailed,
    StepCompleted,
    StepFailed,
    StepSkipped,
    StepStarted,
    TimerStarted,
    WaitStarted,
    decode_facts,
)
from remit.core.program import Program
from remit.core.state import RunState
from remit.core.states import RUN_TERMINAL, StepStatus
from remit.diagnostics.rendering import harmless
from remit.ports.store import JournalEntry, LoadedRun, RunSummary

STEPS_SHOWN_MAX: Final = 500
VALUE_CHARACTERS_MAX: Final = 300

_SILENT: Final = (StepStarted, AttemptStarted, IntentRecorded, WaitStarted, TimerStarted, StepCompleted, StepSkipped)
"""Facts that the step's own line tells already."""


@dataclass(slots=True)
class _StepStory:
    """What the journal says of one step."""

    began_at: datetime | None = None
    ended_at: datetime | None = None
    completed: StepCompleted | None = None
    asked_at: datetime | None = None
    asked_seconds: float = 0.0
    cost_usd_micros: int = 0
    sent_epoch: int | None = None
    taken_over_at: datetime | None = None
    notes: list[tuple[datetime, Fact]] = field(default_factory=list)


async def print_tree(session: Session, run: RunSummary) -> None:
    """Print a run's tree, and its output or error."""
    loaded = await session.reader.read_run(session.tenant_id, run.run_id)
    program = await session.kernel.catalogue.program(session.tenant_id, run.definition_digest)
    state = RunState(program, tenant_id=session.tenant_id, run_id=run.run_id)
    stories: dict[str, _StepStory] = {}
    for entry in loaded.entries:
        for fact in decode_facts(entry.payload or b"[]"):
            apply_fact(state, fact)
            _note(stories, fact, entry)
    console = stdout()
    for line in (*_headlines(run, state, loaded), *_step_lines(program, state, stories), *_result_lines(run)):
        console.print(line, soft_wrap=True)


def _note(stories: dict[str, _StepStory], fact: Fact, entry: JournalEntry) -> None:
    step = getattr(fact, "step", None)
    if not isinstance(step, str) or isinstance(fact, RunFailed):
        return
    at = entry.at
    story = stories.setdefault(step, _StepStory())
    if story.began_at is None:
        story.began_at = at
    if isinstance(fact, IntentRecorded):
        story.sent_epoch = entry.epoch
    usage = getattr(fact, "usage", None)
    if usage is not None:
        story.cost_usd_micros += usage.cost_usd_micros
    if isinstance(fact, ApprovalRequested):
        story.asked_at = at
    elif story.asked_at is not None:
        story.asked_seconds += (at - story.asked_at).total_seconds()
        story.asked_at = None
    if isinstance(fact, StepCompleted | StepFailed | StepSkipped):
        story.ended_at = at
    if isinstance(fact, StepCompleted):
        story.completed = fact
        # A call in flight is never handed over: another epoch means that its worker was lost.
        story.taken_over_at = at if story.sent_epoch not in {None, entry.epoch} else None
    if not isinstance(fact, _SILENT):
        story.notes.append((at, fact))


def _headlines(run: RunSummary, state: RunState, loaded: LoadedRun) -> list[Text]:
    line = Text.assemble((f"run {short_run(run.run_id)}", "bold"))
    line.append(f"  {harmless(run.definition_name)}  ")
    line.append_text(state_text(run.status))
    last_at = loaded.entries[-1].at if loaded.entries else run.updated_at
    if state.status in RUN_TERMINAL:
        line.append(f" in {duration((last_at - run.created_at).total_seconds())}")
    elif run.waiting_for:
        line.append(f" for {harmless(run.waiting_for)}", style="yellow")
    cost = usd(state.usage.cost_usd_micros) or "$0.00"
    parts = [
        f"{instant(run.created_at)} UTC",
        f"by {run.principal_id}",
        f"{state.usage.tool_calls} calls",
        f"cost {cost}",
    ]
    if run.trigger:
        parts.insert(2, f"on {run.trigger}")
    return [line, Text(harmless("  ".join(parts)), style="dim")]


def _result_lines(run: RunSummary) -> list[Text]:
    lines = []
    for label, body in (("output", run.output), ("error", run.error)):
        if body is None or body == b"null":
            continue
        value = orjson.loads(body)
        rows = value.items() if isinstance(value, dict) else [("", value)]
        width = max((len(name) for name, _ in rows), default=0)
        for number, (name, item) in enumerate(rows):
            line = Text.assemble((f"{label if number == 0 else '':<8}", "bold"))
            shown = item if isinstance(item, str) else orjson.dumps(item).decode()
            lines.append(line.append(f"{harmless(name):<{width}}  {_shortened(shown)}"))
    if run.quarantined:
        lines.append(Text(f"quarantined: {harmless(run.quarantined)}", style="bold red"))
    return lines


def _step_lines(program: Program, state: RunState, stories: dict[str, _StepStory]) -> list[Text]:
    steps = [compiled.step for compiled in program.steps.values()]
    shown = steps[:STEPS_SHOWN_MAX]
    width = max((len(step.id) for step in shown), default=0)
    lines: list[Text] = []
    for step in shown:
        is_last = step is steps[-1]
        story = stories.get(step.id, _StepStory())
        found = state.steps.get(step.id)
        status = StepStatus.PENDING if found is None else found.status
        lines.append(_step_line(step, status, story, width=width, is_last=is_last))
        lines += _note_lines(story, bar="   " if is_last else "│  ")
    if len(steps) > len(shown):
        lines.append(Text(f"└─ {len(steps) - len(shown)} more steps; remit runs trace shows all", style="dim"))
    return lines


def _step_line(step: RunnableStep, status: StepStatus, story: _StepStory, *, width: int, is_last: bool) -> Text:
    line = Text.assemble(("└─ " if is_last else "├─ ", "dim"))
    line.append(f"{step.id:<{width}}  ", style="bold")
    style = "dim" if status is StepStatus.PENDING else STYLES.get(status.value, "")
    line.append(f"{status.value:<9}  ", style=style)
    line.append(f"{time_of_day(story.began_at) if story.began_at else '':<8}  ", style="dim")
    line.append(f"{_took(step, story):>7}  ")
    line.append(_what(step))
    for part in (usd(story.cost_usd_micros), *_proof(story.completed)):
        if part:
            line.append(f"  {part}", style="cyan")
    return line


def _took(step: RunnableStep, story: _StepStory) -> str:
    """Return the time inside the calls; for a wait, how long was waited."""
    if story.completed is not None and isinstance(step, ToolStep):
        return duration(story.completed.usage.duration_ms / 1000)
    if story.began_at is not None and story.ended_at is not None and not isinstance(step, ToolStep):
        return duration((story.ended_at - story.began_at).total_seconds())
    return ""


def _what(step: RunnableStep) -> str:
    match step:
        case ToolStep():
            return step.tool
        case TimerStep():
            return f"timer of {duration(step.duration_ms / 1000)}"
        case SignalStep():
            return f"signal {step.signal}"
        case EventStep():
            return f"event {step.event}"


def _proof(completed: StepCompleted | None) -> tuple[str, ...]:
    if completed is None:
        return ()
    if completed.adopted_from is not None:
        return (f"= {short_receipt(completed.adopted_from)}",)
    receipt = completed.receipt
    if receipt is None:
        return ()
    return amount(receipt.amount_minor, receipt.currency), short_receipt(receipt.receipt_id)


def _note_lines(story: _StepStory, *, bar: str) -> list[Text]:
    notes = [(at, *line_of(fact)[1:]) for at, fact in story.notes]
    if story.taken_over_at is not None:
        notes.append((story.taken_over_at, "finished", "by another worker: the one that had sent it was gone"))
    lines = []
    for at, word, details in notes:
        line = Text.assemble((f"{bar}   · ", "dim"))
        line.append(f"{time_of_day(at)}  ", style="dim")
        line.append(word, style=STYLES.get(word, ""))
        lines.append(line.append(f" {harmless(details)}"))
    return lines


def _shortened(text: str) -> str:
    shown = harmless(text)
    if len(shown) <= VALUE_CHARACTERS_MAX:
        return shown
    return f"{shown[:VALUE_CHARACTERS_MAX]}… (--format json shows all)"
