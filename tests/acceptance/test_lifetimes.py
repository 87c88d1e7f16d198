"""Starting, stopping and dying: `up` and `down`, and workers that take over from each other."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.acceptance.conftest import NOTE, REMIT, TOOLS
from tests.acceptance.forking import Forks
from tests.acceptance.processes import Home, wait_until

GATE = """
name: gate
version: 1.0.0
steps:
  - id: gate
    tool: test.gate
  - id: write
    tool: test.note
    depends_on: [gate]
    input: {text: after}
"""
LEASE = ("--lease-seconds", "3")


@pytest.fixture
def embedded(forks: Forks) -> Iterator[Home]:
    """A home with an embedded server of its own, in a folder that the server's user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="remit-home-"))
    folder.chmod(0o755)
    home = Home(folder=folder, forks=forks)
    home.write("tools.py", TOOLS)
    home.write("remit.yaml", REMIT)
    home.write("note.yaml", NOTE)
    try:
        yield home
    finally:
        home.close()
        home.remit("down")
        shutil.rmtree(folder, ignore_errors=True)


def test_up_serves_until_down(embedded: Home, record_property: pytest.RecordProperty) -> None:
    """
    `up --detach` returns when it is ready; a second one is refused; `down` stops it and its database; twice is fine.
    """
    first = embedded.must("up", "--detach", "--port", "0")
    assert 200 == httpx2.get(f"{first['url']}/health", trust_env=False).status_code
    refused = embedded.remit("up", "--detach", "--port", "0")
    down, again = embedded.must("down"), embedded.must("down")

    began = time.perf_counter()
    second = embedded.must("up", "--detach", "--port", "0")
    record_property("warm_up_seconds", round(time.perf_counter() - began, 2))

    assert (3, True) == (refused.exit_code, "UP_FAILED" in refused.err)
    assert ((True, first["pid"]), (False, None)) == ((down["stopped"], down["pid"]), (again["stopped"], again["pid"]))
    assert second["pid"] != first["pid"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_up_stops_in_good_order_on_signals(home: Home, number: signal.Signals) -> None:
    """
    Ctrl-C and SIGTERM end a serving command with exit code 0 and without a word of complaint.
    """
    server = home.start("up", "--port", "0", "--tools", "tools.py")

    server.process.send_signal(number)

    assert 0 == server.process.wait(20)
    assert "" == server.log.read_text()


def test_up_starts_again_after_a_kill(embedded: Home) -> None:
    """
    Killed with SIGKILL, `up` leaves nothing behind that keeps the next one from starting, and nothing is lost.
    """
    killed = embedded.must("up", "--detach", "--port", "0", "--tools", "tools.py")
    embedded.must("run", "note.yaml", "--remit", "remit.yaml", "--tools", "tools.py", "--input", '{"text": "kept"}')
    os.kill(killed["pid"], signal.SIGKILL)

    embedded.must("up", "--detach", "--port", "0")

    assert 1 == len(embedded.must("runs", "list")["runs"])


def test_run_is_not_handed_to_who_lacks_its_tools(embedded: Home) -> None:
    """
    Where `up` works on runs, it must know the tools; otherwise `run` refuses instead of letting the run fail there.
    """
    embedded.must("up", "--detach", "--port", "0")

    said = embedded.remit("run", "note.yaml", "--tools", "tools.py", "--input", '{"text": "a"}')

    assert (2, True) == (said.exit_code, "does not know test.note" in said.err)
    assert [] == embedded.must("runs", "list")["runs"]


def test_doctor_finds_nothing_on_a_fresh_home(embedded: Home) -> None:
    """
    Python, folder, disk, port, PostgreSQL, durability and clocks are looked at; a readable secrets file is a finding.
    """
    well = embedded.must("doctor")
    open_file = embedded.write("secrets.json", "{}")
    open_file.chmod(stat.S_IRUSR | stat.S_IRGRP)
    ill = embedded.remit("doctor", "--format", "json", REMIT_SECRETS_FILE=str(open_file))

    names = {"python", "data folder", "disk space", "ballast", "secrets", "port", "postgresql", "durability", "clock"}
    names.add("stuck runs")
    assert names == {check["name"] for check in well["checks"]}
    assert well["healthy"]
    assert 3 == ill.exit_code
    assert ["secrets"] == [check["name"] for check in ill.json()["checks"] if check["state"] == "fail"]


def test_killed_worker_is_replaced_by_another(home: Home) -> None:
    """
    A worker dies in the middle of a call; another one takes its run over and finishes it, each effect once.
    """
    home.write("gate.yaml", GATE)
    api = home.start("up", "--no-worker", "--port", "0", "--tools", "tools.py")
    home.must("apply", "remit.yaml", "gate.yaml", "--tools", "tools.py")
    key = home.must("principals", "key", "operator")["api_key"]
    victim = home.start("worker", "--tools", "tools.py", *LEASE)
    run = api.call("POST", "/runs", key=key, json={"definition": "gate"}).json()
    began = home.folder / "began.txt"
    wait_until(lambda: began if began.exists() and began.read_text() else None)

    victim.kill()
    home.start("worker", "--tools", "tools.py", *LEASE)
    (home.folder / "go").touch()

    path = f"/runs/{run['run_id']}"
    done = wait_until(lambda: _in_state(api.call("GET", path, key=key).json(), "completed"))
    assert ["gate", "write"] == [step["step"] for step in done["steps"]]
    assert "after\n" == (home.folder / "notes.txt").read_text()
    assert "began\nbegan\n" == began.read_text()
    assert home.must("runs", "replay", run["run_id"])["verified"]


def test_stopped_worker_hands_its_runs_back(home: Home) -> None:
    """
    A worker that is asked to stop lets the call in flight end, stores its outcome, and another one goes on at once.
    """
    home.write("gate.yaml", GATE)
    api = home.start("up", "--no-worker", "--port", "0", "--tools", "tools.py")
    home.must("apply", "remit.yaml", "gate.yaml", "--tools", "tools.py")
    key = home.must("principals", "key", "operator")["api_key"]
    leaving = home.start("worker", "--tools", "tools.py")
    run = api.call("POST", "/runs", key=key, json={"definition": "gate"}).json()
    began = home.folder / "began.txt"
    wait_until(lambda: began if began.exists() and began.read_text() else None)

    leaving.process.terminate()
    (home.folder / "go").touch()
    assert 0 == leaving.stop()
    home.start("worker", "--tools", "tools.py")

    wait_until(lambda: _in_state(api.call("GET", f"/runs/{run['run_id']}", key=key).json(), "completed"), seconds=10)
    assert "began\n" == began.read_text()
    assert "after\n" == (home.folder / "notes.txt").read_text()


def test_serving_ends_with_whoever_started_it(home: Home) -> None:
    """
    With --until-stdin-closes a process does not outlive the one that started it.
    """
    server = home.start("worker")
    assert server.process.stdin is not None

    server.process.stdin.close()

    assert 0 == server.process.wait(20)
    assert "worker_id" in json.dumps(server.ready)


def _in_state(run: dict[str, object], status: str) -> dict[str, list[dict[str, object]]] | None:
    assert run["status"] not in {"failed", "cancelled"}, run
    return run if run["status"] == status else None  # type: ignore[return-value]  # JSON
