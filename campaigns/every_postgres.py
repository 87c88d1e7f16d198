"""Every PostgreSQL that is supported: the store's clauses, storms of clients, planted bugs, crashes, an installation.

Full numbers: all clauses on 18, 16 and 15; on each of them 30 storms of 1,000 operations by 5 clients, and a storm for
every planted bug; an order killed after its charge on each; and one installation of 15 into an empty folder.
"""

from __future__ import annotations

import asyncio
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from typing import Final

from campaigns.record import ROOT, Figure, Options, at_least, exactly, reading
from remit.testing.database import MAJORS, ScratchDatabase, ScratchServer, pristine_database, scratch_database
from tests.conformance.store.storm import FLOORS, storm
from tests.conformance.store.storm_audit import audit
from tests.conformance.store.storm_bugs import BUGS, plant

PROMISE: Final = "What was acknowledged is stored, once, on every PostgreSQL from 15 on, whoever else is at work."

STORMS: Final = 30
OPERATIONS: Final = 1_000
CLAUSES: Final = "tests/conformance/store"
CRASHES: Final = "tests/crash/test_every_server.py"


def run(options: Options) -> list[Figure]:
    """Run everything on each version and return the figures."""
    figures = [*clauses(), *crashes(), *fresh_installation()]
    for major in MAJORS:
        figures += asyncio.run(storms(major, options))
    return figures


def clauses() -> list[Figure]:
    """Run the conformance suite, and count what passed on each version."""
    passed, failed = pytest(CLAUSES, "--deselect", f"{CLAUSES}/test_storm.py")
    figures = [exactly("clauses that failed", failed)]
    return figures + [at_least(f"clauses that hold on {major}", passed[major], 140) for major in MAJORS]


def crashes() -> list[Figure]:
    """Kill an order's kernel after the charge, on each version."""
    passed, failed = pytest(CRASHES)
    return [exactly("orders that did not survive", failed), exactly("orders that survived", sum(passed.values()), 3)]


def pytest(*arguments: str) -> tuple[Counter[int], int]:
    """Run tests; return how many passed for each version, and how many failed."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", "-q", "--numprocesses=2", *arguments]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    passed = Counter(
        int(major) for major in re.findall(r"^PASSED \S+\[(?:.*-)?(18|16|15)(?:-.*)?\]$", said, re.MULTILINE)
    )
    return passed, len(re.findall(r"^(?:FAILED|ERROR) ", said, re.MULTILINE))


def fresh_installation() -> list[Figure]:
    """Unpack PostgreSQL 15 into an empty folder and let it tell its version."""
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, 'scripts'); import servers;"
        "scratch, draft = Path(sys.argv[1]), Path(sys.argv[1], 'draft'); draft.mkdir();"
        "servers.unpack(15, scratch, draft); print(servers.find_programs(15, draft / 'bin'))"
    )
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run(
            [sys.executable, "-c", script, folder], cwd=ROOT, capture_output=True, text=True, check=False
        )
    return [exactly("fresh installations of 15", int(result.returncode == 0), 1)]


async def storms(major: int, options: Options) -> list[Figure]:
    """Let storms rage on one version, as it is and with each planted bug."""
    draw = random.Random(options.seed * 100 + major)
    count = options.count(STORMS)
    met: Counter[str] = Counter()
    findings: list[str] = []
    with ScratchServer(major) as server:
        for _ in range(count):
            seed = draw.getrandbits(32)
            async with scratch_database(server) as scratch:
                found = await rage(scratch, seed, met)
            if found:
                sys.stdout.write(f"storm on {major}, seed {seed}: {found[:5]}\n")
            findings += found
        bugs = 0
        for bug in BUGS:
            async with pristine_database(server) as scratch:
                await plant(scratch, bug)
                bugs += any(bug.finding in one for one in await rage(scratch, draw.getrandbits(32), Counter()))
    return [
        exactly(f"storms on {major}: what does not add up", len(findings)),
        reading(f"storms on {major}: operations", count * OPERATIONS),
        exactly(f"storms on {major}: planted bugs found", bugs, len(BUGS)),
        *(at_least(f"storms on {major}: {name}", met[name], floor * count) for name, floor in FLOORS.items()),
        at_least(f"storms on {major}: busy", met["busy"], count / 3),
    ]


async def rage(scratch: ScratchDatabase, seed: int, met: Counter[str]) -> list[str]:
    """Run one storm and audit it."""
    ledger = await storm(scratch, seed=seed, operations=OPERATIONS)
    met.update({str(name): number for name, number in ledger.counts.items()})
    return await audit(scratch, ledger)
