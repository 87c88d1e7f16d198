"""What this version cannot run is refused by name at every way in, and nothing of it is stored."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import httpx2
import msgspec
import pytest

from remit.api.app import create_app
from remit.bootstrap import OPERATOR
from remit.core.definition import (
    Bounds,
    Definition,
    GateStep,
    LoopStep,
    Step,
    TimerStep,
    Trigger,
    definition_digest,
    encode_definition,
)
from remit.core.runnable import require_runnable
from remit.errors import DefinitionUnrunnableError, NotFoundError
from remit.governance.contracts import contract_digest
from remit.governance.policy import Scope
from remit.ports.declared import CODE_VERIFY
from remit.ports.inbox import InboundEvent
from remit.ports.pack import Pack
from remit.ports.store import WebhookEndpoint
from remit.testing.database import ScratchDatabase
from remit.testing.tools import ScriptedTool, contract
from tests.integration.runtime.stage import TENANT, Stage

LOOP = LoopStep(
    id="again", body=(TimerStep(id="t", duration_ms=1),), until="steps.t.status == 'done'", iterations_max=2
)
GATE = GateStep(id="ask", question="Go on?", approvers=("ada",))
EVENT = "shop.paid"

DOCUMENT = """
name: refused
version: 1.0.0
steps:
  - id: ask
    gate: {question: Go on?, approvers: [ada]}
"""
DECLARED = """
name: refused
version: 1.0.0
steps:
  - id: verify
    tool: code.verify
    input: {workspace: shop, command: make test, timeout_seconds: 60}
