"""The HTTP edge as a process: webhooks and their refusals, health, and REST for two tenants that never meet."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import asyncpg
import httpx2
import pytest

from remit.clock import wall_clock
from remit_commerce.ingress.signers import sign
from tests.acceptance.processes import Home, Server, wait_until

SECRET = "shop-secret-of-this-test"
ORDER = {"id": 77, "updated_at": "2026-11-20T10:00:00Z", "total_price": "1.00"}
SHOPIFY = {
    "X-Shopify-Topic": "orders/create",
    "X-Shopify-Shop-Domain": "test.myshopify.com",
    "X-Shopify-Event-Id": "event-1",
}


@pytest.fixture
def hook(home: Home) -> tuple[Server, str]:
    """A server with one Shopify endpoint; its path."""
    server = home.start("up", "--port", "0", REMIT_SECRET_DEFAULT__SHOP_SECRET=SECRET)
    home.must("principals", "create", "shop", "--kind", "service")
    endpoint = home.must("webhooks", "create", "shopify", "--secret", "shop_secret", "--principal", "shop")
    return server, endpoint["path"]


async def as_admin(home: Home, *statements: str) -> None:
    """Do what only the server's superuser can, behind Remit's back and beside its database."""
    name = database_of(home)
    connection = await asyncpg.connect(home.admin_url.replace(f"/{name}?", "/postgres?"))
    try:
        for statement in statements:
            await connection.execute(statement.format(name=name))
    finally:
        await connection.close()


def database_of(home: Home) -> str:
    """Return the name of the home's database."""
    return home.admin_url.partition("?")[0].rpartition("/")[2]


def post(server: Server, path: str, body: bytes, **headers: str) -> httpx2.Response:
    """Post a body as Shopify would, signed with the right secret unless told otherwise."""
    signed = sign("shopify", body=body, secret=SECRET, now=wall_clock())
    merged = {"Content-Type": "application/json", **SHOPIFY, **signed, **headers}
    return server.call("POST", path, content=body, headers=merged)


def problem(answer: httpx2.Response) -> tuple[int, str]:
    """Return status and code of a problem document, after checking its form."""
    body = answer.json()
    assert "application/problem+json" == answer.headers["content-type"]
    assert {"type", "title", "status", "detail", "code", "request_id"} <= set(body)
    assert (answer.status_code, answer.headers["x-request-id"]) == (body["status"], body["request_id"])
    return answer.status_code, body["code"]


def test_signed_webhook_is_stored_once(home: Home, hook: tuple[Server, str]) -> None:
    """
    A signed delivery is taken; the same one again changes nothing; the same event with another body is a conflict.
    """
    server, path = hook
    body = json.dumps(ORDER).encode()

    answers = [
        post(server, path, body),
        post(server, path, body),
        post(server, path, json.dumps({**ORDER, "a": 1}).encode()),
    ]

    assert [(200, "stored"), (200, "duplicate")] == [(one.status_code, one.json()["status"]) for one in answers[:2]]
    assert (409, "EVENT_CONFLICT") == problem(answers[2])
    events = home.must("events", "list")["events"]
    assert [("shopify.orders/create", "held")] == [(event["name"], event["status"]) for event in events]


def test_bad_webhooks_are_refused_and_store_nothing(home: Home, hook: tuple[Server, str]) -> None:
    """
    Each mistake has its status, and none leaves anything behind.
    """
    server, path = hook
    body = json.dumps(ORDER).encode()
    forged = {"X-Shopify-Hmac-Sha256": "AAAA"}

    refusals = {
        "unknown endpoint": problem(post(server, "/webhooks/nobody-knows-this", body)),
        "forged": problem(post(server, path, body, **forged)),
        "signature of other bytes": problem(
            server.call(
                "POST",
                path,
                content=body + b" ",
                headers={
                    "Content-Type": "application/json",
                    **SHOPIFY,
                    **sign("shopify", body=body, secret=SECRET, now=wall_clock()),
                },
            )
        ),
        "not JSON": problem(post(server, path, b"{")),
        "duplicate keys": problem(post(server, path, b'{"id": 1, "id": 2}')),
        "wrong type": problem(post(server, path, body, **{"Content-Type": "text/plain"})),
        "too large": problem(post(server, path, b'"' + b"x" * 300_000 + b'"')),
        "no topic": problem(post(server, path, body, **{"X-Shopify-Topic": ""})),
        "wrong method": problem(server.call("GET", path)),
    }

    assert {
        "unknown endpoint": (404, "NOT_FOUND"),
        "forged": (401, "SIGNATURE_INVALID"),
        "signature of other bytes": (401, "SIGNATURE_INVALID"),
        "not JSON": (400, "JSON_INVALID"),
        "duplicate keys": (400, "JSON_INVALID"),
        "wrong type": (415, "UNSUPPORTED_MEDIA_TYPE"),
        "too large": (413, "PAYLOAD_TOO_LARGE"),
        "no topic": (400, "INPUT_INVALID"),
        "wrong method": (405, "METHOD_NOT_ALLOWED"),
    } == refusals
    assert [] == home.must("events", "list")["events"]


