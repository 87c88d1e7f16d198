"""``outstanding``: what is still to be done, as a pure and total function of the state.

Owns: the law that for every prefix of every journal this equals the commands begun and not yet resolved.
"""

from __future__ import annotations

from remit.core.commands import AwaitApproval, AwaitMessage, AwaitRetry, AwaitTimer, CallTool, Command
from remit.core.state import RunState


def outstanding(state: RunState) -> tuple[Command, ...]:
    """Return the open commands, in the order in which they were begun."""
    return tuple(state.open.values())


def next_due_us(state: RunState) -> int | None:
    """Return the earliest instant at which the run must be looked at again; ``None`` if only a message can wake it."""
    dues = [due for command in state.open.values() if (due := _due_us(command)) is not None]
    return min(dues, default=None)


def describe_wait(state: RunState) -> str | None:
    """Return what a waiting run waits for, in words for people, or ``None`` if a call is in flight or the run ended."""
    if state.acting_count or not state.open:
        return None
    command = next(iter(state.open.values()))
    return _WAIT_WORDS[type(command).__name__].format(command=command)


_WAIT_WORDS = {
    "AwaitApproval": "approval of {command.step}",
    "AwaitRetry": "retry of {command.step}",
    "AwaitTimer": "timer {command.step}",
    "AwaitMessage": "{command.source} {command.name}",
    "AwaitSettlement": "settlement of {command.step}",
}


def _due_us(command: Command) -> int | None:
    match command:
        case AwaitApproval() | AwaitRetry() | AwaitTimer() | AwaitMessage():
            return command.due_us
        case CallTool():
            return None
        case _:
            return None
