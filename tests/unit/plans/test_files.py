"""Files of documents: what is said of those that cannot be read, and how they are replaced."""

import os
import stat
from pathlib import Path

import pytest

from remit.diagnostics import Diagnostic
from remit.errors import UsageError
from remit.plans.files import read_file, replace_file, shown_path


def message_of(path: Path | str) -> str:
    found = read_file(path, bytes_max=10)
    assert isinstance(found, Diagnostic)
    assert ("DOCUMENT_UNREADABLE", shown_path(path)) == (found.code, found.path)
    return found.message


def test_unreadable_file_is_a_finding_that_says_why(tmp_path: Path) -> None:
    """
    A missing file, a folder, one below a file, and a name that no file can have are told apart.
    """
    (tmp_path / "file").write_bytes(b"x")

    assert "expected a file, got nothing of this name; correct the path" == message_of(tmp_path / "missing.md")
    assert "expected a file, got a folder; name the files in it" == message_of(tmp_path)
    assert "expected a file that can be read, got an error: Not a directory" == message_of(tmp_path / "file" / "x")
    assert message_of("a\0b").startswith("expected the name of a file, got one that no file can have")


def test_file_is_read_up_to_one_byte_too_many(tmp_path: Path) -> None:
    """
    A larger file is recognised without being read whole.
    """
    (tmp_path / "file").write_bytes(b"x" * 100)

    assert b"x" * 11 == read_file(tmp_path / "file", bytes_max=10)


def test_name_that_is_no_text_is_shown_as_one() -> None:
    """
    The bytes of a file's name need not be UTF-8; findings must be.
    """
    assert "a\ufffd.md" == shown_path(os.fsdecode(b"a\xff.md"))


@pytest.mark.parametrize("is_allowed", [True, False], ids=["allowed", "refused"])
def test_replaced_file_stays_with_its_owner(is_allowed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whoever fixes somebody's file, such as root in a container, gives it back; who may not, fixes it all the same.
    """
    asked: list[tuple[int, int]] = []

    def fchown(descriptor: int, user: int, group: int) -> None:
        asked.append((user, group))
        if not is_allowed:
            raise PermissionError

    monkeypatch.setattr(os, "fchown", fchown)
    path = tmp_path / "a.md"
    path.write_bytes(b"old")

    replace_file(path, expected=b"old", raw=b"new")

    assert [(path.stat().st_uid, path.stat().st_gid)] == asked
    assert b"new" == path.read_bytes()


def test_replaced_file_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    """
    A file that is replaced is as executable and as private as before, and a link to it still points at it.
    """
    target, link = tmp_path / "target.md", tmp_path / "link.md"
    target.write_bytes(b"old")
    target.chmod(0o750)
    link.symlink_to(target)

    replace_file(link, expected=b"old", raw=b"new")

    assert b"new" == target.read_bytes()
    assert 0o750 == stat.S_IMODE(target.stat().st_mode)
    assert link.is_symlink()
    assert {"target.md", "link.md"} == {path.name for path in tmp_path.iterdir()}


def test_change_of_somebody_else_is_not_written_over(tmp_path: Path) -> None:
    """
    A file that is no longer what was read stays as it is.
    """
    path = tmp_path / "a.md"
    path.write_bytes(b"theirs")

    with pytest.raises(UsageError, match="as it was read, got other content by now"):
        replace_file(path, expected=b"old", raw=b"new")

    assert b"theirs" == path.read_bytes()
    assert ["a.md"] == [path.name for path in tmp_path.iterdir()]


def test_failed_write_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    When the volume fails in the middle, the file holds what it held, and nothing lies beside it.
    """
    path = tmp_path / "a.md"
    path.write_bytes(b"old")

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(Exception, match="No space left on device; it is as it was"):
        replace_file(path, expected=b"old", raw=b"new")

    assert b"old" == path.read_bytes()
    assert ["a.md"] == [path.name for path in tmp_path.iterdir()]
