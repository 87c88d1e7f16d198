"""What was recorded once means the same for ever: old journals fold, verify and go on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from campaigns.planting import Bug, plant
from remit.core.definition import EventStep, SignalStep, TimerStep, ToolStep
from remit.core.facts import Fact
from remit.core.states import RUN_TERMINAL
from tests.golden.history import differences, digest_of, files, histories

ROOT = Path(__file__).resolve().parents[2]
HISTORIES_MIN = 500
BYTES_MAX = 3_000_000
SECONDS_MAX = 120
FEW = 10
"""Every tenth history is enough for a process of its own."""

BUGS = (
    Bug(
        name="skipped steps have an output",
        file="remit/core/evolve.py",
        old="StepStatus.SKIPPED)\n    _finish_step(state, fact.step, output=None)\n",
        new="StepStatus.SKIPPED)\n    _finish_step(state, fact.step, output=fact.reason)\n",
    ),
    Bug(
        name="messages stay after they were taken",
        file="remit/core/evolve.py",
        old="        state.messages = [message for message in state.messages if message.message_id != message_id]\n",
        new="        pass\n",
    ),
)


def run_golden(command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run ``python -m tests.golden`` as a process."""
    return subprocess.run(
        [sys.executable, "-m", "tests.golden", command, str(FEW)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


def test_every_history_folds_to_what_it_did() -> None:
    """
    Chain, receipts, final state, and after each entry state and outstanding commands, are what they were when recorded.
    """
    found = [difference for history in histories() for difference in differences(history)]

    assert [] == found
    assert len(histories()) >= HISTORIES_MIN


def test_histories_cover_everything_that_journals_hold() -> None:
    """
    Every kind of fact, every kind of step, every ending that there is today, and runs that have not ended.
    """
    kinds = Counter(
        kind.partition("*")[0]
        for history in histories()
        for entry in history.entries
        for kind in entry.stored.kinds.split(",")
        if kind
    )
    steps = Counter(type(step.step) for history in histories() for step in history.program().steps.values())
    endings = Counter(history.status for history in histories())

    assert {str(fact.__struct_config__.tag) for fact in Fact.__args__} == set(kinds)
    assert {ToolStep, TimerStep, SignalStep, EventStep} == set(steps)
    assert {status.value for status in RUN_TERMINAL} - {"aborted"} <= set(endings), "aborted: no way leads there yet"
    assert endings["waiting"] >= 30
    assert 1 <= min(history.epoch for history in histories()) < max(history.epoch for history in histories())


def test_histories_are_small() -> None:
    """
    The repository carries them at no great cost.
    """
    assert 0 < sum(path.stat().st_size for path in files()) < BYTES_MAX


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_changed_fold_is_found(bug: Bug, tmp_path: Path) -> None:
    """
    A kernel that folds one fact otherwise does not pass for one that knows its history.
    """
    told = run_golden("replay", plant(tmp_path, bug))

    assert 1 == told.returncode, told
    assert "differ" in told.stdout


def test_history_folds_alike_in_every_process() -> None:
    """
    Nothing depends on the order in which a process happens to keep its sets: other hash seeds, the same bytes.
    """
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT), *filter(None, sys.path)])
    digests = {
        run_golden("digest", {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": paths}).stdout.strip()
        for seed in ("0", "4711")
    }

    assert {digest_of(FEW)} == digests
