"""Loops: what the refusal says."""

from __future__ import annotations

from remit.governance.loops import check_loop


def test_repeated_sequence_is_refused_with_evidence() -> None:
    """
    The evidence names the sequence and how often it was seen, so that a person can tell a loop from work.
    """
    refusal = check_loop(["start", *["search", "read"] * 4], repeats_max=3)

    assert refusal is not None
    assert ("loop", "LOOP_DETECTED") == (refusal.stage, refusal.code)
    assert {"period": 2, "repeats": 4, "sequence": ["search", "read"]} == refusal.evidence


def test_allowed_repeats_pass() -> None:
    """
    As many repeats as the bounds allow are no loop, and neither is a sequence that was interrupted.
    """
    assert check_loop(["search", "read"] * 3, repeats_max=3) is None
    assert check_loop([*["search"] * 3, "read", *["search"] * 3], repeats_max=3) is None
    assert check_loop([], repeats_max=3) is None


def test_sequence_longer_than_eight_is_not_looked_for() -> None:
    """
    Nine different calls in a circle are work, until a bound on calls stops them.
    """
    assert check_loop([f"call-{number}" for number in range(9)] * 5, repeats_max=1) is None
