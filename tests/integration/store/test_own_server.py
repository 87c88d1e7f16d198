"""A server of one's own over TCP: TLS with a checked certificate, passwords, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from remit.bootstrap import OPERATOR, Kernel
from remit.core.definition import Definition, ToolStep, definition_digest
from remit.errors import RemitError, UnsafeDatabaseError
from remit.governance.contracts import contract_digest
from remit.governance.policy import BusinessConfig, Scope, encode_policy
from remit.ids import Digest, TenantId
from remit.settings import Settings
from remit.store import Database
from remit.store.migrate import upgrade
from remit.testing.tools import ScriptedTool, contract
from tests.integration.runtime.stage import WIDE
from tests.integration.store.own_server import OwnServer, own_server

TENANT = TenantId("default")
UNENCRYPTED = """
select count(*) from pg_stat_activity a join pg_stat_ssl s using (pid)
where a.usename = 'remit_app' and not s.ssl
"""
ENCRYPTED = UNENCRYPTED.replace("not s.ssl", "s.ssl")


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    """A server with TLS."""
    with own_server() as server:
        yield server


def settings_for(server: OwnServer) -> Settings:
    """What the environment of a kernel on this server says."""
    return Settings.from_environment(
        {"DATABASE_URL": server.url(), "DATABASE_APP_URL": server.url("remit_app"), "REMIT_TENANT": TENANT}
    )


async def counted(server: OwnServer, query: str) -> int:
    """What a superuser counts on the server."""
    admin = await asyncpg.connect(server.url("remit_admin"))
    try:
        return int(await admin.fetchval(query))
    finally:
        await admin.close()


async def test_kernel_works_over_tls(server: OwnServer) -> None:
    """
    Migrations, a run and its replay go through connections that are all encrypted, to a server whose name was checked.
    """
    await upgrade(server.url())
    tool = ScriptedTool(contract("t.work"))
    policy = encode_policy(BusinessConfig(name="own", version="1", bounds=WIDE, scopes=(Scope(tool="t.work"),)))
    step = ToolStep(id="work", tool="t.work", tool_version="1.0.0", contract_digest=contract_digest(tool.contract))
    async with Kernel(tools=[tool], packs=[], settings=settings_for(server)) as kernel:
        await kernel.store.directory.put_policy(TENANT, digest=Digest(definition_digest(policy)), body=policy)
        stored = await kernel.put_definition(Definition(name="own", version="1", steps=(step,), bounds=WIDE))
        submitted = await kernel.runs.submit(
            TENANT, definition_digest=stored.digest, run_input=None, principal_id=OPERATOR
        )
        run = await kernel.runs.wait(TENANT, submitted.run_id, timeout_seconds=30, until="at_rest")
        replay = await kernel.runs.replay(TENANT, submitted.run_id)
        encrypted, unencrypted = await counted(server, ENCRYPTED), await counted(server, UNENCRYPTED)

    assert "completed" == run.status, run.error
    assert 1 == len(tool.calls)
    assert replay.is_verified
    assert "15" == kernel.store.database.server_version.partition(".")[0]
    assert 0 < encrypted
    assert 0 == unencrypted


def test_commands_work_over_tls(server: OwnServer, tmp_path: Path) -> None:
    """
    The command line migrates and examines the server by its two URLs, and says which version it is.
    """
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "REMIT_DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": server.url(),
        "DATABASE_APP_URL": server.url("remit_app"),
    }
    said = {}
    for command in (("db", "upgrade"), ("doctor", "--format", "json")):
        program = str(Path(sys.executable).parent / "remit")
        result = subprocess.run([program, *command], env=environment, capture_output=True, text=True, check=False)
        assert 0 == result.returncode, result.stderr
        said[command[0]] = result.stdout

    assert "DATABASE_URL: 15." in said["doctor"]
    assert server.credentials.app not in said["doctor"] + said["db"]


@pytest.mark.parametrize("fault", ["other authority", "other name", "no encryption", "other password"])
async def test_server_that_is_not_the_one_is_refused(server: OwnServer, fault: str) -> None:
    """
    A certificate of somebody else, another name, no encryption or a wrong password end in a refusal, not in a retry.
    """
    url = {
        "other authority": server.url("remit_app", sslrootcert=str(server.other_authority)),
        "other name": server.url("remit_app", host="127.0.0.1"),
        "no encryption": server.url("remit_app", sslmode="disable"),
        "other password": server.url("remit_app").replace(server.credentials.app, "guess"),
    }[fault]

    with pytest.raises(RemitError) as caught:
        await Database(url).connect()

    assert isinstance(caught.value, UnsafeDatabaseError)
    assert server.credentials.app not in str(caught.value)
    assert not fault.startswith("other authority") or "sslrootcert" in caught.value.message
