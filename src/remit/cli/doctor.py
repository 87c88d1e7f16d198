"""``remit doctor``: is this machine fit to run Remit, and if not, what to do."""

from __future__ import annotations

import os
import platform
import socket
import stat
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import typer

from remit.bootstrap import open_lookout
from remit.cli.exit_codes import OK, OPERATION
from remit.cli.options import Options, options_of, single
from remit.cli.output import print_json, print_table, state_text
from remit.cli.pidfile import data_dir_of, find_running
from remit.cli.session import run_in_loop, settings_of
from remit.clock import DatabaseClock, wall_clock
from remit.errors import RemitError
from remit.ids import WorkerId
from remit.runtime.catalogue import Catalogue
from remit.runtime.metrics import Metrics
from remit.settings import Settings
from remit.store import Lifetime, PostgresStore, open_store
from remit.store.room import BALLAST_NAME, MIB, Ballast, read_volume, reserve_of
from remit.tools.registry import Registry

PYTHON_MIN: Final = (3, 11)
LOW_RATIO: Final = 2
"""Free space below so many times the reserve is worth a warning."""

CLOCK_SECONDS_MAX: Final = 2.0
NOBODY: Final = WorkerId("00000000-0000-0000-0000-000000000000")
"""A worker that never registers: its heartbeat owns nothing and tells the database's time."""

