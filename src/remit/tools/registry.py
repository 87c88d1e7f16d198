"""The registry: which tools there are, by name and version.

Owns: finding tools and their contracts, also of tools that are only declared. An explicit object: two kernels in one
process have two.
Does not know: who may use a tool.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from remit.errors import ContractInvalidError, NotFoundError
from remit.governance.contracts import ToolContract, contract_digest, validate_contract
from remit.governance.suggestions import did_you_mean
from remit.ids import Digest
from remit.ports.tool import Tool

TOOLS_MAX: Final = 10_000
"""Most tool versions of one kernel; a step names its tool, so nobody searches them all."""

_NUMBER: Final = re.compile(r"\d+")


class Registry:
    """The tools of one kernel. Tools are added while it is put together; afterwards it is only read."""

    def __init__(self) -> None:
        self._tools: dict[str, dict[str, Tool]] = {}
        self._newest: dict[str, Tool] = {}
        self._contracts: dict[Digest, ToolContract] = {}
        self._declared: dict[str, ToolContract] = {}

    def declare(self, contract: ToolContract) -> None:
        """Make a contract known that definitions may be compiled against, without a tool that can be called.

        Raises:
            ContractInvalidError: it contradicts itself, or a tool of this name and version was added with another one.
        """
        validate_contract(contract)
        tool = self._tools.get(contract.name, {}).get(contract.version)
        self._declared[contract.name] = contract
        self._contracts[contract_digest(contract)] = contract
        if tool is not None:
            self._require_declared(tool.contract)

    def without_adapter(self) -> frozenset[str]:
        """Return the names of declared tools that no tool was added for."""
        return frozenset(self._declared.keys() - self._tools.keys())

    def _require_declared(self, contract: ToolContract) -> None:
        declared = self._declared.get(contract.name)
        if declared is not None and declared.version == contract.version and declared != contract:
            raise ContractInvalidError(
                f"expected the declared contract of {contract.name} {contract.version}, got another one; definitions "
                "name it by its digest: take it from remit.ports.declared, or give the tool another version",
                tool=contract.name,
                field="version",
            )

    def add(self, tool: Tool) -> None:
        """Make a tool known.

        Raises:
            ContractInvalidError: its contract contradicts itself or what was declared under its name and version, it is
                ``queryable`` without a look-up, there is another tool of this name and version, or the registry is
                full.
        """
        contract = tool.contract
        validate_contract(contract)
        require_lookup(tool)
        self._require_declared(contract)
        versions = self._tools.get(contract.name, {})
        if contract.version in versions:
            raise ContractInvalidError(
                f"expected one tool {contract.name} {contract.version}, got a second; give it another name or version",
                tool=contract.name,
                field="version",
            )
        if len(self._contracts) >= TOOLS_MAX:
            raise ContractInvalidError(f"expected at most {TOOLS_MAX} tools", tool=contract.name, field="name")
        self._tools[contract.name] = versions | {contract.version: tool}
        self._newest[contract.name] = max(self._tools[contract.name].values(), key=_age)
        self._contracts[contract_digest(contract)] = contract

    def get(self, name: str, version: str | None = None) -> Tool:
        """Return a tool, the newest version if none is named; a finished version is newer than a preview of it.

        Raises:
            NotFoundError: there is none; says which name or version is near.
        """
        versions = self._tools.get(name)
        if versions is None:
            raise NotFoundError(
                f"expected the name of a registered tool, got {name[:200]!r}{did_you_mean(name, self._tools)}",
                tool=name,
            )
        if version is None:
            return self._newest[name]
        found = versions.get(version)
        if found is None:
            known = ", ".join(sorted(versions))
            raise NotFoundError(f"expected a version of {name} ({known}), got {version[:200]!r}", tool=name)
        return found

    def list(self) -> Sequence[Tool]:
        """Return every tool, by name and version."""
        return [tool for name in sorted(self._tools) for tool in sorted(self._tools[name].values(), key=_age)]

    def names(self) -> Sequence[str]:
        """Return the names of all tools, sorted, with those that are only declared."""
        return sorted(self._tools.keys() | self._declared.keys())

    def contracts(self) -> dict[str, ToolContract]:
        """Return the contract of each tool's newest version, by name, with those that are only declared."""
        added = {name: tool.contract for name, tool in self._newest.items()}
        return dict(sorted((self._declared | added).items()))

    def find_contract(self, name: str, version: str | None = None) -> ToolContract | None:
        """Return the contract of a version, or of the newest; ``None`` if there is none."""
        tool = self._newest.get(name) if version is None else self._tools.get(name, {}).get(version)
        if tool is not None:
            return tool.contract
        declared = self._declared.get(name)
        return declared if declared is not None and version in {None, declared.version} else None

    def find_by_digest(self, digest: Digest) -> ToolContract | None:
        """Return the contract that a definition or an approval names by its digest, or ``None``."""
        return self._contracts.get(digest)


def require_lookup(tool: Tool) -> None:
    """Refuse a ``queryable`` tool without a look-up: the class promises one."""
    contract = tool.contract
    if contract.delivery_class == "queryable" and tool.lookup is None:
        raise ContractInvalidError(
            f"expected a look-up for the queryable tool {contract.name}, got none; add one, or declare it opaque",
            tool=contract.name,
            field="delivery_class",
        )


def _age(tool: Tool) -> tuple[tuple[int, ...], bool, str]:
    """Order versions as Semantic Versioning does: a preview comes before what it previews."""
    number, _, preview = tool.contract.version.partition("-")
    return tuple(int(part) for part in _NUMBER.findall(number)), not preview, preview
