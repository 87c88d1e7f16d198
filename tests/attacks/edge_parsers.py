"""The table of parsers, continued: what the network, providers and the shell reach.

Owns: webhooks with their signatures, request bodies and queries, URLs, headers, settings, secrets and command input.
"""

from __future__ import annotations

import asyncio
import ipaddress
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx2
from starlette.requests import Request

from remit.api.approvals import DecideApproval
from remit.api.bodies import read_record
from remit.api.problems import HttpRefusalError
from remit.api.runs import CancelRun, SignalRun, SubmitRun, limit_of
from remit.cli.inputs import read_json as read_input
from remit.errors import (
    CanonicalizationError,
    InputInvalidError,
    JsonSyntaxError,
    NotFoundError,
    SettingsInvalidError,
    SignatureInvalidError,
    ToolError,
)
from remit.governance.egress import EgressRule, Target, judge_address, read_target
from remit.governance.scopes import normal_host
from remit.ids import TenantId
from remit.ports.notifier import Notification
from remit.ports.webhook import WebhookSource
from remit.runtime.secret_store import SecretStore
from remit.settings import Settings
from remit.tools.webhook_notifier import outcome_of, signed_headers
from remit_commerce.ingress.printful import PrintfulWebhooks
from remit_commerce.ingress.shopify import ShopifyWebhooks
from remit_commerce.ingress.signers import sign
from remit_commerce.ingress.stripe import StripeWebhooks
from remit_commerce.providers import refusals, wire
from tests.attacks.parsers import CORE_PARSERS, JSON_SEEDS, NOW
from tests.attacks.parsing import ROOT, Parser, text_of
from tests.attacks.ssrf import CONTEXT

OPEN: Final = EgressRule(ports=None, allows_loopback=True)
URLS: Final = (
    b"https://hooks.example/x?y=1#z",
    b"http://localhost:4610/stripe",
    b"https://api.printful.com/stores/12",
    *(
        line.partition("#")[0].strip().replace("{port}", "4610").encode()
        for line in (ROOT / "tests/attacks/ssrf.txt").read_text(encoding="utf-8").splitlines()[::4]
        if line.strip() and not line.startswith(("#", "["))
    ),
)
SECRET: Final = "0badc0de0badc0de"
SOURCES: Final[dict[str, WebhookSource]] = {
    "shopify": ShopifyWebhooks(),
    "printful": PrintfulWebhooks(),
    "stripe": StripeWebhooks(),
}
SAMPLES: Final = ROOT / "src/remit_commerce/samples"
BODIES: Final = {
    "shopify": (
        b'{"id":450789469,"updated_at":"2026-01-02T03:04:05-05:00","admin_graphql_api_id":"gid://shopify/Order/1"}',
    ),
    "printful": ((SAMPLES / "printful_v2_shipment_sent.json").read_bytes(),),
    "stripe": (
        b'{"id":"evt_1","type":"a.b","created":1700000000,"livemode":false,"data":{"object":{"id":"pi_1","metadata":{}}}}',
    ),
}
HEADERS: Final = {
    "shopify": {
        "x-shopify-shop-domain": "a.myshopify.com", "x-shopify-topic": "orders/create", "x-shopify-event-id": "e-1",
    },
    "printful": {},
    "stripe": {},
}  # fmt: skip
RECORDS: Final = (SubmitRun, CancelRun, SignalRun, DecideApproval)
_LOOP: Final = asyncio.new_event_loop()


def read_webhook(source: str, data: bytes) -> object:
    """A genuine delivery with any body: signed as the provider would, verified, parsed."""
    parser = SOURCES[source]
    signed = sign(source, body=data, secret=SECRET, now=NOW)
    headers = {**HEADERS[source], **{name.lower(): value for name, value in signed.items()}}
    parser.verify(headers=headers, body=data, secret=SECRET, now=NOW)
    return parser.parse(headers=headers, body=data)


