"""The simulators' HTTP server: provider requests with faults played on them, and the control API.

Owns: routing by path prefix, the order of fault, execution, book and answer.
Does not know: any provider's rules.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from graphql import GraphQLSchema
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from remit_commerce.simulators import control
from remit_commerce.simulators.book import Book, RequestEntry
from remit_commerce.simulators.exchange import BODY_BYTES_MAX, Answer, Call, Provider, SimulatedClock
from remit_commerce.simulators.faults import BEFORE, RATE_LIMITS, STRIPE_ONLY, Fault, FaultKind, FaultScript
from remit_commerce.simulators.printful import PrintfulSimulator
from remit_commerce.simulators.sendgrid import SendGridSimulator
from remit_commerce.simulators.shopify import ShopifySimulator
from remit_commerce.simulators.shopify.graph import admin_schema
from remit_commerce.simulators.spoiled import HOLD_SECONDS_MAX, Spoiled
from remit_commerce.simulators.stripe import StripeSimulator

METHODS: Final = ["GET", "POST", "DELETE", "PUT", "PATCH"]

MakeProvider: TypeAlias = Callable[[Path, SimulatedClock], Provider]
"""Makes one more provider, which keeps its book in a folder."""

_POISONS: Final = {FaultKind.NOT_A_NUMBER: b"NaN", FaultKind.SURROGATE: b"\\ud800", FaultKind.NUL: b"\\u0000"}


class Desk:
    """Takes the requests of all providers."""

    def __init__(self, data_dir: Path, *, more: Sequence[MakeProvider] = ()) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self.faults = FaultScript()
        self._late: set[asyncio.Task[Answer]] = set()
        clock_book = Book(data_dir / "clock.sqlite")
        self.clock = SimulatedClock(clock_book)
        books = {name: Book(data_dir / f"{name}.sqlite") for name in ("stripe", "shopify", "printful", "sendgrid")}
        self.shopify = ShopifySimulator(books["shopify"], self.clock)
        self.printful = PrintfulSimulator(books["printful"], self.clock)
        self._busy_keys: set[tuple[str, str | None]] = set()
        stripe = StripeSimulator(books["stripe"], self.clock, busy_keys=self._busy_keys)
        sendgrid = SendGridSimulator(books["sendgrid"], self.clock)
        others = [make(data_dir, self.clock) for make in more]
        everyone: tuple[Provider, ...] = (stripe, self.shopify, self.printful, sendgrid, *others)
        self.providers: Mapping[str, Provider] = {provider.name: provider for provider in everyone}
        self._preparing: asyncio.Future[GraphQLSchema] | None = None

    async def prepare(self) -> None:
        """Load the shop's schema in a thread, once: half a second in which everybody else would have to wait."""
        if self._preparing is None:
            self._preparing = asyncio.get_running_loop().run_in_executor(None, admin_schema)
        await asyncio.shield(self._preparing)

    async def serve(self, request: Request) -> ASGIApp:
        """Answer one request to a provider, with the fault that is due for it."""
        provider = self.providers[request.path_params["provider"]]
        body = await request.body()
        if len(body) > BODY_BYTES_MAX:
            return Response(status_code=413)
        if provider is self.shopify:
            await self.prepare()
        call = provider.identify(
            request.method,
            request.path_params["path"],
            query=dict(request.query_params),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
        )
        fault = self.faults.take(provider.name, call.operation, call.account)
        if fault is None:
            return _response(self._execute(provider, call, fault))
        if fault.kind is FaultKind.LATE:
            return self._execute_late(provider, call, fault)
        if fault.kind is FaultKind.DELAYED:
            return _response(await self._execute_delayed(provider, call, fault))
        if fault.kind in BEFORE:
            return self._refuse(provider, call, fault)
        return _spoil(provider, self._execute(provider, call, fault), fault)

    def _execute(self, provider: Provider, call: Call, fault: Fault | None) -> Answer:
        with provider.book.transaction():
            answer = provider.execute(call, fault)
            self._log(provider, call, fault, status=answer.status)
        return answer

    def _refuse(self, provider: Provider, call: Call, fault: Fault) -> ASGIApp:
        """Answer without executing."""
        answer: Answer | None = None
        if fault.kind in RATE_LIMITS:
            answer = provider.rate_limited(fault)
        elif fault.kind is FaultKind.SERVER_ERROR_BEFORE:
            answer = provider.server_error()
        elif fault.kind is FaultKind.ERROR_INSIDE_BEFORE:
            answer = provider.inner_error(Answer())
        with provider.book.transaction():
            self._log(provider, call, fault, status=None if answer is None else answer.status)
        return Spoiled(fault.kind, hold_seconds=fault.hold_seconds) if answer is None else _response(answer)

    async def _execute_delayed(self, provider: Provider, call: Call, fault: Fault) -> Answer:
        """Execute after a while; until then the key is in use, as far as the provider knows keys."""
        key = (call.account, call.external_key)
        self._busy_keys.add(key)
        try:
            await asyncio.sleep(min(fault.hold_seconds, HOLD_SECONDS_MAX))
        finally:
            self._busy_keys.discard(key)
        return self._execute(provider, call, fault)

    def _execute_late(self, provider: Provider, call: Call, fault: Fault) -> ASGIApp:
        """Execute when the caller is gone: the answer is never sent."""
        task = asyncio.get_running_loop().create_task(self._execute_delayed(provider, call, fault))
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        return Spoiled(FaultKind.TIMEOUT_AFTER, hold_seconds=fault.hold_seconds + 1)

    def _log(self, provider: Provider, call: Call, fault: Fault | None, *, status: int | None) -> None:
        entry = RequestEntry(
            operation=call.operation,
            account=call.account,
            external_key=call.external_key,
            reference=call.reference,
            fault=None if fault is None else fault.kind.value,
            status=status,
        )
        provider.book.log(entry, occurred_at=self.clock.text())


