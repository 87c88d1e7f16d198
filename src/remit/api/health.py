"""``GET /health`` and ``GET /metrics``: whether this process lives, whether it is of use, and its numbers.

Owns: what "ready" means: the database answers, and this process's worker was heard of within its lease. Without room
for more work it is ready, but not writable.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from remit.api.bodies import json_response
from remit.bootstrap import Kernel
from remit.clock import monotonic
from remit.errors import RemitError

DATABASE_SECONDS: Final = 1.0
HEARTBEAT_METRIC: Final = "remit_heartbeat_monotonic_seconds"


class HealthRoutes:
    """Answers without authentication; says nothing about tenants."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._started = monotonic()

    async def health(self, _: Request) -> Response:
        """Answer 200 when ready, also to read only; 503 when only alive."""
        database = await self._database_state()
        has_database = database == "ok"
        room = self._kernel.store.room.look()
        age = self._heartbeat_age()
        lease = self._kernel.settings.lease.total_seconds()
        is_beating = self._kernel.worker is None or (age is not None and age < lease)
        is_ready = has_database and is_beating
        body = {
            "status": _status(is_ready=is_ready, is_short=room.is_short),
            "live": True,
            "ready": is_ready,
            "writable": is_ready and not room.is_short,
            "database": database,
            "postgresql": self._kernel.store.database.server_version,
            "room": {
                "reason": room.reason,
                "free_bytes": room.free_bytes,
                "reserve_bytes": room.reserve_bytes,
            },
            "worker": {
                "hosted": self._kernel.worker is not None,
                "runs_owned": 0 if self._kernel.worker is None else self._kernel.worker.owned_count,
                "heartbeat_age_seconds": None if age is None else round(age, 1),
                "lease_seconds": lease,
            },
            "degraded": bool(self._kernel.lookout.found),
            "stuck": self._kernel.lookout.found,
            "unsafe": list(self._kernel.store.database.warnings),
        }
        return json_response(body, status=HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE)

    async def metrics(self, _: Request) -> Response:
        """Answer in Prometheus' text format."""
        return Response(self._kernel.metrics.render(), media_type=CONTENT_TYPE_LATEST)

    async def _database_state(self) -> str:
        database = self._kernel.store.database
        try:
            async with asyncio.timeout(DATABASE_SECONDS):
                await self._kernel.store.directory.get_tenant(self._kernel.tenant_id)
        except (RemitError, TimeoutError):
            return "exhausted" if database.is_exhausted else "unavailable"
        return "ok"

    def _heartbeat_age(self) -> float | None:
        """Return the seconds since the worker's last heartbeat, or since the start if it has not beaten yet."""
        if self._kernel.worker is None:
            return None
        heard = self._kernel.metrics.registry.get_sample_value(HEARTBEAT_METRIC) or 0.0
        return monotonic() - max(heard, self._started)


def _status(*, is_ready: bool, is_short: bool) -> str:
    if not is_ready:
        return "not_ready"
    return "read_only" if is_short else "ready"
