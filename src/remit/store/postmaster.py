"""The server's process: found, started, stopped.

Owns: ``postmaster.pid``, which is read and never deleted: the server itself knows best when it is stale.
Does not know: who may connect.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from remit.clock import monotonic
from remit.errors import StoreUnavailableError
from remit.store.cluster import PORT, Cluster

START_ATTEMPTS_MAX: Final = 10
"""After a kill, 2 to 6 tries failed before the old server's processes were gone (measured)."""

READY_SECONDS_MAX: Final = 120.0
"""Recovery after a crash replays at most ``max_wal_size`` of log."""

STOP_SECONDS_MAX: Final = 30.0
_POLL_SECONDS: Final = 0.01
_RETRY_SECONDS: Final = 0.05
_RETRY_SECONDS_MAX: Final = 1.0
_KEEPER: Final = '{ "$@" >&2; :; } &'
"""A shell that stays behind as the server's parent and buries it when it dies, however it dies.

Without one, a killed server whose parent is gone stays a zombie wherever process 1 buries nobody (many containers), and
a zombie holds its lock for ever. The keeper's standard output is ours: it closes when the server has ended.
"""

_CONTROL: Final = struct.Struct("=QIII")
"""How ``pg_control`` begins since version 8.1: system identifier, two versions, state of the cluster."""

_SHUT_DOWN: Final = 1
_TRANSIENT: Final = ("lock file", "shared memory block", "is another postmaster", "still in use")


@dataclass(frozen=True, slots=True, kw_only=True)
class Postmaster:
    """A running server: its process id and the folder of its socket."""

    pid: int
    socket_dir: Path


def find_postmaster(cluster: Cluster) -> Postmaster | None:
    """Return the server that is ready on this cluster, or ``None``. A stale file does not count: it must answer."""
    try:
        lines = (cluster.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    if len(lines) < 8 or lines[7].strip() != "ready":
        return None
    found = Postmaster(pid=int(lines[0]), socket_dir=Path(lines[4]))
    return found if is_alive(found.pid) and _answers(found.socket_dir) else None


def was_killed(cluster: Cluster) -> bool:
    """Tell whether the server is gone without having been stopped.

    One that is killed leaves its file behind. One that gives up, because its volume is full, takes the file away, but
    its control file does not say that it was shut down.
    """
    try:
        first = (cluster.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0]
    except FileNotFoundError:
        return not _was_shut_down(cluster)
    return first.isdigit() and not is_alive(int(first))


def _was_shut_down(cluster: Cluster) -> bool:
    try:
        with (cluster.data / "global" / "pg_control").open("rb") as file:
            _, _, _, state = _CONTROL.unpack(file.read(_CONTROL.size))
    except FileNotFoundError:
        return True  # there never was a server
    return bool(state == _SHUT_DOWN)


def launch(cluster: Cluster) -> Postmaster:
    """Start the server and wait until it is ready. The caller holds the lock that makes it the only starter.

    Raises:
        StoreUnavailableError: it does not come up; carries the end of its log.
    """
    delay = _RETRY_SECONDS
    for _ in range(START_ATTEMPTS_MAX):
        offset = cluster.log.stat().st_size if cluster.log.exists() else 0
        postmaster = _try_launch(cluster)
        if postmaster is not None:
            return postmaster
        said = _log_since(cluster.log, offset)
        if not any(word in said for word in _TRANSIENT):
            break
        # A killed server is still leaving: its lock ends with its last process.
        _pause(delay)
        delay = min(delay * 2, _RETRY_SECONDS_MAX)
    else:
        said = "another server's processes do not leave"
    raise StoreUnavailableError(
        f"expected the server on {cluster.data} to start; see {cluster.log}",
        said=said.splitlines()[-5:],
        retryable=True,
    )


def stop(cluster: Cluster, postmaster: Postmaster) -> None:
    """Stop the server: disconnect everybody, write a checkpoint, end."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        try:
            os.kill(postmaster.pid, number)
        except ProcessLookupError:
            return
        if _wait_until_gone(postmaster.pid):
            return
    raise StoreUnavailableError(f"expected the server on {cluster.data} to stop, but pid {postmaster.pid} goes on")


def is_alive(pid: int) -> bool:
    """Tell whether a process runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _try_launch(cluster: Cluster) -> Postmaster | None:
    descriptor = os.open(cluster.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(  # type: ignore[call-overload] # the identity's keys depend on who we are
            ["/bin/sh", "-c", _KEEPER, "sh", str(cluster.programs / "postgres"), "-D", str(cluster.data)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=descriptor,
            start_new_session=True,
            **cluster.run_as(),
        )
    finally:
        os.close(descriptor)
    with process:
        deadline = monotonic() + READY_SECONDS_MAX
        while monotonic() < deadline:
            has_ended, _, _ = select.select([process.stdout], [], [], _POLL_SECONDS)
            if has_ended:
                return None
            found = find_postmaster(cluster)
            if found is not None:
                return found
    return None


def _answers(folder: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(folder / f".s.PGSQL.{PORT}"))
        except OSError:
            return False
    return True


def _wait_until_gone(pid: int) -> bool:
    deadline = monotonic() + STOP_SECONDS_MAX
    while monotonic() < deadline:
        if not is_alive(pid):
            return True
        _pause(_POLL_SECONDS)
    return False


def _log_since(log: Path, offset: int) -> str:
    with log.open("rb") as file:
        file.seek(offset)
        return file.read().decode("utf-8", errors="replace")


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)
