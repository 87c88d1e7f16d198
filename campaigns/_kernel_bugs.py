# ruff: noqa: E501 - an edit stands on one line, as the code that it edits
"""Planted bugs of the kernel's core, actor and pipeline: each breaks one promise that the simulator is there to keep.

Owns: the edits. Does not know: how they are found (``campaigns.mutants``, ``tests/property/test_simulator``).
"""

from __future__ import annotations

from typing import Final

from campaigns.planting import Bug

DECIDE: Final = "remit/core/decide.py"
PROGRESS: Final = "remit/core/progress.py"
EVOLVE: Final = "remit/core/evolve.py"
OUTSTANDING: Final = "remit/core/outstanding.py"
CHAIN: Final = "remit/core/chain.py"
ACTOR: Final = "remit/runtime/actor.py"
OWNER: Final = "remit/runtime/owner.py"
PIPELINE: Final = "remit/runtime/pipeline.py"
OUTCOMES: Final = "remit/runtime/outcomes.py"
ROWS: Final = "remit/runtime/rows.py"
GUARDS: Final = "remit/runtime/guards.py"
CALLS: Final = "remit/runtime/calls.py"


def _bug(name: str, file: str, old: str, new: str) -> Bug:
    return Bug(name=name, file=file, old=old, new=new)


