"""Every place of a request that an id can be put into, by route: made from the table of routes and the bodies' records.

Owns: a request that works for each route, so that one place at a time can be another tenant's.
Does not know: whose ids are put in.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

import msgspec
from starlette.routing import Route

from remit.api import approvals, runs
from tests.integration.isolation.houses import House
from tests.integration.isolation.strangers import KINDS

SAYING_WHO: Final = ("tenant_id", "operator", "api_key")
"""The kinds that are put into headers and unknown names of the query, which mean nothing to us."""

BODIES: Final = {
    "POST /runs": runs.SubmitRun,
    "POST /runs/{run_id}/cancellation": runs.CancelRun,
    "POST /runs/{run_id}/signals": runs.SignalRun,
    "POST /approvals/{approval_id}/decision": approvals.DecideApproval,
}
"""What each route reads; a test finds every record of a body here."""

QUERIES: Final = {"GET /runs": ("status", "definition", "limit"), "GET /approvals": ("status", "limit")}
HEADERS: Final = ("x-tenant-id", "x-remit-tenant", "x-forwarded-user", "cookie", "authorization", "idempotency-key")
"""Headers with which other systems say a tenant, a user or a key."""

NATURAL: Final[dict[str, tuple[str, ...]]] = {
    "path.run_id": ("done_id", "waiting_id", "asking_id"),
    "path.approval_id": ("approval_id",),
    "path.endpoint_id": ("endpoint_id",),
    "body.definition": ("definition_name", "definition_digest"),
    "body.digest": ("approval_digest",),
    "query.definition": ("definition_name",),
    "header.authorization": ("api_key",),
}
"""The kinds that a place is meant for; a place that is not here is meant for no id."""

_QUERY: Final = re.compile(r'query_params\.get\("(\w+)"')


@dataclass(frozen=True, slots=True)
class Place:
    """One place of one route: ``path.run_id``, ``query.status``, ``body.definition``, ``header.cookie``."""

    route: str
    where: str

    def __str__(self) -> str:
        return f"{self.route} {self.where}"


def names(routes: list[Route]) -> list[str]:
    """Return every method of every route, such as ``GET /runs``."""
    return [f"{method} {route.path}" for route in routes for method in sorted(route.methods or ())]


def places(routes: list[Route]) -> Iterator[Place]:
    """Return every place of every route; HEAD is answered by the same code as GET, so only its path is one."""
    for route in names(routes):
        body = BODIES.get(route)
        yield from (Place(route, f"path.{name}") for name in re.findall(r"\{(\w+)\}", route))
        if route.startswith("HEAD "):
            continue
        yield from (Place(route, f"query.{name}") for name in (*QUERIES.get(route, ()), "tenant_id", "tenant"))
        yield from (Place(route, f"header.{name}") for name in HEADERS)
        if body is not None:
            known = [field.name for field in msgspec.structs.fields(body)]
            yield from (Place(route, f"body.{name}") for name in (*known, "tenant_id", "principal_id"))


def kinds_of(place: Place) -> tuple[str, ...]:
    """Return the kinds of ids that are worth putting into a place: all, but where it means nothing."""
    if place.where.startswith("header.") or place.where in {"query.tenant_id", "query.tenant"}:
        return tuple(kind for kind in SAYING_WHO if (place.where, kind) != ("header.authorization", "api_key"))
    return KINDS


def bodies_of(*modules: ModuleType) -> set[type]:
    """Return the records of bodies that modules define."""
    return {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == module.__name__
    }


def queries_of(*modules: ModuleType) -> set[str]:
    """Return the names of the query that modules read."""
    return {name for module in modules for name in _QUERY.findall(inspect.getsource(module))}


def request(place: Place, value: Any, mine: House, *, key: str | None) -> dict[str, Any]:
    """Return a request of mine that works, but for one place that holds this value."""
    method, _, path = place.route.partition(" ")
    body = {name: make(mine) for name, make in _DEFAULTS.get(place.route, {}).items()}
    params: dict[str, str] = {}
    headers = {"x-request-id": "request-of-the-matrix"}
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    part, _, name = place.where.partition(".")
    filled = {"run_id": mine.done_id, "approval_id": mine.approval_id, "endpoint_id": mine.endpoint_id}
    match part:
        case "path":
            filled[name] = value
        case "query":
            params[name] = str(value)
        case "header":
            headers[name] = f"Bearer {value}" if name == "authorization" else str(value)
        case _:
            body[name] = value
    url = re.sub(r"\{(\w+)\}", lambda found: str(filled[found[1]]), path)
    sends = {} if method in {"GET", "HEAD"} else {"json": body}
    return {"method": method, "url": url, "params": params, "headers": headers, **sends}


_DEFAULTS: Final[dict[str, dict[str, Callable[[House], Any]]]] = {
    "POST /runs": {"definition": lambda mine: mine.definition_name},
    "POST /runs/{run_id}/signals": {"name": lambda _: "noise"},
    "POST /approvals/{approval_id}/decision": {
        "decision": lambda _: "approve",
        "digest": lambda mine: mine.approval_digest,
    },
    "POST /webhooks/{endpoint_id}": {"id": lambda _: 1},
}
