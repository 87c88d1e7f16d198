"""Stops an owned server when the last process that uses it is gone, however it went.

Run as a program: ``watcher.py USERS_LOCK DATA PID``. Users hold a shared lock on the file; the system drops it when
they die. Standard library only, so that it starts in an instant.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import threading
from pathlib import Path


def main() -> None:
    """Wait for the users to leave, then stop the server if it is still the same one, while newcomers wait."""
    users, data, pid = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    with Path(users).open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not is_running(data, pid):
            return
        os.kill(pid, signal.SIGINT)
        for _ in range(6_000):
            if not is_running(data, pid):
                return
            threading.Event().wait(0.01)


def is_running(data: Path, pid: int) -> bool:
    """Tell whether this process is still the server of this data."""
    try:
        return (data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0] == str(pid)
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    main()
