"""The registry: tools by name and version, and help for names that are not there."""

from __future__ import annotations

import msgspec
import pytest

from remit.errors import ContractInvalidError, NotFoundError
from remit.governance.contracts import contract_digest
from remit.ports.tool import Tool
from remit.tools import Registry, tool


def make_tool(name: str = "shop.refund", version: str = "1.0.0") -> Tool:
    @tool(name, version=version)
    async def function(a: int) -> int:
        return a

    return function


def registry_of(*tools: Tool) -> Registry:
    registry = Registry()
    for item in tools:
        registry.add(item)
    return registry


def test_tool_is_found_by_name_and_version() -> None:
    """
    Without a version the newest counts, by number and not by text; a preview is older than what it previews.
    """
    tools = [make_tool(version=version) for version in ("9.0.0", "10.0.0", "10.0.0-rc.1", "2.0.0")]
    registry = registry_of(*tools)

    assert tools[1] is registry.get("shop.refund")
    assert tools[3] is registry.get("shop.refund", "2.0.0")
    assert ["2.0.0", "9.0.0", "10.0.0-rc.1", "10.0.0"] == [item.contract.version for item in registry.list()]


def test_unknown_tool_is_answered_with_the_nearest() -> None:
    """
    A misspelt name, a missing prefix and a missing version each say what there is.
    """
    registry = registry_of(make_tool(), make_tool("mail.send"))

    for name, hint in (("shop.refnd", "did you mean 'shop.refund'?"), ("send", "did you mean 'mail.send'?")):
        with pytest.raises(NotFoundError, match="expected the name") as caught:
            registry.get(name)
        assert hint in caught.value.message
    with pytest.raises(NotFoundError, match=r"\(1\.0\.0\), got '2\.0\.0'"):
        registry.get("shop.refund", "2.0.0")


def test_second_tool_of_a_name_and_version_is_refused() -> None:
    """
    Nothing replaces a tool silently, and the first one stays.
    """
    first = make_tool()
    registry = registry_of(first)

    with pytest.raises(ContractInvalidError):
        registry.add(make_tool())

    assert first is registry.get("shop.refund")


def test_contracts_are_found_by_name_and_digest() -> None:
    """
    Front-ends look up contracts by name, stored definitions by digest.
    """
    old, new = make_tool(version="1.0.0"), make_tool(version="2.0.0")
    registry = registry_of(old, new, make_tool("mail.send"))

    assert ["mail.send", "shop.refund"] == list(registry.names())
    assert {"mail.send", "shop.refund"} == registry.contracts().keys()
    assert new.contract is registry.contracts()["shop.refund"]
    assert old.contract is registry.find_contract("shop.refund", "1.0.0")
    assert registry.find_contract("shop.refund", "3.0.0") is None
    assert registry.find_contract("none") is None
    assert old.contract is registry.find_by_digest(contract_digest(old.contract))


def test_declared_tool_is_known_by_its_contract_only() -> None:
    """
    Documents may be checked against it; it is listed as lacking an adapter, and there is nothing to call.
    """
    registry = registry_of(make_tool())
    declared = make_tool("code.change").contract
    registry.declare(declared)

    assert declared is registry.find_contract("code.change") is registry.find_contract("code.change", "1.0.0")
    assert registry.find_contract("code.change", "2.0.0") is None
    assert ["code.change", "shop.refund"] == list(registry.names()) == list(registry.contracts())
    assert frozenset({"code.change"}) == registry.without_adapter()
    assert ["shop.refund"] == [item.contract.name for item in registry.list()]
    with pytest.raises(NotFoundError):
        registry.get("code.change")


def test_adapter_has_the_declared_contract() -> None:
    """
    Definitions name the contract by its digest: a tool of the same name and version with another one is refused.
    """
    adapter, other = make_tool("code.change"), make_tool("code.change", "2.0.0")
    registry = Registry()
    registry.declare(msgspec.structs.replace(adapter.contract, timeout_ms=1))
    with pytest.raises(ContractInvalidError, match="expected the declared contract"):
        registry.add(adapter)
    assert frozenset({"code.change"}) == registry.without_adapter()
    registry.add(other)

    assert other is registry.get("code.change")
    assert frozenset() == registry.without_adapter()
    late = registry_of(adapter)
    with pytest.raises(ContractInvalidError, match="expected the declared contract"):
        late.declare(msgspec.structs.replace(adapter.contract, timeout_ms=1))


def test_two_registries_share_nothing() -> None:
    """
    Two kernels in one process have two sets of tools.
    """
    registry_of(make_tool())

    assert [] == list(Registry().list())
