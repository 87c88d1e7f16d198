"""A home of its own for each test, on a fresh database of the shared test server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from remit.testing.database import ScratchServer
from tests.acceptance.forking import Forks
from tests.acceptance.processes import Home, Server

TOOLS = '''
import asyncio
from pathlib import Path

from remit import ToolContext, tool
from remit.errors import ToolError

HERE = Path(__file__).parent


@tool("test.note", side_effect="HARD_WRITE", operation="write")
def note(text: str) -> dict[str, str]:
    """Append a line to a file: an effect that tests can count."""
    with (HERE / "notes.txt").open("a") as file:
        file.write(text + "\\n")
    return {"text": text}


@tool("test.fail")
def fail(reason: str) -> str:
    """Fail for good."""
    raise ToolError("it does not work", reason=reason)


@tool("test.doubt", side_effect="HARD_WRITE", operation="write")
def doubt() -> dict[str, bool]:
    """Lose its own answer: nobody can know whether it happened."""
    raise ToolError("the answer was lost", effect="unknown", reason="ANSWER_LOST")


@tool("test.gate")
async def gate() -> bool:
    """Say that it began, and wait until a file lets it go on. Reads only, so it may run again."""
    with (HERE / "began.txt").open("a") as file:
        file.write("began\\n")
    while not (HERE / "go").exists():
        await asyncio.sleep(0.02)
    return True
'''

REMIT = """
business: test
version: 1.0.0
bounds: {steps_max: 20, tool_calls_max: 20}
scopes:
  - {tool: test.*, principals: [operator, both]}
approval_rules:
  - id: loud
    tool: test.note
    when: ${{ input.text == "loud" }}
    reason: Loud notes are read by a second person first.
"""

NOTE = """
name: note
version: 1.0.0
input:
  type: object
  properties: {text: {type: string}}
  required: [text]
  additionalProperties: false
steps:
  - id: write
    tool: test.note
    input: {text: "${{ input.text }}"}
output: ${{ steps.write.output }}
"""


@pytest.fixture(scope="session")
def scratch_server() -> Iterator[ScratchServer]:
    """The embedded server that all test processes share."""
    with ScratchServer() as server:
        yield server


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """A process that starts commands without loading everything each time."""
    with Forks() as forks:
        yield forks


@pytest.fixture
def home(scratch_server: ScratchServer, forks: Forks, tmp_path: Path) -> Iterator[Home]:
    """A home with tools, a remit and an orchestration, on an empty database."""
    database = asyncio.run(scratch_server.create())
    home = Home(folder=tmp_path, forks=forks, admin_url=database.admin_url)
    home.environment = {"DATABASE_URL": database.owner_url, "DATABASE_APP_URL": database.app_url}
    home.write("tools.py", TOOLS)
    home.write("remit.yaml", REMIT)
    home.write("note.yaml", NOTE)
    try:
        yield home
    finally:
        home.close()
        asyncio.run(scratch_server.drop(database))


@pytest.fixture
def served(home: Home) -> Server:
    """The home with `remit up` running and its documents applied."""
    server = home.start("up", "--port", "0", "--tools", "tools.py")
    home.must("apply", "remit.yaml", "note.yaml", "--tools", "tools.py")
    return server
