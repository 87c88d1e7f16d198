"""decide: failed attempts, their pauses and limits, and what happens when they are used up."""

import msgspec
import pytest

from remit.core.decide import retry_delay_ms
from remit.core.definition import RetryPolicy
from remit.core.facts import AttemptFailed, EffectParked, StepCompleted, StepFailed
from remit.core.limits import Policy
from remit.core.states import RunStatus, StepStatus
from remit.testing.definitions import POST_TOOL, WRITE_TOOL, define, tool_step
from remit.testing.events import failed, intended, lost, refused, succeeded
from remit.testing.rehearsal import Rehearsal

TWICE = RetryPolicy(attempts_max=2, delay_initial_ms=1_000, jitter_ratio=0.0)


def retry_pauses(policy: RetryPolicy, *, jitter: float = 0.0, retry_after_ms: int | None = None) -> list[int]:
    """Return the pauses after each failed attempt, in milliseconds, of a step that never succeeds."""
    run = Rehearsal.of(define(tool_step("a", retry=policy)))
    pauses = []
    while True:
        facts = run.send(failed(run.call("a"), jitter=jitter, retry_after_ms=retry_after_ms))
        if not isinstance(facts[0], AttemptFailed):
            return pauses
        pauses.append((facts[0].retry_us - run.now_us) // 1_000)
        run.wait_until_due()


def test_pauses_grow_and_are_capped() -> None:
    """
    The pause doubles from its first value up to its cap, as long as attempts are left.
    """
    policy = RetryPolicy(attempts_max=6, delay_initial_ms=1_000, delay_max_ms=5_000, jitter_ratio=0.0)

    assert [1_000, 2_000, 4_000, 5_000, 5_000] == retry_pauses(policy)


def test_jitter_lengthens_the_pause_by_its_ratio() -> None:
    """
    Jitter is drawn by the shell, and scales the policy's ratio, also at the cap.
    """
    policy = RetryPolicy(attempts_max=3, delay_initial_ms=1_000, delay_max_ms=1_500, jitter_ratio=0.2)

    assert [1_100, 1_650] == retry_pauses(policy, jitter=0.5)


def test_provider_may_ask_for_a_longer_pause_only() -> None:
    """
    What the provider asks for is the least that we wait, even over the cap; less than our own pause changes nothing.
    """
    policy = RetryPolicy(attempts_max=2, delay_initial_ms=1_000, delay_max_ms=2_000, jitter_ratio=0.0)

    assert [30_000] == retry_pauses(policy, retry_after_ms=30_000)
    assert [1_000] == retry_pauses(policy, retry_after_ms=10)


def test_pause_of_a_late_attempt_does_not_overflow() -> None:
    """
    The cap holds however high the power is.
    """
    event = failed(Rehearsal.of(define(tool_step("a"))).call("a"))
    late = [msgspec.structs.replace(event, attempt=attempt) for attempt in (7, 1_000, 1_025, 50_000)]

    assert [60_000] * 4 == [retry_delay_ms(RetryPolicy(), event) for event in late]


def test_attempts_are_numbered_and_limited() -> None:
    """
    After the last attempt the step has failed for good, and so has its run.
    """
    run = Rehearsal.of(define(tool_step("a", retry=TWICE)))
    run.send(failed(run.call("a")))
    assert RunStatus.WAITING is run.state.status
    assert [] == run.wait(999)
    run.wait(1)

    facts = run.send(failed(run.call("a")))

    assert [2, StepStatus.FAILED] == [facts[0].attempt, run.state.steps["a"].status]
    assert RunStatus.FAILED is run.state.status


def test_attempt_that_succeeds_completes_the_step() -> None:
    """
    The step's output is that of the attempt that succeeded, and the journal says which one it was.
    """
    run = Rehearsal.of(define(tool_step("a", retry=TWICE)))
    run.send(failed(run.call("a")))
    run.wait_until_due()

    completed = run.send(succeeded(run.call("a"), "ok"))[0]

    assert isinstance(completed, StepCompleted)
    assert (2, "ok") == (completed.attempt, completed.output)


@pytest.mark.parametrize("reason", ["FLAKY", "DECLINED"])
def test_only_listed_reasons_are_tried_again(reason: str) -> None:
    """
    A policy that names reasons retries those; one that names none retries every retryable failure.
    """
    policy = RetryPolicy(attempts_max=2, reasons=("FLAKY",))
    run = Rehearsal.of(define(tool_step("a", retry=policy)))

    first = run.send(failed(run.call("a"), reason))[0]

    assert (reason == "FLAKY") is isinstance(first, AttemptFailed)


def test_failure_that_is_not_retryable_ends_the_step() -> None:
    """
    What cannot help is not tried again.
    """
    run = Rehearsal.of(define(tool_step("a", retry=TWICE)))

    first = run.send(failed(run.call("a"), retryable=False))[0]

    assert isinstance(first, StepFailed)


def test_refusal_is_never_tried_again() -> None:
    """
    A stage that said no would say it again.
    """
    run = Rehearsal.of(define(tool_step("a", retry=TWICE)))

    first = run.send(refused(run.call("a")))[0]

    assert isinstance(first, StepFailed)
    assert "PERMISSION_DENIED" == first.reason


def unknown_once(*, policy: Policy) -> Rehearsal:
    """Return a run whose step was sent once with an unknown outcome."""
    run = Rehearsal.of(define(tool_step("a", tool=WRITE_TOOL)), policy=policy)
    run.send(intended(run.call("a"), tool=WRITE_TOOL))
    run.send(failed(run.call("a"), "TIMED_OUT", effect="unknown"))
    return run


def test_unknown_effect_that_is_safe_to_ask_for_is_asked_for_again() -> None:
    """
    The step's own policy of one attempt does not keep a keyed call from being cleared up.
    """
    run = unknown_once(policy=Policy(recovery_attempts_max=3))

    assert "unknown" == run.state.steps["a"].effect
    run.wait_until_due()
    assert 2 == run.call("a").attempt


def test_unknown_effect_is_parked_when_recovery_attempts_are_used_up() -> None:
    """
    After the last attempt to find out, a person is asked.
    """
    run = unknown_once(policy=Policy(recovery_attempts_max=2))
    run.wait_until_due()

    parked = run.send(failed(run.call("a"), "TIMED_OUT", effect="unknown"))[0]

    assert isinstance(parked, EffectParked)
    assert StepStatus.UNKNOWN is run.state.steps["a"].status
    assert RunStatus.WAITING is run.state.status


@pytest.mark.parametrize("ending", ["declined", "refused", "lost"])
def test_later_failure_does_not_hide_an_unknown_effect(ending: str) -> None:
    """
    However the second attempt fails, the first one may have had its effect: the step is parked, not failed.
    """
    run = unknown_once(policy=Policy())
    run.wait_until_due()
    call = run.call("a")
    event = {"declined": failed(call, "DECLINED", retryable=False), "refused": refused(call), "lost": lost(call)}

    first = run.send(event[ending])[0]

    assert isinstance(first, EffectParked)
    assert not run.state.is_terminal


def test_effect_of_an_opaque_call_in_doubt_is_parked_at_once() -> None:
    """
    What cannot be asked for again, nor looked up, waits for a person.
    """
    run = Rehearsal.of(define(tool_step("a", tool=POST_TOOL, retry=TWICE)))
    run.send(intended(run.call("a"), tool=POST_TOOL, delivery_class="opaque"))

    assert ["EffectParked"] == [type(fact).__name__ for fact in run.send(lost(run.call("a")))]


def test_outcome_of_an_earlier_attempt_is_ignored() -> None:
    """
    A late answer of the first attempt neither completes nor fails the second one.
    """
    run = Rehearsal.of(define(tool_step("a", retry=TWICE)))
    first = run.call("a")
    run.send(failed(first))
    run.wait_until_due()

    assert [] == run.send(succeeded(first)) + run.send(failed(first)) + run.send(lost(first)) + run.send(refused(first))
    assert 2 == run.call("a").attempt


def test_outcome_during_the_pause_is_ignored() -> None:
    """
    While the next attempt is waited for, nothing that the last one still says counts.
    """
    run = Rehearsal.of(define(tool_step("a", retry=TWICE)))
    first = run.call("a")
    run.send(failed(first))

    assert [] == run.send(succeeded(first))
    assert RunStatus.WAITING is run.state.status
