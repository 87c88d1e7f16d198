"""A worker works on runs whose tools it has, and leaves the others to those that have them."""

from __future__ import annotations

from remit import Kernel, Settings, tool
from remit.core.definition import Bounds, Definition, ToolStep, definition_digest
from remit.governance.contracts import contract_digest
from remit.governance.policy import BusinessConfig, Scope, encode_policy
from remit.ids import Digest, PrincipalId
from remit.testing.database import ScratchServer, scratch_database

BOUNDS = Bounds()


@tool("workers.only_here")
async def only_here(number: int) -> dict[str, int]:
    """Return the number; the other worker does not have this tool."""
    return {"number": number}


async def test_run_goes_to_the_worker_that_has_its_tools(server: ScratchServer) -> None:
    """
    A process without the tool submits the run and may claim it, but only the one with the tool makes the call.
    """
    policy = encode_policy(
        BusinessConfig(name="w", version="1.0.0", bounds=BOUNDS, scopes=(Scope(tool="workers.only_here"),))
    )
    step = ToolStep(
        id="call",
        tool="workers.only_here",
        tool_version="1.0.0",
        contract_digest=contract_digest(only_here.contract),
        input={"number": 7},
    )
    definition = Definition(
        name="w", version="1.0.0", bounds=BOUNDS, steps=(step,), output="${{ steps.call.output.number }}"
    )
    async with scratch_database(server) as database:
        settings = Settings(database_app_url=database.app_url)
        async with (
            Kernel(packs=[], settings=settings) as without,
            Kernel(tools=[only_here], packs=[], settings=settings) as with_tool,
        ):
            digest = Digest(definition_digest(policy))
            await without.store.directory.put_policy(without.tenant_id, digest=digest, body=policy)
            stored = await without.put_definition(definition)
            submitted = await without.runs.submit(
                without.tenant_id, definition_digest=stored.digest, run_input={}, principal_id=PrincipalId("operator")
            )
            run = await with_tool.runs.wait(without.tenant_id, submitted.run_id, timeout_seconds=30)

    assert ("completed", b"7") == (run.status, run.output)
