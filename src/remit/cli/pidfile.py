"""Which ``remit up`` serves a data directory: a file with its process id and address.

Owns: the file. It is a hint: a process id that is gone, or belongs to another program since, counts as none.
"""

from __future__ import annotations

import fcntl
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from remit.settings import Settings
from remit.store.embedded import default_data_dir

NAME: Final = "up.json"
LOCK_NAME: Final = "up.lock"
LOCK_ATTEMPTS: Final = 10
LOCK_RETRY_SECONDS: Final = 0.02


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A ``remit up``: where it listens, its process, and the tools that it can call."""

    pid: int
    url: str
    has_worker: bool
    tools: tuple[str, ...]


@dataclass(slots=True)
class UpLock:
    """Held by a ``remit up`` while it lives; the operating system lets go of it when it dies."""

    path: Path
    descriptor: int

    @property
    def pid(self) -> int:
        """Return this process's id."""
        return os.getpid()

    def announce(self, running: Running) -> None:
        """Write where this process can be reached, readable by its user alone."""
        partial = self.path.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_bytes(msgspec.json.encode(running))
        partial.replace(self.path)

    def release(self) -> None:
        """Remove the file and let go of the lock."""
        self.path.unlink(missing_ok=True)
        os.close(self.descriptor)


def data_dir_of(settings: Settings) -> Path:
    """Return the folder of the embedded server's data, which is also where the files of this module are."""
    return (settings.data_dir or default_data_dir()).absolute()


def take_lock(settings: Settings) -> UpLock | None:
    """Return the lock of the data directory, or ``None`` if another process holds it."""
    folder = data_dir_of(settings)
    folder.mkdir(mode=0o755 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for _ in range(LOCK_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Somebody who only looks holds it for an instant, too.
            threading.Event().wait(LOCK_RETRY_SECONDS)
        else:
            return UpLock(path=folder / NAME, descriptor=descriptor)
    os.close(descriptor)
    return None


def find_running(settings: Settings) -> Running | None:
    """Return the ``remit up`` that serves the data directory, or ``None``."""
    folder = data_dir_of(settings)
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(folder / NAME)
    finally:
        os.close(descriptor)
    return None


def _read(path: Path) -> Running | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return None
