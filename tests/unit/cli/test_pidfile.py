"""Which `remit up` serves a folder."""

from __future__ import annotations

import os
from pathlib import Path

from remit.cli.pidfile import NAME, Running, find_running, take_lock
from remit.settings import Settings


def test_running_is_found_while_its_lock_is_held(tmp_path: Path) -> None:
    """
    What was announced is found by others until the lock is let go; the file alone means nothing.
    """
    settings = Settings(data_dir=tmp_path)
    running = Running(pid=os.getpid(), url="http://127.0.0.1:1", has_worker=True, tools=("a.b",))
    assert find_running(settings) is None

    lock = take_lock(settings)
    assert lock is not None
    lock.announce(running)

    assert running == find_running(settings)
    assert take_lock(settings) is None
    os.close(lock.descriptor)  # as if the process had been killed: the file stays
    assert (tmp_path / NAME).exists()
    assert find_running(settings) is None


def test_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    """
    An orderly end leaves nothing behind.
    """
    settings = Settings(data_dir=tmp_path)
    first = take_lock(settings)
    assert first is not None
    first.release()

    second = take_lock(settings)

    assert second is not None
    assert not (tmp_path / NAME).exists()
    second.release()


def test_announcement_is_private(tmp_path: Path) -> None:
    """
    Nobody else may read where a server listens.
    """
    lock = take_lock(Settings(data_dir=tmp_path))
    assert lock is not None
    lock.announce(Running(pid=1, url="http://127.0.0.1:1", has_worker=False, tools=()))

    assert 0 == (tmp_path / NAME).stat().st_mode & 0o077
    lock.release()
