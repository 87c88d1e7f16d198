"""Every command, in one tenant with ids of another: the answer is the one for an id that nobody has."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
import structlog
import typer

from remit.cli.app import COMMANDS
from remit.cli.app import run as run_command
from remit.testing.database import ScratchDatabase
from tests.integration.isolation.houses import House, settings_of, take_stock
from tests.integration.isolation.strangers import absent, comparable, foreign

ASKING = {
    "runs show RUN": "done_id",
    "runs show RUN --format json": "waiting_id",
    "runs trace RUN": "done_id",
    "runs receipts RUN": "done_id",
    "runs replay RUN": "done_id",
    "runs dump RUN": "waiting_id",
    "runs cancel RUN": "waiting_id",
    "runs signal RUN go": "waiting_id",
    "runs resolve RUN pay --outcome absent": "done_id",
    "runs list --definition NAME": "definition_name",
    "approvals show ID": "approval_id",
    "approvals show ID --format json": "approval_id",
    "approvals approve ID --as APPROVER": "approval_id",
    "approvals deny ID --as APPROVER": "approval_id",
    "approvals approve OWN --digest ID --as APPROVER": "approval_digest",
    "approvals approve OWN --as ID": "approver",
    "definitions show NAME": "definition_name",
    "definitions show ID": "definition_digest",
    "principals key ID": "operator",
    "webhooks create shopify --secret other --principal ID": "operator",
    "outbox retry ID": "message_id",
    "outbox retry MESSAGE --to ID": "subscription",
    "runs cancel OWNRUN --as ID": "operator",
}
"""A line of each command that takes an id, and the kind of id that is put into it."""

SHORTENED = {
    "runs show RUN": slice(-8, None),
    "approvals show ID": slice(8),
    "outbox retry ID": slice(12),
}
"""Where a part of an id is enough. Beginnings of run ids are instants, which one's own runs may share."""

LISTING = (
    "runs list", "approvals list --all", "definitions list", "principals list", "webhooks list", "events list",
    "outbox list", "runs stuck --older-than 0",
)  # fmt: skip
ELSEWHERE = {
    "demo": "makes an installation of its own", "init": "writes files", "doctor": "of the installation",
    "up": "serves all tenants", "down": "of this machine", "worker": "serves all tenants", "check": "stores nothing",
    "simulate": "knows no database",
    "apply": "takes files", "run": "takes a file; its run is of the tenant", "tools list": "of the installation",
    "tools show": "of the installation", "tenants list": "for operators of the installation",
    "tenants create": "for operators of the installation", "tenants pause": "for operators of the installation",
    "tenants resume": "for operators of the installation", "principals create": "makes one of one's own",
    "db status": "of the installation", "db upgrade": "of the installation", "db downgrade": "of the installation",
}  # fmt: skip
"""Commands that take no tenant's id."""


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Commands send the process's logs to their standard error, which ends with the test."""
    yield
    structlog.reset_defaults()


def commands() -> set[str]:
    """Return every command with its verb."""
    found = set()
    for name, (module, _) in COMMANDS.items():
        command: Any = typer.main.get_command(importlib.import_module(module).app)
        verbs = getattr(command, "commands", None)
        found |= {f"{name} {verb}" for verb in verbs} if verbs else {name}
    return found


class Terminal:
    """Runs commands in one tenant, as its operator."""

    def __init__(self, database: ScratchDatabase, mine: House, capsys: pytest.CaptureFixture[str]) -> None:
        self._settings = settings_of(database)
        self._mine = mine
        self._capsys = capsys

    def say(self, line: str) -> tuple[int, str, str]:
        """Run a command and return its exit code, output and errors."""
        words = line.split()
        shared = ["--tenant", self._mine.tenant_id] + ([] if "--as" in words else ["--as", self._mine.operator])
        self._capsys.readouterr()
        code = run_command([*words, *shared], settings=self._settings)
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def answer(self, line: str, value: str) -> tuple[int, str, str]:
        """Return the answer to a command with this id in it, without the id."""
        mine = self._mine
        for name, own in (
            ("OWNRUN", mine.done_id), ("OWN", mine.approval_id), ("MESSAGE", mine.message_id),
            ("APPROVER", mine.approver),
        ):  # fmt: skip
            line = line.replace(name, own)
        for name in ("RUN", "NAME", "ID"):
            line = line.replace(name, value)
        code, out, err = self.say(line)
        parts = (value, value[:16], value[:12], value[:8], value[-8:])
        return code, comparable(out, *parts), comparable(err, *parts)


@pytest.fixture
def terminal(
    matrix_database: ScratchDatabase, matrix_houses: tuple[House, House], capsys: pytest.CaptureFixture[str]
) -> Terminal:
    return Terminal(matrix_database, matrix_houses[0], capsys)


def stock_of(database: ScratchDatabase, house: House) -> object:
    """Return a digest of a tenant's rows."""

    async def take() -> object:
        connection = await asyncpg.connect(database.admin_url)
        stock = await take_stock(connection, house.tenant_id)
        await connection.close()
        return stock

    return asyncio.run(take())


def test_every_command_is_in_the_matrix() -> None:
    """
    A command that is added must be asked with another tenant's id, list one's own, or be said to take no tenant's id.
    """
    asked = {" ".join(line.split()[:2]) for line in (*ASKING, *LISTING)}

    asking = {command for command in commands() if not command.startswith("plan ")}  # plans know no database

    assert asking == asked | set(ELSEWHERE)


def test_foreign_id_is_answered_like_an_absent_one(
    terminal: Terminal, matrix_database: ScratchDatabase, matrix_houses: tuple[House, House]
) -> None:
    """
    Each command says of another tenant's id what it says of one that nobody has, whole or shortened, ends with the same
    code, and changes nothing of theirs.
    """
    theirs = matrix_houses[1]
    before = stock_of(matrix_database, theirs)
    differences = []
    for line, kind in ASKING.items():
        known, unknown = (terminal.answer(line, str(of(theirs, kind))) for of in (foreign, absent))
        differences += [f"{line}: {known} but {unknown}"] if known != unknown else []
        if line in SHORTENED:
            part = SHORTENED[line]
            known, unknown = (terminal.answer(line, str(of(theirs, kind))[part]) for of in (foreign, absent))
            differences += [f"part of {line}: {known} but {unknown}"] if known != unknown else []

    assert [] == differences
    assert before == stock_of(matrix_database, theirs)


def test_lists_show_one_s_own(terminal: Terminal, matrix_houses: tuple[House, House]) -> None:
    """
    A list is not empty, and holds nothing of another tenant.
    """
    mine, theirs = matrix_houses
    shown = {line: terminal.say(f"{line} --format json") for line in LISTING}

    codes = {line: code for line, (code, _, _) in shown.items()}
    assert codes.pop("runs stuck --older-than 0") in {0, 1}
    assert {0} == set(codes.values())
    assert [] == [line for line, (_, out, _) in shown.items() if theirs.done_id in out or theirs.approval_id in out]
    assert [] == [line for line, (_, out, _) in shown.items() if len(out) < 60 and "stuck" not in line]
    assert mine.done_id in shown["runs list"][1]
