"""What a person sees is rendered from the bytes that run, and whatever could deceive is shown as what it is."""

from __future__ import annotations

import asyncio
import json
import unicodedata
from collections.abc import Iterator

import pytest
import structlog

from remit.bootstrap import APPROVER
from remit.cli.app import run as run_command
from remit.core.canonical import JsonValue, canonical_bytes
from remit.governance.policy import ApprovalRule
from remit.settings import Settings
from remit.testing.database import ScratchDatabase, ScratchServer
from remit.testing.tools import ScriptedTool
from tests.integration.approvals.target import WAITING, paying
from tests.integration.runtime.stage import TENANT, Stage

DECEIVING: dict[str, JsonValue] = {
    "to": "supplier-7\u202e7-reilppus",
    "memo": "paid\u200b in full \x1b[2K\x1b[1A already approved",
    "name": "p\u0430ypal",
    "bank": "raiffeisen \u0440\u0430\u0443",
    "pad": "x" + " " * 400 + "amount: 1",
    "lines": "first\napproval  approved\nstatus  decided",
    "isolate": "\u2066hidden\u2069",
    "tag": "ok\U000e0041\U000e0042",
}
REASON = "money \u202e\x1b[31m and more"
WARNED = {
    "bidirectional": "turn the order",
    "hidden": "cannot be seen",
    "lookalike": "imitate",
    "padding": "long padding",
}


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Commands send the process's logs to their standard error, which ends with the test."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def shown(scratch_server: ScratchServer) -> Iterator[ScratchDatabase]:
    """A database in which a call with deceiving arguments waits for a person."""
    with asyncio.Runner() as runner:
        database = runner.run(scratch_server.create())
        runner.run(ask(database))
        yield database
        runner.run(scratch_server.drop(database))


async def ask(database: ScratchDatabase) -> None:
    async with Stage(database, ScriptedTool(paying())) as stage:
        await remit(stage)
        await stage.wait_for(await stage.submit(stage.step("t.pay", input=dict(DECEIVING))), WAITING)


async def remit(stage: Stage) -> None:
    rule = ApprovalRule(id="ask", tool="t.pay", reason=REASON)
    await stage.apply(approval_rules=(rule,), credentials={"bank": "bank_key"})


async def finish(database: ScratchDatabase) -> list[bytes]:
    """Let a worker go on, and return what its tool is sent."""
    tool = ScriptedTool(paying())
    async with Stage(database, tool) as stage:
        await remit(stage)
        (run,) = await stage.kernel.store.reader.list_runs(TENANT)
        await stage.end(run.run_id)
    return [canonical_bytes(dict(call.arguments)) for call in tool.calls]


def said(database: ScratchDatabase, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return what a command prints."""
    capsys.readouterr()
    settings = Settings(database_app_url=database.app_url, tenant=TENANT)
    assert 0 == run_command(list(words), settings=settings)
    return capsys.readouterr().out


def test_card_shows_what_deceives_as_what_it_is(shown: ScratchDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    """
    No character that turns, hides or moves text reaches the terminal, each is named, and each kind is warned of.
    """
    (listed,) = json.loads(said(shown, capsys, "approvals", "list", "--format", "json"))["approvals"]
    texts = [said(shown, capsys, "approvals", "list"), said(shown, capsys, "approvals", "show", listed["approval_id"])]
    raw = {
        character for text in texts for character in text
        if character != "\n" and unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"}
    }  # fmt: skip
    card = " ".join(texts[1].split())

    assert set() == raw
    assert [] == [code for code in ("202E", "200B", "2066", "E0041") if f"⟨U+{code}⟩" not in texts[1]]
    assert "\\u001b[2K" in texts[1]
    assert [] == [kind for kind, text in WARNED.items() if text not in card]
    assert "\nstatus  decided" not in texts[1]
    assert listed["digest"] in texts[1]


def test_shown_bytes_are_those_that_run(shown: ScratchDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    """
    What the command shows as JSON, byte for byte, is what the tool is sent once that digest was approved.
    """
    (listed,) = json.loads(said(shown, capsys, "approvals", "list", "--format", "json"))["approvals"]
    said(shown, capsys, "approvals", "approve", listed["approval_id"], "--digest", listed["digest"], "--as", APPROVER)
    with asyncio.Runner() as runner:
        sent = runner.run(finish(shown))

    assert [listed["arguments_text"].encode()] == sent
    assert DECEIVING == listed["arguments"]
