"""Scopes: deny by default, and one scope must cover all of a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from remit.governance.contracts import ToolContract
from remit.governance.policy import BusinessConfig, Scope
from remit.governance.scopes import check_permission, is_covered, is_host_permitted

NewConfig = Callable[..., BusinessConfig]
NewContract = Callable[..., ToolContract]

HOSTS = ("api.shop.test",)


def refused(config: BusinessConfig, contract: ToolContract, *, size: int = 10) -> str | None:
    refusal = check_permission(config, principal_id="agent", contract=contract, arguments_size=size)
    return None if refusal is None else f"{refusal.code} {refusal.evidence.get('lacks', '')}".strip()


@pytest.mark.parametrize(
    ("scope", "outcome"),
    [
        (Scope(tool="shop.refund", network=HOSTS), None),
        (Scope(tool="shop.*", network=("*.shop.test",)), None),
        (Scope(tool="shop.*", principals=("agent",), operations=("refund",), network=HOSTS), None),
        (Scope(tool="*", network=HOSTS), "PERMISSION_DENIED tool"),
        (Scope(tool="shop", network=HOSTS), "PERMISSION_DENIED tool"),
        (Scope(tool="shop.refund.*", network=HOSTS), "PERMISSION_DENIED tool"),
        (Scope(tool="shop.ref*", network=HOSTS), "PERMISSION_DENIED tool"),
        (Scope(tool="shopping.*", network=HOSTS), "PERMISSION_DENIED tool"),
        (Scope(tool="shop.*", principals=("anna",), network=HOSTS), "PERMISSION_DENIED principal"),
        (Scope(tool="shop.*", principals=(), network=HOSTS), "PERMISSION_DENIED principal"),
        (Scope(tool="shop.*", operations=("read",), network=HOSTS), "PERMISSION_DENIED operation"),
        (Scope(tool="shop.*"), "PERMISSION_DENIED network"),
        (Scope(tool="shop.*", network=("shop.test",)), "PERMISSION_DENIED network"),
        (Scope(tool="shop.*", network=("*.api.shop.test",)), "PERMISSION_DENIED network"),
        (Scope(tool="shop.*", network=("*",)), "PERMISSION_DENIED network"),
    ],
)
def test_scope_covers_all_of_a_call_or_nothing(
    new_config: NewConfig, contract: ToolContract, scope: Scope, outcome: str | None
) -> None:
    """
    Tool, principal, operation and every host must be in one scope; the refusal says what is missing.
    """
    assert outcome == refused(new_config(scopes=(scope,)), contract)


def test_without_scopes_nothing_is_permitted(new_config: NewConfig, contract: ToolContract) -> None:
    """
    Deny is the default.
    """
    assert "PERMISSION_DENIED tool" == refused(new_config(), contract)


def test_two_scopes_do_not_add_up(new_config: NewConfig, contract: ToolContract) -> None:
    """
    The tool from one scope and the host from another is no grant.
    """
    scopes = (Scope(tool="shop.refund"), Scope(tool="shop.read", network=HOSTS))

    assert "PERMISSION_DENIED network" == refused(new_config(scopes=scopes), contract)


def test_data_cap_refuses_one_byte_more(new_config: NewConfig, contract: ToolContract) -> None:
    """
    The largest cap among the scopes that cover the call counts; one without a cap allows any size.
    """
    small = Scope(tool="shop.*", network=HOSTS, data_cap_bytes=100)
    large = Scope(tool="shop.refund", network=HOSTS, data_cap_bytes=200)
    other = Scope(tool="shop.read", network=HOSTS)
    free = Scope(tool="shop.refund", network=HOSTS)

    assert refused(new_config(scopes=(small, large, other)), contract, size=200) is None
    assert "DATA_CAP_EXCEEDED" == refused(new_config(scopes=(small, large, other)), contract, size=201)
    assert refused(new_config(scopes=(small, free)), contract, size=10**9) is None


def test_verdict_belongs_to_its_config(new_config: NewConfig, contract: ToolContract) -> None:
    """
    What was found for one business config says nothing about another, and a second call gets the same answer.
    """
    allowed = new_config(scopes=(Scope(tool="shop.*", network=HOSTS),))
    denied = new_config()

    for _ in range(2):
        assert refused(allowed, contract) is None
        assert refused(denied, contract) is not None


def test_verdict_belongs_to_hosts_and_operation(new_config: NewConfig, new_contract: NewContract) -> None:
    """
    Another version of a tool that connects to more hosts, or does something else, is judged anew.
    """
    config = new_config(scopes=(Scope(tool="shop.*", operations=("refund",), network=HOSTS),))

    assert refused(config, new_contract()) is None
    assert refused(config, new_contract(network=(*HOSTS, "evil.test"))) is not None
    assert refused(config, new_contract(operation="delete")) is not None


def test_coverage_for_anyone_is_told_at_compile_time(new_config: NewConfig, contract: ToolContract) -> None:
    """
    Before a run there is no principal: a scope for somebody is a scope.
    """
    config = new_config(scopes=(Scope(tool="shop.*", principals=("anna",), network=HOSTS),))

    assert is_covered(config, contract=contract)
    assert is_covered(config, contract=contract, principal_id="anna")
    assert not is_covered(config, contract=contract, principal_id="agent")
    assert not is_covered(new_config(), contract=contract)


@pytest.mark.parametrize(
    ("host", "is_permitted"),
    [
        ("api.shop.test", True),
        ("API.Shop.Test", True),
        ("api.shop.test.", True),
        ("%61pi.shop.test", True),
        ("eu.cdn.test", True),
        ("a.b.cdn.test", True),
        ("cdn.test", False),
        ("evilcdn.test", False),
        ("api.shop.test.evil.test", False),
        ("api.shop.test%2eevil.test", False),
        ("%2561pi.shop.test", False),
        ("api.shop.test@evil.test", False),
        ("api.shop.test/..", False),
        ("api.shop.test\x00", False),
        ("\uff41pi.shop.test", False),
        ("*.cdn.test", False),
        ("", False),
        ("x" * 300 + ".cdn.test", False),
    ],
)
def test_host_is_permitted_by_its_plain_name(host: str, *, is_permitted: bool) -> None:
    """
    Encodings, case and final dots are undone before comparing; what is no plain host name is never permitted.
    """
    assert is_permitted == is_host_permitted(host, ("api.shop.test", "*.cdn.test"))


def test_principal_that_is_no_slug_is_quoted(new_config: NewConfig, contract: ToolContract) -> None:
    """
    A principal's name cannot forge a line of a log.
    """
    refusal: Any = check_permission(new_config(), principal_id="x\nallowed", contract=contract, arguments_size=1)

    assert "\n" not in refusal.message
