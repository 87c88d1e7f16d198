"""``remit down``: stop what ``remit up`` started."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Final

import typer

from remit.cli.options import Options, options_of, single
from remit.cli.output import print_json, progress
from remit.cli.pidfile import Running, find_running
from remit.cli.session import run_in_loop, settings_of
from remit.errors import OperationError
from remit.settings import Settings

STOP_SECONDS_MAX: Final = 45.0
"""A worker lets calls in flight end for up to 20 s and stores what it decided for as long."""
STOP_POLL_SECONDS: Final = 0.02

app, command = single("Stop what `remit up` started: calls in flight end, runs are handed back, the database stops.")


class DownFailedError(OperationError):
    """It did not end in time."""

    code = "DOWN_FAILED"


@command
def down(context: typer.Context) -> None:
    """Stop in good order; nothing to stop is fine."""
    options = options_of(context)
    run_in_loop(_down(options, settings_of(options)))


async def _down(options: Options, settings: Settings) -> None:
    running = find_running(settings)
    if running is not None:
        await _stop(running, settings)
    if options.is_json:
        print_json({"stopped": running is not None, "pid": None if running is None else running.pid})
    else:
        print("nothing runs here" if running is None else f"stopped (process {running.pid})")


async def _stop(running: Running, settings: Settings) -> None:
    os.kill(running.pid, signal.SIGTERM)
    async with progress("letting calls in flight end"):
        for _ in range(round(STOP_SECONDS_MAX / STOP_POLL_SECONDS)):
            if find_running(settings) is None:
                return
            await asyncio.sleep(STOP_POLL_SECONDS)
    raise DownFailedError(f"process {running.pid} still runs after {STOP_SECONDS_MAX:.0f} s; its log says why")
