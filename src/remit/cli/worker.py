"""``remit worker``: one more process that works on runs."""

from __future__ import annotations

import os
import sys

import typer

from remit.cli.options import Options, ServingCommand, options_of, single
from remit.cli.output import print_json
from remit.cli.session import Needs, open_session, run_in_loop, serving_settings_of
from remit.cli.stopping import stop_signal
from remit.runtime.collector import spare_collector
from remit.settings import Settings

app, command = single(
    "Work on runs until stopped by Ctrl-C or SIGTERM: calls in flight end, runs are handed back. Start as many as you "
    "like; when one dies, the others take over its runs.",
    kind=ServingCommand,
)


@command
def worker(context: typer.Context) -> None:
    """Work on runs."""
    options = options_of(context)
    settings = serving_settings_of(options)
    run_in_loop(_work(options, settings))


async def _work(options: Options, settings: Settings) -> None:
    async with stop_signal(options) as stop, open_session(options, Needs.WORKER, settings=settings) as session:
        assert session.kernel.worker is not None
        spare_collector()
        ready = {"worker_id": session.kernel.worker.worker_id, "pid": os.getpid()}
        if options.is_json:
            print_json(ready)
        else:
            print(f"worker {ready['worker_id']} is ready (process {ready['pid']})")
        sys.stdout.flush()
        await stop.wait()
