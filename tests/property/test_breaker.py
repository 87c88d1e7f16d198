"""Laws of breakers: how many calls they let through, and that they neither stick nor leak."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from remit.governance.breaker import BreakerConfig, BreakerState, admit, reconcile, record_failure, record_success

SECOND_US = 1_000_000

configs = st.builds(
    lambda failures, window, pause, calls, share: BreakerConfig(
        failure_threshold=failures,
        failure_window_seconds=window,
        open_seconds=pause,
        half_open_calls_max=calls,
        success_threshold=min(calls, share),
    ),
    st.integers(1, 6),
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(1, 5),
    st.integers(1, 5),
)
histories = st.lists(
    st.tuples(st.sampled_from(["call", "success", "failure"]), st.integers(0, 20 * SECOND_US)), max_size=80
)


@given(configs, histories)
def test_half_open_breaker_never_admits_more_than_its_limit(
    config: BreakerConfig, history: list[tuple[str, int]]
) -> None:
    """
    Within one round of tries at most half_open_calls_max calls go out, whatever happens in which order.
    """
    state = BreakerState()
    now_us = 0
    admitted_in_round: dict[int, int] = {}
    for event, pause_us in history:
        now_us += pause_us
        match event:
            case "call":
                admission = admit(state, config, now_us=now_us)
                state = admission.state
                if admission.allowed and state.status == "half_open":
                    round_id = state.window_started_us
                    admitted_in_round[round_id] = admitted_in_round.get(round_id, 0) + 1
            case "success":
                state = record_success(state, config, now_us=now_us)
            case _:
                state = record_failure(state, config, now_us=now_us)

    assert all(count <= config.half_open_calls_max for count in admitted_in_round.values())


@given(configs, histories, st.integers(0, 30 * SECOND_US))
def test_open_breaker_admits_nothing_until_its_pause_is_over(
    config: BreakerConfig, history: list[tuple[str, int]], wait_us: int
) -> None:
    """
    An open breaker refuses every call within open_seconds and says how long to wait; after that it lets one try.
    """
    state = BreakerState()
    now_us = 0
    for event, pause_us in history:
        now_us += pause_us
        if event == "call":
            state = admit(state, config, now_us=now_us).state
        elif event == "success":
            state = record_success(state, config, now_us=now_us)
        else:
            state = record_failure(state, config, now_us=now_us)
    for _ in range(config.failure_threshold):
        state = record_failure(state, config, now_us=now_us)

    assert "open" == state.status
    admission = admit(state, config, now_us=state.opened_us + wait_us)
    assert (wait_us >= config.open_seconds * SECOND_US) == admission.allowed
    if not admission.allowed:
        assert admit(
            state, config, now_us=state.opened_us + wait_us + round(admission.retry_after_seconds * SECOND_US)
        ).allowed


@given(configs, st.lists(st.integers(0, 60 * SECOND_US), max_size=40))
def test_breaker_whose_tries_never_report_does_not_stick(config: BreakerConfig, pauses: list[int]) -> None:
    """
    Tries that were let through and never answered do not block for ever: a full pause later one more may go.
    """
    state = BreakerState(status="open", failure_count=1)
    now_us = config.open_seconds * SECOND_US
    for pause_us in pauses:
        now_us += pause_us
        state = admit(state, config, now_us=now_us).state

    assert admit(state, config, now_us=now_us + config.open_seconds * SECOND_US).allowed


@given(configs, st.lists(st.integers(0, 40 * SECOND_US), min_size=1, max_size=40))
def test_breaker_opens_on_threshold_within_window(config: BreakerConfig, pauses: list[int]) -> None:
    """
    A closed breaker is open exactly when failure_threshold failures fell into the window that the first one began.
    """
    state = BreakerState()
    now_us = 1
    counted: list[int] = []
    for pause_us in pauses:
        now_us += pause_us
        if state.status == "open":
            break
        if counted and now_us - counted[0] >= config.failure_window_seconds * SECOND_US:
            counted = []
        counted.append(now_us)
        state = record_failure(state, config, now_us=now_us)

        assert ("open" if len(counted) >= config.failure_threshold else "closed") == state.status


@given(configs, histories, st.integers(0, 80))
def test_reading_an_older_state_again_loses_nothing(
    config: BreakerConfig, history: list[tuple[str, int]], stored_at: int
) -> None:
    """
    A process that stored its state, went on, and reads what it stored is where it was; one that did not go on takes
    over what is newer.
    """
    now_us = 1
    states = [BreakerState()]
    for event, pause_us in history:
        now_us += pause_us + 1
        match event:
            case "call":
                states.append(admit(states[-1], config, now_us=now_us).state)
            case "success":
                states.append(record_success(states[-1], config, now_us=now_us))
            case _:
                states.append(record_failure(states[-1], config, now_us=now_us))
    older, newer = states[min(stored_at, len(states) - 1)], states[-1]

    assert newer == reconcile(newer, older)
    assert newer == reconcile(newer, None)
    assert newer.status == reconcile(older, newer).status
