"""``remit principals``: who may act, and with which API key."""

from __future__ import annotations

import re
import sys
from enum import StrEnum
from typing import Annotated

import typer

from remit.api.records import principal_json
from remit.cli.options import Noun, Options, options_of
from remit.cli.output import print_json, print_table
from remit.cli.session import open_session, run_in_loop
from remit.errors import InputInvalidError
from remit.ids import PrincipalId
from remit.ports.store import Principal

principals = Noun("Create people, agents and services, and their API keys.")
app = principals.app
PrincipalArgument = Annotated[str, typer.Argument(metavar="PRINCIPAL")]


class Kind(StrEnum):
    """What a principal is; only people approve."""

    HUMAN = "human"
    AGENT = "agent"
    SERVICE = "service"


class Role(StrEnum):
    """What a principal may do beside acting in its own scopes."""

    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"


@principals.verb("list")
def list_principals(context: typer.Context) -> None:
    """List the tenant's principals."""
    run_in_loop(_list(options_of(context)))


@principals.verb("create")
def create_principal(
    context: typer.Context,
    principal: PrincipalArgument,
    *,
    kind: Annotated[Kind, typer.Option(help="What it is; only people approve.")] = Kind.HUMAN,
    role: Annotated[list[Role] | None, typer.Option(help="What it may do; may be repeated.")] = None,
    inactive: Annotated[bool, typer.Option("--inactive", help="It may do nothing (any more).")] = False,
) -> None:
    """Create a principal, or replace its kind, roles and whether it is active."""
    roles = tuple(one.value for one in role or ())
    run_in_loop(_create(options_of(context), principal, kind=kind, roles=roles, active=not inactive))


@principals.verb("key")
def create_key(context: typer.Context, principal: PrincipalArgument) -> None:
    """Make an API key and show it, this once."""
    run_in_loop(_key(options_of(context), principal))


async def _list(options: Options) -> None:
    async with open_session(options) as session:
        found = await session.kernel.store.directory.list_principals(session.tenant_id)
    if options.is_json:
        print_json({"principals": [principal_json(one) for one in found]})
        return
    rows = ((one.principal_id, one.kind, ", ".join(one.roles), "yes" if one.active else "no") for one in found)
    print_table(
        ("principal", "kind", "roles", "active"), rows, empty="no principals; make one with remit principals create"
    )


async def _create(options: Options, name: str, *, kind: Kind, roles: tuple[str, ...], active: bool) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.@-]{0,99}", name):
        raise InputInvalidError(f"expected a lower-case name of up to 100 characters, got {name!r}")
    async with open_session(options) as session:
        stored = await session.kernel.store.directory.put_principal(
            Principal(
                tenant_id=session.tenant_id, principal_id=PrincipalId(name), kind=kind.value, roles=roles, active=active
            )
        )
    if options.is_json:
        print_json(principal_json(stored))
    else:
        print(f"principal {stored.principal_id}: {stored.kind}, roles {', '.join(stored.roles) or 'none'}")


async def _key(options: Options, name: str) -> None:
    async with open_session(options) as session:
        principal_id = PrincipalId(name)
        await session.kernel.store.directory.get_principal(session.tenant_id, principal_id)
        key = await session.kernel.store.directory.create_api_key(session.tenant_id, principal_id)
    if options.is_json:
        print_json({"tenant_id": session.tenant_id, "principal_id": name, "api_key": key})
        return

    print(key)
    print(
        f"this key of {name} is shown once and stored as a hash only: keep it where secrets are kept", file=sys.stderr
    )
