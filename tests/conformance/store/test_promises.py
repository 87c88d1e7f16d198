"""Every method of every port of the store has clauses, and the clauses that are named are there."""

import ast
import inspect
from pathlib import Path

from remit.ports.approvals import Approvals
from remit.ports.directory import Directory, Endpoints
from remit.ports.dispatch import Dispatch
from remit.ports.inbox import Inbox
from remit.ports.journal import Journal
from remit.ports.outbox import Outbox
from remit.ports.reader import Reader
from remit.ports.reservation import Reservation

CLAUSES = {
    "Journal.submit": "submit_01 submit_02 submit_03 submit_04 submit_05 submit_06 submit_07 submit_08 submit_09",
    "Journal.mint": "mint_01 submit_06",
    "Journal.append": "append_01 append_02 append_03 append_04 append_05 append_06 append_07 append_08 append_09 "
    "append_10 append_11 append_12 append_13 append_14 append_15 append_16 append_17 append_18 "
    "key_01 key_02 key_03 key_04 key_05 key_06 key_07 key_08 key_09 key_10 key_11 key_12 "
    "wait_01 wait_02 wait_03 wait_04 wait_05 wait_06 storm_01 storm_02",
    "Journal.load": "load_01 load_02",
    "Journal.load_inbox": "load_03",
    "Journal.close": "close_01",
    "Dispatch.register_worker": "register_01 claim_04",
    "Dispatch.claim": "claim_01 claim_02 claim_03 claim_04 claim_05 claim_06",
    "Dispatch.heartbeat": "heartbeat_01 heartbeat_02 heartbeat_03 heartbeat_04",
    "Dispatch.release": "release_01",
    "Dispatch.sweep": "sweep_01 sweep_02 sweep_03 sweep_04 sweep_05 sweep_06",
    "Dispatch.retire_worker": "retire_01",
    "Dispatch.wait_for_wake": "wake_01 wake_02",
    "Dispatch.announce": "wake_01",
    "Inbox.deliver": "deliver_01 deliver_02 deliver_03 deliver_04 deliver_05",
    "Inbox.receive": "event_01 event_02 event_03 event_04 event_05 event_06 event_07 event_08 event_10",
    "Inbox.mark_started": "event_09",
    "Approvals.decide": "decide_01 decide_02 decide_03 decide_04 decide_05 decide_06 decide_07 decide_08 decide_09 "
    "decide_10 decide_11 decide_12",
    "Approvals.expire": "expire_01 expire_02",
    "Approvals.get": "get_01",
    "Approvals.list": "list_04",
    "Directory.create_tenant": "tenant_01 tenant_02",
    "Directory.get_tenant": "tenant_04",
    "Directory.list_tenants": "tenant_05",
    "Directory.pause_tenant": "tenant_03",
    "Directory.put_principal": "principal_01",
    "Directory.get_principal": "principal_02",
    "Directory.list_principals": "principal_02",
    "Directory.create_api_key": "api_key_01",
    "Directory.authenticate": "api_key_01 api_key_02 api_key_03",
    "Directory.put_definition": "definition_01 definition_02",
    "Directory.get_definition": "definition_01 definition_03",
    "Directory.list_definitions": "definition_04",
    "Directory.put_policy": "policy_01",
    "Directory.get_policy": "policy_01",
    "Endpoints.put_endpoint": "endpoint_01",
    "Endpoints.find_endpoint": "endpoint_01",
    "Endpoints.list_endpoints": "endpoint_02",
    "Reader.find_run_id": "find_01 find_02 find_03",
    "Reader.get_run": "find_01 deliver_03",
    "Reader.list_runs": "list_01 list_02",
    "Reader.read_run": "read_01",
    "Reader.list_receipts": "list_03",
    "Reader.list_steps": "list_05",
    "Reader.list_inbound": "list_06",
    "Reader.wait_for_change": "wait_01 wait_02 wait_03",
    "Reservation.find_key": "key_07 key_08",
    "Reservation.take_rate": "rate_01 rate_02 rate_03",
    "Reservation.load_breaker": "breaker_01",
    "Reservation.save_breaker": "breaker_01",
    "Outbox.claim": "claim_01 claim_02 claim_03 claim_04 claim_05 lease_01",
    "Outbox.load": "publish_01",
    "Outbox.settle": "settle_01 settle_02 settle_03 settle_04 lease_02 lease_03 dead_01",
    "Outbox.retry": "retry_01 retry_02 retry_03 dead_01",
    "Outbox.retry_dead": "dead_02",
    "Outbox.close": "close_02",
    "Outbox.list": "list_01 isolation_01",
}
PORTS = (Journal, Dispatch, Inbox, Approvals, Directory, Endpoints, Reader, Reservation, Outbox)


def clauses_there() -> set[str]:
    """The ids of all clauses of this folder: the first words of their names, up to the number."""
    found = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and node.name.startswith("test_"):
                words = node.name.removeprefix("test_").split("_")
                numbers = [index for index, word in enumerate(words) if word.isdigit() and len(word) == 2]
                found |= {"_".join(words[: index + 1]) for index in numbers[:1]}
    return found


def methods(port: type) -> set[str]:
    """The public methods of a protocol."""
    members = inspect.getmembers(port, inspect.isfunction)
    return {f"{port.__name__}.{name}" for name, _ in members if not name.startswith("_")}


def test_every_method_of_every_port_has_clauses() -> None:
    """
    The table names each public method of each port of the store, and no others.
    """
    assert set().union(*(methods(port) for port in PORTS)) == CLAUSES.keys()


def test_every_clause_that_is_named_is_there() -> None:
    """
    What the table refers to exists in this folder.
    """
    named = {clause for clauses in CLAUSES.values() for clause in clauses.split()}

    assert set() == named - clauses_there()
