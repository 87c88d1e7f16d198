"""``GET /health`` and ``GET /metrics``: whether this process lives, whether it is of use, and its numbers.

Owns: what "ready" means: the database answers, and this process's worker was heard of within its lease.
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
        """Answer 200 when ready, 503 when only alive."""
        has_database = await self._has_database()
        age = self._heartbeat_age()
        lease = self._kernel.settings.lease.total_seconds()
        is_beating = self._kernel.worker is None or (age is not None and age < lease)
        is_ready = has_database and is_beating
        body = {
            "status": "ready" if is_ready else "not_ready",
            "live": True,
            "ready": is_ready,
            "database": "ok" if has_database else "unavailable",
            "postgresql": self._kernel.store.database.server_version,
            "worker": {
                "hosted": self._kernel.worker is not None,
                "runs_owned": 0 if self._kernel.worker is None else self._kernel.worker.owned_count,
                "heartbeat_age_seconds": None if age is None else round(age, 1),
                "lease_seconds": lease,
            },
            "unsafe": list(self._kernel.store.database.warnings),
        }
        return json_response(body, status=HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE)

    async def metrics(self, _: Request) -> Response:
        """Answer in Prometheus' text format."""
        return Response(self._kernel.metrics.render(), media_type=CONTENT_TYPE_LATEST)

    async def _has_database(self) -> bool:
        try:
            async with asyncio.timeout(DATABASE_SECONDS):
                await self._kernel.store.directory.get_tenant(self._kernel.tenant_id)
        except (RemitError, TimeoutError):
            return False
        return True

    def _heartbeat_age(self) -> float | None:
        """Return the seconds since the worker's last heartbeat, or since the start if it has not beaten yet."""
        if self._kernel.worker is None:
            return None
        heard = self._kernel.metrics.registry.get_sample_value(HEARTBEAT_METRIC) or 0.0
        return monotonic() - max(heard, self._started)
