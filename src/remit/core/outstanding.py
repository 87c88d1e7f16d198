"""``outstanding``: what is still to be done, as a pure and total function of the state.

Owns: the law that for every prefix of every journal this equals the commands begun and not yet resolved.
"""

from __future__ import annotations

from remit.core.commands import (
    AwaitApproval,
    AwaitMessage,
    AwaitRetry,
    AwaitSettlement,
    AwaitTimer,
    CallTool,
    Command,
)
from remit.core.state import RunState


def outstanding(state: RunState) -> tuple[Command, ...]:
    """Return the open commands, in the order in which they were begun."""
    return tuple(state.open.values())


def next_due_us(state: RunState) -> int | None:
    """Return the earliest instant at which the run must be looked at again; ``None`` if only a message can wake it.

    A run that is stopping makes no further attempt unless that is the way to find out what became of an effect: to wake
    it for any other would bring nothing, again and again.
    """
    dues = [due for command in state.open.values() if (due := _due_us(state, command)) is not None]
    return min(dues, default=None)


def is_in_flight(state: RunState, command: Command) -> bool:
    """Whether an effect may still come of a command, so that the run must not end before it is known."""
    match command:
        case CallTool() | AwaitSettlement():
            return True
        case AwaitRetry() | AwaitApproval():
            # Another attempt is the way to find out what became of the one before.
            return state.steps[command.step].effect == "unknown"
        case _:
            return False


def describe_wait(state: RunState) -> str | None:
    """Return what a waiting run waits for, in words for people, or ``None`` if a call is in flight or the run ended.

    One that is stopping waits for what is in flight, and for nothing else.
    """
    if state.acting_count or not state.open:
        return None
    commands = list(state.open.values())
    if state.is_stopping:
        commands = [command for command in commands if is_in_flight(state, command)] or commands
    command = commands[0]
    return _WAIT_WORDS[type(command).__name__].format(command=command)


_WAIT_WORDS = {
    "AwaitApproval": "approval of {command.step}",
    "AwaitRetry": "retry of {command.step}",
    "AwaitTimer": "timer {command.step}",
    "AwaitMessage": "{command.source} {command.name}",
    "AwaitSettlement": "settlement of {command.step}",
}


def _due_us(state: RunState, command: Command) -> int | None:
    match command:
        case AwaitRetry() if state.is_stopping and not is_in_flight(state, command):
            return None
        case AwaitApproval() | AwaitRetry() | AwaitTimer() | AwaitMessage():
            return command.due_us
        case CallTool():
            return None
        case _:
            return None
