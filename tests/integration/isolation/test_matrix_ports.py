"""Every method of every port, every id in its signature: another tenant's is answered like one that nobody has.

The acts are those of ``test_ports``; here each id that an act uses is exchanged alone, all others being one's own.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import typing
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace as replaced

from remit import ids
from remit.errors import RemitError
from remit.ports.store import MintedRun, Submission
from remit.store import PostgresStore
from remit.testing.database import ScratchDatabase, ScratchServer, connect_store
from tests.integration.isolation import test_ports as acts
from tests.integration.isolation.houses import House, furnish_both, take_stock
from tests.integration.isolation.strangers import KINDS, absent, comparable, foreign


def submission(mine: House, **changes: Any) -> Submission:
    """Return a submission of mine, but for the changes."""
    return replaced(acts.submission_with(mine, mine), **changes)


ACTS = {
    **acts.REFUSED, **acts.EMPTY, **acts.WRITES,
    "journal.append": lambda s, m, t: s.journal.append([acts.append_to(m, t)]),
    "inbox.receive": lambda s, m, t: s.inbox.receive(m.tenant_id, acts.event_for(t)),
    "outbox.settle": lambda s, m, t: s.outbox.settle([acts.settlement_of(m, t)]),
    "journal.submit for a principal": lambda s, m, t: s.journal.submit([submission(m, principal_id=t.operator)]),
    "journal.submit under an id": lambda s, m, t: s.journal.submit(
        [submission(m, minted=MintedRun(run_id=t.waiting_id, salt=b"s" * 32), submission_key=t.waiting_id)]
    ),
    "approvals.decide as somebody": lambda s, m, t: s.approvals.decide(
        m.tenant_id, replaced(acts.decision_on(m, m), principal_id=t.approver)
    ),
    "outbox.retry to a subscriber": lambda s, m, t: s.outbox.retry(
        m.tenant_id, m.message_id, destination=t.subscription
    ),
}  # fmt: skip
SPEAKING = {"directory.authenticate": "api_key", "endpoints.find_endpoint": "endpoint_id"}
"""What says by itself whose it is: a key, and an endpoint's unguessable id."""

TYPES: dict[Any, set[str]] = {
    ids.RunId: {"done_id", "waiting_id", "asking_id"},
    ids.ApprovalId: {"approval_id"},
    ids.PrincipalId: {"operator", "approver"},
    ids.Digest: {"definition_digest", "policy_digest"},
}
NAMES = {
    "key": "key", "dependency": "dependency", "message_id": "message_id", "endpoint_id": "endpoint_id",
    "destination": "subscription", "digest": "approval_digest", "inbound_id": "inbound_id",
    "correlations": "correlation", "definition_name": "definition_name",
}  # fmt: skip
"""Parameters and fields that are plain texts or numbers, and the kind of id that they are."""

OURS = {
    "directory.create_tenant Digest": "of a tenant to be; one that is there stays as it is",
    "inbox.deliver message_id": "of the sender's choice, unique in a run only",
    "journal.submit key": "a first entry has no rows beside its payload",
    "journal.submit message_id": "a first entry has no rows beside its payload",
    "journal.submit correlations": "a first entry has no rows beside its payload",
    "journal.append correlations": "what one's own run waits for; see test_foreign_event_reaches_nobody",
    "journal.append key": "reserved under the entry's tenant; see the batches",
    "journal.append message_id": "made of the entry's own run",
    "journal.append destination": "a list of the entry's own policy",
    "journal.append digest": "of the request that the entry makes",
    "journal.append endpoint_id": "not part of an entry",
    "journal.submit digest": "covered as definition_digest",
    "directory.put_definition digest": "covered as definition_digest",
    "directory.put_policy digest": "covered as policy_digest",
    "directory.get_definition digest": "covered as definition_digest",
    "directory.get_policy digest": "covered as policy_digest",
    "endpoints.put_endpoint endpoint_id": "see test_endpoint_cannot_be_taken_over",
}
"""Fields of such a name that hold no id of another tenant, and why."""

_RANDOM = re.compile(
    r"""inbound_id=\d+|datetime\.datetime\([^)]*\)|salt=b(['"])(?:\\.|[^\\])*?\1|\b[\w-]{43}(?![\w-])"""
)
"""Numbers of events, instants, salts and API keys, no two of which are the same."""


class Recorder:
    """A house that notes which of its ids are used."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.used: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name in KINDS and name not in self.used:
            self.used.append(name)
        return getattr(self._house, name)


@pytest.fixture(scope="module")
def ports_database(scratch_server: ScratchServer) -> Iterator[ScratchDatabase]:
    """A database of this module's own: it writes what no reader could make sense of."""
    database = asyncio.run(scratch_server.create())
    yield database
    asyncio.run(scratch_server.drop(database))


