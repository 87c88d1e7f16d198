"""``make bench-wide``: Remit alone, under every condition that could slow it down.

    python -m benchmarks.wide [--only load,history,workers,tenants,tables] [--rounds 5] [--scale 1.0] [--output FILE]

By runs in flight, with the distribution of latencies and what a step costs; beside a million finished and a hundred
thousand waiting runs; with one, two and four workers; with one and a hundred tenants; on fresh tables, on tables that
grew and were never analysed, and on analysed ones. What is compared is measured in turns, never one after the other, so
that noise meets all of it. Each section is written as soon as it is measured, and a later run replaces only its own.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg

from benchmarks import history, workloads
from benchmarks.floor import measure_floor
from benchmarks.peers import accounting, environments
from benchmarks.peers.contestants import BY_NAME, Running, fresh_database, renamed, running
from benchmarks.peers.figures import costs_per_step, latencies, rounded, spread, steps_per_second
from benchmarks.pictures import HISTORY_BAND, RESIDENT_MIB_MAX, TWO_WORKERS_MIN
from benchmarks.server import server_folder
from campaigns.record import machine
from remit import Kernel, Settings
from remit.ids import TenantId
from remit.ports.store import Principal, Tenant
from remit.store.embedded import EmbeddedServer, ServerAddress

REPORT: Final = environments.environment.ROOT / "docs" / "assurance" / "bench-wide.json"
REMIT: Final = BY_NAME["remit"]
WORKER: Final = replace(REMIT, program="worker_program")
ROUNDS: Final = 5
STEPS: Final = 10
RUNS_BY_IN_FLIGHT: Final = {1: 40, 4: 80, 16: 160, 64: 200, 256: 512}
WORKERS: Final = (1, 2, 4)
TENANTS: Final = (1, 100)
GROWN_RUNS: Final = 20_000
HISTORY_TENANT: Final = TenantId("history")
PAUSES: Final = [0.13, 0.29, 0.41, 0.22, 0.37]
RUNS_FOR_WORKERS: Final = 600
WARM_RUNS: Final = 100
"""For each worker, so that all of them get some: a claim takes up to 64."""
WATCH_SECONDS: Final = 0.05
WORK_SECONDS_MAX: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How much to measure."""

    rounds: int
    scale: float

    def count(self, full: int) -> int:
        """Return a number at this scale."""
        return max(1, round(full * self.scale))

    @property
    def w1(self) -> dict[str, Any]:
        """Sizes of W1: 64 runs in flight."""
        return {"runs": self.count(200), "steps": STEPS, "in_flight": 64, "seconds_min": 1.0 * self.scale}


# --- runs in flight, latencies, costs --------------------------------------------------------------------------------


async def measure_load(address: ServerAddress, options: Options) -> dict[str, Any]:
    """Return steps per second by runs in flight, latencies, and what a step costs."""
    admin_url = renamed(address.admin_url, "bench")
    async with fresh_database(address, has_schema=True) as urls, running(REMIT, urls) as engine:
        await engine.ask("warm", steps=STEPS)
        loads = [
            (in_flight, await _ask_with_cost(engine, address, _w1_with(options, in_flight, runs)))
            for _ in range(options.rounds)
            for in_flight, runs in RUNS_BY_IN_FLIGHT.items()
        ]
        alone = [await engine.ask("w2", runs=options.count(60), steps=STEPS) for _ in range(options.rounds)]
        idle = [await engine.ask("w4", runs=options.count(20), pauses=PAUSES) for _ in range(options.rounds)]
        before = await accounting.statistics(admin_url)
        counted = await engine.ask("w1", **options.w1)
        rows = accounting.difference(before, await accounting.statistics(admin_url))
    usual = [answer for in_flight, answer in loads if in_flight == options.w1["in_flight"]]
    return {
        "steps_per_second_by_in_flight": {
            str(key): spread([steps_per_second(answer) for in_flight, answer in loads if in_flight == key])
            for key in RUNS_BY_IN_FLIGHT
        },
        "run_ms_by_in_flight": {
            str(key): latencies([_ms(answer["lap_seconds"]) for in_flight, answer in loads if in_flight == key])
            for key in RUNS_BY_IN_FLIGHT
        },
        "step_ms_alone": latencies([[ms / STEPS for ms in _ms(answer["run_seconds"])] for answer in alone]),
        "start_ms_idle": latencies([_ms(answer["start_seconds"]) for answer in idle]),
        "cost_per_step": {
            **costs_per_step(usual),
            "rows": rounded(rows["rows"] / counted["steps"]),
            "fsyncs": rounded(rows["fsyncs"] / counted["steps"]),
            "hot_share_of_updates": rounded(rows["hot_updates"] / max(1, rows["updates"])),
        },
        "others_share": spread([answer["others_share"] for answer in usual]),
    }


