"""Leak canaries: secrets and personal data pass through runs that go well and badly, and come out nowhere."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from remit.clock import wall_clock
from remit_commerce.ingress.signers import sign
from tests.acceptance.canaries import FORMS, Canaries, leaks
from tests.acceptance.processes import Home, Server
from tests.acceptance.test_http import as_admin

TOOLS = '''
from remit import ToolContext, ToolResult, tool
from remit.errors import ToolError


@tool("leak.say", credential="vault")
def say(how: str, address: str, card: str, context: ToolContext) -> dict[str, str]:
    """Do with a credential and a person's data what a careless tool does."""
    told = f"{context.credentials['vault']} of {address}, {card}"
    match how:
        case "return":
            return {"told": told}
        case "crash":
            raise RuntimeError(told)
        case "fail":
            raise ToolError(told, reason="BROKEN")
        case "reason":
            raise ToolError("no", reason=context.credentials["vault"])
    raise ToolError("unknown")


@tool("leak.act", side_effect="HARD_WRITE", operation="write", credential="vault")
def act(address: str, context: ToolContext) -> ToolResult:
    """Lose an answer, and say too much about it."""
    raise ToolError(f"no answer for {context.credentials['vault']} of {address}", effect="unknown", reason="LOST")
'''
REMIT = """
business: leaky
version: 1.0.0
bounds: {steps_max: 20, tool_calls_max: 20}
scopes:
  - {tool: leak.*}
credentials: {vault: VAULT}
"""
SAY = """
name: say
version: 1.0.0
parameters: [{name: how}, {name: address}, {name: card}]
steps:
  - id: say
    tool: leak.say
    input: {how: "${{ input.how }}", address: "${{ input.address }}", card: "${{ input.card }}"}
"""
ACT = """
name: act
version: 1.0.0
parameters: [{name: address}]
steps:
  - {id: act, tool: leak.act, input: {address: "${{ input.address }}"}}
"""
WAYS = ("return", "crash", "fail", "reason")


@pytest.fixture
def canaries() -> Canaries:
    """The canaries of one test."""
    return Canaries()


@pytest.fixture
def server(home: Home, canaries: Canaries) -> Server:
    """A server whose tools are careless, with the canaries as its secrets."""
    home.write("tools.py", TOOLS)
    home.write("remit.yaml", REMIT)
    home.write("say.yaml", SAY)
    home.write("act.yaml", ACT)
    home.environment["REMIT_SECRET_DEFAULT__VAULT"] = canaries.secrets["tool credential"]
    home.environment["REMIT_SECRET_DEFAULT__SHOP_SECRET"] = canaries.secrets["webhook secret"]
    server = home.start("up", "--port", "0", "--tools", "tools.py")
    home.must("apply", "remit.yaml", "say.yaml", "act.yaml", "--tools", "tools.py")
    return server


def act_badly(home: Home, canaries: Canaries) -> list[str]:
    """Run every careless thing and return the runs' ids."""
    runs = []
    for how in WAYS:
        words = {"how": how, **canaries.persons}
        said = home.remit("run", "say.yaml", "--input", json.dumps(words), "--tools", "tools.py", "--format", "json")
        runs.append(said.json()["run_id"])
    said = home.remit(
        "run", "act.yaml", "--input", json.dumps({"address": canaries.persons["address"]}),
        "--tools", "tools.py", "--format", "json",
    )  # fmt: skip
    runs.append(said.json()["run_id"])
    return runs


def test_canaries_come_out_nowhere(home: Home, server: Server, canaries: Canaries) -> None:
    """
    In logs, metrics, traces, dumps, refusals, tables and command lines there is none of them, in any form; and the
    scanner, given each of these texts with a canary put into it, finds it in every form.
    """
    runs = act_badly(home, canaries)
    sinks = {**of_commands(home, runs), **of_http(home, server, canaries), **of_the_machine(home, server)}

    tables = asyncio.run(of_tables(home))
    # The data of persons is what a run works on, so its tables hold it; no secret is.
    found = {name: leaks(text, canaries.all) for name, text in sinks.items()}
    found |= {name: leaks(text, canaries.secrets) for name, text in tables.items()}

    assert {} == {name: leak for name, leak in found.items() if leak}
    assert len(sinks) >= 14
    for name, text in {**sinks, **tables}.items():
        middle = len(text) // 2
        for form, disguise in FORMS.items():
            planted = text[:middle] + disguise(canaries.secrets["tool credential"]) + text[middle:]
            assert leaks(planted, canaries.secrets), (name, form)


def of_commands(home: Home, runs: list[str]) -> dict[str, str]:
    """Return what commands say about the runs, as text and as data."""
    sinks: dict[str, str] = {}
    commands = [("list", ("runs", "list")), ("stuck", ("runs", "stuck")), ("doctor", ("doctor",))]
    for verb in ("show", "trace", "dump"):
        commands += [(f"{verb} {number}", ("runs", verb, run)) for number, run in enumerate(runs)]
    commands += [("outbox", ("outbox", "list")), ("events", ("events", "list")), ("webhooks", ("webhooks", "list"))]
    for name, words in commands:
        said = home.remit(*words, "--tools", "tools.py", "--format", "json")
        sinks[name] = said.out + said.err
    return sinks


def of_http(home: Home, server: Server, canaries: Canaries) -> dict[str, str]:
    """Return what the server answers to what it refuses and to whoever asks for figures."""
    home.must("principals", "create", "shop", "--kind", "service")
    path = home.must("webhooks", "create", "shopify", "--secret", "shop_secret", "--principal", "shop")["path"]
    body = json.dumps({"id": 1, "note": canaries.persons["address"]}).encode()
    signed = sign("shopify", body=body, secret=canaries.secrets["webhook secret"], now=wall_clock())
    headers = {"X-Shopify-Topic": "orders/create", "X-Shopify-Event-Id": "e-1", "Content-Type": "application/json"}
    shut = "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    answers = {
        "metrics": server.call("GET", "/metrics"),
        "forged webhook": server.call(
            "POST", path, content=body, headers={**headers, **signed, "X-Shopify-Hmac-Sha256": "no"}
        ),
        "broken webhook": server.call("POST", path, content=body[:-1], headers={**headers, **signed}),
        "true webhook": server.call("POST", path, content=body, headers={**headers, **signed}),
        "wrong key": server.call("GET", "/runs", key=canaries.secrets["tool credential"]),
        "no such path": server.call("GET", f"/{canaries.persons['address']}"),
        "broken request": server.call("POST", "/runs", content=canaries.persons["address"].encode()),
    }
    asyncio.run(as_admin(home, "alter database {name} allow_connections false", shut))
    answers["store away"] = server.call("POST", path, content=body, headers={**headers, **signed})
    asyncio.run(as_admin(home, "alter database {name} allow_connections true"))
    assert {200, 400, 401, 404, 503} <= {answer.status_code for answer in answers.values()}
    return {name: f"{answer.headers}\n{answer.text}" for name, answer in answers.items()}


def of_the_machine(home: Home, server: Server) -> dict[str, str]:
    """Return both servers' logs, the command line, and the text of every table."""
    line = Path(f"/proc/{server.process.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    folder = Path(parse_qs(urlsplit(home.admin_url).query)["host"][0])
    logs = [path.read_text(errors="replace") for path in folder.parent.glob("**/*.log")]
    assert logs
    return {"log": server.log.read_text(), "command line": line, "PostgreSQL log": "".join(logs)}


async def of_tables(home: Home) -> dict[str, str]:
    """Return every row of every table as text; bytes are shown as hexadecimal digits."""
    connection = await asyncpg.connect(home.admin_url)
    try:
        names = await connection.fetch(
            "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'remit'"
        )
        rows = {row["name"]: await connection.fetch(f"select t::text as line from {row['name']} t") for row in names}
    finally:
        await connection.close()
    return {f"table {name}": "\n".join(row["line"] for row in found) for name, found in rows.items() if found}
