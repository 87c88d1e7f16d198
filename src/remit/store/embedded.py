"""The embedded server: PostgreSQL from a wheel, started where and when it is needed.

Owns: one server per data directory, shared by all processes that use it, and how long it lives.
Does not know: what is stored in it (``migrate`` makes the schema, ``database`` connects).
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import quote

import structlog

from remit.errors import StoreUnavailableError
from remit.store import watcher
from remit.store.binaries import MAJOR_DEFAULT, SYSTEM_FOLDER, find_programs, server_account
from remit.store.cluster import (
    PORT,
    Cluster,
    Credentials,
    ensure_cluster,
    prepare_folder,
    socket_folder,
    write_settings,
)
from remit.store.postmaster import Postmaster, find_postmaster, launch, stop, was_killed
from remit.store.room import BALLAST_NAME, START_BYTES_MIN, Ballast, read_volume

DATABASE: Final = "remit"

_log = structlog.get_logger("remit.server")


class Lifetime(StrEnum):
    """How long a server lives."""

    DETACHED = "detached"
    """Until it is stopped; it outlives the process that started it."""
    OWNED = "owned"
    """Until the last process that started or joined it as owned is gone, even if that one was killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAddress:
    """A running embedded server. The URLs hold passwords: never log them.

    ``admin_url`` is the superuser's, for making databases and roles; ``owner_url`` owns the schema and runs migrations;
    ``app_url`` is what the kernel connects with.
    """

    admin_url: str = field(repr=False)
    owner_url: str = field(repr=False)
    app_url: str = field(repr=False)
    data_dir: Path
    socket_dir: Path
    pid: int