def _w1_with(options: Options, in_flight: int, runs: int) -> dict[str, Any]:
    return {**options.w1, "runs": options.count(runs), "in_flight": in_flight}


def _ms(seconds: list[float]) -> list[float]:
    return [value * 1e3 for value in seconds]


async def _ask_with_cost(engine: Running, address: ServerAddress, sizes: dict[str, Any]) -> dict[str, Any]:
    async with costing([engine.pid], address) as cost:
        answer = await engine.ask("w1", **sizes)
    return {**answer, **cost}


# --- history ---------------------------------------------------------------------------------------------------------


async def measure_history(address: ServerAddress, options: Options) -> dict[str, Any]:
    """Compare an empty database with one that holds a million finished and a hundred thousand waiting runs."""
    finished, waiting = options.count(history.FINISHED), options.count(history.WAITING)
    async with (
        fresh_database(address, has_schema=True, name="bench_empty") as empty,
        fresh_database(address, has_schema=True, name="bench_full") as full,
    ):
        started = time.perf_counter()
        rows = await _load_history(address, full, finished=finished, waiting=waiting)
        loading = time.perf_counter() - started
        async with running(REMIT, empty) as first, running(REMIT, full) as second:
            figures = await _compare({"empty": first, "full": second}, options)
            resident = accounting.resident_mib(second.pid)
        size = await _fetch_value(
            renamed(address.admin_url, "bench_full"), "select pg_database_size(current_database())"
        )
    return {
        "finished_runs": finished,
        "waiting_runs": waiting,
        "rows": rows,
        "database_gib": rounded(size / 2**30),
        "load_seconds": round(loading),
        "variants": figures,
        "worker_resident_mib": round(resident),
        "ratios": {
            name: rounded(figures["full"][name]["median"] / figures["empty"][name]["median"])
            for name in figures["empty"]
        },
    }


async def _load_history(address: ServerAddress, urls: dict[str, str], *, finished: int, waiting: int) -> int:
    await _add_tenant(urls, HISTORY_TENANT)
    admin = await asyncpg.connect(renamed(address.admin_url, "bench_full"), command_timeout=600)
    try:
        rows = await history.load(admin, HISTORY_TENANT, finished=finished, waiting=waiting)
        await admin.execute("vacuum analyze", timeout=600)
        await admin.execute("checkpoint", timeout=600)
    finally:
        await admin.close()
    return rows


async def _add_tenant(urls: dict[str, str], tenant_id: TenantId) -> None:
    async with _kernel(urls) as kernel:
        directory = kernel.store.directory
        await directory.create_tenant(Tenant(tenant_id=tenant_id, display_name=tenant_id))
        operator = Principal(tenant_id=tenant_id, principal_id=workloads.OPERATOR, kind="human", roles=("operator",))
        await directory.put_principal(operator)


# --- workers ---------------------------------------------------------------------------------------------------------


async def measure_workers(address: ServerAddress, options: Options) -> dict[str, Any]:
    """Compare one, two and four worker processes on one database; this process submits and waits."""
    answers: dict[int, list[dict[str, Any]]] = {count: [] for count in WORKERS}
    runs = options.count(RUNS_FOR_WORKERS)
    async with fresh_database(address, has_schema=True) as urls, _kernel(urls) as kernel:
        await workloads.prepare(kernel)
        for number in range(options.rounds):
            for count in WORKERS if number % 2 == 0 else reversed(WORKERS):
                answers[count].append(await _finish_with(count, kernel, urls, address=address, runs=runs))
    rates = {count: [steps_per_second(answer) for answer in answers[count]] for count in WORKERS}
    return {
        "runs": runs,
        "steps_per_second": {str(count): spread(values) for count, values in rates.items()},
        "ratios": {
            str(count): rounded(statistics.median(rates[count]) / statistics.median(rates[1])) for count in WORKERS
        },
        "cost_per_step": {str(count): costs_per_step(answers[count]) for count in WORKERS},
        "others_share": {
            str(count): spread([answer["others_share"] for answer in answers[count]]) for count in WORKERS
        },
    }


async def _finish_with(
    count: int, kernel: Kernel, urls: dict[str, str], *, address: ServerAddress, runs: int
) -> dict[str, Any]:
    """Start workers, warm them, and let them finish runs."""
    async with contextlib.AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(running(WORKER, urls)) for _ in range(count)]
        await _finish_runs(kernel, runs=count * WARM_RUNS)
        async with costing([worker.pid for worker in workers], address) as cost:
            seconds = await _finish_runs(kernel, runs=runs)
    return {"seconds": seconds, "steps": runs * STEPS, **cost}


