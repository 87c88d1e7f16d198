"""``remit tenants``: the businesses of this installation, and each one's kill switch."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from remit.api.records import tenant_json
from remit.cli.options import Noun, Options, options_of
from remit.cli.output import print_json, print_table, short_id, state_text
from remit.cli.session import open_session, run_in_loop
from remit.errors import InputInvalidError
from remit.ids import TenantId
from remit.ports.store import Tenant

tenants = Noun("Create, list, pause and resume tenants.")
app = tenants.app
TenantArgument = Annotated[str, typer.Argument(metavar="TENANT")]


@tenants.verb("list")
def list_tenants(context: typer.Context) -> None:
    """List all tenants."""
    run_in_loop(_list(options_of(context)))


@tenants.verb("create")
def create_tenant(
    context: typer.Context,
    tenant: TenantArgument,
    *,
    name: Annotated[str | None, typer.Option(help="How people call it.")] = None,
) -> None:
    """Create a tenant without principals; add them with remit principals create --tenant TENANT."""
    run_in_loop(_create(options_of(context), tenant, name or tenant))


@tenants.verb("pause")
def pause_tenant(context: typer.Context, tenant: TenantArgument) -> None:
    """Stop every action of a tenant before it is sent (kill switch); runs stay where they are."""
    run_in_loop(_set_paused(options_of(context), tenant, paused=True))


@tenants.verb("resume")
def resume_tenant(context: typer.Context, tenant: TenantArgument) -> None:
    """Lift the kill switch."""
    run_in_loop(_set_paused(options_of(context), tenant, paused=False))


async def _list(options: Options) -> None:
    async with open_session(options) as session:
        found = await session.kernel.store.directory.list_tenants()
    if options.is_json:
        print_json({"tenants": [tenant_json(tenant) for tenant in found]})
        return
    rows = (
        (
            one.tenant_id,
            one.display_name,
            short_id(one.policy_digest or ""),
            state_text("paused" if one.paused else "active"),
        )
        for one in found
    )
    print_table(("tenant", "name", "remit", "state"), rows, empty="no tenants")


async def _create(options: Options, tenant_id: str, display_name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", tenant_id):
        raise InputInvalidError(f"expected 1 to 40 of a-z, 0-9, _ and -, beginning with a letter, got {tenant_id!r}")
    async with open_session(options) as session:
        tenant = await session.kernel.store.directory.create_tenant(
            Tenant(tenant_id=TenantId(tenant_id), display_name=display_name)
        )
    _tell(options, tenant, "created")


async def _set_paused(options: Options, tenant_id: str, *, paused: bool) -> None:
    async with open_session(options) as session:
        tenant = await session.kernel.store.directory.pause_tenant(TenantId(tenant_id), paused=paused)
    _tell(options, tenant, "paused" if paused else "active")


def _tell(options: Options, tenant: object, state: str) -> None:
    assert isinstance(tenant, Tenant)
    if options.is_json:
        print_json(tenant_json(tenant))
    else:
        print(f"tenant {tenant.tenant_id}: {state}")
