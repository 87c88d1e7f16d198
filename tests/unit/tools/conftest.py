"""A context for direct calls of tools."""

from __future__ import annotations

import pytest

from remit.ids import PrincipalId, RunId, StepId, TenantId
from remit.ports.tool import ToolContext


@pytest.fixture
def context() -> ToolContext:
    """What the pipeline would pass to a tool."""
    return ToolContext(
        tenant_id=TenantId("acme"),
        run_id=RunId("0190f3a2-7b1c-7d10-8a55-000000000001"),
        step=StepId("a"),
        attempt=1,
        slot=1,
        principal_id=PrincipalId("anna"),
        correlation_id="c",
        idempotency_key="k",
        external_key="remit:0123456789abcdef0123456789abcdef",
        deadline_seconds=30.0,
    )
