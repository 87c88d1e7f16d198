"""``make bench-peers``: Remit and its peers, the same four workloads, alternating on this machine.

    python -m benchmarks.peers [--rounds 3] [--only remit,dbos] [--scale 1.0] [--output FILE]

One PostgreSQL for everybody that needs one: the embedded server with its settings. In each round every engine in turn
gets a new database, a new process and the whole machine; rounds repeat this, so that noise that comes and goes meets
all of them. An engine whose results are wrong ends the run; one that fails is noted, tried again in the next round, and
missing from the figures if it never succeeds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg

from benchmarks.peers import accounting, environments
from benchmarks.peers.contestants import CONTESTANTS, DATABASE, Contestant, Running, fresh_database, renamed, running
from benchmarks.peers.figures import Turn, summarise
from benchmarks.server import server_folder
from campaigns.record import machine
from remit.store.embedded import EmbeddedServer, ServerAddress

ROUNDS: Final = 3
REPORT: Final = environments.environment.ROOT / "docs" / "assurance" / "bench-peers.json"
STEPS: Final = 10
IN_FLIGHT: Final = 64
RUNS_BY_IN_FLIGHT: Final = {1: 30, 4: 60, 16: 120, 256: 256}
SECONDS_MIN: Final = 1.5
SWEEP_SECONDS_MIN: Final = 0.5
PAUSES: Final = [0.13, 0.29, 0.41, 0.22, 0.37]
"""Seconds between submissions to an idle engine; uneven, so that they do not fall in step with its poll."""

SIZES: Final[dict[str, dict[str, Any]]] = {
    "w1": {"runs": 200, "steps": STEPS, "in_flight": IN_FLIGHT, "seconds_min": SECONDS_MIN},
    "w2": {"runs": 50, "steps": STEPS},
    "w3": {"steps": 500},
    "w4": {"runs": 20, "pauses": PAUSES},
}


async def measure(
    contestants: list[Contestant], *, rounds: int, scale: float, keep: Callable[[int, dict[str, Any]], None]
) -> None:
    """Measure all contestants in turns; ``keep`` gets the number of rounds so far and their figures after each."""
    turns: list[Turn] = []
    with server_folder() as folder:
        address = EmbeddedServer(folder).start()
        settings = await _server_settings(address)
        for number in range(rounds):
            for contestant in contestants:
                turn = await _attempt(contestant, address, number=number, scale=scale)
                turns.append(turn)
            keep(number + 1, {**summarise(contestants, turns), "server": settings})


async def _attempt(contestant: Contestant, address: ServerAddress, *, number: int, scale: float) -> Turn:
    started = time.perf_counter()
    turn = Turn(contestant=contestant.name, number=number, loadavg=os.getloadavg()[0])
    try:
        async with (
            fresh_database(address, has_schema=contestant.has_schema) as urls,
            running(contestant, urls) as engine,
        ):
            await take_turn(turn, contestant, engine, address=address, scale=scale)
    except (RuntimeError, OSError, asyncpg.PostgresError) as error:
        turn.failure = f"{type(error).__name__}: {error}"
    outcome = turn.failure or f"{turn.rate('w1'):,.0f} steps/s"
    _say(f"round {number + 1}  {contestant.title:16} {outcome}  ({time.perf_counter() - started:.0f} s)")
    return turn


async def take_turn(
    turn: Turn, contestant: Contestant, engine: Running, *, address: ServerAddress, scale: float
) -> None:
    """Run the workloads on an engine that is ready; the first round also counts rows and fsyncs."""
    server_pid = engine.server_pid or address.pid
    admin = await asyncpg.connect(address.admin_url)
    await engine.ask("warm", steps=STEPS)
    try:
        for work in contestant.works:
            written = await accounting.writes(admin)
            before = accounting.cpu_time(engine.pid, server_pid)
            answer = await engine.ask(work, **_scaled(SIZES[work], scale))
            after = accounting.cpu_time(engine.pid, server_pid)
            added = accounting.difference(written, await accounting.writes(admin))
            turn.works[work] = {**answer, **added, **accounting.cost(before, after)}
        for in_flight, runs in RUNS_BY_IN_FLIGHT.items():
            sizes = {**SIZES["w1"], "runs": runs, "in_flight": in_flight, "seconds_min": SWEEP_SECONDS_MIN}
            turn.sweep[in_flight] = await engine.ask("w1", **_scaled(sizes, scale))
        turn.resident_mib = accounting.resident_mib(engine.pid)
        if turn.number == 0 and engine.server_pid is None:
            turn.statistics = await _count_statistics(engine, address, scale)
        turn.checked_runs = (await engine.ask("check"))["runs"]
    finally:
        await admin.close()


async def _count_statistics(engine: Running, address: ServerAddress, scale: float) -> dict[str, Any]:
    url = renamed(address.admin_url, DATABASE)
    before = await accounting.statistics(url)
    answer = await engine.ask("w1", **_scaled(SIZES["w1"], scale))
    return {"steps": answer["steps"], **accounting.difference(before, await accounting.statistics(url))}


def _scaled(sizes: dict[str, Any], scale: float) -> dict[str, Any]:
    """Return smaller sizes for a trial; what is measured at scale 1 is what the report is for."""
    if scale == 1:
        return sizes
    small = {name: max(2, round(value * scale)) for name, value in sizes.items() if name in {"runs", "seconds_min"}}
    return {**sizes, **small} | ({"seconds_min": sizes["seconds_min"] * scale} if "seconds_min" in sizes else {})


async def _server_settings(address: ServerAddress) -> dict[str, str]:
    names = ["server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size"]
    admin = await asyncpg.connect(address.admin_url)
    try:
        return {name: await admin.fetchval("select current_setting($1)", name) for name in names}
    finally:
        await admin.close()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """Install, measure, print, write."""
    names = [contestant.name for contestant in CONTESTANTS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default=",".join(names), help="engines, with commas between them")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the full number of runs, to try things out")
    parser.add_argument("--output", type=Path, default=REPORT)
    arguments = parser.parse_args()
    unknown = set(arguments.only.split(",")) - set(names)
    if unknown:
        parser.error(f"expected engines of {', '.join(names)}, got {', '.join(sorted(unknown))}")
    contestants = [contestant for contestant in CONTESTANTS if contestant.name in arguments.only.split(",")]
    for peer in sorted({contestant.peer for contestant in contestants if contestant.peer is not None}):
        environments.install(peer)
    started = datetime.now(UTC)
    measured: list[dict[str, Any]] = []

    def keep(rounds: int, figures: dict[str, Any]) -> None:
        """Write what is known after each round: whoever interrupts the run keeps the rounds before."""
        report = {
            "command": "make bench-peers",
            "started": started.isoformat(timespec="seconds"),
            "duration_seconds": round((datetime.now(UTC) - started).total_seconds()),
            "machine": machine(),
            "rounds": rounds,
            "scale": arguments.scale,
            "sizes": {**SIZES, "runs_by_in_flight": {str(key): runs for key, runs in RUNS_BY_IN_FLIGHT.items()}},
            **figures,
        }
        measured[:] = report["engines"]
        arguments.output.write_text(json.dumps(report, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        _say(f"round {rounds} written to {arguments.output}, after {report['duration_seconds']} s")

    asyncio.run(measure(contestants, rounds=arguments.rounds, scale=arguments.scale, keep=keep))
    missing = [engine["title"] for engine in measured if "w1_steps_per_second" not in engine]
    if missing:
        _say(f"without figures: {', '.join(missing)}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
