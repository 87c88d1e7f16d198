"""What ``remit runs stuck`` and ``remit runs dump`` print and write.

Owns: the table, the JSON, and the files of dumps. Does not know: what makes a run stuck.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Final

import orjson

from remit.cli.exit_codes import NEGATIVE, OK
from remit.cli.options import Options
from remit.cli.output import print_json, print_table, short_run
from remit.cli.session import Needs, Session, open_session
from remit.core.canonical import JsonValue
from remit.runtime.stuck import REMEDIES, StuckRun

FILE_MODE: Final = 0o600


async def show_stuck(options: Options, *, older_than: float | None, has_all: bool, folder: Path | None) -> int:
    """Print stuck runs, and write their states into a folder if there is one."""
    patience = None if older_than is None else timedelta(seconds=older_than)
    async with open_session(options, Needs.TOOLS) as session:
        lookout = session.kernel.lookout
        if has_all:
            found = await lookout.find_all(patience=patience)
        else:
            found = await lookout.find(session.tenant_id, patience=patience)
        written = [] if folder is None else [await _write(session, stuck, folder) for stuck in found]
    if options.is_json:
        print_json({"stuck": [stuck_json(stuck) for stuck in found], "dumps": [str(path) for path in written]})
    else:
        _print(found, written)
    return NEGATIVE if found else OK


async def print_dump(options: Options, text: str) -> None:
    """Print one run's state as JSON, stuck or not."""
    async with open_session(options, Needs.TOOLS) as session:
        run_id = await session.run_id(text)
        found = await session.kernel.lookout.find(session.tenant_id, run_ids=[run_id])
        dump = await session.kernel.lookout.dump(session.tenant_id, run_id, found[0] if found else None)
    print_json(dump)


def stuck_json(stuck: StuckRun) -> dict[str, JsonValue]:
    """Return a stuck run under keys that do not change."""
    return {
        "run_id": stuck.run_id,
        "tenant": stuck.tenant_id,
        "definition": stuck.suspect.definition_name,
        "status": stuck.suspect.status,
        "waiting_for": stuck.suspect.waiting_for,
        "reason": stuck.reason.value,
        "since": stuck.since.isoformat(),
        "age_seconds": round(stuck.age.total_seconds(), 3),
        "detail": stuck.detail,
        "remedy": REMEDIES[stuck.reason],
    }


def _print(found: list[StuckRun], written: list[Path]) -> None:
    rows = (
        (
            short_run(stuck.run_id),
            stuck.suspect.definition_name,
            stuck.reason.value,
            f"{stuck.age.total_seconds():.0f} s",
            stuck.detail,
        )
        for stuck in found
    )
    print_table(("run", "definition", "stuck", "for>", "because"), rows, empty="no run is stuck")
    for reason in sorted({stuck.reason for stuck in found}):
        print(f"{reason}: {REMEDIES[reason]}")
    for path in written:
        print(f"written: {path}")


async def _write(session: Session, stuck: StuckRun, folder: Path) -> Path:
    dump = await session.kernel.lookout.dump(stuck.tenant_id, stuck.run_id, stuck)
    path = folder / f"{stuck.tenant_id}-{stuck.run_id}.json"
    await asyncio.to_thread(_write_file, path, orjson.dumps(dump, option=orjson.OPT_INDENT_2) + b"\n")
    return path


def _write_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(FILE_MODE)
    path.write_bytes(content)