def test_body_without_length_is_cut_off_at_the_limit(hook: tuple[Server, str]) -> None:
    """
    A chunked body that never says how long it is gets refused while it is read.
    """
    server, path = hook
    endless = (b"x" * 65_536 for _ in range(100))

    answer = server.call("POST", path, content=endless, headers={"Content-Type": "application/json", **SHOPIFY})

    assert (413, "PAYLOAD_TOO_LARGE") == problem(answer)


def test_endpoint_whose_secret_is_missing_asks_to_come_again(home: Home, hook: tuple[Server, str]) -> None:
    """
    Our own lack of a secret is no reason for the provider to give up, and its name does not leak.
    """
    server, _ = hook
    other = home.must("webhooks", "create", "shopify", "--secret", "forgotten_secret", "--principal", "shop")

    answer = post(server, other["path"], json.dumps(ORDER).encode())

    assert (503, "STORE_UNAVAILABLE") == problem(answer)
    assert answer.headers["retry-after"].isdecimal()
    assert "forgotten" not in answer.text.lower()


def test_store_that_is_away_is_said_in_time(home: Home, hook: tuple[Server, str]) -> None:
    """
    Without its database the server lives but is not ready, a webhook gets 503 within five seconds; both recover.
    """
    server, path = hook
    body = json.dumps(ORDER).encode()
    ended = "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    asyncio.run(as_admin(home, "alter database {name} allow_connections false", ended))

    began = time.perf_counter()
    away = post(server, path, body)
    seconds = time.perf_counter() - began
    health = wait_until(lambda: _with_status(server.call("GET", "/health"), 503))
    asyncio.run(as_admin(home, "alter database {name} allow_connections true"))

    assert (503, "STORE_UNAVAILABLE") == problem(away)
    assert away.headers["retry-after"].isdecimal()
    assert seconds < 5
    assert (True, False, "unavailable") == tuple(health.json()[key] for key in ("live", "ready", "database"))
    wait_until(lambda: _with_status(server.call("GET", "/health"), 200))
    assert 200 == post(server, path, body).status_code


def test_health_and_metrics_answer_without_a_key(served: Server) -> None:
    """
    A serving process says that it is ready, and its numbers name no tenant and no id.
    """
    health, metrics = served.call("GET", "/health"), served.call("GET", "/metrics")

    assert (200, True, "ok", []) == (
        health.status_code,
        *(health.json()[name] for name in ("ready", "database", "unsafe")),
    )
    assert "18" == health.json()["postgresql"].partition(".")[0]
    assert 0 <= health.json()["worker"]["heartbeat_age_seconds"] < health.json()["worker"]["lease_seconds"]
    assert "remit_append_seconds_bucket" in metrics.text
    assert "default" not in metrics.text


def test_health_names_what_makes_the_server_unsafe(home: Home) -> None:
    """
    Whoever insists on a server that may lose acknowledged work reads in health which settings do that.
    """
    asyncio.run(as_admin(home, "alter database {name} set synchronous_commit = off"))

    server = home.start("up", "--port", "0", "--no-worker", REMIT_ALLOW_UNSAFE="1")

    assert ["synchronous_commit = off"] == server.call("GET", "/health").json()["unsafe"]


