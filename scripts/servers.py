"""Gets the PostgreSQL versions that the tests need and no wheel carries.

    servers.py [--private]

Run by `make servers`, with the environment's Python. A version that is there is left alone; `--private` unpacks it
nevertheless. What is missing comes from the system's own packages: apt resolves, downloads and verifies them with lists
and caches of ours, `dpkg-deb` unpacks them into a folder that belongs to this installation. So root and a plain user do
the same, nothing is installed on the system, no cluster is made, no service starts, and no port is taken.

Owns: which packages are needed, and how they become a folder of programs.
Does not know: where packages come from; apt's own configuration says that.
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote

from remit.errors import UnsafeDatabaseError
from remit.settings import programs_of
from remit.store.binaries import MAJOR_MIN, SYSTEM_FOLDER, find_programs, private_installation, require_private
from remit.testing.database import MAJORS

APT_SECONDS_MAX = 900
FOREIGN_PREFIXES = ("libc6", "libc-", "libgcc", "libstdc++", "libllvm", "libz3", "libperl", "libpam-")
FOREIGN_SUFFIXES = ("-perl", "-dev", "-bin", "-common")
"""Not to be unpacked: the libraries of C and C++ are those of the running system, and LLVM serves only `jit`."""

WRAPPER = """#!/bin/sh
root=${{0%/*}}/../files
LD_LIBRARY_PATH={libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}} exec "$root"{program} "$@"
"""
"""Programs find their own files beside themselves, but libraries only where the system has them."""


def main() -> None:
    """Make sure that every version that the tests need is there."""
    for major in MAJORS:
        try:
            folder = find_programs(major, programs_of(major))
            is_wanted = "--private" in sys.argv[1:] and major == MAJOR_MIN and not private_installation(major).exists()
        except UnsafeDatabaseError as error:
            if programs_of(major) is not None or major != MAJOR_MIN:
                sys.exit(error.message)
            is_wanted = True
            folder = private_installation(major) / "bin"
        if is_wanted:
            install(major)
        print(f"PostgreSQL {major}: {folder}", flush=True)


def install(major: int) -> None:
    """Unpack one version into the folder that belongs to this installation; once, however many ask for it."""
    target = private_installation(major)
    prepare(target.parent)
    descriptor = os.open(target.parent / f"{major}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if target.exists():
            return
        print(f"unpacking the system's packages of PostgreSQL {major} into {target}", flush=True)
        with tempfile.TemporaryDirectory(prefix=f".{major}-", dir=target.parent) as folder:
            draft = Path(folder, "draft")
            draft.mkdir()
            unpack(major, Path(folder), draft)
            find_programs(major, draft / "bin")
            draft.rename(target)
    finally:
        os.close(descriptor)


def prepare(folder: Path) -> None:
    """Make the folder for installations; root's is one that every user can reach and only root can change."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        for one in (SYSTEM_FOLDER, folder):
            one.chmod(0o755)
            require_private(one)


def unpack(major: int, scratch: Path, draft: Path) -> None:
    """Download what a server needs and the system lacks, unpack it below `files`, and make `bin` of wrappers."""
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            sys.exit(advice(major, f"there is no {program} here"))
    apt = apt_command(scratch)
    run([*apt, "update"], major)
    names = [f"postgresql-{major}", f"postgresql-client-{major}"]
    listing = run([*apt, "install", "--print-uris", "--reinstall", "--no-install-recommends", *names], major)
    archives = scratch / "archives"
    archives.mkdir()
    run([*apt, "download", *wanted(listing, names)], major, cwd=archives)
    for archive in sorted(archives.iterdir()):
        run(["dpkg-deb", "--extract", archive, draft / "files"], major)
    write_wrappers(draft, major)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def apt_command(scratch: Path) -> list[str | Path]:
    """Return apt-get with lists and caches of its own: it then needs no rights, and changes nothing of the system."""
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (scratch / folder).mkdir(parents=True)
    options = {
        "Dir::State": scratch / "state",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": scratch / "cache",
        "Debug::NoLocking": "true",
        "Acquire::Retries": "3",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "",
        "APT::Update::Post-Invoke-Success": "",
        "APT::Update::Error-Mode": "any",
    }
    return [
        "apt-get",
        "--quiet=2",
        *(part for key, value in options.items() for part in ("--option", f"{key}={value}")),
    ]


def wanted(listing: str, names: list[str]) -> list[str]:
    """Return `package=version` of the packages in apt's plan that we unpack."""
    found = []
    for line in listing.splitlines():
        match = re.match(r"'[^']+' ([^_ ]+)_([^_ ]+)_[^_ ]+\.deb ", line)
        if match and (match[1] in names or is_library(match[1])):
            found.append(f"{match[1]}={unquote(match[2])}")
    return found


def is_library(package: str) -> bool:
    """Tell whether a package holds a library that the server may load."""
    is_foreign = package.startswith(FOREIGN_PREFIXES) or package.endswith(FOREIGN_SUFFIXES)
    return package.startswith("lib") and not is_foreign


def write_wrappers(draft: Path, major: int) -> None:
    """Make a folder of programs that find their libraries in what was unpacked, and the rest in the system."""
    files = draft / "files"
    folders = sorted({path.parent for top in ("lib", "usr/lib") for path in (files / top).glob("*-*/*.so*")})
    libraries = ":".join(f'"$root"{shlex.quote(f"/{folder.relative_to(files)}")}' for folder in folders)
    (draft / "bin").mkdir()
    for program in sorted((files / f"usr/lib/postgresql/{major}/bin").iterdir()):
        wrapper = draft / "bin" / program.name
        text = WRAPPER.format(libraries=libraries, program=shlex.quote(f"/{program.relative_to(files)}"))
        wrapper.write_text(text, encoding="utf-8")
        wrapper.chmod(0o755)


def run(command: list[str | Path], major: int, cwd: Path | None = None) -> str:
    """Run a program and return what it says; end with advice if it fails."""
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    result = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        timeout=APT_SECONDS_MAX,
    )
    if result.returncode != 0:
        said = "\n".join((result.stderr or result.stdout).strip().splitlines()[-8:])
        sys.exit(advice(major, f"{Path(str(command[0])).name} failed:\n{said}"))
    return result.stdout


def advice(major: int, reason: str) -> str:
    """Return what to do where the system's packages cannot be had."""
    return (
        f"expected PostgreSQL {major} for the tests, and cannot get it by myself: {reason}\n"
        f"Install it (Debian 12: postgresql-{major}; Fedora: postgresql{major}-server; macOS: brew install "
        f"postgresql@{major}), and if it is then not found, name the folder that holds its `postgres` and `initdb` in "
        f"REMIT_POSTGRESQL_{major}."
    )


if __name__ == "__main__":
    main()
