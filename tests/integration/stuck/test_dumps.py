"""What a dump of a stuck run says, that nothing of it is anybody's secret, and what people are told of stuck runs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from remit.api.health import HealthRoutes
from remit.bootstrap import APPROVER, OPERATOR
from remit.cli.app import run as remit
from remit.ids import RunId
from remit.ports.store import Decision
from remit.testing.database import ScratchDatabase, ScratchServer
from tests.integration.stuck.scene import (
    CANARY,
    TENANT,
    WAITS,
    asked,
    call,
    eventually,
    find_one,
    kernel_on,
    lost,
    pure,
    rest,
    submit,
)


async def test_dump_says_where_a_run_stands_and_nothing_secret(database: ScratchDatabase) -> None:
    """
    The dump has head, open commands, approvals, unread messages, workers and entries; no argument, input, body or word.
    """
    async with kernel_on(database, asked(), lost(), has_worker=False) as outside:
        async with kernel_on(database, asked(), lost()) as worker:
            run_id = await submit(worker, WAITS["approval of asked"], WAITS["settlement of lost"])
            await rest(worker, run_id, "approval of asked")
        await outside.runs.signal(
            TENANT, run_id, name="go", payload={"note": CANARY}, sent_by=OPERATOR, message_id=f"signal:{CANARY}"
        )
        (approval,) = await outside.store.approvals.list(TENANT)
        decision = Decision(
            approval_id=approval.approval_id,
            decision="approve",
            principal_id=APPROVER,
            digest=approval.digest,
            reason=CANARY,
        )
        await outside.store.approvals.decide(TENANT, decision)
        stuck = await find_one(outside, "unclaimed")
        dump = await outside.lookout.dump(TENANT, run_id, stuck)

    text = json.dumps(dump)
    assert CANARY not in text
    assert "unclaimed" == json.loads(text)["stuck"]["reason"]
    assert {"AwaitApproval", "AwaitSettlement"} == {one["command"] for one in json.loads(text)["state"]["open"]}
    assert ["approved"] == [one["status"] for one in json.loads(text)["approvals"]]
    assert ["signal", "approval"] == [one["kind"] for one in json.loads(text)["inbox"]]
    assert json.loads(text)["entries"][0]["kinds"].startswith("run_started")


async def test_dump_of_a_running_run_names_its_worker_and_tools(database: ScratchDatabase) -> None:
    """
    A run need not be stuck to be looked at, and the workers are there with their tools.
    """
    async with kernel_on(database, pure()) as kernel:
        run_id = await submit(kernel, WAITS["signal go"])
        await rest(kernel, run_id, "signal go")
        dump = json.loads(json.dumps(await kernel.lookout.dump(TENANT, run_id)))

    (worker,) = dump["workers"]
    assert dump["stuck"] is None
    assert worker["is_alive"]
    assert "stuck.pure" in worker["tools"]


async def test_health_is_degraded_while_runs_are_stuck(database: ScratchDatabase) -> None:
    """
    A process that is of use stays ready; it says that runs are stuck, by reason.
    """
    async with kernel_on(database) as kernel:
        await submit(kernel, call(pure()))
        routes = HealthRoutes(kernel)

        async def look() -> dict[str, object] | None:
            response = await routes.health(None)  # type: ignore[arg-type]  # the request says nothing
            body: dict[str, object] = json.loads(bytes(response.body))
            return body if body["degraded"] else None

        body = await eventually(look)

    assert (True, {"toolless": 1}) == (body["ready"], body["stuck"])


def test_command_lists_dumps_and_then_finds_nothing(
    scratch_server: ScratchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    `remit runs stuck` exits with 1 and tells run, reason and remedy, writes dumps only for its user, and exits with 0
    once nothing is stuck; `remit doctor` warns meanwhile.
    """
    database = asyncio.run(scratch_server.borrow())
    monkeypatch.setenv("DATABASE_APP_URL", database.app_url)
    run_id = asyncio.run(submit_without_worker(database))
    words = ["runs", "stuck", "--older-than", "0.01", "--format", "json"]

    exit_code = remit([*words, "--dump", str(tmp_path / "dumps")])
    said = json.loads(capsys.readouterr().out)
    patient = remit(["runs", "stuck"])
    told = capsys.readouterr().out
    monkeypatch.setenv("REMIT_STUCK_SECONDS", "1")
    asyncio.run(finish(database, run_id))
    healed = remit(words)
    nothing = json.loads(capsys.readouterr().out)

    (found,), (path,) = said["stuck"], said["dumps"]
    assert (1, "unclaimed", run_id) == (exit_code, found["reason"], found["run_id"])
    assert "remit worker" in found["remedy"]
    assert 0o600 == Path(path).stat().st_mode & 0o777
    assert "unclaimed" == json.loads(Path(path).read_text())["stuck"]["reason"]
    assert (0, "no run is stuck") == (patient, told.strip())
    assert (0, []) == (healed, nothing["stuck"])
    asyncio.run(scratch_server.give_back(database))


async def submit_without_worker(database: ScratchDatabase) -> RunId:
    async with kernel_on(database, pure(), has_worker=False) as kernel:
        run_id = await submit(kernel, call(pure()))
        await find_one(kernel, "unclaimed")
        return run_id


async def finish(database: ScratchDatabase, run_id: RunId) -> None:
    async with kernel_on(database, pure()) as kernel:
        await kernel.runs.wait(TENANT, run_id, timeout_seconds=20)
