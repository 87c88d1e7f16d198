"""How much must stay free, when work is refused, and the ballast."""

from __future__ import annotations

from pathlib import Path

import pytest

from remit.errors import StoreReadOnlyError
from remit.store.room import MIB, REFUSED_SECONDS, Ballast, StoreRoom, Volume, read_volume, reserve_of

GIB = 1024 * MIB


def volume(total_bytes: int, free_bytes: int = 0) -> Volume:
    return Volume(free_bytes=free_bytes, total_bytes=total_bytes, is_out_of_inodes=False)


class Seconds:
    """Monotonic seconds that a test lets pass."""

    def __init__(self) -> None:
        self.elapsed = 0.0

    def __call__(self) -> float:
        return self.elapsed


@pytest.mark.parametrize(
    ("total", "reserve"),
    [(20 * GIB, 2 * GIB), (6 * GIB, GIB), (2_000 * GIB, 4 * GIB), (1 * GIB, GIB // 5), (100 * MIB, 20 * MIB)],
    ids=["a tenth", "at least", "at most", "small", "tiny"],
)
def test_reserve_follows_the_volume(total: int, reserve: int) -> None:
    """
    A tenth, from 1 to 4 GiB, but never more than a fifth of the volume.
    """
    assert reserve == pytest.approx(reserve_of(volume(total), None), abs=1)


def test_reserve_that_is_wanted_is_taken() -> None:
    """
    A setting decides, also one that refuses nothing.
    """
    assert 0 == reserve_of(volume(GIB), 0)
    assert 7 == reserve_of(volume(GIB), 7)


def test_room_refuses_below_its_reserve(tmp_path: Path) -> None:
    """
    With less free than the reserve nothing is taken on, and the reason says how much is missing.
    """
    found = read_volume([tmp_path])
    assert found is not None
    room = StoreRoom([tmp_path], reserve_bytes=found.total_bytes * 2)

    with pytest.raises(StoreReadOnlyError, match="must stay free") as caught:
        room.require()

    assert caught.value.retryable
    assert room.look().is_short


def test_room_without_reserve_refuses_nothing(tmp_path: Path) -> None:
    """
    A reserve of 0 turns the watching off; so does a server whose volume cannot be seen.
    """
    StoreRoom([tmp_path], reserve_bytes=0).require()
    StoreRoom([tmp_path / "absent"]).require()
    StoreRoom().require()


def test_room_remembers_a_refused_write_for_a_while() -> None:
    """
    What the server refused for want of space is not tried again at once, but after a pause.
    """
    now = Seconds()
    room = StoreRoom(now=now)
    room.refused(StoreReadOnlyError("append: the database's volume is full (53100)"))

    with pytest.raises(StoreReadOnlyError, match="53100"):
        room.require()
    now.elapsed = REFUSED_SECONDS + 0.1
    room.require()

    assert not room.look().is_short


def test_ballast_has_real_blocks_and_gives_them_back(tmp_path: Path) -> None:
    """
    It is made once, has blocks and not only a size, and is gone when it is given up.
    """
    ballast = Ballast(tmp_path / "ballast", MIB)

    assert ballast.keep(reserve_bytes=0)
    assert not ballast.keep(reserve_bytes=0)
    assert MIB <= (tmp_path / "ballast").stat().st_blocks * 512
    assert ballast.release()
    assert not ballast.release()
    assert [] == list(tmp_path.iterdir())


def test_ballast_is_not_made_out_of_the_reserve(tmp_path: Path) -> None:
    """
    Where the reserve would be touched there is no ballast.
    """
    found = read_volume([tmp_path])
    assert found is not None

    assert not Ballast(tmp_path / "ballast", MIB).keep(reserve_bytes=found.free_bytes)
    assert [] == list(tmp_path.iterdir())