def test_logs_hold_neither_secrets_nor_bodies_nor_paths(home: Home) -> None:
    """
    At the chattiest level, lines are JSON with a request id, and what is secret is not in them.
    """
    log = {"REMIT_LOG_FORMAT": "json", "REMIT_LOG_LEVEL": "debug"}
    server = home.start("up", "--port", "0", REMIT_SECRET_DEFAULT__SHOP_SECRET=SECRET, **log)
    home.must("principals", "create", "shop", "--kind", "service")
    path = home.must("webhooks", "create", "shopify", "--secret", "shop_secret", "--principal", "shop")["path"]
    key = home.must("principals", "key", "operator")["api_key"]
    post(server, path, b'{"id": 78, "note": "private-words"}')
    server.call("GET", "/runs?definition=private-name", key=key)
    server.stop()

    lines = [json.loads(line) for line in server.log.read_text().splitlines()]

    requests = [line for line in lines if line["event"] == "request"]
    assert {"/webhooks/{endpoint_id}", "/runs"} == {line["route"] for line in requests}
    assert all(line["request_id"] for line in requests)
    text = server.log.read_text()
    assert [] == [word for word in (SECRET, key, path.rpartition("/")[2], "private") if word in text]


def test_run_over_http_completes(home: Home, served: Server) -> None:
    """
    A run is submitted, looked at and listed with an API key; the same submission key gives the same run.
    """
    key = home.must("principals", "key", "operator")["api_key"]
    body = {"definition": "note", "input": {"text": "over http"}, "submission_key": "k"}

    first = served.call("POST", "/runs", key=key, json=body)
    again = served.call("POST", "/runs", key=key, json=body)

    assert (201, 200) == (first.status_code, again.status_code)
    assert first.json()["run_id"] == again.json()["run_id"]
    done = wait_until(lambda: _finished(served, first.headers["location"], key))
    assert ("completed", ["write"]) == (done["status"], [step["step"] for step in done["steps"]])
    assert 1 == len(served.call("GET", "/runs?status=completed", key=key).json()["runs"])


def test_rest_refuses_what_it_must(home: Home, served: Server) -> None:
    """
    Without a key, with a wrong one, without the role, with unknown fields, values or runs: a problem with its code.
    """
    key = home.must("principals", "key", "operator")["api_key"]
    looker = home.must("principals", "key", "approver")["api_key"]
    good = {"definition": "note", "input": {"text": "a"}}
    missing = "/runs/00000000-0000-7000-8000-000000000000"

    refusals = {
        "no key": problem(served.call("GET", "/runs")),
        "wrong key": problem(served.call("GET", "/runs", key="not-a-key")),
        "no role": problem(served.call("POST", "/runs", key=looker, json=good)),
        "unknown field": problem(served.call("POST", "/runs", key=key, json={**good, "tenant": "other"})),
        "wrong input": problem(served.call("POST", "/runs", key=key, json={**good, "input": {"text": 1}})),
        "unknown definition": problem(served.call("POST", "/runs", key=key, json={**good, "definition": "none"})),
        "not JSON": problem(
            served.call("POST", "/runs", key=key, content=b"{", headers={"Content-Type": "application/json"})
        ),
        "NaN": problem(
            served.call("POST", "/runs", key=key, content=b'{"a": NaN}', headers={"Content-Type": "application/json"})
        ),
        "unknown run": problem(served.call("GET", missing, key=key)),
        "not a run id": problem(served.call("GET", "/runs/' or 1=1", key=key)),
        "wrong limit": problem(served.call("GET", "/runs?limit=0", key=key)),
        "wrong status": problem(served.call("GET", "/runs?status=lost", key=key)),
        "unknown path": problem(served.call("GET", "/nothing", key=key)),
        "too large": problem(served.call("POST", "/runs", key=key, json={**good, "input": {"text": "x" * 1_200_000}})),
    }

    assert {
        "no key": (401, "UNAUTHENTICATED"),
        "wrong key": (401, "UNAUTHENTICATED"),
        "no role": (403, "PERMISSION_DENIED"),
        "unknown field": (422, "INPUT_INVALID"),
        "wrong input": (422, "INPUT_INVALID"),
        "unknown definition": (404, "NOT_FOUND"),
        "not JSON": (400, "JSON_INVALID"),
        "NaN": (400, "JSON_INVALID"),
        "unknown run": (404, "NOT_FOUND"),
        "not a run id": (404, "NOT_FOUND"),
        "wrong limit": (422, "INPUT_INVALID"),
        "wrong status": (422, "INPUT_INVALID"),
        "unknown path": (404, "NOT_FOUND"),
        "too large": (413, "PAYLOAD_TOO_LARGE"),
    } == refusals
    assert [] == home.must("runs", "list")["runs"]


