"""Clauses of the directory and endpoints ports: what changes rarely, and whose it is."""

import pytest

from remit.errors import InputInvalidError, NotFoundError, UnauthenticatedError
from remit.ids import Digest, PrincipalId, TenantId
from remit.ports.store import Principal, Tenant, WebhookEndpoint
from remit.store import PostgresStore
from tests.conformance.store.world import ACME, APPROVER, DEFINITION, OTHER, World, make_world


async def test_tenant_01_is_created_once(store: PostgresStore) -> None:
    """
    Creating a tenant again changes nothing and answers what is stored.
    """
    first = await store.directory.create_tenant(Tenant(tenant_id=ACME, display_name="Acme"))

    again = await store.directory.create_tenant(Tenant(tenant_id=ACME, display_name="Someone else"))

    assert Tenant(tenant_id=ACME, display_name="Acme") == first == again
    assert [first] == await store.directory.list_tenants()


@pytest.mark.parametrize("tenant_id", ["", "Acme", "1st", "a" * 41, "a b", "a'; drop table x"])
async def test_tenant_02_bad_id_is_refused(store: PostgresStore, tenant_id: str) -> None:
    """
    A tenant id is a slug; anything else is refused before it reaches a statement.
    """
    with pytest.raises(InputInvalidError):
        await store.directory.create_tenant(Tenant(tenant_id=TenantId(tenant_id), display_name="x"))

    assert [] == await store.directory.list_tenants()


async def test_tenant_03_pause_is_set_and_lifted(world: World) -> None:
    """
    The kill switch of a tenant can be set and lifted.
    """
    paused = await world.store.directory.pause_tenant(ACME, paused=True)
    lifted = await world.store.directory.pause_tenant(ACME, paused=False)

    assert [True, False] == [paused.paused, lifted.paused]


async def test_tenant_04_unknown_is_not_found(store: PostgresStore) -> None:
    """
    A tenant that does not exist is not found, whoever asks for what.
    """
    with pytest.raises(NotFoundError):
        await store.directory.get_tenant(ACME)
    with pytest.raises(NotFoundError):
        await store.directory.put_principal(Principal(tenant_id=ACME, principal_id=APPROVER, kind="human"))


async def test_principal_01_is_replaced(world: World) -> None:
    """
    Putting a principal again replaces roles, kind and activity.
    """
    changed = Principal(tenant_id=ACME, principal_id=APPROVER, kind="human", roles=("operator",), active=False)

    await world.store.directory.put_principal(changed)

    assert changed == await world.store.directory.get_principal(ACME, APPROVER)
    assert changed in await world.store.directory.list_principals(ACME)
    with pytest.raises(NotFoundError):
        await world.store.directory.get_principal(ACME, PrincipalId("nobody"))


async def test_api_key_01_says_whose_it_is(world: World) -> None:
    """
    A key identifies its principal and tenant; no two keys are alike.
    """
    other = await make_world(world.store, OTHER)
    keys = {tenant: await world.store.directory.create_api_key(tenant, APPROVER) for tenant in (ACME, OTHER)}

    principals = {tenant: await world.store.directory.authenticate(key) for tenant, key in keys.items()}

    assert other.tenant_id == principals[OTHER].tenant_id
    assert ACME == principals[ACME].tenant_id
    assert keys[ACME] != keys[OTHER]


@pytest.mark.parametrize("api_key", ["", "wrong", "x" * 10_000, "\ud800", "a\0b"])
async def test_api_key_02_unknown_key_is_nobody(world: World, api_key: str) -> None:
    """
    Whatever is presented as a key and is none identifies nobody.
    """
    await world.store.directory.create_api_key(ACME, APPROVER)

    with pytest.raises(UnauthenticatedError):
        await world.store.directory.authenticate(api_key)


async def test_api_key_03_inactive_principal_is_nobody(world: World) -> None:
    """
    A key stops working when its principal is made inactive.
    """
    key = await world.store.directory.create_api_key(ACME, APPROVER)
    await world.store.directory.put_principal(
        Principal(tenant_id=ACME, principal_id=APPROVER, kind="human", roles=("approver",), active=False)
    )

    with pytest.raises(UnauthenticatedError):
        await world.store.directory.authenticate(key)


async def test_definition_01_last_put_is_the_newest(world: World) -> None:
    """
    The definition of a name that was put last is its newest, also when it was stored before.
    """
    directory, second = world.store.directory, Digest("2" * 64)
    await directory.put_definition(ACME, name="orders", version="2", digest=second, body=b"2")
    newest = await directory.get_definition(ACME, name="orders")
    await directory.put_definition(ACME, name="orders", version="1", digest=DEFINITION, body=b"{}")

    again = await directory.get_definition(ACME, name="orders")

    assert [second, DEFINITION] == [newest.digest, again.digest]
    assert [DEFINITION] == [stored.digest for stored in await directory.list_definitions(ACME)]
    assert b"2" == (await directory.get_definition(ACME, digest=second)).body


