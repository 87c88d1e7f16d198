"""Random programs on real workers and PostgreSQL under kills.

Waves of programs, each of a tenant of its own on one server that is killed now and then; a wave is over when every run
has ended, and is audited by code that shares nothing with the kernel.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from campaigns.record import Figure, Options, at_least, exactly, reading
from remit.ids import TenantId
from remit.store.migrate import upgrade
from remit.testing.database import private_server
from tests.crash.programs.model import KINDS
from tests.crash.programs.play import Ground, Plan, Play, Played, postmaster_of, reached_of

PROMISE: Final = (
    "Whatever is killed, every run ends with exactly the result that plain arithmetic says, every effect happened "
    "once (or a person was asked), every journal verifies, and no run is stuck."
)
PROGRAMS: Final = 3_000
PROGRAMS_OF_A_WAVE: Final = 150
KILLS_OF_A_WAVE: Final = 12
SERVER_KILLS_OF_A_WAVE: Final = 1

FLOORS: Final = {
    "worker killed": 200,
    "server killed": 15,
    "died before an effect": 10,
    "died after an effect": 10,
    "parked and happened": 10,
    "parked and absent": 10,
    "asked and approve": 300,
    "asked and deny": 100,
    "run completed": 2_000,
    "run failed": 300,
    "run cancelled": 80,
    "steps skipped": 500,
    "attempts failed": 2_000,
    "effects": 3_000,
    "receipts": 3_000,
    "messages sent": 1_000,
    **{kind: 400 for kind, _ in KINDS},
}
"""At the full numbers; a campaign of another scale has floors of that scale."""


def run(options: Options) -> list[Figure]:
    """Play all waves."""
    waves = max(1, round(options.count(PROGRAMS) / PROGRAMS_OF_A_WAVE))
    rng = random.Random(options.seed)
    with private_server() as server, tempfile.TemporaryDirectory() as name:
        address = server.start()
        asyncio.run(upgrade(address.owner_url))
        ground = Ground(
            app_url=address.app_url,
            admin_url=address.admin_url,
            folder=Path(name),
            postmaster=lambda: postmaster_of(server.folder),
            revive=server.revive,
        )
        many = [play_wave(ground, number, seed=rng.randrange(2**32)) for number in range(waves)]
    reached = reached_of(many)
    findings = [finding for played in many for finding in played.findings]
    for finding in findings:
        sys.stdout.write(f"{finding}\n")
    scale = waves * PROGRAMS_OF_A_WAVE / PROGRAMS
    return [
        exactly("findings", len(findings)),
        at_least("journals verified", reached["journals verified"], waves * PROGRAMS_OF_A_WAVE),
        *(at_least(name, reached[name], round(floor * scale)) for name, floor in FLOORS.items()),
        *(reading(name, reached[name]) for name in ("facts", "claims", "calls", "steps parked", "workers started")),
    ]


def play_wave(ground: Ground, number: int, *, seed: int) -> Played:
    """Play one wave in a folder and a tenant of its own."""
    folder = ground.folder / f"wave-{number}"
    folder.mkdir()
    place = replace(ground, folder=folder, tenant_id=TenantId(f"wave-{number}"))
    plan = Plan(
        programs=PROGRAMS_OF_A_WAVE,
        kills=KILLS_OF_A_WAVE,
        server_kills=SERVER_KILLS_OF_A_WAVE,
        seconds_max=600.0,
        lease_seconds=5,
    )
    played = asyncio.run(Play(place, plan, seed=seed, prefix=f"w{number}p").run())
    sys.stdout.write(f"wave {number}: seed {seed}, {len(played.findings)} findings\n")
    sys.stdout.flush()
    return played
