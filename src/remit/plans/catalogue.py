"""The catalogue: where front-ends look up tools.

Owns: the one question that a front-end asks about tools.
Does not know: registries or packs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from remit.governance.contracts import ToolContract


class Catalogue(Protocol):
    """Contracts by tool name and version."""

    def find_contract(self, name: str, version: str | None = None) -> ToolContract | None:
        """Return the contract of a version, or of the newest; ``None`` if there is none."""
        ...

    def names(self) -> Iterable[str]:
        """Return the names of all tools."""
        ...

    def without_adapter(self) -> frozenset[str]:
        """Return the names of tools that are declared and cannot be called here."""
        ...


class ContractTable:
    """A catalogue of one version of each tool."""

    def __init__(self, contracts: Mapping[str, ToolContract]) -> None:
        self._contracts = dict(contracts)

    def find_contract(self, name: str, version: str | None = None) -> ToolContract | None:
        contract = self._contracts.get(name)
        return contract if contract is not None and version in {None, contract.version} else None

    def names(self) -> Iterable[str]:
        return self._contracts.keys()

    def without_adapter(self) -> frozenset[str]:
        return frozenset()
