"""Server-side request forgery: a corpus of URLs, every place that opens a connection for one, and canaries that count.

    python -m tests.attacks.ssrf PART    knocks with one part of it; how many connections it got as JSON

Owns: reading the corpus, the resolver of an attacker, the listeners, and the doors: one for each way from a URL that
somebody gave to a connection. Does not know: which counts are right.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import re
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, Self

import httpx2

from remit.errors import RemitError
from remit.governance.egress import EgressRule
from remit.governance.outbox import subscription_rule
from remit.governance.schemas import Schema
from remit.ids import PrincipalId, RunId, StepId, TenantId
from remit.plans.business import compile_business
from remit.ports.notifier import Notification
from remit.ports.tool import ToolContext
from remit.tools.guarded_http import GuardedClient, GuardedRequest
from remit.tools.webhook_notifier import WebhookNotifier
from remit_commerce.providers import refusals, wire

CORPUS: Final = Path(__file__).with_name("ssrf.txt")
ANYWHERE: Final = EgressRule(ports=None)
HERE_TOO: Final = EgressRule(ports=None, allows_loopback=True)
PUBLIC: Final = "2d00::1"
"""An address of global unicast that no registry gives out: judged public, and nobody is there."""

SECONDS: Final = 5.0
"""Patience of each knock: who listens on this machine answers at once, unless the machine is busy."""

SECONDS_OUTSIDE: Final = 1.0
"""Patience with names whose first answer is nobody's address; those are waited for side by side."""

SIGNING: Final = ("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",)
OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"

CONTEXT: Final = ToolContext(
    tenant_id=TenantId("default"),
    run_id=RunId("run"),
    step=StepId("step"),
    attempt=1,
    slot=1,
    principal_id=PrincipalId("commerce"),
    correlation_id="run",
    idempotency_key="key",
    external_key="remit:" + "0" * 32,
    deadline_seconds=1.0,
)


@dataclass(frozen=True, kw_only=True)
class Url:
    """One line of the corpus; ``answers`` are what the attacker's resolver says, one after the other."""

    category: str
    text: str
    answers: tuple[str, ...] = ()

    @property
    def begins_outside(self) -> bool:
        """Whether some answer has an address at which nobody answers."""
        return any("{public" in answer for answer in self.answers)


@dataclass(frozen=True, kw_only=True)
class Redirect:
    """An answer that sends the client elsewhere."""

    status: int
    location: str


def read_corpus() -> tuple[list[Url], list[Redirect]]:
    """Return the corpus. Escapes in it are Python's, so that every character can stand in a line."""
    urls: list[Url] = []
    redirects: list[Redirect] = []
    category = ""
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]") and "/" not in line:
            category = line[1:-1]
            continue
        if category == "redirects":
            status, _, location = line.partition(" ")
            redirects.append(Redirect(status=int(status), location=_unescaped(location)))
            continue
        text, _, answers = line.partition(" => ")
        named = tuple(part.strip() for part in answers.split("|")) if answers else ()
        urls.append(Url(category=category, text=_unescaped(text), answers=named))
    return urls, redirects


def _unescaped(text: str) -> str:
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape") if "\\" in text else text


class Canaries:
    """Listeners on one port of every address of this machine that nobody may reach; each counts what it accepted."""

    def __init__(self, addresses: tuple[str, ...], *, answer: Callable[[str], bytes] = lambda _: OK) -> None:
        self.accepted: Counter[str] = Counter()
        self.port = 0
        self._addresses = addresses
        self._answer = answer
        self._servers: list[asyncio.Server] = []

    async def __aenter__(self) -> Self:
        for address in self._addresses:
            server = await asyncio.start_server(self._serve, address, self.port)
            self.port = server.sockets[0].getsockname()[1]
            self._servers.append(server)
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted[str(writer.get_extra_info("sockname")[0])] += 1
        with contextlib.suppress(OSError, IndexError, TimeoutError):
            async with asyncio.timeout(SECONDS):
                # The first bytes are enough: a request's line, or a handshake, which gets nowhere.
                head = await reader.read(8_192)
            writer.write(self._answer(head.split(b" ")[1].decode("latin-1")))
            await writer.drain()
        writer.close()


