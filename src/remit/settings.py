"""Settings: the only reader of the environment.

Owns: every knob with its meaning, default, unit and special values; wrong values fail here, at the edge.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal

from remit.errors import SettingsInvalidError

SECRET_PREFIX: Final = "REMIT_SECRET_"  # noqa: S105 - the name of variables, not a secret
SECONDS_MAX: Final = 86_400
LEASE_MIN: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one process of Remit runs.

    ``data_dir``: folder of the embedded PostgreSQL; ``None`` picks the user's (or, for root, the system's) default.
    ``database_url``: an existing server, as its schema owner; ``None`` uses the embedded one.
    ``database_app_url``: the same server as the least-privileged role that the kernel runs under.
    ``allow_unsafe``: run although the database may lose acknowledged work; shown in ``/health``. Default: refuse.
    ``secrets_file``: file of secrets per tenant (mode 0600), beside those of the environment.
    ``secrets``: secrets found in the environment, ``REMIT_SECRET_<TENANT>__<NAME>``; names in lower case.
    ``lease``: how long a worker that is not heard of keeps its runs. ``heartbeat`` must fit three times into it.
    ``disk_reserve_mb``: MiB that must stay free on the embedded server's volume; with less, nothing more is taken on.
    ``None`` (default): a tenth of the volume, from 1 to 4 GiB, of small volumes up to a fifth. 0: never refuse.
    ``ballast_mb``: MiB of a file beside the embedded server's data that is given up when the volume is full: then the
    server can start again. 0: none.
    ``pool_size``: connections of a process for reading, beside the five of its writers. At least 1.
    ``stuck_after``: how long a run may not move that should, until it is called stuck; the lookout looks four times as
    often. Default: a minute.
    ``log_format``: ``console`` for people, ``json`` for machines. ``log_level``: a standard level name.
    """

    data_dir: Path | None = None
    database_url: str | None = None
    database_app_url: str | None = None
    allow_unsafe: bool = False
    host: str = "127.0.0.1"
    port: int = 8420
    tenant: str = "default"
    secrets_file: Path | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    lease: timedelta = timedelta(seconds=20)
    heartbeat: timedelta = timedelta(seconds=4)
    sweep: timedelta = timedelta(seconds=4)
    poll: timedelta = timedelta(seconds=1)
    disk_reserve_mb: int | None = None
    ballast_mb: int = 128
    pool_size: int = 8
    stuck_after: timedelta = timedelta(seconds=60)
    log_format: Literal["console", "json"] = "console"
    log_level: str = "warning"

    def __post_init__(self) -> None:
        if self.lease < LEASE_MIN:
            raise SettingsInvalidError(f"expected a lease of at least {LEASE_MIN}, got {self.lease}")
        if not timedelta() < self.heartbeat * 3 <= self.lease:
            raise SettingsInvalidError(
                f"expected the heartbeat ({self.heartbeat}) to fit three times into the lease ({self.lease})"
            )
        if self.stuck_after <= timedelta(0):
            raise SettingsInvalidError(f"expected a time after which a run is stuck, got {self.stuck_after}")
        if not 0 <= self.port <= 65_535:
            raise SettingsInvalidError(f"expected a port from 0 to 65535, got {self.port}")
        if min(self.disk_reserve_mb or 0, self.ballast_mb) < 0:
            raise SettingsInvalidError(
                f"expected a reserve and a ballast of 0 MiB or more, got {self.disk_reserve_mb} and {self.ballast_mb}"
            )
        if self.pool_size < 1:
            raise SettingsInvalidError(f"expected a pool of at least 1 connection, got {self.pool_size}")
        if self.log_level.lower() not in {"debug", "info", "warning", "error", "critical"}:
            raise SettingsInvalidError(f"expected a standard log level, got {self.log_level!r}")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the environment's settings; ``SettingsInvalidError`` names the variable that is wrong."""
        env = os.environ if environment is None else environment
        return cls(
            data_dir=_path(env, "REMIT_DATA_DIR"),
            database_url=env.get("DATABASE_URL") or None,
            database_app_url=env.get("DATABASE_APP_URL") or None,
            allow_unsafe=_flag(env, "REMIT_ALLOW_UNSAFE"),
            host=env.get("REMIT_HOST") or "127.0.0.1",
            port=_number(env, "REMIT_PORT", 8420),
            tenant=env.get("REMIT_TENANT") or "default",
            secrets_file=_path(env, "REMIT_SECRETS_FILE"),
            secrets={
                name[len(SECRET_PREFIX) :].lower(): value
                for name, value in env.items()
                if name.startswith(SECRET_PREFIX)
            },
            lease=_seconds(env, "REMIT_LEASE_SECONDS", 20),
            heartbeat=_seconds(env, "REMIT_HEARTBEAT_SECONDS", 4),
            disk_reserve_mb=_number(env, "REMIT_DISK_RESERVE_MB", 0) if env.get("REMIT_DISK_RESERVE_MB") else None,
            ballast_mb=_number(env, "REMIT_BALLAST_MB", 128),
            pool_size=_number(env, "REMIT_POOL_SIZE", 8),
            stuck_after=_seconds(env, "REMIT_STUCK_SECONDS", 60),
            log_format="json" if env.get("REMIT_LOG_FORMAT", "console") == "json" else "console",
            log_level=env.get("REMIT_LOG_LEVEL") or "warning",
        )


def programs_of(major: int, environment: Mapping[str, str] | None = None) -> Path | None:
    """Return the folder of one PostgreSQL version's programs if ``REMIT_POSTGRESQL_<major>`` names one; for tests."""
    return _path(os.environ if environment is None else environment, f"REMIT_POSTGRESQL_{major}")


def _path(env: Mapping[str, str], name: str) -> Path | None:
    text = env.get(name)
    try:
        return Path(text).expanduser() if text else None
    except RuntimeError as error:
        raise SettingsInvalidError(f"{name}: expected a path, got {text!r} of nobody's home") from error


def _flag(env: Mapping[str, str], name: str) -> bool:
    text = env.get(name, "").lower()
    if text in {"", "0", "false", "no"}:
        return False
    if text in {"1", "true", "yes"}:
        return True
    raise SettingsInvalidError(f"{name}: expected true or false, got {text!r}")


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if not text:
        return default
    try:
        return int(text)
    except ValueError as error:
        raise SettingsInvalidError(f"{name}: expected a whole number, got {text[:40]!r}") from error


def _seconds(env: Mapping[str, str], name: str, default: int) -> timedelta:
    number = _number(env, name, default)
    if not 0 < number <= SECONDS_MAX:
        raise SettingsInvalidError(f"{name}: expected 1 to {SECONDS_MAX} seconds, got {str(number)[:40]}")
    return timedelta(seconds=number)
