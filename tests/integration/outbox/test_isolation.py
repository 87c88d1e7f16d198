"""One relay serves all tenants, and each tenant's messages go to its own subscribers only, under its own secret."""

import base64
from dataclasses import replace

import pytest
from standardwebhooks import WebhookVerificationError

from remit.bootstrap import OPERATOR, Kernel
from remit.errors import DefinitionInvalidError
from remit.ids import TenantId
from remit.ports.store import Principal, Tenant
from remit.testing.database import ScratchDatabase
from tests.integration.outbox.receiver import SECRET, Receiver
from tests.integration.outbox.world import ORCHESTRATION, TENANT, kernel_with, remit_file, settings_of

OTHER = TenantId("other")
OTHER_SECRET = "whsec_" + base64.b64encode(b"o" * 32).decode()


async def test_tenants_tell_their_own_subscribers(scratch: ScratchDatabase, receiver: Receiver) -> None:
    """
    Two tenants whose subscriptions have the same id and secret name: nobody hears of the other's messages.
    """
    settings = settings_of(scratch)
    settings = replace(settings, secrets={**settings.secrets, f"{OTHER}__hooks": OTHER_SECRET})
    async with Receiver() as others, Kernel(packs=[], settings=settings) as kernel:
        directory = kernel.store.directory
        await directory.create_tenant(Tenant(tenant_id=OTHER, display_name="Other"))
        await directory.put_principal(Principal(tenant_id=OTHER, principal_id=OPERATOR, kind="human"))
        run_ids = {}
        for tenant_id, url in ((TENANT, receiver.url), (OTHER, others.url)):
            await kernel.apply_business(remit_file(url), path="remit.yaml", tenant_id=tenant_id)
            stored = await kernel.apply_orchestration(ORCHESTRATION.encode(), path="a.yaml", tenant_id=tenant_id)
            submitted = await kernel.runs.submit(
                tenant_id, definition_digest=stored.digest, run_input={"order": 7}, principal_id=OPERATOR
            )
            run_ids[tenant_id] = submitted.run_id
        await receiver.until(lambda seen: len(seen.received) == 1)
        await others.until(lambda seen: len(seen.received) == 1)
        listed = {tenant_id: await kernel.store.outbox.list(tenant_id) for tenant_id in run_ids}

    (mine,), (theirs,) = receiver.received, others.received
    assert {"order": 7} == mine.verified(SECRET)["data"] == theirs.verified(OTHER_SECRET)["data"]
    with pytest.raises(WebhookVerificationError):
        theirs.verified(SECRET)
    assert {tenant_id: [run_id] for tenant_id, run_id in run_ids.items()} == {
        tenant_id: [one.run_id for one in entries] for tenant_id, entries in listed.items()
    }


async def test_publishing_needs_a_scope(scratch: ScratchDatabase) -> None:
    """
    The built-in tool is granted to nobody by itself.
    """
    async with kernel_with(scratch) as kernel:
        without = remit_file().replace(b"scopes: [{tool: outbox.publish}]", b"scopes: []")
        await kernel.apply_business(without, path="remit.yaml", tenant_id=TENANT)

        with pytest.raises(DefinitionInvalidError, match="SCOPE_MISSING"):
            await kernel.apply_orchestration(ORCHESTRATION.encode(), path="a.yaml", tenant_id=TENANT)
