"""The commands as processes: exit codes, JSON, short ids, and acting on runs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import pytest

from remit.cli.app import COMMANDS
from tests.acceptance.processes import Home, Server, wait_until

WITH_TOOLS = ("--tools", "tools.py")

WAITING = """
name: waiting
version: 1.0.0
steps:
  - id: news
    wait: {signal: news}
  - id: write
    tool: test.note
    depends_on: [news]
    input: {text: "${{ steps.news.output.text }}"}
"""

FAILING = """
name: failing
version: 1.0.0
steps:
  - id: fail
    tool: test.fail
    input: {reason: NOT_TODAY}
"""

DOUBTFUL = """
name: doubtful
version: 1.0.0
steps:
  - id: doubt
    tool: test.doubt
output: ${{ steps.doubt.output }}
"""


def test_help_names_every_command_without_loading_them(record_property: pytest.RecordProperty) -> None:
    """
    `remit --help` lists all commands and loads neither the driver nor the table library; its time is recorded.
    """
    program = (
        "import sys; from remit.cli.app import run; run(['--help']); print({'rich', 'asyncpg'} & set(sys.modules))"
    )
    began = time.perf_counter()

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    record_property("help_ms", round((time.perf_counter() - began) * 1000))
    assert [] == [name for name in COMMANDS if f"  {name} " not in said.stdout]
    assert "set()" == said.stdout.splitlines()[-1]


def test_program_is_installed(home: Home) -> None:
    """
    The installed `remit` and `python -m remit.cli` are the same program.
    """
    program = Path(sys.executable).with_name("remit")
    lines = ([str(program)], [sys.executable, "-m", "remit.cli"])

    said = [subprocess.run([*line, "--version"], capture_output=True, text=True, check=True).stdout for line in lines]

    assert said[0] == said[1]
    assert said[0].startswith("remit 0.")


def test_trace_holds_what_was_checked_and_no_secret(home: Home) -> None:
    """
    A trace has a span for run, step and attempt, each with the same keys, the verdicts of the pipeline, and redaction.
    """
    text = '{"text": "card 4242 4242 4242 4242"}'
    run = home.must("run", "note.yaml", "--remit", "remit.yaml", *WITH_TOOLS, "--input", text)

    spans = home.must("runs", "trace", run["run_id"], *WITH_TOOLS)["spans"]

    assert ["remit.run", "remit.step", "remit.attempt"] == [span["event"] for span in spans]
    assert "permission" in spans[2]["verdict"]
    assert "4242" not in json.dumps(spans)
    assert "4242" not in home.remit("runs", "trace", run["run_id"], *WITH_TOOLS).out


def test_misspelt_command_gets_a_suggestion(tmp_path: Path) -> None:
    """
    A word that is no command is the caller's fault, and the nearest one is named.
    """
    said = Home(folder=tmp_path).remit("aprovals")

    assert (2, "") == (said.exit_code, said.out)
    assert "Did you mean 'approvals'?" in said.err


def test_run_completes_with_exit_code_zero(home: Home) -> None:
    """
    Without `remit up`, the command works on the run itself; the effect happens once and has its receipt.
    """
    words = ("run", "note.yaml", "--remit", "remit.yaml", *WITH_TOOLS, "--input", "-")

    run = home.must(*words, stdin='{"text": "hello"}')

    assert ("completed", {"text": "hello"}) == (run["status"], run["output"])
    assert "hello\n" == (home.folder / "notes.txt").read_text()
    receipts = home.must("runs", "receipts", run["run_id"][-8:])["receipts"]
    assert ["write"] == [receipt["step"] for receipt in receipts]


def test_same_key_submits_once(home: Home) -> None:
    """
    The same submission key gives the same run, and its effect happened once.
    """
    words = ("run", "note.yaml", "--remit", "remit.yaml", *WITH_TOOLS, "--input", '{"text": "once"}', "--key", "k1")

    first, second = home.must(*words), home.must(*words)

    assert first["run_id"] == second["run_id"]
    assert "once\n" == (home.folder / "notes.txt").read_text()


def test_failed_run_has_exit_code_one(home: Home) -> None:
    """
    A run that fails is a negative result, in `run` and in `runs show`; its reason is a stable code.
    """
    home.write("failing.yaml", FAILING)

    said = home.remit("run", "failing.yaml", "--remit", "remit.yaml", *WITH_TOOLS, "--format", "json")

    run = said.json()
    assert (1, "failed") == (said.exit_code, run["status"])
    assert "NOT_TODAY" == run["error"]["code"]
    assert 1 == home.remit("runs", "show", run["run_id"]).exit_code


def test_wrong_input_has_exit_code_two_and_runs_nothing(home: Home) -> None:
    """
    Input that the schema rejects is the caller's fault: no run is made, and standard output holds the error as JSON.
    """
    words = ("run", "note.yaml", "--remit", "remit.yaml", *WITH_TOOLS, "--input", '{"text": 1}')

    said = home.remit(*words, "--format", "json")

    assert (2, "INPUT_INVALID") == (said.exit_code, said.json()["error"]["code"])
    assert said.err.startswith("error INPUT_INVALID: ")
    assert [] == home.must("runs", "list")["runs"]
    assert not (home.folder / "notes.txt").exists()


def test_database_that_is_away_has_exit_code_three(home: Home) -> None:
    """
    A server that does not answer is the world's fault, said in one line with what to do.
    """
    said = home.remit("runs", "list", DATABASE_APP_URL="postgresql://remit_app:x@127.0.0.1:1/none")

    assert (3, "") == (said.exit_code, said.out)
    assert said.err.startswith("error STORE_UNAVAILABLE: ")
    assert "next: remit doctor" in said.err


def test_unknown_tenant_is_refused_and_not_made(home: Home) -> None:
    """
    A misspelt tenant is an error, not a new tenant.
    """
    said = home.remit("runs", "list", "--tenant", "defualt")

    assert (2, True) == (said.exit_code, "NOT_FOUND" in said.err)
    assert ["default"] == [tenant["tenant_id"] for tenant in home.must("tenants", "list")["tenants"]]


def test_runs_are_named_by_the_end_of_their_id(home: Home) -> None:
    """
    The short id that lists print finds the run; one that fits nothing is not found.
    """
    run = home.must("run", "note.yaml", "--remit", "remit.yaml", *WITH_TOOLS, "--input", '{"text": "a"}')
    listed = home.remit("runs", "list").out

    assert run["run_id"][-8:] in listed
    assert run["run_id"] == home.must("runs", "show", run["run_id"][-8:])["run_id"]
    assert 2 == home.remit("runs", "show", "ffffffff").exit_code


def test_follow_prints_facts_until_the_end(home: Home) -> None:
    """
    Each entry of the journal comes as one line of JSON, from the start of the run to its end.
    """
    words = ("run", "note.yaml", "--remit", "remit.yaml", *WITH_TOOLS, "--input", '{"text": "a"}', "--follow")

    said = home.remit(*words, "--format", "json")

    facts = [fact["fact"] for line in said.out.splitlines() for fact in json.loads(line)["facts"]]
    assert 0 == said.exit_code
    assert ("run_started", "run_completed") == (facts[0], facts[-1])
    assert "intent_recorded" in facts


def test_tables_fit_a_hundred_columns(home: Home) -> None:
    """
    What people read fits their screen, without colours when it is not one.
    """
    run = home.must("run", "note.yaml", "--remit", "remit.yaml", *WITH_TOOLS, "--input", '{"text": "a"}')
    lines = [
        line
        for words in (
            ["runs", "list"],
            ["runs", "show", run["run_id"]],
            ["runs", "receipts", run["run_id"]],
            ["doctor"],
        )
        for line in home.remit(*words).out.splitlines()
    ]

    assert [] == [line for line in lines if len(line) > 100]
    assert [] == [line for line in lines if "\x1b" in line]


def test_signal_lets_a_waiting_run_go_on(home: Home, served: Server) -> None:
    """
    A run that waits for a signal ends when it comes; the same message id is taken once.
    """
    home.write("waiting.yaml", WAITING)
    run = home.must("run", "waiting.yaml", *WITH_TOOLS)
    words = ("runs", "signal", run["run_id"], "news", "--payload", '{"text": "good"}', "--id", "m1")

    assert ("waiting", "signal news") == (run["status"], run["waiting_for"])
    first, second = home.must(*words), home.remit(*words)

    assert "signal news sent" == first["message"]
    assert second.exit_code in {0, 2}
    done = wait_until(lambda: _ended(home, run["run_id"]))
    assert ("completed", "good\n") == (done["status"], (home.folder / "notes.txt").read_text())
    assert served.process.poll() is None


def test_cancelled_run_stops(home: Home, served: Server) -> None:
    """
    A waiting run that is cancelled ends as cancelled, with who asked; nothing more runs.
    """
    home.write("waiting.yaml", WAITING)
    run = home.must("run", "waiting.yaml", *WITH_TOOLS)

    home.must("runs", "cancel", run["run_id"], "--reason", "not needed")

    done = wait_until(lambda: _ended(home, run["run_id"]))
    assert "cancelled" == done["status"]
    assert not (home.folder / "notes.txt").exists()
    assert served.process.poll() is None


def test_unknown_effect_is_settled_by_a_person(home: Home, served: Server) -> None:
    """
    An effect that nobody can know of waits; a person who looked settles it, and the run goes on with that output.
    """
    home.write("doubtful.yaml", DOUBTFUL)
    run = home.must("run", "doubtful.yaml", *WITH_TOOLS)
    assert ("waiting", "settlement of doubt") == (run["status"], run["waiting_for"])
    words = ("runs", "resolve", run["run_id"], "doubt", "--outcome", "happened", "--output", '{"seen": true}')

    home.must(*words, "--reason", "found it in the provider's list")

    done = wait_until(lambda: _ended(home, run["run_id"]))
    assert ("completed", {"seen": True}) == (done["status"], done["output"])
    assert served.process.poll() is None


def test_paused_tenant_acts_no_more(home: Home) -> None:
    """
    The kill switch stops every action; lifted, the next run works.
    """
    home.must("apply", "remit.yaml", "note.yaml", *WITH_TOOLS)
    home.must("tenants", "pause", "default")

    stopped = home.remit("run", "note.yaml", *WITH_TOOLS, "--input", '{"text": "a"}', "--format", "json")

    assert 0 != stopped.exit_code
    assert not (home.folder / "notes.txt").exists()
    home.must("tenants", "resume", "default")
    assert "completed" == home.must("run", "note.yaml", *WITH_TOOLS, "--input", '{"text": "b"}')["status"]


@pytest.mark.parametrize(
    ("table", "change", "part"),
    [
        ("payloads", "payload = payload || ' '::bytea", "payload"),
        ("journal", "at = at + interval '1 second'", "hash"),
    ],
    ids=["payload", "instant"],
)
def test_changed_journal_is_named_with_its_place(home: Home, table: str, change: str, part: str) -> None:
    """
    A replay of a run whose journal was changed is a negative result that names entry and part.
    """
    run = home.must("run", "note.yaml", "--remit", "remit.yaml", *WITH_TOOLS, "--input", '{"text": "a"}')
    assert home.must("runs", "replay", run["run_id"])["verified"]
    asyncio.run(_tamper(home, f"update remit.{table} set {change} where sequence = 2"))

    said = home.remit("runs", "replay", run["run_id"], "--format", "json")

    report = said.json()
    assert (1, False) == (said.exit_code, report["verified"])
    assert {"sequence": 2, "part": part} == report["place"]


def test_schema_can_go_down_and_up(home: Home) -> None:
    """
    `db` says which version there is, takes it away only when told that this loses data, and brings it back.
    """
    assert {"version": "0001", "newest": "0001", "current": True} == home.must("db", "status")
    refused = home.remit("db", "downgrade", "--to", "base")
    gone = home.remit("db", "downgrade", "--to", "base", "--yes", "--format", "json")
    without = home.remit("runs", "list")

    assert (2, 0, 3) == (refused.exit_code, gone.exit_code, without.exit_code)
    assert "remit db upgrade" in without.err
    assert home.must("db", "upgrade")["current"]
    assert [] == home.must("runs", "list")["runs"]


async def _tamper(home: Home, statement: str) -> None:
    """Change what is stored as only the server's superuser can, past every trigger."""
    connection = await asyncpg.connect(home.admin_url)
    try:
        await connection.execute("set session_replication_role = replica")
        await connection.execute(statement)
    finally:
        await connection.close()


def _ended(home: Home, run_id: str) -> dict[str, object] | None:
    run: dict[str, object] = home.remit("runs", "show", run_id, "--format", "json").json()
    return run if run["status"] in {"completed", "failed", "cancelled"} else None
