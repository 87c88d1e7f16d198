"""Scopes: what a principal may use. Deny is the default.

Owns: matching a call against the grants of a business config, and matching host names.
Does not know: who the principal is, or whether the tool exists.
"""

from __future__ import annotations

import re
from typing import Final, Literal
from urllib.parse import unquote

import msgspec

from remit.core.canonical import JsonValue
from remit.governance.contracts import HOST_PATTERN, ToolContract
from remit.governance.memo import per_record
from remit.governance.policy import BusinessConfig, Scope
from remit.governance.verdicts import Refusal
from remit.ids import PrincipalId

ANY: Final = "*"
GRANTS_MAX: Final = 10_000
"""Most verdicts remembered for one business config: principals times tools of a large tenant."""

_Key = tuple[str | None, str, str, tuple[str, ...]]
"""Principal (``None``: anyone), tool, operation and the hosts of the contract."""

_Lack = Literal["tool", "principal", "operation", "network"]


class _Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from the scopes for one principal and contract; ``refusal`` is set when nothing covers the call."""

    refusal: Refusal | None
    data_cap_bytes: int | None = None


def check_permission(
    config: BusinessConfig, *, principal_id: PrincipalId | str, contract: ToolContract, arguments_size: int
) -> Refusal | None:
    """Say why a call is not permitted, or ``None``. Stage 3.

    One scope must cover all of the call: tool, operation, principal and every host that the contract names. If several
    do, the largest data cap counts.

    Args:
        config: The business config in force; what follows from it is computed once.
        principal_id: In whose name the call is made.
        contract: The tool's contract.
        arguments_size: Bytes of the canonical arguments.
    """
    grants = _grants(config)
    key = (principal_id, contract.name, contract.operation, contract.network)
    grant = grants.known.get(key)
    if grant is None:
        grant = grants.add(key)
    if grant.refusal is not None:
        return grant.refusal
    cap = grant.data_cap_bytes
    return None if cap is None or arguments_size <= cap else _over_cap(contract, cap, arguments_size)


def is_covered(config: BusinessConfig, *, contract: ToolContract, principal_id: str | None = None) -> bool:
    """Whether some scope covers the contract, for a principal or (``None``) for anyone at all."""
    return any(
        _lack(scope, (principal_id, contract.name, contract.operation, contract.network)) is None
        for scope in config.scopes
    )


def matches_tool(pattern: str, name: str) -> bool:
    """Whether a tool's name is the pattern, or begins with it up to ``.*``."""
    if pattern.endswith(".*"):
        return name.startswith(pattern[:-1])
    return pattern == name


def matches_host(pattern: str, host: str) -> bool:
    """Whether a host name is the pattern, or lies below it (``*.example.com``). Both in the form of `normal_host`."""
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and host != pattern
    return pattern == host


def is_host_permitted(host: str, network: tuple[str, ...]) -> bool:
    """Whether a host, as somebody wrote it in a URL, is one of those listed; what is no host name never is."""
    normal = normal_host(host)
    return normal is not None and any(matches_host(pattern, normal) for pattern in network)


def normal_host(host: str) -> str | None:
    """Return a host name in lower case, decoded and without the final dot, or ``None`` if it is no plain name.

    Encodings are undone once; a name that is still encoded then, or holds anything but letters, digits, dots and
    hyphens, is refused rather than guessed.
    """
    normal = unquote(host).lower().removesuffix(".")
    return normal if len(normal) <= 253 and HOST_PATTERN.match(normal) and not normal.startswith("*") else None


class _Grants:
    """The verdicts of one business config, found once for each principal, tool, operation and set of hosts."""

    __slots__ = ("_config", "known")

    def __init__(self, config: BusinessConfig) -> None:
        self._config = config
        self.known: dict[_Key, _Grant] = {}

    def add(self, key: _Key) -> _Grant:
        if len(self.known) >= GRANTS_MAX:
            self.known.clear()
        grant = self.known[key] = _grant(self._config.scopes, key)
        return grant


@per_record
def _grants(config: BusinessConfig) -> _Grants:
    return _Grants(config)


def _grant(scopes: tuple[Scope, ...], key: _Key) -> _Grant:
    lacks = [(scope, _lack(scope, key)) for scope in scopes]
    caps = [scope.data_cap_bytes for scope, lack in lacks if lack is None]
    if not caps:
        return _Grant(refusal=_denied(key, {lack for _, lack in lacks if lack is not None}))
    finite = [cap for cap in caps if cap is not None]
    return _Grant(refusal=None, data_cap_bytes=max(finite) if len(finite) == len(caps) else None)


def _lack(scope: Scope, key: _Key) -> _Lack | None:
    """Return the first thing that keeps a scope from covering a call."""
    principal_id, tool, operation, network = key
    if not matches_tool(scope.tool, tool):
        return "tool"
    if principal_id is not None and ANY not in scope.principals and principal_id not in scope.principals:
        return "principal"
    if ANY not in scope.operations and operation not in scope.operations:
        return "operation"
    if not all(any(_is_within(host, pattern) for pattern in scope.network) for host in network):
        return "network"
    return None


def _is_within(host: str, pattern: str) -> bool:
    """Whether every host that a contract's entry stands for is one that the pattern stands for."""
    return host == pattern or matches_host(pattern, host)


_LACKS: Final[dict[_Lack, str]] = {
    "tool": "no scope names it",
    "principal": "its scopes are for other principals",
    "operation": "its scopes are for other operations",
    "network": "its scopes do not include every host it connects to",
}
_NEARNESS: Final[tuple[_Lack, ...]] = ("network", "operation", "principal", "tool")


def _denied(key: _Key, found: set[_Lack]) -> Refusal:
    principal_id, tool, operation, network = key
    # The scope that got furthest tells most.
    lack: _Lack = next((candidate for candidate in _NEARNESS if candidate in found), "tool")
    evidence: dict[str, JsonValue] = {"tool": tool, "operation": operation, "principal": principal_id, "lacks": lack}
    if lack == "network":
        evidence["network"] = list(network)
    return Refusal(
        stage="permission",
        code="PERMISSION_DENIED",
        message=f"expected a scope that lets {_shown(principal_id)} use {tool} ({operation}), got none: "
        f"{_LACKS[lack]}; add one to the business config if this is wanted",
        evidence=evidence,
    )


def _over_cap(contract: ToolContract, cap: int, size: int) -> Refusal:
    return Refusal(
        stage="permission",
        code="DATA_CAP_EXCEEDED",
        message=f"expected at most {cap} bytes of arguments for {contract.name}, got {size}; send less, or a reference",
        evidence={"tool": contract.name, "data_cap_bytes": cap, "size_bytes": size},
    )


def _shown(principal_id: str | None) -> str:
    if principal_id is None:
        return "anyone"
    return principal_id if re.match(r"[a-z0-9_.-]{1,80}\Z", principal_id) else repr(principal_id[:80])
