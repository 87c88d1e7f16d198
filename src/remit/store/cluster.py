"""A cluster on disk: made once, with its roles, database, passwords and settings.

Owns: the layout below a data directory.
Does not know: whether a server runs on it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from remit.errors import SettingsInvalidError, UnsafeDatabaseError
from remit.store.binaries import Account, require_private

SOCKET_PATH_BYTES_MAX: Final = 107
"""Size of ``sun_path`` on Linux without its final zero; macOS has 103."""

PORT: Final = 5432
"""Only part of the socket's file name: the server does not listen on the network."""

LOG_MB_MAX: Final = 2048
"""Room for bursts of small commits between checkpoints."""

LOG_MB_MIN: Final = 64
LOG_PART: Final = 8
"""The log between two checkpoints takes up to this part of the volume."""

_HERE: Final = Path(__file__).parent
_SOCKET_NAME_BYTES: Final = len(f"/.s.PGSQL.{PORT}.lock")
_HBA: Final = "local all all scram-sha-256\n"
_ENVIRONMENT: Final = {"LC_ALL": "C"}
_INITDB_SECONDS_MAX: Final = 120


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Random passwords of one cluster's roles."""

    admin: str
    owner: str
    app: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where everything of one embedded server is. ``programs`` is the folder of its binaries."""

    folder: Path
    programs: Path
    major: int
    account: Account | None

    @property
    def data(self) -> Path:
        return self.folder / f"postgresql-{self.major}"

    @property
    def log(self) -> Path:
        return self.folder / f"postgresql-{self.major}.log"

    @property
    def credentials_file(self) -> Path:
        return self.folder / f"credentials-{self.major}.json"

    def run_as(self) -> dict[str, object]:
        """Return the arguments of ``subprocess`` that make a program run as the server's account."""
        identity: dict[str, object] = {"env": _ENVIRONMENT, "umask": 0o077, "cwd": "/"}
        if self.account is not None:
            identity |= {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        return identity

    def give(self, path: Path) -> None:
        """Let the server's account own a path."""
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)


def prepare_folder(folder: Path, account: Account | None) -> None:
    """Create the data directory or refuse one that others may change or the server's account cannot reach."""
    folder.mkdir(mode=0o700 if account is None else 0o755, parents=True, exist_ok=True)
    require_private(folder)
    if account is None:
        return
    folder.chmod(0o755)
    for parent in (folder, *folder.parents):
        if not _can_enter(parent, account):
            raise SettingsInvalidError(
                f"expected a data directory that uid {account.uid} can reach, but it may not enter {parent}",
                data_dir=str(folder),
            )


def _can_enter(folder: Path, account: Account) -> bool:
    status = folder.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & 0o100)
    return bool(status.st_mode & (0o010 if status.st_gid == account.gid else 0o001))


def socket_folder(cluster: Cluster) -> Path:
    """Return the unix socket's folder, private to the server's account; elsewhere if its path would be too long."""
    folder = cluster.folder / "socket"
    if len(os.fsencode(folder)) + _SOCKET_NAME_BYTES > SOCKET_PATH_BYTES_MAX:
        digest = sha256(os.fsencode(cluster.data)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"remit-{os.geteuid()}-{digest}"
    owner = os.geteuid() if cluster.account is None else cluster.account.uid
    if not folder.exists():
        folder.mkdir(mode=0o700)
        cluster.give(folder)
    status = folder.lstat()
    if status.st_uid != owner or status.st_mode & 0o077:
        raise UnsafeDatabaseError(f"expected {folder} to be private to uid {owner}: remove it", path=str(folder))
    return folder


def ensure_cluster(cluster: Cluster) -> Credentials:
    """Make the cluster if it is not there; returns its passwords.

    Idempotency: a cluster appears under its name when it is complete; what an interrupted call leaves is removed.
    """
    if not (cluster.data / "PG_VERSION").exists():
        _create(cluster)
    return msgspec.json.decode(cluster.credentials_file.read_bytes(), type=Credentials)


def write_settings(cluster: Cluster, socket: Path) -> None:
    """Write the server's settings and access rules anew if they differ: a new version of ours may have changed them.

    A small volume gets a small log. Files are replaced whole: what was there stays if the volume is full.
    """
    lines = [(_HERE / "embedded.conf").read_text(encoding="utf-8"), f"port = {PORT}"]
    lines.append(f"unix_socket_directories = '{str(socket).replace(chr(39), chr(39) * 2)}'")
    if cluster.major >= 18:
        lines.append("io_method = sync")
    log_mb = min(LOG_MB_MAX, max(LOG_MB_MIN, shutil.disk_usage(cluster.data).total // LOG_PART // 1024**2))
    lines += [f"max_wal_size = {log_mb}MB", f"min_wal_size = {max(LOG_MB_MIN // 2, log_mb // 8)}MB"]
    for name, text in {"postgresql.conf": "\n".join(lines) + "\n", "pg_hba.conf": _HBA}.items():
        path = cluster.data / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        draft = path.with_name(f".{name}")
        draft.write_text(text, encoding="utf-8")
        draft.chmod(0o600)
        cluster.give(draft)
        draft.replace(path)


def _create(cluster: Cluster) -> None:
    for leftover in cluster.folder.glob(f".{cluster.data.name}-*"):
        shutil.rmtree(leftover)
    draft = Path(tempfile.mkdtemp(prefix=f".{cluster.data.name}-", dir=cluster.folder))
    cluster.give(draft)
    credentials = Credentials(**{role: secrets.token_urlsafe(24) for role in Credentials.__struct_fields__})
    initdb: list[str | Path] = [
        cluster.programs / "initdb",
        "--pgdata",
        draft,
        "--username",
        "remit_admin",
        "--auth",
        "reject",
    ]
    initdb += ["--encoding", "UTF8", "--locale", "C", "--data-checksums", "--no-instructions"]
    _run(cluster, initdb, "")
    script = (_HERE / "bootstrap.sql").read_text(encoding="utf-8").partition("\n\n")[2]
    single: list[str | Path] = [
        cluster.programs / "postgres",
        "--single",
        "-j",
        "-D",
        draft,
        "-c",
        "exit_on_error=on",
        "postgres",
    ]
    _run(cluster, single, script.format(**msgspec.structs.asdict(credentials)) + "\n")
    descriptor = os.open(cluster.credentials_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(credentials))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(cluster.data)


def _run(cluster: Cluster, command: list[str | Path], text: str) -> None:
    arguments = [str(part) for part in command]
    result = subprocess.run(  # type: ignore[call-overload] # the identity's keys depend on who we are
        arguments,
        input=text,
        text=True,
        capture_output=True,
        check=False,
        timeout=_INITDB_SECONDS_MAX,
        **cluster.run_as(),
    )
    if result.returncode != 0:
        said = (result.stderr or result.stdout).strip().splitlines()[-5:]
        raise UnsafeDatabaseError(
            f"expected {Path(arguments[0]).name} to succeed in {cluster.folder}, got exit code {result.returncode}",
            said=said,
        )
