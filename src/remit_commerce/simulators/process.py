"""The simulators as a process of their own.

Prints one line of JSON with its address and control token when it is ready, and writes the same to ``--ready-file``.
Whoever adds a provider calls `main` from a module of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from remit_commerce.simulators.server import MakeProvider, application

HOST: Final = "127.0.0.1"
BACKLOG: Final = 256


class ResettableProtocol(H11Protocol):
    """Lets an application reach its connection, to reset it."""

    def connection_made(self, transport: Any) -> None:
        """Remember the transport in the connection's state."""
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


def main(arguments: list[str] | None = None, *, more: Sequence[MakeProvider] = ()) -> None:
    """Serve until SIGTERM or, if asked for, until standard input closes; ``more`` are providers of somebody else's."""
    parser = argparse.ArgumentParser(prog="python -m remit_commerce.simulators", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of the providers' books")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--ready-file", type=Path, help="file to write the address and the control token to")
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop when the starting process is gone")
    options = parser.parse_args(arguments)
    asyncio.run(_serve(options, more))


async def _serve(options: argparse.Namespace, more: Sequence[MakeProvider]) -> None:
    token = secrets.token_urlsafe(24)
    listener = socket.create_server((HOST, options.port), backlog=BACKLOG)
    port = listener.getsockname()[1]
    served = application(options.data_dir, token=token, more=more)
    config = uvicorn.Config(
        served,
        http=ResettableProtocol,
        log_level="critical",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    # The socket listens already: a client that comes before the first accept waits in its backlog.
    _announce({"url": f"http://{HOST}:{port}", "port": port, "token": token, "pid": os.getpid()}, options.ready_file)
    preparing = asyncio.get_running_loop().create_task(served.state.desk.prepare())
    if options.until_stdin_closes:
        asyncio.get_running_loop().add_reader(sys.stdin, _stop_at_end, server)
    await server.serve(sockets=[listener])
    preparing.cancel()


def _stop_at_end(server: uvicorn.Server) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin)
        server.should_exit = True


def _announce(ready: dict[str, object], path: Path | None) -> None:
    line = orjson.dumps(ready, option=orjson.OPT_APPEND_NEWLINE)
    if path is not None:
        partial = path.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_bytes(line)
        partial.replace(path)
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