"""


def definition(stage: Stage, kind: str) -> Definition:
    """Return a definition with one part that cannot run, and a trigger."""
    call = stage.step("shop.read", input={})
    verify = msgspec.structs.replace(
        call, tool="code.verify", tool_version="1.0.0", contract_digest=contract_digest(CODE_VERIFY)
    )
    parts: dict[str, Step] = {
        "loop": LOOP,
        "gate": GATE,
        "principal": msgspec.structs.replace(call, principal="builder"),
        "tool": verify,
    }
    trigger = Trigger(event=EVENT, input={}, key="${{ event.id }}")
    return Definition(name="refused", version="1", bounds=Bounds(), steps=(parts[kind],), triggers=(trigger,))


async def stored_by_another_version(stage: Stage, refused: Definition) -> str:
    """Store a definition past the kernel, as a version that can run it would."""
    body = encode_definition(refused)
    await stage.kernel.store.directory.put_definition(
        TENANT, name=refused.name, version=refused.version, digest=definition_digest(body), body=body
    )
    return definition_digest(body)


async def nothing_is_stored(stage: Stage) -> bool:
    definitions = await stage.kernel.store.directory.list_definitions(TENANT)
    return not definitions and not await stage.kernel.store.reader.list_runs(TENANT)


@pytest.mark.parametrize("kind", ["loop", "gate", "principal", "tool"])
async def test_definition_is_not_stored(database: ScratchDatabase, kind: str) -> None:
    """
    A compiled definition that could never run does not become the newest of its name.
    """
    async with Stage(database, ScriptedTool(contract("shop.read"))) as stage:
        refused = definition(stage, kind)
        with pytest.raises(DefinitionUnrunnableError) as caught:
            await stage.kernel.put_definition(refused)

        assert refused.steps[0].id in caught.value.message
        assert [kind] == [part["kind"] for part in caught.value.fields["unrunnable"]]  # type: ignore[attr-defined]  # JSON
        assert await nothing_is_stored(stage)


@pytest.mark.parametrize("document", [DOCUMENT, DECLARED], ids=["gate", "declared-tool"])
async def test_document_is_neither_applied_nor_run(database: ScratchDatabase, tmp_path: Path, document: str) -> None:
    """
    `apply` and `run` refuse a sound document that cannot run, and store nothing of it.
    """
    path = tmp_path / "refused.yaml"
    path.write_text(document, encoding="utf-8")
    async with Stage(database, ScriptedTool(contract("shop.read"))) as stage:
        await stage.apply(scopes=(Scope(tool="code.verify"),))
        with pytest.raises(DefinitionUnrunnableError):
            await stage.kernel.apply(path)
        with pytest.raises(DefinitionUnrunnableError):
            await stage.kernel.run(path, {})

        assert await nothing_is_stored(stage)


async def test_submission_of_a_stored_one_is_refused(database: ScratchDatabase) -> None:
    """
    A definition that another version stored is refused by name when it is submitted, here and over HTTP.
    """
    async with Stage(database, ScriptedTool(contract("shop.read"))) as stage:
        digest = await stored_by_another_version(stage, definition(stage, "loop"))
        with pytest.raises(DefinitionUnrunnableError):
            await stage.kernel.runs.submit(TENANT, definition_digest=digest, run_input={}, principal_id=OPERATOR)
        key = await stage.kernel.store.directory.create_api_key(TENANT, OPERATOR)
        headers = {"Authorization": f"Bearer {key}"}
        transport = httpx2.ASGITransport(app=create_app(stage.kernel))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
            answer = await client.post("/runs", json={"definition": "refused", "input": {}})

        assert (422, "DEFINITION_UNRUNNABLE") == (answer.status_code, answer.json()["code"])
        assert "(step again)" in answer.json()["detail"]
        assert not await stage.kernel.store.reader.list_runs(TENANT)


class Shop:
    """A source whose every delivery is genuine and says what it is."""

    name = "shop"

    def verify(self, *, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> None:
        """Accept everything."""

    def parse(self, *, headers: Mapping[str, str], body: bytes) -> InboundEvent:
        return InboundEvent(
            source="shop", name=EVENT, event_key="1", occurred_at=None, body={"id": "1"}, raw_sha256="0" * 64
        )


async def test_event_starts_others_all_the_same(database: ScratchDatabase) -> None:
    """
    A trigger of what cannot run, and one whose key cannot be made, start nothing, and keep nobody else from starting.
    """
    stage = Stage(database, ScriptedTool(contract("shop.read")))
    stage.kernel.packs.append(Pack(name="shop", webhook_sources=(Shop(),)))
    async with stage:
        await stored_by_another_version(stage, definition(stage, "gate"))
        for name, key in (("keyless", "${{ event.missing }}"), ("sound", "${{ event.id }}")):
            trigger = Trigger(event=EVENT, input={}, key=key)
            step = TimerStep(id="t", duration_ms=1)
            await stage.kernel.put_definition(
                Definition(name=name, version="1", steps=(step,), triggers=(trigger,), bounds=Bounds())
            )
        endpoint = WebhookEndpoint(
            endpoint_id=uuid.uuid4().hex, tenant_id=TENANT, source="shop", secret_name="bank_key", principal_id=OPERATOR
        )
        await stage.kernel.store.endpoints.put_endpoint(endpoint)
        delivery = await stage.kernel.ingress.receive(endpoint.endpoint_id, headers={}, body=b"{}")
        runs = await stage.kernel.store.reader.list_runs(TENANT)

    assert ["sound"] == [run.definition_name for run in runs]
    assert [run.run_id for run in runs] == list(delivery.started)


async def test_declared_tool_cannot_be_called(database: ScratchDatabase) -> None:
    """
    What is declared is known to checks and unknown to calls; an adapter with the declared contract makes it callable.
    """
    async with Stage(database, ScriptedTool(contract("shop.read"))) as stage:
        with pytest.raises(NotFoundError):
            stage.kernel.registry.get(CODE_VERIFY.name)
        refused = definition(stage, "tool")
    async with Stage(database, ScriptedTool(contract("shop.read")), ScriptedTool(CODE_VERIFY)) as stage:
        without = stage.kernel.registry.without_adapter()

        assert refused.steps == require_runnable(refused, without_adapter=without)
        assert "code.change" in without