def own_address() -> str:
    """Return the address under which other machines see this one, or a second loopback address where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Connecting a datagram socket sends nothing: it asks for the route.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.3"
        return str(probe.getsockname()[0])


def canary_addresses() -> tuple[str, ...]:
    """Return this machine's addresses: loopback, also the second one and IPv6's where there is one, and its own."""
    addresses = ["127.0.0.1", "127.0.0.2", own_address()]
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe, contextlib.suppress(OSError):
        probe.bind(("::1", 0))
        addresses.append("::1")
    return tuple(dict.fromkeys(addresses))


class Names:
    """The attacker's resolver for one URL.

    Numbers are what the system makes of them; names are what the corpus says, or the canary. ``asked`` counts the
    questions, ``seconds`` is how long the client should wait for an answer.
    """

    def __init__(self, url: Url | None = None) -> None:
        self.asked = 0
        self.seconds = SECONDS if url is None or not url.begins_outside else SECONDS_OUTSIDE
        self._own = own_address()
        self._answers = () if url is None else url.answers

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        if self._answers:
            answer = self._answers[min(self.asked, len(self._answers)) - 1]
            addresses = answer.replace("{public6}", PUBLIC).replace("{public}", PUBLIC).replace("{own}", self._own)
            return [] if addresses == "-" else [one.strip() for one in addresses.split(",")]
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except (OSError, UnicodeError):
            return ["127.0.0.1"]
        return [str(address[0]) for *_, address in found]


Knock = Callable[[str, Names], Awaitable[object]]


@dataclass(frozen=True, kw_only=True)
class Door:
    """One way from a URL to a connection. ``is_for_simulators``: this machine is allowed, plainly named."""

    name: str
    knock: Knock
    is_for_simulators: bool = False


async def _guarded(url: str, names: Names) -> object:
    request = GuardedRequest(method="GET", url=url, timeout_seconds=names.seconds, changes=False, rule=ANYWHERE)
    return await GuardedClient(resolve=names).exchange(request)


async def _notifier(url: str, names: Names) -> object:
    return await _notify(url, names, allows_loopback=False)


async def _notify(url: str, names: Names, *, allows_loopback: bool) -> object:
    notification = Notification(
        message_id="msg_1",
        body=b"{}",
        sent_at=datetime(2026, 11, 29, tzinfo=UTC),
        url=url,
        secrets=SIGNING,
        allows_loopback=allows_loopback,
    )
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(names.seconds):
            return await WebhookNotifier(GuardedClient(resolve=names), version="0").notify(notification)
    return "no answer"


def remit_file(**members: object) -> bytes:
    """Return a remit file with some members."""
    return json.dumps({"business": "shop", "version": "1.0.0", "bounds": {}, **members}).encode()


async def _subscription(url: str, names: Names) -> object:
    """The whole way of an operator's URL: compiled, its rule taken from the config, notified."""
    subscription = {"topic": "orders.paid", "url": url, "secret": "HOOK"}
    result = compile_business(remit_file(subscriptions=[subscription]), path="a.json")
    if result.config is None:
        return "refused"
    (compiled,) = result.config.subscriptions
    assert not subscription_rule(compiled).allows_loopback
    return await _notify(compiled.url, names, allows_loopback=subscription_rule(compiled).allows_loopback)


def _endpoint(name: str, find: Callable[..., refusals.Endpoint]) -> Door:
    """The whole way of a provider's base URL: compiled, judged by the provider's rules, spoken to."""

    async def knock(url: str, names: Names) -> object:
        result = compile_business(remit_file(endpoints={name: url}), path="a.json")
        if result.config is None:
            return "refused"
        endpoint = find(replace(CONTEXT, endpoint=result.config.endpoints[name]))
        return await _wire(f"{endpoint.base_url}/v1/x", names)

    return Door(name=f"endpoint-{name}", knock=knock, is_for_simulators=True)


async def _wire(url: str, names: Names) -> object:
    request = wire.Outgoing(method="GET", url=url, headers={}, timeout_seconds=names.seconds, changes=False)
    return await wire.exchange("Provider", request, client=GuardedClient(resolve=names))


async def _schema(url: str, _: Names) -> object:
    """A schema that refers to a URL: nothing is fetched."""
    for keyword in ("$ref", "$dynamicRef", "$id", "$schema"):
        with contextlib.suppress(RemitError):
            Schema({"type": "object", keyword: url, "properties": {"a": {keyword: url}}}).matches({"a": 1})
    return None