async def _finish_runs(kernel: Kernel, *, runs: int) -> float:
    """Submit runs and wait until workers finished them; returns the seconds between, by the database's clock."""
    digest = (await kernel.put_definition(workloads.sequence(STEPS))).digest
    submitting = [
        kernel.runs.submit(kernel.tenant_id, definition_digest=digest, run_input={}, principal_id=workloads.OPERATOR)
        for _ in range(runs)
    ]
    run_ids = [submitted.run_id for submitted in await asyncio.gather(*submitting)]
    async with asyncio.timeout(WORK_SECONDS_MAX):
        while True:
            async with kernel.store.database.tenant(kernel.tenant_id) as session:
                row = (await session.fetch({"ended": ENDED}, "ended", run_ids))[0]
            if row["ended"] == runs:
                seconds: float = row["seconds"]
                return seconds
            await asyncio.sleep(WATCH_SECONDS)


ENDED: Final = """
select count(e.run_id) as ended, extract(epoch from max(e.finished_at) - min(r.created_at))::double precision as seconds
from remit.runs r left join remit.run_results e
    on e.tenant_id = r.tenant_id and e.run_id = r.run_id and e.status = 'completed'
where r.run_id = any($1::uuid[])
"""


# --- tenants and tables ----------------------------------------------------------------------------------------------


async def measure_tenants(address: ServerAddress, options: Options) -> dict[str, Any]:
    """Compare one tenant with a hundred."""
    async with contextlib.AsyncExitStack() as stack:
        engines = {}
        for count in TENANTS:
            name = f"bench_tenants_{count}"
            urls = await stack.enter_async_context(fresh_database(address, has_schema=True, name=name))
            settings = {"BENCH_TENANTS": str(count)}
            engines[str(count)] = await stack.enter_async_context(running(REMIT, urls, settings=settings))
        figures = await _compare(engines, options)
    few, many = (figures[str(count)]["w1_steps_per_second"]["median"] for count in TENANTS)
    return {"variants": figures, "ratio": rounded(many / few)}


async def measure_tables(address: ServerAddress, options: Options) -> dict[str, Any]:
    """Compare fresh tables with grown ones that were never analysed and with analysed ones."""
    async with _without_autovacuum(address), contextlib.AsyncExitStack() as stack:
        engines = {}
        for variant in ("fresh", "grown", "analysed"):
            name = f"bench_{variant}"
            urls = await stack.enter_async_context(fresh_database(address, has_schema=True, name=name))
            engines[variant] = await stack.enter_async_context(running(REMIT, urls))
            await engines[variant].ask("warm", steps=STEPS)  # its plans are made while the tables are empty
            if variant != "fresh":
                runs = options.count(GROWN_RUNS)
                await measure_floor(urls["BENCH_DATABASE_APP_URL"], runs=runs, steps=STEPS, in_flight=256)
            if variant == "analysed":
                await _execute(renamed(address.admin_url, name), "vacuum analyze")
        figures = await _compare(engines, options)
    rates = {variant: figures[variant]["w1_steps_per_second"]["median"] for variant in figures}
    return {
        "grown_runs": options.count(GROWN_RUNS),
        "variants": figures,
        "ratios": {variant: rounded(rate / rates["fresh"]) for variant, rate in rates.items()},
    }


@contextlib.asynccontextmanager
async def _without_autovacuum(address: ServerAddress) -> AsyncIterator[None]:
    await _execute(address.admin_url, "alter system set autovacuum = off")
    await _execute(address.admin_url, "select pg_reload_conf()")
    yield
    await _execute(address.admin_url, "alter system reset autovacuum")
    await _execute(address.admin_url, "select pg_reload_conf()")


# --- shared ----------------------------------------------------------------------------------------------------------


async def _compare(engines: dict[str, Running], options: Options) -> dict[str, Any]:
    """Measure engines in turns, each round in the other order; returns the spread of each of their figures."""
    values: dict[str, dict[str, list[float]]] = {name: {} for name in engines}

    def keep(name: str, figure: str, value: float) -> None:
        values[name].setdefault(figure, []).append(value)

    for engine in engines.values():
        await engine.ask("warm", steps=STEPS)
        await engine.ask("w1", **options.w1)
    for number in range(options.rounds):
        for name in engines if number % 2 == 0 else reversed(engines):
            engine = engines[name]
            keep(name, "w1_steps_per_second", steps_per_second(await engine.ask("w1", **options.w1)))
            alone = await engine.ask("w2", runs=options.count(40), steps=STEPS)
            keep(name, "w2_step_ms", statistics.median(alone["run_seconds"]) * 1e3 / STEPS)
    return {name: {figure: spread(series) for figure, series in figures.items()} for name, figures in values.items()}


