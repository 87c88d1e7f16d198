"""What is begun and not resolved, by the words of the facts alone.

Owns: a second, slow and plain account of what ``evolve`` and ``outstanding`` do. It shares no code with them.
"""

from __future__ import annotations

from remit.core import commands, facts
from remit.core.facts import Fact

Open = tuple[object, ...]
"""One thing that is open, in words that both accounts understand."""


class Reckoning:
    """What is open by (step, slot), oldest first."""

    def __init__(self) -> None:
        self.open: dict[tuple[str, int], Open] = {}
        self._arguments: dict[str, bytes] = {}
        self._attempts: dict[str, int] = {}
        self._intents: dict[str, int | None] = {}
        self._approvals: dict[str, str | None] = {}
        self._number = 0
        self._numbers: dict[str, int] = {}

    def hear(self, fact: Fact) -> None:
        """Take account of one more fact."""
        match fact:
            case facts.StepStarted():
                self._arguments[fact.step], self._attempts[fact.step] = bytes(fact.arguments), 1
                self._call(fact.step, 1)
            case facts.AttemptStarted():
                self._attempts[fact.step] = fact.attempt
                self._call(fact.step, 1)
            case facts.IntentRecorded():
                self._intents[fact.step] = fact.attempt
                self._renew(fact.step, fact.slot)
            case facts.ApprovalRequested():
                self._approvals[fact.step] = None
                self._begin(fact.step, fact.slot, ("approval", fact.step, fact.approval_id, fact.expires_us))
            case facts.ApprovalGiven():
                self._approvals[fact.step] = fact.approval_id
                self._begin(fact.step, fact.slot, self._call_of(fact.step))
            case facts.ApprovalWithdrawn():
                self._withdraw(fact)
            case facts.ApprovalDenied() | facts.ApprovalExpired():
                self.open.pop((fact.step, fact.slot), None)
            case _:
                self._hear_more(fact)

    def _hear_more(self, fact: Fact) -> None:
        match fact:
            case facts.AttemptFailed():
                self._begin(fact.step, 1, ("retry", fact.step, fact.attempt + 1, fact.retry_us))
            case facts.EffectParked():
                self._begin(fact.step, fact.slot, ("settlement", fact.step, fact.reason))
            case facts.EffectSettled():
                self._settle(fact)
            case facts.TimerStarted():
                self._begin(fact.step, 1, ("timer", fact.step, fact.due_us))
            case facts.WaitStarted():
                wait = ("message", fact.step, fact.source, fact.name, fact.correlation, fact.due_us)
                self._begin(fact.step, 1, wait)
            case facts.StepCompleted() | facts.StepFailed() | facts.StepSkipped():
                self.open.pop((fact.step, 1), None)
            case facts.RunCompleted() | facts.RunFailed() | facts.RunCancelled():
                self.open.clear()
            case _:
                pass

    def _withdraw(self, fact: facts.ApprovalWithdrawn) -> None:
        self._approvals[fact.step] = None
        if self.open[fact.step, fact.slot][0] == "call":
            self._renew(fact.step, fact.slot)
        else:
            self.open.pop((fact.step, fact.slot))

    def _settle(self, fact: facts.EffectSettled) -> None:
        self.open.pop((fact.step, fact.slot), None)
        if fact.outcome == "absent":
            self._attempts[fact.step] += 1
            self._intents[fact.step] = None
            self._call(fact.step, fact.slot)

    def _call(self, step: str, slot: int) -> None:
        self._number += 1
        self._numbers[step] = self._number
        self._begin(step, slot, self._call_of(step))

    def _call_of(self, step: str) -> Open:
        approval, intent = self._approvals.get(step), self._intents.get(step)
        return ("call", step, self._attempts[step], self._arguments[step], intent, approval, self._numbers[step])

    def _renew(self, step: str, slot: int) -> None:
        """Say the same call anew, in its old place."""
        self.open[step, slot] = self._call_of(step)

    def _begin(self, step: str, slot: int, what: Open) -> None:
        self.open.pop((step, slot), None)
        self.open[step, slot] = what


def describe(command: commands.Command) -> Open:
    """Return a command in the reckoning's words."""
    match command:
        case commands.CallTool():
            intent = None if command.intent is None else command.intent.attempt
            approval = None if command.approval is None else command.approval.approval_id
            number = command.call_number
            return ("call", command.step, command.attempt, command.arguments, intent, approval, number)
        case commands.AwaitApproval():
            return ("approval", command.step, command.approval_id, command.due_us)
        case commands.AwaitRetry():
            return ("retry", command.step, command.attempt, command.due_us)
        case commands.AwaitTimer():
            return ("timer", command.step, command.due_us)
        case commands.AwaitMessage():
            return ("message", command.step, command.source, command.name, command.correlation, command.due_us)
        case commands.AwaitSettlement():
            return ("settlement", command.step, command.reason)
