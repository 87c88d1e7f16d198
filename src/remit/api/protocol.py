"""One connection: how long its client may take, and how many of them there may be.

Owns: the time for a request's head and for reading an answer, the number of connections, and the answer to what is no
HTTP. Bodies have their own time (`bodies`); between requests the server's keep-alive counts.
Does not know: routes.

Without these, a client that sends a byte a minute, or reads none, holds a connection for as long as it likes.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar, Final, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from remit.api.problems import problem

CONNECTIONS_MAX: Final = 1_000
SLICE_BYTES: Final = 8 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long clients are waited for, in seconds: for a whole head, and for one that does not read its answer."""

    head_seconds: float = 10.0
    reading_seconds: float = 30.0
    connections_max: int = CONNECTIONS_MAX


def protocol_with(patience: Patience) -> type[BoundedProtocol]:
    """Return the protocol with other limits than the usual ones."""
    return type("BoundedProtocol", (BoundedProtocol,), {"patience": patience})


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 on one connection, within limits."""

    patience: ClassVar[Patience] = Patience()
    _head_timer: asyncio.TimerHandle | None = None
    _reading_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request's head, or send the client away if there are too many."""
        super().connection_made(cast("asyncio.Transport", transport))
        if len(self.connections) > self.patience.connections_max:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, code="CAPACITY_EXCEEDED", detail="too many connections")
            return
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        super().connection_lost(exc)
        self._cancel_head_timer()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Take some bytes; those before a whole head do not start its time again."""
        # In slices, because a head that arrives whole is judged by its size only when the next bytes come.
        for start in range(0, len(data), SLICE_BYTES):
            if not self.transport.is_closing():
                super().data_received(data[start : start + SLICE_BYTES])
        self._watch_head()

    def on_response_complete(self) -> None:
        """Wait for the next request; one of which a part is there already has begun."""
        super().on_response_complete()
        if self.conn.trailing_data[0] or self.conn.their_state is not h11.IDLE:
            self._watch_head()

    def pause_writing(self) -> None:
        """Begin to wait for a client that does not read."""
        super().pause_writing()
        if self._reading_timer is None:
            self._reading_timer = self.loop.call_later(self.patience.reading_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client reads."""
        super().resume_writing()
        if self._reading_timer is not None:
            self._reading_timer.cancel()
            self._reading_timer = None

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or has a head that is too large."""
        self._answer(HTTPStatus.BAD_REQUEST, code="REQUEST_INVALID", detail=msg)

    def _watch_head(self) -> None:
        """Have the timer run exactly while no request is under way; a body that nobody reads counts as none."""
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request, whatever its type says
        if cycle is not None and not cycle.response_complete:
            self._cancel_head_timer()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self.patience.head_seconds, self.transport.abort)

    def _cancel_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _answer(self, status: HTTPStatus, *, code: str, detail: str) -> None:
        """Write a problem past the state machine, which may be in no state to send one, and close."""
        request_id = uuid.uuid4().hex
        answer = problem(status, code=code, detail=detail, request_id=request_id)
        headers = [*answer.raw_headers, (b"x-request-id", request_id.encode()), (b"connection", b"close")]
        lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode(), *(b": ".join(header) for header in headers)]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + bytes(answer.body))
        self.transport.close()