async def test_definition_02_stored_bytes_never_change(world: World) -> None:
    """
    A digest names the bytes that were stored first.
    """
    await world.store.directory.put_definition(ACME, name="orders", version="9", digest=DEFINITION, body=b"other")

    stored = await world.store.directory.get_definition(ACME, digest=DEFINITION)

    assert (b"{}", "1") == (stored.body, stored.version)


async def test_definition_03_other_tenants_are_not_found(world: World) -> None:
    """
    A definition is its tenant's.
    """
    await world.store.directory.create_tenant(Tenant(tenant_id=OTHER, display_name="Other"))

    for wanted in ({"digest": DEFINITION}, {"name": "orders"}):
        with pytest.raises(NotFoundError):
            await world.store.directory.get_definition(OTHER, **wanted)
    assert [] == await world.store.directory.list_definitions(OTHER)


async def test_policy_01_put_makes_it_active(world: World) -> None:
    """
    A business config is active once it is put; older ones can still be read by digest.
    """
    directory, first, second = world.store.directory, Digest("1" * 64), Digest("2" * 64)
    await directory.put_policy(ACME, digest=first, body=b"1")
    await directory.put_policy(ACME, digest=second, body=b"2")

    tenant = await directory.get_tenant(ACME)

    assert second == tenant.policy_digest
    assert b"1" == await directory.get_policy(ACME, first)
    with pytest.raises(NotFoundError):
        await directory.get_policy(ACME, Digest("3" * 64))


async def test_endpoint_01_is_found_without_a_tenant(world: World) -> None:
    """
    An endpoint's path says whose it is; a tenant has one per source and secret.
    """
    endpoint = WebhookEndpoint(
        endpoint_id="path-1", tenant_id=ACME, source="shop", secret_name="hmac", principal_id=APPROVER
    )
    created = await world.store.endpoints.put_endpoint(endpoint)
    again = await world.store.endpoints.put_endpoint(
        WebhookEndpoint(endpoint_id="path-2", tenant_id=ACME, source="shop", secret_name="hmac", principal_id=APPROVER)
    )

    found = await world.store.endpoints.find_endpoint("path-1")

    assert endpoint == created == again == found
    assert await world.store.endpoints.find_endpoint("path-2") is None


async def test_tenant_05_all_are_listed(store: PostgresStore) -> None:
    """
    Operators of the installation see every tenant, by id.
    """
    for tenant_id in (OTHER, ACME):
        await store.directory.create_tenant(Tenant(tenant_id=tenant_id, display_name=tenant_id))

    assert [ACME, OTHER] == [tenant.tenant_id for tenant in await store.directory.list_tenants()]


async def test_principal_02_are_their_tenant_s(world: World) -> None:
    """
    A tenant's principals are listed for it alone, and one of another tenant is not found.
    """
    await make_world(world.store, OTHER)
    added = Principal(tenant_id=OTHER, principal_id=PrincipalId("robot"), kind="agent")
    await world.store.directory.put_principal(added)

    mine = await world.store.directory.list_principals(ACME)
    theirs = await world.store.directory.list_principals(OTHER)

    assert added == await world.store.directory.get_principal(OTHER, PrincipalId("robot"))
    assert {ACME} == {one.tenant_id for one in mine}
    assert len(mine) + 1 == len(theirs)
    with pytest.raises(NotFoundError):
        await world.store.directory.get_principal(ACME, PrincipalId("robot"))


async def test_definition_04_newest_of_each_name_is_listed(world: World) -> None:
    """
    The list shows one definition for each name: the one that was put last.
    """
    directory = world.store.directory
    for name, version in (("orders", "2"), ("returns", "1"), ("orders", "3")):
        digest = Digest((name[0] + version) * 32)
        await directory.put_definition(ACME, name=name, version=version, digest=digest, body=version.encode())

    listed = await directory.list_definitions(ACME)

    assert {("orders", "3"), ("returns", "1")} == {(one.name, one.version) for one in listed}
    assert 2 == len(listed)


async def test_endpoint_02_are_listed_by_source_and_secret(world: World) -> None:
    """
    A tenant's endpoints are listed for it alone, by source and secret.
    """
    await make_world(world.store, OTHER)
    for path, tenant_id, source in (("p1", ACME, "till"), ("p2", ACME, "shop"), ("p3", OTHER, "shop")):
        await world.store.endpoints.put_endpoint(
            WebhookEndpoint(
                endpoint_id=path, tenant_id=tenant_id, source=source, secret_name="hmac", principal_id=APPROVER
            )
        )

    assert ["p2", "p1"] == [one.endpoint_id for one in await world.store.endpoints.list_endpoints(ACME)]
