"""The people of an execution, and everybody else who sends messages.

Owns: who approves, signals, cancels, settles and changes policies, and when; and what they must be answered. They see
only what is durable. Does not know: workers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, Literal

import msgspec

from remit.core.canonical import JsonValue
from remit.core.facts import ApprovalRequested, EffectParked, Fact, WaitStarted
from remit.ids import Digest
from remit.ports.store import Message
from remit.runtime.rows import microseconds_of
from remit.testing.simulator.database import START, Database
from remit.testing.simulator.dice import Dice, Fault
from remit.testing.simulator.scenario import Post, Scenario
from remit.testing.simulator.site import Site
from remit.testing.simulator.world import World

THINK_SECONDS_MAX: Final = 5.0
HURRY_SECONDS: Final = 0.1
SETTLE_SECONDS: Final = 12.0
"""People look into a parked effect when every request that was sent must have arrived."""
SPELL_SECONDS_MAX: Final = 4.0
NOISE_MAX: Final = 6


class Crowd:
    """Everybody outside. ``pending_count`` is how many acts are still to come."""

    def __init__(self, scenario: Scenario, site: Site, *, on_finding: Callable[[str], None]) -> None:
        self._scenario = scenario
        self._site = site
        self._dice: Dice = site.dice
        self._database: Database = site.database
        self._world: World = site.world
        self._on_finding = on_finding
        self._policy_count = 0
        self._noise_count = 0
        self._posted: set[str] = set()
        self.pending_count = 0
        self.has_cancelled = False

    def begin(self) -> None:
        """Send what is sent before anybody waits for it."""
        for step, post in self._scenario.people.posts.items():
            if self._dice.strikes(Fault.EARLY_MESSAGE, eagerness=2.0) and post.source == "signal":
                self._later(self._dice.pause(THINK_SECONDS_MAX), partial(self._post, step, post, ""))

    def on_stored(self, facts: list[Fact]) -> None:
        """Act on what became durable."""
        for fact in facts:
            match fact:
                case ApprovalRequested():
                    self._consider(fact)
                case WaitStarted():
                    post = self._scenario.people.posts.get(fact.step)
                    if post is not None and fact.step not in self._posted:
                        seconds = self._dice.pause(THINK_SECONDS_MAX)
                        self._later(seconds, partial(self._post, fact.step, post, fact.correlation or ""))
                case EffectParked():
                    self._later(SETTLE_SECONDS + self._dice.pause(), partial(self._settle, fact))
                case _:
                    pass
        self._meddle()

    def calm(self) -> None:
        """Put everything in order again."""
        self._restore()

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self.pending_count += 1

        def do() -> None:
            self.pending_count -= 1
            act()
            if self._database.on_news is not None:
                self._database.on_news()

        self._site.loop.call_later(seconds, do)

    # --- decisions -------------------------------------------------------------------------------------------------

    def _consider(self, request: ApprovalRequested) -> None:
        word = self._scenario.people.word_on(request.step)
        due = (request.expires_us - microseconds_of(START)) / 1e6
        if word == "ignore":
            if self._dice.strikes(Fault.LATE_DECISION, eagerness=3.0):
                self._later(due - self._site.loop.time() + 0.5, partial(self._decide_late, request))
            return
        # A worker that stalled before its request became durable leaves less time: whoever sees that decides at once.
        seconds = min(self._dice.pause(THINK_SECONDS_MAX), max(0.0, due - self._site.loop.time() - HURRY_SECONDS))
        if not self._scenario.is_late_decision_harmless and self._dice.strikes(Fault.LATE_DECISION):
            seconds = due - self._site.loop.time() + 0.5
        self._later(seconds, partial(self._decide, request, "approved" if word == "approve" else "denied"))

    def _decide(self, request: ApprovalRequested, word: Literal["approved", "denied"]) -> None:
        if self._dice.strikes(Fault.CHANGED_DIGEST, eagerness=2.0):
            answer = self._database.decide(request.approval_id, "approved", by="approver", digest="0" * 64)
            self._expect_not(answer, "decided", "a decision on other bytes than the person saw")
        answer = self._database.decide(request.approval_id, word, by="approver", digest=request.digest)
        if answer == "decided" and self._dice.strikes(Fault.DOUBLE_DECISION, eagerness=2.0):
            other: Literal["approved", "denied"] = "denied" if word == "approved" else "approved"
            answer = self._database.decide(request.approval_id, other, by="second", digest=request.digest)
            self._expect_not(answer, "decided", "a second decision")

    def _decide_late(self, request: ApprovalRequested) -> None:
        answer = self._database.decide(request.approval_id, "approved", by="approver", digest=request.digest)
        self._expect_not(answer, "decided", "a decision after the request expired")

    def _expect_not(self, answer: str, wrong: str, what: str) -> None:
        if answer == wrong:
            self._on_finding(f"{what} was accepted")

    # --- messages --------------------------------------------------------------------------------------------------

    def _post(self, step: str, post: Post, correlation: str) -> None:
        self._posted.add(step)
        message_id = f"{post.source}:{step}"
        if post.source == "event":
            send = partial(
                self._database.receive, post.name, correlation, post.payload, message_id=f"event:{step}:{post.name}"
            )
        else:
            body: dict[str, JsonValue] = {"name": post.name, "payload": post.payload, "sent_by": "operator"}
            send = partial(self._database.deliver, Message(kind="signal", message_id=message_id, body=body))
        send()
        if self._dice.strikes(Fault.DUPLICATE_MESSAGE, eagerness=3.0):
            self._expect_not(send(), "stored", "a duplicate of a message")

    def _settle(self, parked: EffectParked) -> None:
        effect = self._world.find_step(parked.step, parked.slot)
        body: dict[str, JsonValue] = {
            "step": parked.step,
            "slot": parked.slot,
            "outcome": "absent" if effect is None else "happened",
            "decided_by": "approver",
            "output": None if effect is None else effect.output,
        }
        message_id = f"settle:{parked.step}:{parked.attempt}"
        self._database.deliver(Message(kind="settle", message_id=message_id, body=body))

    # --- meddling --------------------------------------------------------------------------------------------------

    def _meddle(self) -> None:
        """Do what nobody waits for."""
        if self._noise_count < NOISE_MAX and self._dice.strikes(Fault.NOISE):
            self._noise_count += 1
            body: dict[str, JsonValue] = {"name": "unheard-of", "payload": self._noise_count, "sent_by": "operator"}
            self._database.deliver(Message(kind="signal", message_id=f"noise:{self._noise_count}", body=body))
        if not self.has_cancelled and self._dice.strikes(Fault.CANCEL, eagerness=0.3):
            self.has_cancelled = True
            body = {"requested_by": self._scenario.principal_id, "reason": "changed our mind"}
            message = Message(kind="cancel", message_id="cancel", body=body)
            self._later(self._dice.pause(2.0), lambda: (self._database.deliver(message), None)[1])
        if self._dice.strikes(Fault.POLICY_CHANGE):
            self._policy_count += 1
            self._site.policy = msgspec.structs.replace(self._site.policy, digest=Digest(f"{self._policy_count:064x}"))
        if self._dice.strikes(Fault.PAUSE):
            self._site.policy = msgspec.structs.replace(self._site.policy, is_paused=True)
            self._later(self._dice.pause(SPELL_SECONDS_MAX), self._restore)
        if self._dice.strikes(Fault.REFUSE_SCOPE):
            narrow = msgspec.structs.replace(self._scenario.config, scopes=())
            self._site.policy = msgspec.structs.replace(self._site.policy, config=narrow)
            self._later(self._dice.pause(SPELL_SECONDS_MAX), self._restore)

    def _restore(self) -> None:
        policy = self._site.policy
        self._site.policy = msgspec.structs.replace(policy, config=self._scenario.config, is_paused=False)
