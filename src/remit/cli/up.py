"""``remit up``: the database, a worker and the HTTP API, in one process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from remit.api.app import create_app
from remit.api.server import HttpServer
from remit.cli.options import Options, ServingCommand, options_of, single
from remit.cli.output import print_fields, print_json, progress
from remit.cli.pidfile import Running, data_dir_of, find_running, take_lock
from remit.cli.session import Needs, open_session, run_in_loop, serving_settings_of
from remit.cli.stopping import stop_signal
from remit.errors import OperationError
from remit.runtime.collector import spare_collector
from remit.settings import Settings

LOG_NAME: Final = "up.log"
LOG_TAIL_LINES: Final = 5
READY_SECONDS_MAX: Final = 60.0
READY_POLL_SECONDS: Final = 0.02

app, command = single(
    "Start the embedded PostgreSQL with the newest schema (or use DATABASE_URL as it is), and serve: a worker, "
    "webhooks, the REST API, health and metrics. Stops on Ctrl-C, SIGTERM or `remit down`.",
    kind=ServingCommand,
)


class UpFailedError(OperationError):
    """``remit up`` runs already, or ended before it was ready."""

    code = "UP_FAILED"


@command
def up(
    context: typer.Context,
    *,
    detach: Annotated[bool, typer.Option("--detach", help="Return when it is ready, and let it run.")] = False,
    host: Annotated[str | None, typer.Option(help="Address to listen on (default 127.0.0.1).")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port; 0 takes a free one (default 8420).")
    ] = None,
    worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Whether this process works on runs.")] = True,
) -> None:
    """Start everything and serve until stopped."""
    options = options_of(context)
    settings = serving_settings_of(options)
    settings = replace(settings, host=host or settings.host, port=settings.port if port is None else port)
    running = find_running(settings)
    if running is not None:
        raise UpFailedError(f"remit up runs already at {running.url} (process {running.pid}); stop it with remit down")
    if detach:
        process, log = _spawn(options, settings, has_worker=worker)
        run_in_loop(_hand_over(options, settings, process=process, log=log))
    else:
        run_in_loop(_serve(options, settings, has_worker=worker))


async def _serve(options: Options, settings: Settings, *, has_worker: bool) -> None:
    lock = take_lock(settings)
    if lock is None:
        raise UpFailedError(f"another remit up is starting on {data_dir_of(settings)}")
    try:
        needs = Needs.WORKER if has_worker else Needs.TOOLS
        async with stop_signal(options) as stop, open_session(options, needs, settings=settings) as session:
            spare_collector()
            server = HttpServer(create_app(session.kernel), host=settings.host, port=settings.port)
            server.start()
            try:
                running = Running(
                    pid=lock.pid,
                    url=_url(settings, server),
                    has_worker=has_worker,
                    tools=tuple(sorted({tool.contract.name for tool in session.kernel.registry.list()})),
                )
                lock.announce(running)
                tell_ready(options, running)
                await stop.wait()
            finally:
                await server.stop()
    finally:
        lock.release()


def _url(settings: Settings, server: HttpServer) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{server.port}"


def tell_ready(options: Options, running: Running) -> None:
    """Say where it listens and what to do next."""
    if options.is_json:
        print_json({"url": running.url, "pid": running.pid, "has_worker": running.has_worker})
        return
    print_fields(
        (
            ("ready", f"{running.url} (process {running.pid})"),
            ("look", "remit runs list · remit approvals list · remit events list"),
            ("start", "remit run FILE --input FILE · remit webhooks create SOURCE --secret NAME --principal NAME"),
            ("health", f"{running.url}/health · {running.url}/metrics"),
            ("stop", "Ctrl-C, or remit down"),
        )
    )
    sys.stdout.flush()


def _spawn(options: Options, settings: Settings, *, has_worker: bool) -> tuple[subprocess.Popen[bytes], Path]:
    folder = data_dir_of(settings)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / LOG_NAME
    with log.open("wb") as file:
        process = subprocess.Popen(
            _command_line(options, settings, has_worker=has_worker),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    return process, log


async def _hand_over(options: Options, settings: Settings, *, process: subprocess.Popen[bytes], log: Path) -> None:
    async with progress("starting"):
        running = await _wait_until_ready(process, settings)
    if running is None:
        tail = " | ".join(_last_lines(log))
        raise UpFailedError(f"it ended before it was ready; its last words, in {log}: {tail}")
    # It outlives this command, which must not warn about that.
    process.returncode = 0
    tell_ready(options, running)


def _last_lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:]


async def _wait_until_ready(process: subprocess.Popen[bytes], settings: Settings) -> Running | None:
    for _ in range(round(READY_SECONDS_MAX / READY_POLL_SECONDS)):
        running = find_running(settings)
        if running is not None and running.pid == process.pid:
            return running
        if process.poll() is not None:
            return None
        await asyncio.sleep(READY_POLL_SECONDS)
    process.terminate()
    return None


def _command_line(options: Options, settings: Settings, *, has_worker: bool) -> list[str]:
    line = [sys.executable, "-m", "remit.cli", "up", "--host", settings.host, "--port", str(settings.port)]
    line += ["--data-dir", str(data_dir_of(settings)), "--worker" if has_worker else "--no-worker"]
    if options.lease_seconds is not None:
        line += ["--lease-seconds", str(options.lease_seconds)]
    if options.secrets_file is not None:
        line += ["--secrets-file", str(Path(options.secrets_file).absolute())]
    for path in options.tools:
        line += ["--tools", str(path.absolute())]
    return line if options.tenant is None else [*line, "--tenant", options.tenant]