def read_signature(data: bytes) -> object:
    """Headers of an attacker: lines of any form; no signature is accepted without the secret."""
    lines = [line.partition(":") for line in text_of(data).split("\n")]
    headers = {name.strip().lower(): value.strip() for name, _, value in lines}
    told = []
    for parser in SOURCES.values():
        try:
            parser.verify(headers=headers, body=b"{}", secret=SECRET, now=NOW)
        except SignatureInvalidError as error:
            told.append(str(error))
        else:
            raise AssertionError(f"{parser.name} accepted a forged signature")
        try:
            told.append(str(parser.parse(headers=headers, body=b'{"id":1}')))
        except InputInvalidError as error:
            told.append(str(error))
    return told


def read_body(data: bytes) -> object:
    """A request's body, as every record that the API takes; the first line may hold the content type."""
    return [_LOOP.run_until_complete(_read_record(data, kind)) for kind in RECORDS]


async def _read_record(data: bytes, kind: type[Any]) -> object:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": data, "more_body": False}

    scope = {"type": "http", "headers": [(b"content-type", b"application/json")], "query_string": b""}
    try:
        return await read_record(Request(scope, receive), kind)
    except (HttpRefusalError, JsonSyntaxError, InputInvalidError) as error:
        return str(error)


def read_query(data: bytes) -> object:
    """A query string, and what the API asks of one."""
    scope = {"type": "http", "headers": [], "query_string": data}
    return limit_of(Request(scope))


def read_url(data: bytes) -> object:
    """A URL that somebody gave: blocked, or the host that other parsers see, and never an inner address as such."""
    url = text_of(data)
    target = read_target(url, OPEN)
    if not isinstance(target, Target):
        assert not isinstance(read_target(url), Target)
        return target
    other = httpx2.URL(url)
    assert _plain(target.host) == _plain(other.host.removesuffix("."))
    assert target.scheme == other.scheme
    assert target.port == (other.port or {"https": 443, "http": 80}[target.scheme])
    composed = httpx2.URL(f"{target.scheme}://{target.authority}{target.path}")
    assert target.host == _plain(composed.host)
    try:
        address = ipaddress.ip_address(target.host)
    except ValueError:
        return target
    assert target.is_loopback or (judge_address(str(address), target=target) is None and address.is_global)
    return target


