"""The guarded client reaches what was judged, and nothing else: no byte of a refused request leaves this process.

The key in `tls` belongs to these tests: its certificate says `receiver.localhost`, and nothing trusts it but they.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from remit.errors import ToolError
from remit.governance.egress import EgressRule
from remit.tools.guarded_http import EGRESS_REFUSED, GuardedClient, GuardedRequest
from tests.integration.outbox.receiver import OK, Received, Receiver

TLS = Path(__file__).parent / "tls"
OPEN = EgressRule(ports=None, allows_loopback=True)
PUBLIC_ONLY = EgressRule(ports=None)


class Names:
    """A resolver that answers from a table, each answer once if there are several, and counts the questions."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def request(url: str, **changes: Any) -> GuardedRequest:
    fields: dict[str, Any] = {"method": "POST", "url": url, "body": b"{}", "timeout_seconds": 5.0, "rule": OPEN}
    return GuardedRequest(**(fields | changes))


async def refusal(client: GuardedClient, made: GuardedRequest) -> ToolError:
    with pytest.raises(ToolError) as caught:
        await client.exchange(made)
    return caught.value


@pytest.fixture
async def canary() -> AsyncIterator[Receiver]:
    """A listener on this machine that nobody may reach."""
    async with Receiver() as canary:
        yield canary


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "https://localhost:{port}/", "http://localhost:{port}/",
        "https://0.0.0.0:{port}/", "https://127.1:{port}/", "https://2130706433:{port}/", "https://0x7f000001:{port}/",
        "https://0177.0.0.1:{port}/", "https://[::1]:{port}/", "https://[::ffff:127.0.0.1]:{port}/",
        "https://[::ffff:7f00:1]:{port}/", "https://[::]:{port}/", "https://[64:ff9b::7f00:1]:{port}/",
        "https://x@127.0.0.1:{port}/", "https://hooks.example\\@127.0.0.1:{port}/", "https://127.0.0.1:{port}#@h.example/",
        "https://%31%32%37.0.0.1:{port}/", "http://127.0.0.1.:{port}/", "https://LOCALHOST.:{port}/",
        "https://x.localhost:{port}/", "gopher://127.0.0.1:{port}/", "file://127.0.0.1:{port}/", "//127.0.0.1:{port}/",
    ],
)  # fmt: skip
async def test_no_url_reaches_this_machine(canary: Receiver, url: str) -> None:
    """
    However this machine is written, the system's own resolver included, nothing connects to it.
    """
    error = await refusal(GuardedClient(), request(url.format(port=canary.port), rule=PUBLIC_ONLY))

    assert (EGRESS_REFUSED, False, "none") == (error.reason, error.retryable, error.effect)
    assert 0 == canary.connections


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"], ["::1"], ["10.0.0.1"], ["169.254.169.254"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"],
        ["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["2606:4700::1111", "fd00::1"], ["fe80::1%lo"],
    ],
    ids=" ".join,
)  # fmt: skip
async def test_no_name_reaches_inside(canary: Receiver, addresses: list[str]) -> None:
    """
    One address that leads inside condemns a name, wherever it stands in the answer, also where loopback is allowed.
    """
    names = Names(addresses)

    for rule in (PUBLIC_ONLY, OPEN):
        error = await refusal(GuardedClient(resolve=names), request(f"https://hooks.example:{canary.port}/", rule=rule))
        assert EGRESS_REFUSED == error.reason

    assert 0 == canary.connections


async def test_name_is_resolved_once(canary: Receiver) -> None:
    """
    A name that moves inside after it was judged is not asked for again: the connection goes where the judgement was.
    """
    names = Names(["192.0.2.1"], ["127.0.0.1"])

    error = await refusal(GuardedClient(resolve=names), request(f"https://hooks.example:{canary.port}/"))

    assert EGRESS_REFUSED == error.reason
    assert ["hooks.example"] == names.asked
    assert 0 == canary.connections


async def test_connection_goes_to_the_judged_address(receiver: Receiver) -> None:
    """
    The address comes from the one answer of the resolver; the name travels in the Host header.
    """
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    url = f"http://receiver.localhost:{receiver.port}/in?a=b%20c"

    reply = await GuardedClient(resolve=names).exchange(request(url, headers={"X-Test": "1"}))

    (received,) = receiver.received
    assert (204, b"") == (reply.status, reply.body)
    assert ("/in?a=b%20c", f"receiver.localhost:{receiver.port}") == (received.path, received.headers["host"])
    assert ("1", b"{}") == (received.headers["x-test"], received.body)
    assert ["receiver.localhost"] == names.asked


async def test_next_address_is_tried(receiver: Receiver) -> None:
    """
    A host with several addresses is reached at one that answers.
    """
    names = Names(["127.0.0.2", "127.0.0.1"])

    reply = await GuardedClient(resolve=names).exchange(request(f"http://receiver.localhost:{receiver.port}/"))

    assert 204 == reply.status


