"""A volume so small that a test can fill it, for whoever runs the tests.

Owns: how such a volume comes about. A program is started with a tmpfs of its own, in a mount namespace that ends with
it: as root directly, as a plain user in a user namespace in which it is itself again. Where neither is allowed, the
shared-memory file system serves, after a filler has taken what is too much.
Does not know: what is done with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MOUNT = 'mount -t tmpfs -o size="$1",mode=0755 tmpfs "$2" && shift 2 && exec "$@"'
SHARED_MEMORY = Path("/dev/shm")
FILLER_BYTES_MAX = 1024**3
"""It is memory: more than that is nobody's to take."""


@dataclass(frozen=True, kw_only=True)
class SmallVolume:
    """``command`` begins the command line of the program that shall see ``folder`` as a volume of its own."""

    folder: Path
    command: tuple[str, ...]


@contextmanager
def small_volume(size_bytes: int) -> Iterator[SmallVolume]:
    """Lend a small volume, made in the first way that works."""
    folder = Path(tempfile.mkdtemp(prefix="remit-volume-"))
    folder.chmod(0o755)
    ways = [_mounting(kind, size_bytes, folder) for kind in ("root", "namespace")]
    found = next((command for command in ways if _works(command)), None)
    try:
        if found is not None:
            yield SmallVolume(folder=folder, command=found)
        else:
            with _filled(size_bytes) as shared:
                yield SmallVolume(folder=shared, command=())
    finally:
        shutil.rmtree(folder)


def _mounting(kind: str, size_bytes: int, folder: Path) -> tuple[str, ...]:
    shell = ("sh", "-c", MOUNT, "sh", str(size_bytes), str(folder))
    if kind == "root":
        return ("unshare", "--mount", *shell)
    oneself = ("unshare", "--user", f"--map-user={os.geteuid()}", f"--map-group={os.getegid()}")
    return ("unshare", "--user", "--map-root-user", "--mount", *shell, *oneself)


def _works(command: tuple[str, ...]) -> bool:
    try:
        return subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@contextmanager
def _filled(size_bytes: int) -> Iterator[Path]:
    spare = free_bytes(SHARED_MEMORY) - size_bytes
    assert 0 <= spare <= FILLER_BYTES_MAX, f"expected to be allowed to mount a tmpfs, or a small {SHARED_MEMORY}"
    folder = Path(tempfile.mkdtemp(prefix="remit-volume-", dir=SHARED_MEMORY))
    folder.chmod(0o755)
    try:
        fill(folder / "filler", max(1, spare))
        yield folder
    finally:
        shutil.rmtree(folder)


def free_bytes(folder: Path) -> int:
    """Return what a plain user may still take."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def fill(path: Path, size_bytes: int) -> None:
    """Take space with a file that really has it."""
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size_bytes)