def application(data_dir: Path, *, token: str, more: Sequence[MakeProvider] = ()) -> Starlette:
    """Return the application: every provider under its name, the control API under ``/_control``.

    ``more`` are providers of somebody else's, who get the same faults and the same kind of book.
    """
    desk = Desk(data_dir, more=more)
    routes = [
        Mount("/_control", routes=control.routes(desk, token=token)),
        Route("/{provider:str}/{path:path}", _Endpoint(desk), methods=METHODS),
    ]
    served = Starlette(routes=routes)
    served.state.desk = desk
    return served


class _Endpoint:
    """The desk as an ASGI application: an answer may have to break HTTP, so it is one itself."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        known = request.path_params["provider"] in self._desk.providers
        response = await self._desk.serve(request) if known else Response(status_code=404)
        await response(scope, receive, send)


def _spoil(provider: Provider, answer: Answer, fault: Fault) -> ASGIApp:
    """Return the answer of an executed request, spoiled."""
    if fault.kind in STRIPE_ONLY:
        return _response(answer)
    if fault.kind is FaultKind.SERVER_ERROR_AFTER:
        return _response(provider.server_error())
    if fault.kind is FaultKind.WRONG_ID:
        return _response(provider.mistaken(answer))
    if fault.kind is FaultKind.ERROR_INSIDE_AFTER:
        return _response(provider.inner_error(answer))
    body = answer.encoded()
    if fault.kind in _POISONS:
        body = _poisoned(body, _POISONS[fault.kind], after=provider.carried)
    return Spoiled(fault.kind, hold_seconds=fault.hold_seconds, status=answer.status, body=body, headers=answer.headers)


def _poisoned(body: bytes, poison: bytes, *, after: tuple[bytes, ...]) -> bytes:
    """Return an answer with something in it that may not be there: in a text that callers take over, if it has one."""
    if poison == b"NaN":
        return body.replace(b"{", b'{"poison":NaN,', 1)
    for place in after:
        if place in body:
            return body.replace(place, place + poison, 1)
    return body.replace(b"{", b'{"poison":"' + poison + b'",', 1)


def _response(answer: Answer) -> Response:
    headers = {"Content-Type": "application/json", **answer.headers}
    return Response(answer.encoded(), status_code=answer.status, headers=headers)
