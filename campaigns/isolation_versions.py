"""The probes, checks and matrices of isolation on each version of PostgreSQL that is supported."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from campaigns.record import ROOT, Figure, Options, at_least, exactly
from remit.testing.database import MAJORS

PROMISE = "Tenants are apart on every supported PostgreSQL."

FOLDER = "tests/integration/isolation"
TESTS_MIN = 200


def run(_: Options) -> list[Figure]:
    """Run the suite once for each version, whatever the scale."""
    return [figure for major in MAJORS for figure in _figures(major)]


def _figures(major: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "--quiet", f"--junit-xml={report}", "--numprocesses=2", FOLDER]
        environment = {**os.environ, "REMIT_TEST_MAJOR": str(major)}
        subprocess.run(command, cwd=ROOT, env=environment, check=False)
        suite = next(ET.parse(report).getroot().iter("testsuite"))
    counts = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
    wrong = counts["failures"] + counts["errors"] + counts["skipped"]
    return [
        at_least(f"tests on PostgreSQL {major}", counts["tests"], TESTS_MIN),
        exactly(f"tests that do not hold on PostgreSQL {major}", wrong),
    ]