class EmbeddedServer:
    """One PostgreSQL server on one data directory, reachable over a private unix socket only.

    As a plain user everything is below ``data_dir`` (default ``~/.local/share/remit``). As root the server runs as
    ``postgres`` or ``nobody``, from a copy of the programs; the default data directory is then ``/var/lib/remit``, and
    one that is given must be reachable for that user.

    Args:
        data_dir: Where data, log, socket and passwords are kept; created if absent, refused if others may write to it.
        major: Major version of PostgreSQL: one that the wheel carries, or one that is installed.
        programs: The folder of that version's programs, if it is not one of the places where they are looked for.
        lifetime: Whether the server outlives its users.
        ballast_bytes: Size of the file that is given up when the server cannot start because its volume is full.
        reserve_bytes: What the ballast must leave free; ``None`` follows the volume's size.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        major: int = MAJOR_DEFAULT,
        programs: Path | None = None,
        lifetime: Lifetime = Lifetime.DETACHED,
        ballast_bytes: int = 0,
        reserve_bytes: int | None = None,
    ) -> None:
        self._folder = (data_dir or default_data_dir()).absolute()
        self._major = major
        self._programs = programs
        self._lifetime = lifetime
        self._cluster: Cluster | None = None
        self._users: int | None = None
        self._reserve_bytes = reserve_bytes
        self._ballast = Ballast(self._folder / BALLAST_NAME, ballast_bytes)

    @property
    def volume_paths(self) -> tuple[Path, Path]:
        """Where the server writes: its data, and its log, which somebody may have moved to another volume."""
        data = self._prepare().data
        return data, data / "pg_wal"

    @property
    def ballast_bytes(self) -> int:
        """How much ballast there is to give up."""
        return self._ballast.kept_bytes

    @property
    def folder(self) -> Path:
        """The data directory."""
        return self._folder

    def start(self) -> ServerAddress:
        """Return the running server's address, starting or even making it first.

        Idempotency: any number of processes may call this at the same time; one starts, the others join. A server that
        was killed is started again.

        Raises:
            UnsafeDatabaseError: the folder or the programs are not safe to use.
            SettingsInvalidError: the folder cannot be reached by the server's user.
            StoreUnavailableError: the server does not come up.
        """
        cluster = self._prepare()
        if self._lifetime is Lifetime.OWNED:
            self._join(cluster)
        with _locked(cluster.folder / "start.lock"):
            credentials = ensure_cluster(cluster)
            postmaster = find_postmaster(cluster)
            if postmaster is None:
                postmaster = self._launch(cluster)
                if self._lifetime is Lifetime.OWNED:
                    _watch(cluster, postmaster)
            self._ballast.keep(reserve_bytes=self._reserve_bytes)
        return _address(cluster, postmaster, credentials)

    def find(self) -> ServerAddress | None:
        """Return the address of the server if one runs, without starting it."""
        cluster = self._prepare()
        postmaster = find_postmaster(cluster)
        return None if postmaster is None else _address(cluster, postmaster, ensure_cluster(cluster))

    def revive(self) -> bool:
        """Start the server again if it was killed or gave up; true if it was. One that was stopped in order stays down.

        Cheap while all is well: no connection is made.
        """
        if not was_killed(self._prepare()):
            return False
        self.start()
        return True

    def keep_ballast(self) -> bool:
        """Make the ballast again if it was given up and there is room for it now; true if it was made."""
        if self.ballast_bytes or not self._ballast.size_bytes:
            return False
        with _locked(self._prepare().folder / "start.lock"):
            return self._ballast.keep(reserve_bytes=self._reserve_bytes)

    def stop(self) -> None:
        """Stop the server, whoever uses it; does nothing if none runs."""
        cluster = self._prepare()
        with _locked(cluster.folder / "start.lock"):
            postmaster = find_postmaster(cluster)
            if postmaster is not None:
                stop(cluster, postmaster)
                _forget_socket(cluster, postmaster)
        self.leave()

    def leave(self) -> None:
        """Stop counting as a user of an owned server; it ends when nobody is left."""
        if self._users is not None:
            os.close(self._users)
            self._users = None

    def _prepare(self) -> Cluster:
        if self._cluster is None:
            account = server_account()
            prepare_folder(self._folder, account)
            programs = find_programs(self._major, self._programs)
            self._cluster = Cluster(folder=self._folder, programs=programs, major=self._major, account=account)
        return self._cluster

    def _launch(self, cluster: Cluster) -> Postmaster:
        """Start the server; on a full volume by giving up the ballast, once."""
        try:
            write_settings(cluster, socket_folder(cluster))
            return launch(cluster)
        except (StoreUnavailableError, OSError) as error:
            volume = read_volume(self.volume_paths)
            if volume is None or volume.free_bytes >= START_BYTES_MIN or not self._ballast.release():
                raise
            _log.warning("ballast_released", free_bytes=volume.free_bytes, error=str(error))
        write_settings(cluster, socket_folder(cluster))
        return launch(cluster)

    def _join(self, cluster: Cluster) -> None:
        """Hold a shared lock for as long as we use the server; waits while a watcher is stopping it."""
        if self._users is None:
            descriptor = os.open(_users_lock(cluster), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            self._users = descriptor


def default_data_dir() -> Path:
    """Return where the embedded server keeps its data unless told otherwise."""
    return SYSTEM_FOLDER if os.geteuid() == 0 else Path.home() / ".local" / "share" / "remit"


def _address(cluster: Cluster, postmaster: Postmaster, credentials: Credentials) -> ServerAddress:
    def url(role: str, password: str) -> str:
        host = quote(str(postmaster.socket_dir), safe="")
        return f"postgresql://{role}:{password}@/{DATABASE}?host={host}&port={PORT}"

    return ServerAddress(
        admin_url=url("remit_admin", credentials.admin),
        owner_url=url("remit_owner", credentials.owner),
        app_url=url("remit_app", credentials.app),
        data_dir=cluster.folder,
        socket_dir=postmaster.socket_dir,
        pid=postmaster.pid,
    )


def _forget_socket(cluster: Cluster, postmaster: Postmaster) -> None:
    """Remove a socket folder that was made elsewhere because the data directory's path is long."""
    if postmaster.socket_dir.parent != cluster.folder:
        with suppress(OSError):
            postmaster.socket_dir.rmdir()


def _users_lock(cluster: Cluster) -> Path:
    return cluster.folder / f"users-{cluster.major}.lock"


def _watch(cluster: Cluster, postmaster: Postmaster) -> None:
    """Leave a process behind that stops the server when the last user is gone."""
    command = [sys.executable, "-I", "-S", str(watcher.__file__), str(_users_lock(cluster)), str(cluster.data)]
    process = subprocess.Popen(
        [*command, str(postmaster.pid)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    # It outlives this object, which must not warn about that.
    process.returncode = 0


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