async def test_certificate_is_checked_against_the_name() -> None:
    """
    Connecting to an address gives up nothing: the certificate must be the name's, and one that is trusted.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(TLS / "receiver.crt", TLS / "receiver.key")
    trusting = ssl.create_default_context(cafile=TLS / "receiver.crt")
    names = Names(["127.0.0.1"])

    async with Receiver(tls=server) as receiver:
        good, other = (f"https://{name}.localhost:{receiver.port}/" for name in ("receiver", "other"))
        reply = await GuardedClient(resolve=names, tls=trusting).exchange(request(good))
        wrong_name = await refusal(GuardedClient(resolve=names, tls=trusting), request(other))
        untrusted = await refusal(GuardedClient(resolve=names), request(good))

    assert 204 == reply.status
    assert ["CONNECT_FAILED", "CONNECT_FAILED"] == [wrong_name.reason, untrusted.reason]
    assert 1 == len(receiver.received)


async def test_redirect_is_an_answer(receiver: Receiver, canary: Receiver) -> None:
    """
    Nothing is followed: whoever asked sees the redirect.
    """
    receiver.answer = f"HTTP/1.1 302 Found\r\nLocation: {canary.url}\r\nContent-Length: 0\r\n\r\n".encode()

    reply = await GuardedClient().exchange(request(receiver.url))

    assert (302, canary.url) == (reply.status, reply.headers["location"])
    assert 0 == canary.connections


async def test_proxies_of_the_environment_are_ignored(
    receiver: Receiver, canary: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A proxy would resolve and connect by itself, past every judgement.
    """
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    monkeypatch.setenv("NO_PROXY", "")

    reply = await GuardedClient().exchange(request(receiver.url))

    assert 204 == reply.status
    assert 0 == canary.connections


async def test_answer_is_bounded(receiver: Receiver) -> None:
    """
    An answer within the limit is whole; one byte more is refused, and the effect is unknown.
    """
    receiver.answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 1000

    reply = await GuardedClient().exchange(request(receiver.url, reply_bytes_max=1000))
    error = await refusal(GuardedClient(), request(receiver.url, reply_bytes_max=999))

    assert b"x" * 1000 == reply.body
    assert ("REPLY_TOO_LARGE", "unknown") == (error.reason, error.effect)


async def test_answer_that_nobody_may_see_is_not_read(receiver: Receiver) -> None:
    """
    With a limit of 0 the headers are enough, even if the body never ends.
    """
    receiver.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nroot:x:0:0"

    reply = await GuardedClient().exchange(request(receiver.url, reply_bytes_max=0))

    assert (200, b"") == (reply.status, reply.body)


async def test_time_is_bounded(receiver: Receiver) -> None:
    """
    A host that takes the request and says nothing costs the time-out, and nobody knows what it did.
    """
    silence = asyncio.Event()

    async def answer(_: Received) -> bytes:
        await silence.wait()
        return OK

    receiver.answer = answer

    error = await refusal(GuardedClient(), request(receiver.url, timeout_seconds=0.2))
    reading = await refusal(GuardedClient(), request(receiver.url, timeout_seconds=0.2, method="GET", changes=False))

    silence.set()
    assert ("TIMED_OUT", True, "unknown") == (error.reason, error.retryable, error.effect)
    assert "none" == reading.effect


async def test_time_bounds_the_resolver_too() -> None:
    """
    A resolver that does not answer costs the time-out.
    """

    async def resolve(_: str, __: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    error = await refusal(GuardedClient(resolve=resolve), request("https://hooks.example/", timeout_seconds=0.1))

    assert "TIMED_OUT" == error.reason


async def test_broken_connections_say_what_is_known(receiver: Receiver) -> None:
    """
    Nothing was sent if nobody listens or the name is unknown; once it was sent, an answer cut short proves nothing.
    """
    receiver.answer = b"HTTP/1.1 200 OK\r\nContent-Le"
    async with Receiver() as closed:
        nobody = closed.url

    async def unknown(_: str, __: int) -> list[str]:
        raise OSError("no such name")

    cut = await refusal(GuardedClient(), request(receiver.url))
    refused = await refusal(GuardedClient(), request(nobody))
    unresolved = await refusal(GuardedClient(resolve=unknown), request("https://hooks.example/"))
    empty = await refusal(GuardedClient(resolve=Names([])), request("https://hooks.example/"))

    assert ("CONNECTION_LOST", "unknown") == (cut.reason, cut.effect)
    assert ("CONNECT_FAILED", "none") == (refused.reason, refused.effect)
    assert ["NAME_UNRESOLVED"] * 2 == [unresolved.reason, empty.reason]


async def test_messages_show_neither_path_nor_answer(receiver: Receiver) -> None:
    """
    What an error says can be shown to anybody: paths may hold tokens, and answers whatever we can reach.
    """
    receiver.answer = b"HTTP/1.1 200 OK\r\nSecret: inner-header\r\nContent-Length: 99\r\n\r\ninner-answer"

    error = await refusal(GuardedClient(), request(f"{receiver.url}/path-token"))

    shown = f"{error.message} {error.to_dict()} {request(receiver.url)!r}"
    assert not any(word in shown for word in ("path-token", "inner-header", "inner-answer", "/in"))
