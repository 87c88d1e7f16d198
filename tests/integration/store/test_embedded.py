"""The embedded server: made, joined, killed, restarted, and never run as root."""

import asyncio
import os
import select
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from remit.errors import SettingsInvalidError, UnsafeDatabaseError
from remit.settings import Settings
from remit.store import EmbeddedServer, Lifetime, ServerAddress, open_store
from remit.testing.database import private_server

GONE_SECONDS_MAX = 30.0
STARTER = """
import sys
from pathlib import Path
from remit.store import EmbeddedServer, Lifetime
print(EmbeddedServer(Path(sys.argv[1]), lifetime=Lifetime(sys.argv[2])).start().pid, flush=True)
sys.stdin.read()
"""


def wait_until_gone(pid: int) -> bool:
    """Wait for the end of a process that may be anybody's child."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    readable, _, _ = select.select([descriptor], [], [], GONE_SECONDS_MAX)
    os.close(descriptor)
    return bool(readable)


def start_elsewhere(folder: Path, lifetime: Lifetime) -> "subprocess.Popen[str]":
    """Start the server from another process, which lives until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder), lifetime.value],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def pid_from(process: "subprocess.Popen[str]") -> int:
    """The server's process id, as another process sees it."""
    assert process.stdout is not None
    return int(process.stdout.readline())


def finish(process: "subprocess.Popen[str]") -> None:
    """Let a starter end by itself."""
    process.communicate("")