def _plain(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host


def read_endpoint(data: bytes) -> object:
    """A provider's base URL from a remit file: its own host, or this machine; whatever is sent goes there."""
    told: list[object] = []
    for find in (
        refusals.stripe_endpoint, refusals.shopify_endpoint, refusals.printful_endpoint, refusals.sendgrid_endpoint,
    ):  # fmt: skip
        try:
            endpoint = find(replace(CONTEXT, endpoint=text_of(data)))
        except ToolError as error:
            told.append(error.message)
            continue
        host = httpx2.URL(f"{endpoint.base_url}/v1/x").host
        is_here = host == "localhost" or host.endswith(".localhost") or _is_loopback(host)
        is_theirs = host in {"api.stripe.com", "api.printful.com", "api.sendgrid.com"} or host.endswith(
            ".myshopify.com"
        )
        assert is_here if endpoint.is_loopback else is_theirs, (endpoint, host)
        told.append(endpoint)
    return told


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_host(data: bytes) -> object:
    """A host name of a contract or a scope."""
    return normal_host(text_of(data))


def read_retry_after(data: bytes) -> object:
    """What a provider or subscriber asks us to wait: never negative, never more than a day."""
    headers = {"retry-after": data.decode("latin-1")}
    waits = [outcome_of(429, headers).retry_after_seconds, wire.retry_after_seconds(headers)]
    assert all(wait is None or 0 <= wait <= 86_400 for wait in waits)
    # A date is as far away as the clock says: only whether there is one can be compared.
    return [None if wait is None else round(wait, -2) for wait in waits]


def read_signing_secret(data: bytes) -> object:
    """A tenant's secret for webhooks out, one a line."""
    notification = Notification(
        url="https://hooks.example/",
        message_id="msg_1",
        body=b"{}",
        sent_at=NOW,
        secrets=tuple(text_of(data).split("\n")),
    )
    return signed_headers(notification)


def read_settings(data: bytes) -> object:
    """An environment: names and values, one variable a line."""
    lines = (line.partition("=") for line in text_of(data).replace("\0", "").split("\n"))
    settings = Settings.from_environment({name: value for name, _, value in lines if name})
    assert timedelta() < settings.heartbeat * 3 <= settings.lease
    return settings


def read_secrets(data: bytes) -> object:
    """A file of secrets."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        try:
            return SecretStore({}, Path(file.name)).resolve(TenantId("default"), "stripe")
        except (SettingsInvalidError, NotFoundError) as error:
            message = str(error).replace(file.name, "file")
    # The message names the file and the place, and no value.
    assert "canary" not in message
    return message


def read_command_input(data: bytes) -> object:
    """What follows ``--input``: a path or JSON itself."""
    text = text_of(data).replace("\0", "")
    return read_input("{" + text if text.startswith("-") else text or "{}", default=None)


_BODY: Final = (InputInvalidError, JsonSyntaxError, CanonicalizationError)

EDGE_PARSERS: Final = (
    *(
        Parser(
            name=f"webhook-{source}",
            read=lambda data, source=source: read_webhook(source, data),
            refusals=_BODY,
            seeds=(*BODIES[source], *JSON_SEEDS),
        )
        for source in SOURCES
    ),
    Parser(
        name="webhook-signature",
        read=read_signature,
        seeds=(
            b"Stripe-Signature: t=1795910400,v1=00ff,v0=11\nx-pf-webhook-signature: 00ff",
            b"X-Shopify-Hmac-Sha256: AAAA\nx-shopify-topic: orders/create\nx-shopify-shop-domain: a.myshopify.com",
        ),
    ),
    Parser(
        name="request-body",
        read=read_body,
        seeds=(
            b'{"definition":"hello","input":{"to":"x"},"submission_key":"k"}',
            b'{"decision":"approve","digest":"' + b"0" * 64 + b'","reason":"ok"}',
            b'{"name":"go","payload":[1],"message_id":"m"}',
            *JSON_SEEDS,
        ),
    ),
    Parser(
        name="query",
        read=read_query,
        refusals=(InputInvalidError,),
        seeds=(b"limit=50&status=all", b"limit=%31&limit=0"),
    ),
    Parser(name="url", read=read_url, seeds=URLS),
    Parser(name="endpoint", read=read_endpoint, seeds=URLS),
    Parser(name="host", read=read_host, seeds=(b"api.example.com", b"*.Example.com.", b"%6cocalhost", b"127.0.0.1")),
    Parser(
        name="retry-after",
        read=read_retry_after,
        seeds=(b"120", b"1.5", b"Wed, 21 Oct 2026 07:28:00 GMT", b"Mon, 1 Jan 99999 00:00:00 +9999", b"-1"),
    ),
    Parser(
        name="signing-secret",
        read=read_signing_secret,
        refusals=(SettingsInvalidError,),
        seeds=(b"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\n"),
    ),
    Parser(
        name="settings",
        read=read_settings,
        refusals=(SettingsInvalidError,),
        seeds=(
            b"REMIT_PORT=8420\nREMIT_POOL_SIZE=8\nREMIT_BALLAST_MB=128\nREMIT_DISK_RESERVE_MB=9\nREMIT_LEASE_SECONDS=20\nREMIT_HEARTBEAT_SECONDS=4\nREMIT_LOG_LEVEL=info\nREMIT_ALLOW_UNSAFE=no",
            b"REMIT_DATA_DIR=~/x\nDATABASE_URL=postgresql://u:p@h/d\nREMIT_SECRET_DEFAULT__STRIPE=x\nREMIT_SECRETS_FILE=~a",
        ),
    ),
    Parser(
        name="secrets-file",
        read=read_secrets,
        seeds=(b'{"default":{"stripe":"canary"}}', b'{"default":{"stripe":"canary",}', *JSON_SEEDS),
    ),
    Parser(
        name="command-input",
        read=read_command_input,
        refusals=(JsonSyntaxError, InputInvalidError),
        seeds=(b'{"to": "everyone"}', b"[1]", b"nowhere.json", *JSON_SEEDS),
    ),
)

PARSERS: Final = {parser.name: parser for parser in (*CORE_PARSERS, *EDGE_PARSERS)}