BUGS: Final = (
    # --- what is late, doubled or foreign changes nothing
    _bug("an outcome of any attempt is taken", DECIDE,
         "isinstance(command, CallTool) and command.attempt == attempt", "isinstance(command, CallTool)"),
    _bug("a terminal run still decides", DECIDE, "    if state.is_terminal:\n        return []\n", ""),
    _bug("a run can be submitted twice", DECIDE,
         "if progress.state.status is not RunStatus.PENDING:", "if progress.state.is_terminal:"),
    _bug("a request for approval is heard twice", DECIDE,
         "if step is None or request.approval_id in step.asked:", "if step is None:"),
    _bug("an intent is recorded twice", DECIDE,
         "step.intent.attempt >= intent.attempt", "step.intent.attempt > intent.attempt"),
    _bug("a message is received twice", DECIDE,
         "if event.message_id in state.taken or any(", "if any("),
    _bug("a held message is received twice", DECIDE,
         "any(held.message_id == event.message_id for held in state.messages)", "False"),
    _bug("a cancellation is heard twice", DECIDE,
         "    if progress.state.is_stopping:\n        return\n    progress.emit(CancelRequested", "    progress.emit(CancelRequested"),
    _bug("anything parked or not is settled", DECIDE,
         "    if not isinstance(command, AwaitSettlement):\n        return\n",
         "    if command is None:\n        return\n"),
    _bug("any approval is voided by any word", DECIDE,
         "if command.approval.approval_id == event.approval_id:", "if command.approval is not None:"),
    _bug("a decision on one request decides another", DECIDE,
         "isinstance(command, AwaitApproval) and command.approval_id == approval_id", "isinstance(command, AwaitApproval)"),
    # --- attempts, pauses and doubt
    _bug("one attempt more than the limit", DECIDE,
         "return matches and event.attempt < retry.attempts_max", "return matches and event.attempt <= retry.attempts_max"),
    _bug("a final no is tried again", DECIDE, "    if not event.retryable:\n        return False\n", ""),
    _bug("reasons of the retry policy do not count", DECIDE,
         "matches = not retry.reasons or event.reason in retry.reasons", "matches = True"),
    _bug("recovery never gives up", DECIDE,
         "return event.attempt < max(retry.attempts_max, progress.policy.recovery_attempts_max)", "return True"),
    _bug("a pause grows beyond its limit", DECIDE,
         "delay = min(float(retry.delay_max_ms), grown)", "delay = grown * 40 + 20_000"),
    _bug("the provider's pause is not kept", DECIDE,
         "return max(int(delay), event.retry_after_ms or 0)", "return max(0, int(delay) * 0 - 1_000_000)"),
    _bug("a stopping run tries again", DECIDE,
         'if progress.state.is_stopping and step.effect != "unknown":\n        return False', "if False:\n        return False"),
    _bug("an open effect is forgotten when an attempt fails for good", DECIDE,
         'elif event.effect == "unknown" or (step.effect == "unknown" and event.effect != "absent"):',
         'elif event.effect == "unknown":'),
    _bug("an unknown effect fails the step", DECIDE,
         'elif event.effect == "unknown" or (step.effect == "unknown" and event.effect != "absent"):', "elif False:"),
    _bug("a refusal hides what the intent says", DECIDE,
         'return step.effect == "unknown" or (step.intent is not None and step.intent.attempt == attempt)', "return False"),
    _bug("doubt is not remembered", EVOLVE,
         '    if fact.effect == "unknown":\n        step.effect = "unknown"\n    elif', "    if"),
    _bug("an effect settled as absent keeps its intent", EVOLVE,
         '        step.intent = None\n        step.effect = "none"\n        step.attempt += 1\n',
         '        step.effect = "none"\n        step.attempt += 1\n'),
    _bug("a settled attempt is not counted", EVOLVE,
         '        step.effect = "none"\n        step.attempt += 1\n', '        step.effect = "none"\n'),
    _bug("an output of a settled effect is dropped", DECIDE,
         "output: JsonValue = event.output if problem is None else", "output: JsonValue = None if problem is None else"),
    # --- approvals
    _bug("any digest will do", DECIDE,
         'if event.decision == "approved" and event.digest == request.digest:', 'if event.decision != "denied":'),
    _bug("denied is approved", DECIDE,
         'if event.decision == "approved" and event.digest == request.digest:', 'if event.decision != "expired":'),
    _bug("a stopping run lets an approved call go on", DECIDE,
         'if progress.state.is_stopping and step.effect != "unknown":\n        _close_instead(progress, command.step',
         'if False:\n        _close_instead(progress, command.step'),
    _bug("a run that ends leaves people waiting", PROGRESS,
         "            if isinstance(command, AwaitApproval):\n                self.emit(", "            if False:\n                self.emit("),
    _bug("an approval stays after it was voided", EVOLVE,
         "state.open[key] = command.without_approval()", "state.open[key] = command"),
    _bug("what was approved is not compared with what would run", PIPELINE,
         "if request is not None and self._digest(call, request) == command.approval.digest:", "if request is not None:"),
    _bug("nobody is asked", PIPELINE, "return ActionSuspended(request=self._request(call, rule))", "return None"),
    # --- the graph, and the end
    _bug("a stopping run starts steps", PROGRESS,
         "if not self.state.is_stopping and step_id not in self.state.steps:", "if step_id not in self.state.steps:"),
    _bug("a step starts when half of what it needs is there", PROGRESS,
         "if state.remaining[follower] == 0:", "if state.remaining[follower] <= 1:"),
    _bug("a run ends while calls are in flight", PROGRESS,
         "if state.is_terminal or state.acting_count or state.parked_count:\n            return\n        if state.is_stopping:\n            if not any(self.is_in_flight(command) for command in state.open.values()):",
         "if state.is_terminal or state.parked_count:\n            return\n        if state.is_stopping:\n            if True:"),
    _bug("a run ends while an effect is parked", PROGRESS,
         "if state.is_terminal or state.acting_count or state.parked_count:\n            return\n        if state.is_stopping:\n            if not any(self.is_in_flight(command) for command in state.open.values()):",
         "if state.is_terminal or state.acting_count:\n            return\n        if state.is_stopping:\n            if True:"),
    _bug("a run that stops forgets a doubtful retry", OUTSTANDING,
         'return state.steps[command.step].effect == "unknown"', "return False"),
    _bug("the last reason to stop wins", EVOLVE,
         '.on_failure == "fail" and not state.is_stopping:', '.on_failure == "fail":'),
    _bug("a failed step fails no run", EVOLVE, 'on_failure == "fail" and not', 'on_failure == "never" and not'),
    _bug("a failing condition counts as false", PROGRESS,
         "            self._fail_before_start(step_id, reason=error.code, message=error.message)\n\n    def _fail_before",
         "            del error\n            self.emit(StepSkipped(step=step_id))\n            self._unblock(step_id)\n\n    def _fail_before"),
    _bug("followers of a skipped step never start", PROGRESS,
         "                self.emit(StepSkipped(step=step_id))\n                self._unblock(step_id)\n",
         "                self.emit(StepSkipped(step=step_id))\n"),
    _bug("a run that cannot compute its output completes", PROGRESS,
         '            self.emit(RunFailed(reason=error.code, message=f"output of the run: {error.message}"))\n',
         "            del error\n            self.emit(RunCompleted(output=None))\n"),
    # --- waits
    _bug("a timer fires before its time", DECIDE,
         "case AwaitTimer() if command.due_us <= progress.now_us:", "case AwaitTimer():"),
    _bug("an attempt starts before its time", DECIDE,
         "case AwaitRetry() if command.due_us <= progress.now_us:", "case AwaitRetry():"),
    _bug("a wait ends as the other kind does", DECIDE,
         'if step.on_timeout == "continue":', 'if step.on_timeout == "fail":'),
    _bug("a wait takes any message", PROGRESS,
         "if not isinstance(command, AwaitMessage) or (command.source, command.name) != (message.source, message.name):",
         "if not isinstance(command, AwaitMessage):"),
    _bug("a message that came early is not looked at", PROGRESS,
         "        for message in self.state.messages:\n            if self.take(fact.step, message):\n                return", ""),
    _bug("a taken message stays", EVOLVE,
         "state.messages = [message for message in state.messages if message.message_id != message_id]", "pass"),
    _bug("time runs backwards", PROGRESS,
         "state.last_us = self.now_us = max(now_us, state.last_us)", "state.last_us = self.now_us = now_us"),
    _bug("what is due is asked for too late", OUTSTANDING, "return min(dues, default=None)", "return max(dues, default=None)"),
    # --- usage and state
    _bug("calls are not counted", EVOLVE, "    usage.tool_calls += 1\n", ""),
    _bug("calls by tool are not counted", EVOLVE, "usage.calls_by_tool.get(tool, 0) + 1", "usage.calls_by_tool.get(tool, 0)"),
    _bug("a call in flight is counted off twice", EVOLVE,
         "    if type(command) is CallTool:\n        state.acting_count -= 1\n", "    if type(command) is CallTool:\n        state.acting_count -= 2\n"),
    # --- the journal and its owner
    _bug("the chain does not cover what came before", CHAIN,
         "b\"\".join((_ENTRY_TAG, previous, commitment, numbers", "b\"\".join((_ENTRY_TAG, commitment, commitment, numbers"),
    _bug("the payload is not covered", CHAIN, 'return hmac.digest(salt, payload, "sha256")', 'return hmac.digest(salt, b"", "sha256")'),
    _bug("an entry is torn apart", ACTOR, "facts, self._pending = self._pending, []", "facts, self._pending = self._pending[:1], []"),
    _bug("only the first of several calls starts", ACTOR,
         "            if type(command) is CallTool and command not in calls:", "            if type(command) is CallTool and command not in calls and len(calls) < 1:"),
    _bug("a claimed run forgets the time", ACTOR, "state.last_us = max(state.last_us, microseconds_of(entry.at))", "pass"),
    _bug("a run is let go while something is in flight", ACTOR,
         "if may_release and self.is_started and not self.state.acting_count:", "if may_release and self.is_started:"),
    _bug("a message is not consumed", ACTOR, "        self._consumed.append(message.inbox_id)\n", ""),
    _bug("a claimed run's calls are taken for new ones", OWNER,
         "self._dispatch(actor, [call for call in calls if actor.is_open(call)], resumed=True)",
         "self._dispatch(actor, [call for call in calls if actor.is_open(call)], resumed=False)"),
    _bug("a run is handed back while its calls are under way", OWNER,
         "            if sent:\n                await asyncio.wait(sent)\n", "            pass\n"),
    _bug("a run that goes on is dropped because its inbox could not be read", OWNER,
         "            if not (actor.has_pending or actor.is_sealed or actor.sequence != run.sequence):\n", "            if True:\n"),
    _bug("what is due while a call is in flight waits for it", OWNER, "            self._set_alarm(actor, append.due_at)\n", ""),
    # --- the pipeline
    _bug("an effect has no intent", CALLS,
         "needs_intent=acts_outside(contract) or reserves_key(contract),", "needs_intent=False,"),
    _bug("an opaque call is made again", PIPELINE,
         "        if delivery is DeliveryClass.OPAQUE:\n            message =",
         "        if delivery is DeliveryClass.OPAQUE:\n            return await self._send(call)\n            message ="),
    _bug("a provider's memory is trusted for ever", PIPELINE,
         "return age_seconds < WINDOW_SAFE_FRACTION * call.entry.contract.key_window_seconds", "return True"),
    _bug("nobody looks before asking again", PIPELINE,
         "return found if found is not None else await self._send(call.in_doubt(\"cleared\"))", "return await self._send(call.in_doubt(\"cleared\"))"),
    _bug("a final no hides the attempt before it", PIPELINE,
         'if call.doubt != "open" or not isinstance(event, ActionFailed) or event.effect != "none":', "if True:"),
    _bug("another attempt is not checked", PIPELINE,
         "if intent is None or (intent.attempt != command.attempt and not is_open):", "if intent is None:"),
    _bug("bounds do not hold", PIPELINE,
         "        refusal = self._within_bounds(call, state) or check_loop(", "        refusal = check_loop("),
    _bug("a time-out means that nothing happened", OUTCOMES,
         '            effect = "unknown" if _may_have_acted(call) else "none"\n            late =', '            effect = "none"\n            late ='),
    _bug("each attempt has a key of its own", CALLS,
         "return KEY_SEPARATOR.join((call.tenant_id, call.run_id, call.command.step, str(call.command.slot)))",
         "return KEY_SEPARATOR.join((call.tenant_id, call.run_id, call.command.step, str(call.command.attempt)))"),
    _bug("a garbled answer means that nothing happened", OUTCOMES,
         "            if _may_have_acted(call):\n                return self.unknown(call, reason=\"RESULT_INVALID\"",
         "            if False:\n                return self.unknown(call, reason=\"RESULT_INVALID\""),
    _bug("an effect leaves no receipt", OUTCOMES,
         "receipt=self._receipt(call, result) if contract.has_effect else None,", "receipt=None,"),
    _bug("a call outlasts the lease", GUARDS, "return min(wanted_seconds, self.remaining_seconds())", "return wanted_seconds"),
    _bug("a reserved key is never freed", ROWS, '            if step.intent is not None:\n                self.change_key("release", step_id)\n', ""),
    _bug("a failed step keeps its key", ROWS, '        self.change_key("release", fact.step)\n        self.stop', "        self.stop"),
)  # fmt: skip
"""Every planted bug; the first five the simulator finds within a few dozen seeds, and the suite looks for those."""
