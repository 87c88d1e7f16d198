"""What surrounds a request: its id, its bound on errors, its line in the log."""

from __future__ import annotations

import json
from typing import Any

from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from remit.api.middleware import RequestScope


async def call(app: Any, *, path: str = "/runs/secret-id", headers: dict[str, str] | None = None) -> list[Message]:
    """Send one request and return what came back."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
    }
    await RequestScope(app)(scope, receive, send)
    return sent


async def fine(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as a route would."""
    scope |= {"endpoint": fine, "path_params": {"run_id": "secret-id"}}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
    """Fail as a bug of ours would."""
    raise ZeroDivisionError("secret words")


def id_of(messages: list[Message]) -> str:
    """Return the request id of an answer."""
    return dict(messages[0]["headers"])[b"x-request-id"].decode()


async def test_answers_carry_the_callers_id_if_it_is_harmless() -> None:
    """
    A proper id is taken over; one that could break a log line is replaced.
    """
    assert "caller-12345" == id_of(await call(fine, headers={"x-request-id": "caller-12345"}))
    assert "bad\nid" not in id_of(await call(fine, headers={"x-request-id": "bad\nid-123456"}))
    assert id_of(await call(fine)) != id_of(await call(fine))


async def test_fault_becomes_a_problem_without_details() -> None:
    """
    A bug of ours ends one request with 500 and its id; its words stay inside.
    """
    with capture_logs() as logs:
        answer = await call(faulty)

    body = json.loads(answer[1]["body"])
    assert (500, "INTERNAL", id_of(answer)) == (answer[0]["status"], body["code"], body["request_id"])
    assert b"secret words" not in answer[1]["body"]
    assert ["request_fault", "request"] == [line["event"] for line in logs]


async def test_log_names_the_route_and_not_its_values() -> None:
    """
    Path segments may be as good as passwords, so the line has the parameter's name.
    """
    with capture_logs() as logs:
        await call(fine)
        await call(faulty, path="/webhooks/unknown-and-secret")

    routes = [line["route"] for line in logs if line["event"] == "request"]
    assert ["/runs/{run_id}", "unknown"] == routes
    assert "secret" not in json.dumps([line for line in logs if line["event"] == "request"])
