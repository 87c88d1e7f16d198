"""Serving the application inside a loop that others share.

Owns: the socket, the server's limits, and stopping it: no signal handlers here, the command that serves has them.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from remit.api.protocol import Patience, protocol_with
from remit.errors import OperationError

BACKLOG: Final = 512
KEEP_ALIVE_SECONDS: Final = 15
SHUTDOWN_SECONDS: Final = 5
HEADER_BYTES_MAX: Final = 32 * 1024


_PATIENCE: Final = Patience()


class AddressUnavailableError(OperationError):
    """The address cannot be listened on."""

    code = "ADDRESS_UNAVAILABLE"


class HttpServer:
    """One HTTP server in the running loop.

    Args:
        app: The application.
        host: Address to listen on.
        port: Port; 0 takes a free one, see ``port``.
        patience: How long clients are waited for, and how many there may be.
    """

    def __init__(self, app: ASGIApp, *, host: str, port: int, patience: Patience = _PATIENCE) -> None:
        self._listener = _listen(host, port)
        self._server = _Server(
            uvicorn.Config(
                app,
                access_log=False,
                backlog=BACKLOG,
                h11_max_incomplete_event_size=HEADER_BYTES_MAX,
                http=protocol_with(patience),
                lifespan="off",
                log_config=None,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                ws="none",
            )
        )
        self._serving: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Return the port that is listened on."""
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def connection_count(self) -> int:
        """Return how many connections there are."""
        return len(self._server.server_state.connections)

    def start(self) -> None:
        """Begin to serve; the socket takes connections already."""
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listener]), name="http")

    async def stop(self) -> None:
        """Take no new requests and let those under way end."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
        self._listener.close()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the command that serves."""
        yield


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=BACKLOG, family=_family(host))
    except OSError as error:
        raise AddressUnavailableError(
            f"expected to listen on {host}:{port}, got: {error.strerror}; stop what uses it or choose another --port",
            host=host,
            port=port,
        ) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