DOORS: Final = (
    Door(name="guarded-client", knock=_guarded),
    Door(name="webhook-notifier", knock=_notifier),
    Door(name="subscription", knock=_subscription),
    Door(name="provider-wire", knock=_wire, is_for_simulators=True),
    _endpoint("stripe", refusals.stripe_endpoint),
    _endpoint("shopify", refusals.shopify_endpoint),
    _endpoint("printful", refusals.printful_endpoint),
    _endpoint("sendgrid", refusals.sendgrid_endpoint),
    Door(name="json-schema", knock=_schema),
)


@dataclass(kw_only=True)
class Visits:
    """What came of the corpus: knocks by door, and accepted connections by door, canary's address and URL."""

    knocks: Counter[str] = field(default_factory=Counter)
    accepted: list[tuple[str, str, str]] = field(default_factory=list)
    asked_max: int = 0

    def of(self, door: str) -> list[tuple[str, str]]:
        """Return a door's accepted connections: address and URL."""
        return [(address, url) for name, address, url in self.accepted if name == door]


async def knock_with_urls(doors: tuple[Door, ...] = DOORS, *, urls: list[Url] | None = None) -> Visits:
    """Knock at every door with every URL; whatever a door raises is an answer, only connections count."""
    visits = Visits()
    urls = read_corpus()[0] if urls is None else urls
    async with Canaries(canary_addresses()) as canaries:
        for door in doors:
            for url in (url for url in urls if not url.begins_outside):
                await _knock(door, [url], canaries, visits)
            await _knock(door, [url for url in urls if url.begins_outside], canaries, visits)
    return visits


async def _knock(door: Door, urls: list[Url], canaries: Canaries, visits: Visits) -> None:
    """Knock with URLs side by side, and note what the canaries accepted meanwhile."""
    before = canaries.accepted.copy()
    texts = [url.text.replace("{port}", str(canaries.port)) for url in urls]
    resolvers = [Names(url) for url in urls]
    await asyncio.gather(*(_try(door, text, names) for text, names in zip(texts, resolvers, strict=True)))
    visits.knocks[door.name] += len(urls)
    visits.asked_max = max([visits.asked_max, *(names.asked for names in resolvers)])
    for address in (canaries.accepted - before).elements():
        visits.accepted.append((door.name, address, texts[0] if len(texts) == 1 else "one of those that begin outside"))


async def _try(door: Door, text: str, names: Names) -> None:
    with contextlib.suppress(RemitError):
        await door.knock(text, names)


def elsewhere(text: str) -> bool:
    """Tell whether a URL would lead an unguarded client to a machine that is not ours."""
    return any(part in text.lower() for part in ("169.254", "a9fe", "a9.0xfe", "metadata", ".example"))


async def knock_through_redirects(
    clients: tuple[Door, ...], *, whither: Literal["here", "anywhere"] = "anywhere"
) -> Visits:
    """Send clients to a server that they may reach, which answers with every redirect of the corpus to the canary."""
    visits = Visits()
    redirects = [one for one in read_corpus()[1] if whither == "anywhere" or not elsewhere(one.location)]
    async with Canaries(canary_addresses()) as canaries:
        for client, redirect in itertools.product(clients, redirects):
            await _follow(client, redirect, canaries, visits)
    return visits


async def _follow(client: Door, redirect: Redirect, canaries: Canaries, visits: Visits) -> None:
    location = redirect.location.replace("{port}", str(canaries.port)).replace("{own}", own_address())
    before = canaries.accepted.copy()
    async with _redirecting(redirect.status, location, canaries.port) as (server, url):
        await _try(client, url, Names())
        assert server.accepted.total() > 0, "the redirecting server was not reached"
        visits.knocks[client.name] += server.accepted.total()
    for address in (canaries.accepted - before).elements():
        visits.accepted.append((client.name, address, f"{redirect.status} {location}"))