@contextlib.asynccontextmanager
async def costing(pids: list[int], address: ServerAddress) -> AsyncIterator[dict[str, float]]:
    """Lend a record that holds, after the block, what processes and the server spent on what happened in it."""
    cost: dict[str, float] = {}
    admin = await asyncpg.connect(address.admin_url)
    try:
        written = await accounting.writes(admin)
        before = [accounting.cpu_time(pid, address.pid) for pid in pids]
        yield cost
        after = [accounting.cpu_time(pid, address.pid) for pid in pids]
        cost |= accounting.difference(written, await accounting.writes(admin))
        spent = [accounting.cost(*readings) for readings in zip(before, after, strict=True)]
        clients = [one["client_cpu_seconds"] for one in spent]
        others = spent[0]["others_share"] - sum(clients[1:]) / ((after[0].at - before[0].at) * (os.cpu_count() or 1))
        cost |= {**spent[0], "client_cpu_seconds": sum(clients), "others_share": max(0.0, others)}
    finally:
        await admin.close()


@contextlib.asynccontextmanager
async def _kernel(urls: dict[str, str]) -> AsyncIterator[Kernel]:
    """Lend a kernel without a worker."""
    settings = Settings(database_url=urls["BENCH_DATABASE_URL"], database_app_url=urls["BENCH_DATABASE_APP_URL"])
    async with Kernel(tools=[workloads.bench_step], packs=[], settings=settings, has_worker=False) as kernel:
        yield kernel


async def _execute(url: str, statement: str) -> None:
    admin = await asyncpg.connect(url)
    try:
        await admin.execute(statement, timeout=600)
    finally:
        await admin.close()


async def _fetch_value(url: str, query: str) -> Any:
    admin = await asyncpg.connect(url)
    try:
        return await admin.fetchval(query)
    finally:
        await admin.close()


SECTIONS: Final[dict[str, Callable[[ServerAddress, Options], Awaitable[dict[str, Any]]]]] = {
    "load": measure_load,
    "workers": measure_workers,
    "tenants": measure_tenants,
    "tables": measure_tables,
    "history": measure_history,
}


async def measure(sections: list[str], options: Options, output: Path) -> None:
    """Measure sections one after another, each on a server of its own, and write each into the report."""
    for name in sections:
        started = datetime.now(UTC)
        with server_folder() as folder:
            address = EmbeddedServer(folder).start()
            figures = await SECTIONS[name](address, options)
        record = {
            "started": started.isoformat(timespec="seconds"),
            "duration_seconds": round((datetime.now(UTC) - started).total_seconds()),
            "loadavg_before": rounded(os.getloadavg()[2]),
            "rounds": options.rounds,
            "scale": options.scale,
            **figures,
        }
        _put_section(output, name, record)
        print(f"{name}: measured in {record['duration_seconds']} s, written to {output}", flush=True)


def _put_section(output: Path, name: str, record: dict[str, Any]) -> None:
    report = json.loads(output.read_text(encoding="utf-8")) if output.exists() else {}
    report |= {"command": "make bench-wide", "machine": machine(), name: record}
    output.write_text(json.dumps(report, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main() -> int:
    """Measure, write and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, with commas between them")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--scale", type=float, default=1.0, help="part of the full numbers, to try things out")
    parser.add_argument("--output", type=Path, default=REPORT)
    arguments = parser.parse_args()
    sections = arguments.only.split(",")
    if not set(sections) <= set(SECTIONS):
        parser.error(f"expected sections of {', '.join(SECTIONS)}, got {arguments.only}")
    options = Options(rounds=arguments.rounds, scale=arguments.scale)
    asyncio.run(measure(sections, options, arguments.output))
    broken = broken_bounds(json.loads(arguments.output.read_text(encoding="utf-8")))
    for bound in broken:
        print(f"DOES NOT HOLD: {bound}")
    return 1 if broken else 0


def broken_bounds(report: dict[str, Any]) -> list[str]:
    """Return which of the promises the report's figures break, in words."""
    broken = []
    if "workers" in report and report["workers"]["ratios"]["2"] < TWO_WORKERS_MIN:
        broken.append(f"two workers make at least {TWO_WORKERS_MIN:g} of one's steps")
    if "history" in report:
        if abs(report["history"]["ratios"]["w1_steps_per_second"] - 1) > HISTORY_BAND:
            broken.append(f"throughput beside a history is within {HISTORY_BAND:.0%} of that of an empty database")
        if report["history"]["worker_resident_mib"] >= RESIDENT_MIB_MAX:
            broken.append(f"a worker beside a history needs less than {RESIDENT_MIB_MAX} MiB")
    return broken


if __name__ == "__main__":
    sys.exit(main())
