"""Room for more work: what is left of the server's volume, the ballast, and what a refused write means for the next.

Owns: how much must stay free, the ballast file, and for how long writes are not even tried after one was refused.
Does not know: who asks, and how the server is started.

PostgreSQL does not survive a full volume: when its log cannot be written it ends, and cannot start again before there
is space. So work is refused *before* that, and the ballast is given up when it happened all the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from remit.clock import monotonic
from remit.errors import StoreReadOnlyError
from remit.ports.room import RoomReport

MIB: Final = 1024 * 1024
RESERVE_RATIO: Final = 0.1
RESERVE_BYTES_MIN: Final = 1024 * MIB
RESERVE_BYTES_MAX: Final = 4096 * MIB
"""Twice the log that the embedded server writes between two checkpoints: more than that, no outage needs."""

RESERVE_RATIO_MAX: Final = 0.2
"""Of a volume that is smaller than the minimum would need."""

INODES_MIN: Final = 256
RECOVERED_RATIO: Final = 1.1
"""So much of the reserve must be free again: work that begins must not end it at once."""

LOOK_SECONDS: Final = 0.25
REFUSED_SECONDS: Final = 5.0
"""Writes are tried again so long after the server refused one for want of space, or as a standby."""

START_BYTES_MIN: Final = 64 * MIB
"""Four segments of the log: with less a server may not get through its recovery."""

BALLAST_NAME: Final = "ballast"
BALLAST_RATIO_MAX: Final = 0.125
"""Of a volume: a small one must not be full of ballast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """What is free for the server, of how much."""

    free_bytes: int
    total_bytes: int
    is_out_of_inodes: bool


def read_volume(paths: Sequence[Path]) -> Volume | None:
    """Return the scarcest volume of those that the paths are on; ``None`` if none of them can be looked at."""
    found = []
    for path in paths:
        with suppress(OSError):
            status = os.statvfs(path)
            found.append(
                Volume(
                    free_bytes=status.f_bavail * status.f_frsize,
                    total_bytes=status.f_blocks * status.f_frsize,
                    is_out_of_inodes=status.f_files > 0 and status.f_favail < INODES_MIN,
                )
            )
    return min(found, key=lambda volume: volume.free_bytes, default=None)


def reserve_of(volume: Volume, wanted_bytes: int | None) -> int:
    """Return how much must stay free: what is wanted, else a tenth, from 1 to 4 GiB; of small volumes up to a fifth."""
    if wanted_bytes is not None:
        return wanted_bytes
    reserve = min(max(volume.total_bytes * RESERVE_RATIO, RESERVE_BYTES_MIN), RESERVE_BYTES_MAX)
    return int(min(reserve, volume.total_bytes * RESERVE_RATIO_MAX))


class StoreRoom:
    """The room port over a volume, if it can be seen, and over what the server says.

    Args:
        paths: Folders on the volumes that the server writes to; none if it is elsewhere.
        reserve_bytes: How much must stay free; ``None`` follows the volume's size, 0 never refuses.
        now: Monotonic seconds.
    """

    def __init__(
        self, paths: Sequence[Path] = (), *, reserve_bytes: int | None = None, now: Callable[[], float] = monotonic
    ) -> None:
        self._paths = tuple(paths)
        self._wanted = reserve_bytes
        self._now = now
        self._looked_at = float("-inf")
        self._report = RoomReport()
        self._refusal: StoreReadOnlyError | None = None
        self._refused_at = 0.0

    def require(self) -> None:
        """Return if there is room; looks at the volume at most four times a second.

        Raises:
            StoreReadOnlyError: the volume's reserve is touched, or the server refused a write a moment ago.
        """
        if self._is_refusing():
            raise StoreReadOnlyError(f"nothing is taken on for now: {self._reason()}", retryable=True)
        report = self._look()
        if report.is_short:
            raise StoreReadOnlyError(f"nothing is taken on for now: {report.reason}", retryable=True)

    def look(self) -> RoomReport:
        """Return how much there is, as of now."""
        report = self._look(fresh=True)
        if self._is_refusing():
            return RoomReport(reason=self._reason(), free_bytes=report.free_bytes, reserve_bytes=report.reserve_bytes)
        return report

    def refused(self, error: StoreReadOnlyError) -> None:
        """Note that the server refused a write."""
        self._refusal, self._refused_at = error, self._now()

    def _is_refusing(self) -> bool:
        return self._refusal is not None and self._now() - self._refused_at < REFUSED_SECONDS

    def _reason(self) -> str:
        assert self._refusal is not None
        return self._refusal.message

    def _look(self, *, fresh: bool = False) -> RoomReport:
        if not self._paths or (not fresh and self._now() - self._looked_at < LOOK_SECONDS):
            return self._report
        self._looked_at = self._now()
        volume = read_volume(self._paths)
        self._report = RoomReport() if volume is None else self._judge(volume)
        return self._report

    def _judge(self, volume: Volume) -> RoomReport:
        reserve = reserve_of(volume, self._wanted)
        enough = reserve * RECOVERED_RATIO if self._report.is_short else reserve
        reason = ""
        if reserve and volume.free_bytes < enough:
            reason = (
                f"the database's volume has {_mib(volume.free_bytes)} free, and {_mib(reserve)} must stay free: "
                "make room, or set REMIT_DISK_RESERVE_MB"
            )
        elif reserve and volume.is_out_of_inodes:
            reason = f"the database's volume has fewer than {INODES_MIN} inodes left"
        return RoomReport(reason=reason, free_bytes=volume.free_bytes, reserve_bytes=reserve)


class Ballast:
    """A file of no content that takes space, so that there is some to give back when the volume is full.

    Args:
        path: Where it is; on the volume that the server writes its log to.
        size_bytes: How large it is; 0 means none.
    """

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._path = path
        self.size_bytes = size_bytes

    @property
    def kept_bytes(self) -> int:
        """Return how much there is to give back."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def keep(self, *, reserve_bytes: int | None) -> bool:
        """Make the file if it is not there and leaves the volume more than its reserve; true if it was made.

        Idempotency: one that was being made when its process died is made anew. One at a time: the caller holds a lock.
        """
        volume = read_volume([self._path.parent])
        if volume is None or not self.size_bytes or self.kept_bytes:
            return False
        size = min(self.size_bytes, int(volume.total_bytes * BALLAST_RATIO_MAX))
        if volume.free_bytes - size < reserve_of(volume, reserve_bytes) * RECOVERED_RATIO:
            return False
        draft = self._path.with_name(f".{self._path.name}")
        try:
            descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                _allocate(descriptor, size)
            finally:
                os.close(descriptor)
            draft.rename(self._path)
        except OSError:
            draft.unlink(missing_ok=True)
            return False
        return True

    def release(self) -> bool:
        """Give the space back; false if there was none."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True


def _allocate(descriptor: int, size: int) -> None:
    """Take real blocks: a sparse file would have nothing to give back."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    block = os.urandom(MIB)  # not even a file system that compresses makes less of it
    for offset in range(0, size, MIB):
        os.pwrite(descriptor, block[: size - offset], offset)


def _mib(size: int) -> str:
    return f"{size / MIB:,.0f} MiB"