async def value_of(url: str, query: str) -> object:
    """The first value that a query returns."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def address() -> Iterator[ServerAddress]:
    """A running server that no test stops."""
    with private_server() as server:
        yield server.start()


def test_start_again_joins_the_running_server(server: EmbeddedServer) -> None:
    """
    Starting is idempotent: the second call finds the first one's server.
    """
    first = server.start()

    assert first == server.start() == server.find()


def test_processes_that_start_at_once_share_one_server(server: EmbeddedServer) -> None:
    """
    Of several processes that start the server at the same time one makes it and the others join.
    """
    folder = server.start().data_dir
    server.stop()
    starters = [start_elsewhere(folder, Lifetime.DETACHED) for _ in range(3)]

    pids = {pid_from(starter) for starter in starters}

    for starter in starters:
        finish(starter)
    assert 1 == len(pids)
    found = server.find()
    assert found is not None
    assert pids == {found.pid}


async def test_killed_server_starts_again_with_its_data(server: EmbeddedServer) -> None:
    """
    After a kill the server starts again by itself, without anybody removing its lock, and nothing acknowledged is lost.
    """
    first = server.start()
    await value_of(first.owner_url, "select 1 from (select set_config('a.b', 'c', false)) x")
    connection = await asyncpg.connect(first.owner_url)
    await connection.execute("create table kept (x integer)")
    await connection.execute("insert into kept values (42)")
    os.kill(first.pid, signal.SIGKILL)
    connection.terminate()

    second = await asyncio.to_thread(start_after, server, first.pid)

    assert first.pid != second.pid
    assert 42 == await value_of(second.owner_url, "select x from kept")


def start_after(server: EmbeddedServer, pid: int) -> ServerAddress:
    """Start once the old process is gone or at least no longer answers."""
    assert wait_until_gone(pid)
    return server.start()


def test_owned_server_ends_with_its_last_user(server: EmbeddedServer) -> None:
    """
    An owned server goes on while anybody uses it, and ends when the last user is gone, even one that was killed.
    """
    folder = server.start().data_dir
    server.stop()
    first, second = [start_elsewhere(folder, Lifetime.OWNED) for _ in range(2)]
    pid = pid_from(first)
    assert pid == pid_from(second)

    finish(first)
    assert server.find() is not None
    second.kill()
    finish(second)

    assert wait_until_gone(pid)
    assert server.find() is None


def test_detached_server_outlives_its_starter(server: EmbeddedServer) -> None:
    """
    A detached server goes on after the process that started it.
    """
    folder = server.start().data_dir
    server.stop()
    starter = start_elsewhere(folder, Lifetime.DETACHED)
    pid = pid_from(starter)

    finish(starter)

    found = server.find()
    assert found is not None
    assert pid == found.pid


def test_killed_server_of_a_dead_starter_starts_again(server: EmbeddedServer) -> None:
    """
    A killed server whose starter is gone too does not stay behind as a zombie that holds its lock.
    """
    folder = server.start().data_dir
    server.stop()
    starter = start_elsewhere(folder, Lifetime.DETACHED)
    pid = pid_from(starter)
    starter.kill()
    finish(starter)
    os.kill(pid, signal.SIGKILL)
    assert wait_until_gone(pid)

    assert pid != server.start().pid


def test_server_never_runs_as_root(address: ServerAddress) -> None:
    """
    Whoever starts it, the server and its data belong to an unprivileged user.
    """
    owners = {Path(f"/proc/{address.pid}").stat().st_uid, (address.data_dir / "postgresql-18").stat().st_uid}

    assert 0 not in owners
    assert 1 == len(owners)


def test_secrets_and_data_are_private(address: ServerAddress) -> None:
    """
    Passwords, data and socket are for their owner only, and an address does not show its passwords.
    """
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in (address.data_dir / "credentials-18.json", address.data_dir / "postgresql-18", address.socket_dir)
    }

    assert {"credentials-18.json": 0o600, "postgresql-18": 0o700, "socket": 0o700} == modes
    assert "password" not in repr(address)
    assert "postgresql://" not in repr(address)


async def test_server_asks_for_passwords_and_ignores_the_network(address: ServerAddress) -> None:
    """
    Nobody connects without the password, and nothing listens on a port.
    """
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(host=str(address.socket_dir), user="remit_admin", password="guess", database="remit")

    assert "" == await value_of(address.app_url, "show listen_addresses")


async def test_server_keeps_what_it_acknowledges(address: ServerAddress) -> None:
    """
    The settings on which durability rests are on, and page checksums too.
    """
    for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
        assert "on" == await value_of(address.app_url, f"show {name}")


async def test_other_major_of_the_wheel_serves_the_schema() -> None:
    """
    The wheel's older major makes a store as well.
    """
    with private_server(16) as server:
        address = server.start()
        assert "16" == str(await value_of(address.admin_url, "show server_version"))[:2]
        assert isinstance(await value_of(address.owner_url, "select current_setting('server_version_num')"), str)


async def test_open_store_makes_everything_that_is_missing(server: EmbeddedServer) -> None:
    """
    From an empty folder to a store with its schema is one call; the next one finds it there.
    """
    folder = server.start().data_dir
    for _ in range(2):
        store = await open_store(Settings(data_dir=folder), lifetime=Lifetime.OWNED)
        assert [] == await store.directory.list_tenants()
        await store.close()


def test_long_folder_gets_a_short_socket() -> None:
    """
    A data directory whose path is too long for a socket still works.
    """
    parent = Path(tempfile.mkdtemp(prefix="remit-long-"))
    parent.chmod(0o755)
    server = EmbeddedServer(parent / ("x" * 90), lifetime=Lifetime.OWNED)
    try:
        address = server.start()
        assert len(str(address.socket_dir)) < 90
        assert stat.S_IMODE(address.socket_dir.stat().st_mode) == 0o700
        server.stop()
        assert not address.socket_dir.exists()
    finally:
        server.stop()
        subprocess.run(["rm", "-rf", str(parent)], check=True)


def test_folder_of_others_is_refused() -> None:
    """
    A data directory that others may write to, or that the server's user cannot reach, is refused and left alone.
    """
    parent = Path(tempfile.mkdtemp(prefix="remit-open-"))
    parent.chmod(0o777)
    try:
        with pytest.raises((UnsafeDatabaseError, SettingsInvalidError)):
            EmbeddedServer(parent).start()
        if os.geteuid() == 0:
            parent.chmod(0o700)
            with pytest.raises(SettingsInvalidError):
                EmbeddedServer(parent / "data").start()
        assert not list(parent.rglob("PG_VERSION"))
    finally:
        subprocess.run(["rm", "-rf", str(parent)], check=True)