def test_requester_cannot_approve_over_http(home: Home, served: Server) -> None:
    """
    Also a person with both roles cannot agree to what they asked for; another one can, with the digest they saw.
    """
    home.must("principals", "create", "both", "--role", "operator", "--role", "approver")
    asker = home.must("principals", "key", "both")["api_key"]
    other = home.must("principals", "key", "approver")["api_key"]
    served.call("POST", "/runs", key=asker, json={"definition": "note", "input": {"text": "loud"}})
    approval = wait_until(lambda: next(iter(served.call("GET", "/approvals", key=asker).json()["approvals"]), None))
    path, word = f"/approvals/{approval['approval_id']}/decision", {"decision": "approve", "digest": approval["digest"]}

    own = problem(served.call("POST", path, key=asker, json=word))
    unseen = problem(served.call("POST", path, key=other, json={**word, "digest": "0" * 64}))
    unchanged = served.call("GET", "/approvals", key=other).json()["approvals"]
    agreed = served.call("POST", path, key=other, json=word)
    twice = problem(served.call("POST", path, key=other, json=word))

    assert ((403, "PERMISSION_DENIED"), (409, "ALREADY_DECIDED")) == (own, unseen)
    assert [approval] == unchanged
    assert (200, "approved", ["approver"]) == (agreed.status_code, agreed.json()["status"], agreed.json()["decided_by"])
    assert (409, "ALREADY_DECIDED") == twice
    wait_until(lambda: _finished(served, f"/runs/{approval['run_id']}", asker))
    assert "loud\n" == (home.folder / "notes.txt").read_text()


def test_two_tenants_never_meet(home: Home, served: Server) -> None:
    """
    With a key of one tenant nothing of the other can be seen, named or acted on: for it, that does not exist.
    """
    mine = home.must("principals", "key", "operator")["api_key"]
    home.must("tenants", "create", "other")
    home.must("principals", "create", "boss", "--role", "operator", "--role", "approver", "--tenant", "other")
    theirs = home.must("principals", "key", "boss", "--tenant", "other")["api_key"]
    run = served.call("POST", "/runs", key=mine, json={"definition": "note", "input": {"text": "loud"}}).json()
    approval = wait_until(lambda: next(iter(served.call("GET", "/approvals", key=mine).json()["approvals"]), None))
    place = f"/runs/{run['run_id']}"

    answers = {
        "show": problem(served.call("GET", place, key=theirs)),
        "cancel": problem(served.call("POST", f"{place}/cancellation", key=theirs, json={})),
        "signal": problem(served.call("POST", f"{place}/signals", key=theirs, json={"name": "a"})),
        "submit": problem(
            served.call("POST", "/runs", key=theirs, json={"definition": "note", "input": {"text": "a"}})
        ),
        "by digest": problem(
            served.call(
                "POST", "/runs", key=theirs, json={"definition": run["definition_digest"], "input": {"text": "a"}}
            )
        ),
        "decide": problem(
            served.call(
                "POST",
                f"/approvals/{approval['approval_id']}/decision",
                key=theirs,
                json={"decision": "approve", "digest": approval["digest"]},
            )
        ),
    }

    assert dict.fromkeys(answers, (404, "NOT_FOUND")) == answers
    assert ([], []) == (
        served.call("GET", "/runs", key=theirs).json()["runs"],
        served.call("GET", "/approvals?status=all", key=theirs).json()["approvals"],
    )
    assert 2 == home.remit("runs", "show", run["run_id"], "--tenant", "other").exit_code
    assert "pending" == served.call("GET", "/approvals", key=mine).json()["approvals"][0]["status"]


def _with_status(answer: httpx2.Response, status: int) -> httpx2.Response | None:
    return answer if answer.status_code == status else None


def _finished(server: Server, path: str, key: str) -> dict[str, Any] | None:
    run: dict[str, Any] = server.call("GET", path, key=key).json()
    return run if run["status"] in {"completed", "failed"} else None