app, command = single(
    "Check this machine and the database: what is wrong, and what to do. Exit code 3 if something is."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding; ``hint`` says what to do unless all is well."""

    name: str
    state: Literal["ok", "warn", "fail"]
    detail: str
    hint: str = ""


@command
def doctor(context: typer.Context) -> int:
    """Run all checks; each says what it found."""
    options = options_of(context)
    settings = settings_of(options)
    local: tuple[Callable[[Settings], Check], ...] = (_python, _data_dir, _disk, _ballast, _secrets, _port)
    checks = [check(settings) for check in local]
    checks += run_in_loop(_database(settings))
    _print(options, checks)
    return OPERATION if any(check.state == "fail" for check in checks) else OK


def _print(options: Options, checks: list[Check]) -> None:
    if options.is_json:
        rows = [{"name": one.name, "state": one.state, "detail": one.detail, "hint": one.hint} for one in checks]
        print_json({"healthy": all(one.state != "fail" for one in checks), "checks": rows})
        return
    rows_shown = ((one.name, state_text(one.state), one.detail, one.hint) for one in checks)
    print_table(("check", "state", "found", "what to do"), rows_shown, empty="nothing checked")


def _python(_: Settings) -> Check:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < PYTHON_MIN:
        return Check(name="python", state="fail", detail=found, hint="install Python 3.11 or newer")
    return Check(name="python", state="ok", detail=found)


def _data_dir(settings: Settings) -> Check:
    folder = data_dir_of(settings)
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        return Check(
            name="data folder", state="fail", detail=f"{existing} is not writable", hint="choose another --data-dir"
        )
    if folder.exists() and folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        hint = f"chmod go-w {folder}"
        return Check(name="data folder", state="fail", detail=f"others may write to {folder}", hint=hint)
    note = "" if folder.exists() else " (will be made)"
    return Check(name="data folder", state="ok", detail=f"{folder}{note}")


def _disk(settings: Settings) -> Check:
    folder = data_dir_of(settings)
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    volume = read_volume([existing])
    if volume is None:
        return Check(name="disk space", state="warn", detail=f"{existing} cannot be looked at")
    reserve = reserve_of(volume, None if settings.disk_reserve_mb is None else settings.disk_reserve_mb * MIB)
    state: Literal["ok", "warn", "fail"] = "ok"
    if volume.free_bytes < reserve * LOW_RATIO:
        state = "fail" if volume.free_bytes < reserve else "warn"
    hints = {
        "ok": "",
        "warn": "free some space: with less than the reserve nothing more is taken on",
        "fail": "free some space, or lower REMIT_DISK_RESERVE_MB: nothing is taken on, only read",
    }
    detail = f"{volume.free_bytes / MIB:,.0f} MiB free, {reserve / MIB:,.0f} MiB in reserve"
    return Check(name="disk space", state=state, detail=detail, hint=hints[state])


def _ballast(settings: Settings) -> Check:
    if settings.database_url or settings.database_app_url or not settings.ballast_mb:
        return Check(name="ballast", state="ok", detail="none is wanted")
    folder = data_dir_of(settings)
    kept = Ballast(folder / BALLAST_NAME, settings.ballast_mb * MIB).kept_bytes
    if not kept and folder.exists():
        hint = "free some space: it was given up, or there never was room for it"
        return Check(name="ballast", state="warn", detail="none is kept", hint=hint)
    detail = f"{kept / MIB:,.0f} MiB to give up on a full volume" if kept else "will be made"
    return Check(name="ballast", state="ok", detail=detail)


def _secrets(settings: Settings) -> Check:
    path = settings.secrets_file
    if path is None:
        return Check(name="secrets", state="ok", detail=f"{len(settings.secrets)} in the environment, no file")
    if not path.exists():
        return Check(name="secrets", state="fail", detail=f"{path} does not exist", hint="correct REMIT_SECRETS_FILE")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Check(name="secrets", state="fail", detail=f"others may read {path}", hint=f"chmod 600 {path}")
    return Check(name="secrets", state="ok", detail=str(path))


def _port(settings: Settings) -> Check:
    running = find_running(settings)
    if running is not None:
        return Check(name="port", state="ok", detail=f"remit up serves {running.url} (process {running.pid})")
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            detail = f"{settings.host}:{settings.port}: {error.strerror}"
            return Check(
                name="port", state="warn", detail=detail, hint="choose another: REMIT_PORT, or remit up --port"
            )
    return Check(name="port", state="ok", detail=f"{settings.host}:{settings.port} is free")


async def _database(settings: Settings) -> list[Check]:
    """Open the store as every command does: what it refuses, it says why."""
    where = "DATABASE_URL" if settings.database_url or settings.database_app_url else "embedded"
    try:
        store = await open_store(settings, lifetime=Lifetime.OWNED)
    except RemitError as error:
        hint = (
            "remit db upgrade" if "schema version" in error.message else "see the log beside the data, or the settings"
        )
        return [Check(name="postgresql", state="fail", detail=f"{where}: {error.code}: {error.message}", hint=hint)]
    try:
        reachable = Check(
            name="postgresql", state="ok", detail=f"{where}: {store.database.server_version}, schema up to date"
        )
        return [reachable, _durability(store), await _clock(store), await _stuck(store, settings)]
    finally:
        await store.close()


def _durability(store: PostgresStore) -> Check:
    risks = store.database.warnings
    if risks:
        hint = "turn them on: what is acknowledged may be lost"
        return Check(name="durability", state="warn", detail=", ".join(risks), hint=hint)
    return Check(name="durability", state="ok", detail="fsync, full_page_writes and synchronous_commit are on")


async def _stuck(store: PostgresStore, settings: Settings) -> Check:
    """Look at every tenant's runs; without their tools, the time-outs of calls are taken to be the default."""
    catalogue = Catalogue(store.directory, DatabaseClock())
    lookout = open_lookout(store, catalogue, tools=Registry(), metrics=Metrics(), patience=settings.stuck_after)
    counts = Counter(stuck.reason.value for stuck in await lookout.find_all())
    if not counts:
        return Check(name="stuck runs", state="ok", detail="none")
    detail = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
    return Check(name="stuck runs", state="warn", detail=detail, hint="remit runs stuck --all-tenants says why")


async def _clock(store: PostgresStore) -> Check:
    beat = await store.dispatch.heartbeat(NOBODY)
    apart = abs((beat.now - wall_clock()).total_seconds())
    detail = f"{apart:.3f} s between this machine and the database"
    if apart > CLOCK_SECONDS_MAX:
        hint = "synchronise the clocks: signatures of webhooks are checked against them"
        return Check(name="clock", state="warn", detail=detail, hint=hint)
    return Check(name="clock", state="ok", detail=detail)