@pytest.fixture(scope="module")
def both(ports_database: ScratchDatabase) -> tuple[House, House]:
    return asyncio.run(furnish_both(ports_database))


@pytest.fixture
async def store(ports_database: ScratchDatabase, both: tuple[House, House]) -> AsyncIterator[PostgresStore]:
    store = await connect_store(ports_database)
    yield store
    await store.close()


@pytest.fixture
async def admin(ports_database: ScratchDatabase) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(ports_database.admin_url)
    yield connection
    await connection.close()


async def used_by(name: str, store: PostgresStore, mine: House) -> list[str]:
    """Return the kinds of ids that an act uses of another house."""
    recorder = Recorder(replace(mine, **{kind: absent(mine, kind) for kind in KINDS}))
    try:
        await ACTS[name](store, mine, recorder)  # type: ignore[arg-type]
    except RemitError:
        return recorder.used
    return recorder.used


async def answer(name: str, store: PostgresStore, mine: House, kind: str, value: Any) -> str:
    """Return what an act answers when one id is this, and all others are one's own."""
    try:
        found: object = await ACTS[name](store, mine, replace(mine, **{kind: value}))
    except RemitError as error:
        found = f"{type(error).__name__}: {error} {error.fields}"
    parts = [value[:18], value[:12], value[:8], value[-8:]] if isinstance(value, str) else []
    return _RANDOM.sub("<random>", comparable(str(found), value, *parts))


@pytest.mark.parametrize("way", [0, 1], ids=["one way", "other way"])
async def test_foreign_id_is_answered_like_an_absent_one(
    way: int, store: PostgresStore, admin: asyncpg.Connection[Any], both: tuple[House, House]
) -> None:
    """
    Each id of each act, exchanged alone for another tenant's, gets the answer or error of one that nobody has, and no
    row of the other tenant changes.
    """
    mine, theirs = both[way], both[1 - way]
    before = await take_stock(admin, theirs.tenant_id)
    differences, cells = [], 0
    for name in ACTS:
        for kind in await used_by(name, store, mine):
            if kind == "tenant_id":
                continue
            cells += 1
            known = await answer(name, store, mine, kind, foreign(theirs, kind))
            unknown = await answer(name, store, mine, kind, absent(theirs, kind))
            differences += [f"{name} {kind}: {known} but {unknown}"] if known != unknown else []

    assert [] == differences
    assert cells >= len(ACTS) - 4
    assert before == await take_stock(admin, theirs.tenant_id)


def signature_ids(kind: Any, seen: frozenset[Any] = frozenset()) -> Iterator[tuple[str | None, Any]]:
    """Return the id types and the named texts in a type, through records, options and sequences."""
    if kind in TYPES:
        yield None, kind
    for part in typing.get_args(kind):
        yield from signature_ids(part, seen)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in seen:
        for name, hint in typing.get_type_hints(kind).items():
            yield from (
                (name if hint in {str, int} else inner, one) for inner, one in signature_ids(hint, seen | {kind})
            )
            if name in NAMES:
                yield name, hint


def ids_of(function: Any) -> Iterator[tuple[str, set[str]]]:
    """Return the name of each id in a signature, and the kinds that it may be."""
    for parameter, hint in typing.get_type_hints(function).items():
        if parameter == "return":
            continue
        named = [(parameter, hint)] if parameter in NAMES else []
        for field, kind in [*signature_ids(hint), *named]:
            possible = {NAMES[field]} if field in NAMES else TYPES.get(kind, set())
            yield field or kind.__name__, possible


async def test_every_id_of_every_signature_is_in_the_matrix(store: PostgresStore, both: tuple[House, House]) -> None:
    """
    An id that is added to a method, or to a record that it takes, must be used by an act of that method.
    """
    used: dict[str, set[str]] = {}
    for act in ACTS:
        used.setdefault(act.split(" ")[0], set()).update(await used_by(act, store, both[0]))
    methods = {
        f"{port}.{method}": function
        for port, protocol in acts.PORTS.items()
        for method, function in inspect.getmembers(protocol, inspect.isfunction)
        if not method.startswith("_")
    }
    missing = [
        f"{name}: {field}"
        for name, function in methods.items()
        if name not in {*acts.ACROSS_TENANTS, *SPEAKING}
        for field, possible in ids_of(function)
        if possible and not possible & used.get(name, set()) and f"{name} {field}" not in OURS
    ]

    assert [] == missing
