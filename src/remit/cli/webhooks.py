"""``remit webhooks``: addresses that providers post to."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from remit.api.records import endpoint_json
from remit.bootstrap import installed_packs
from remit.cli.options import Noun, Options, options_of
from remit.cli.output import print_json, print_table
from remit.cli.session import open_session, run_in_loop
from remit.errors import NotFoundError
from remit.governance.suggestions import did_you_mean
from remit.ids import PrincipalId
from remit.ports.store import WebhookEndpoint

webhooks = Noun("Make addresses that providers post to.")
app = webhooks.app


@webhooks.verb("list")
def list_webhooks(context: typer.Context) -> None:
    """List the tenant's webhook endpoints."""
    run_in_loop(_list(options_of(context)))


@webhooks.verb("create")
def create_webhook(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Who posts, such as shopify.")],
    *,
    secret: Annotated[str, typer.Option(metavar="NAME", help="Name of the secret that signs; never its value.")],
    principal: Annotated[str, typer.Option(metavar="PRINCIPAL", help="In whose name it starts runs.")],
) -> None:
    """Make an address for one provider, or show the one there is for this source and secret."""
    run_in_loop(_create(options_of(context), source, secret_name=secret, principal=principal))


async def _list(options: Options) -> None:
    async with open_session(options) as session:
        found = await session.kernel.store.endpoints.list_endpoints(session.tenant_id)
    if options.is_json:
        print_json({"webhooks": [endpoint_json(one) for one in found]})
        return
    rows = ((one.source, f"/webhooks/{one.endpoint_id}", one.secret_name, one.principal_id) for one in found)
    print_table(
        ("source", "path", "secret", "starts runs as"), rows, empty="no webhooks; make one with remit webhooks create"
    )


async def _create(options: Options, source: str, *, secret_name: str, principal: str) -> None:
    sources = sorted(one.name for pack in installed_packs() for one in pack.webhook_sources)
    if source not in sources:
        raise NotFoundError(f"expected one of {', '.join(sources)}, got {source!r}{did_you_mean(source, sources)}")
    async with open_session(options) as session:
        await session.kernel.store.directory.get_principal(session.tenant_id, PrincipalId(principal))
        endpoint = await session.kernel.store.endpoints.put_endpoint(
            WebhookEndpoint(
                endpoint_id=secrets.token_urlsafe(24),
                tenant_id=session.tenant_id,
                source=source,
                secret_name=secret_name,
                principal_id=PrincipalId(principal),
            )
        )
    if options.is_json:
        print_json(endpoint_json(endpoint))
        return
    print(f"/webhooks/{endpoint.endpoint_id}")
