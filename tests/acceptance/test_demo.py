"""The demo: everything it claims holds, from a fresh folder, within its time."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.processes import Home

SECONDS_MAX = 120.0
"""Twice what is promised: this machine runs other tests meanwhile. The measured time is recorded with the result."""


@pytest.fixture
def stage() -> Iterator[Home]:
    """A folder that the embedded server's user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="remit-demo-"))
    folder.chmod(0o755)
    try:
        yield Home(folder=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_demo_checks_every_claim(stage: Home, record_property: pytest.RecordProperty) -> None:
    """
    `remit demo` ends well; its order is looked at afterwards with the commands that it names.
    """
    began = time.perf_counter()
    said = stage.remit("demo", "--data-dir", stage.folder / "demo")
    seconds = time.perf_counter() - began

    record_property("demo_seconds", round(seconds, 1))
    assert 0 == said.exit_code, said.out[-2000:] + said.err
    assert "✗" not in said.out
    assert re.search(r"All 1[5-9] claims were checked", said.out)
    assert [] == [line for line in said.out.splitlines() if len(line) > 100 and not line.startswith("error ")]
    runs = stage.must("runs", "list", "--data-dir", stage.folder / "demo")["runs"]
    assert ["completed", "completed"] == [run["status"] for run in runs]
    assert seconds < SECONDS_MAX