@contextlib.asynccontextmanager
async def _redirecting(status: int, location: str, port: int) -> AsyncIterator[tuple[Canaries, str]]:
    """A permitted server that redirects; also in a loop, in a chain, and by way of itself."""

    def answer(path: str) -> bytes:
        where = {"/chain/1": "/chain/2", "/chain/2": "/chain/3", "/chain/3": "/chain/4", "/chain/4": "/to-canary"}
        target = where.get(path, f"http://127.0.0.1:{port}/" if path == "/to-canary" else location)
        return (
            f"HTTP/1.1 {status} Moved\r\nLocation: {target}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )

    async with Canaries(("127.0.0.1",), answer=answer) as server:
        yield server, f"http://127.0.0.1:{server.port}/start"


async def _guarded_here(url: str, names: Names) -> object:
    request = GuardedRequest(method="GET", url=url, timeout_seconds=names.seconds, changes=False, rule=HERE_TOO)
    return await GuardedClient(resolve=names).exchange(request)


async def _notifier_here(url: str, names: Names) -> object:
    return await _notify(url, names, allows_loopback=True)


REDIRECTED: Final = (
    Door(name="guarded-client", knock=_guarded_here),
    Door(name="webhook-notifier", knock=_notifier_here),
    Door(name="provider-wire", knock=_wire),
)


async def _unguarded(url: str, names: Names) -> object:
    """What a client without a guard does: follow redirects, and ask the resolver whatever the name.

    It goes to the canaries only: this control must not knock at anybody else's door.
    """
    with contextlib.suppress(Exception):
        parsed = httpx2.URL(url)
        (address, *_) = await names(parsed.host, parsed.port or 443)
        if address in canary_addresses() or address == "::ffff:127.0.0.1":
            async with httpx2.AsyncClient(
                trust_env=False, verify=False, follow_redirects=True, timeout=names.seconds
            ) as client:
                return await client.get(parsed.copy_with(host=address))
    return None


CONTROL: Final = Door(name="control", knock=_unguarded)
"""The corpus without a guard: the canaries must see it, or they see nothing."""


async def proxied(door: Door) -> int:
    """Knock with proxies in the environment that are canaries; return how many connections they accepted."""
    names = Names()
    async with Canaries(("127.0.0.1",)) as proxy, Canaries(("127.0.0.1",)) as server:
        before = dict(os.environ)
        proxies = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
        os.environ.update(dict.fromkeys(proxies, f"http://127.0.0.1:{proxy.port}"), NO_PROXY="", no_proxy="")
        try:
            await _try(door, f"http://127.0.0.1:{server.port}/", names)
        finally:
            os.environ.clear()
            os.environ.update(before)
        assert server.accepted.total() + proxy.accepted.total() > 0
        return proxy.accepted.total()


async def report(part: str) -> int:
    """Return how many connections a part of the corpus got that it should not; for runs with planted bugs.

    A bug must not lead such a run to other machines, so URLs that would are left out; and what else it breaks is not of
    interest here.
    """
    guarded = _tolerant(DOORS[0])
    if part == "redirects":
        return len((await knock_through_redirects((_tolerant(REDIRECTED[0]),), whither="here")).accepted)
    if part == "proxies":
        return await proxied(_tolerant(REDIRECTED[0]))
    urls = [url for url in read_corpus()[0] if url.category.startswith(("names", "IPv6"))]
    urls = [url for url in urls if url.answers or not elsewhere(url.text)]
    urls = [url for url in urls if not any(elsewhere(answer) or "10.0.0.1" in answer for answer in url.answers)]
    if part == "endpoints":
        visits = await knock_with_urls((_tolerant(DOORS[4]),), urls=urls)
        return sum(not is_simulator(address, url) for _, address, url in visits.accepted)
    return len((await knock_with_urls((guarded,), urls=urls)).accepted)


def _tolerant(door: Door) -> Door:
    async def knock(url: str, names: Names) -> object:
        with contextlib.suppress(Exception):
            return await door.knock(url, names)
        return None

    return Door(name=door.name, knock=knock)


def is_simulator(address: str, url: str) -> bool:
    """Tell, without the kernel's reader, whether a URL names this machine as a person would, and stayed inside it."""
    return PLAIN.fullmatch(url) is not None and (address == "::1" or address.startswith("127."))


PLAIN: Final = re.compile(
    r"https?://(?:(?:[a-z]+\.)?localhost\.?|127\.[0-9]+\.[0-9]+\.[0-9]+\.?|\[(?:0{0,4}:){2,7}0{0,3}1\])(?::[0-9]+)?(?:[/?#].*)?",
    re.IGNORECASE,
)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(report(sys.argv[1]))))
