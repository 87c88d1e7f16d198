"""The business config: the remit of one business, compiled.

Owns: the records of what may be used (scopes), how far (bounds), who must agree (approval rules) and what is reached
where. Does not know: YAML (a front-end compiles to these), stores. Stored as canonical JSON under its digest; the
digest is the *policy digest* that every verdict and approval carries.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from remit.core.canonical import canonical_bytes
from remit.core.definition import Bounds
from remit.errors import InvariantViolated
from remit.governance.breaker import BreakerConfig

POLICY_SCHEMA_VERSION: Final = 1


class Scope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One grant. Deny is the default; a call needs at least one scope that covers all of it.

    ``tool`` is an exact name or a prefix ending in ``.*``. ``principals`` and ``operations`` list names, ``("*",)`` is
    any. ``network`` lists host names (exact, or ``*.example.com``) that the tool may connect to; a contract that names
    hosts outside it is refused. ``data_cap_bytes`` limits the canonical arguments of one call.
    """

    tool: str
    principals: tuple[str, ...] = ("*",)
    operations: tuple[str, ...] = ("*",)
    network: tuple[str, ...] = ()
    data_cap_bytes: int | None = None


class ApprovalRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is asked before a call. ``condition`` (expression text) absent means always; it speaks of ``input``, ``run``
    and ``tool``.

    A condition that fails to evaluate counts as true: in doubt a person is asked. There is no automatic approval.
    """

    id: str
    tool: str
    condition: str | None = None
    reason: str = ""
    timeout_seconds: int = 3600
    on_timeout: Literal["fail", "escalate"] = "fail"
    approvers_required: int = 1
    escalation_chain: tuple[str, ...] = ()


class Subscription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is told of what steps publish, by a signed webhook.

    ``id`` is what journals and the outbox call the receiver: pending messages follow a URL that changes under it.
    ``topic`` is exact or a prefix ending in ``.*``. ``secret`` is the name of the secret that signs, never its value.
    ``allow_private`` permits a receiver on this machine, for development, and nothing else that is private.
    """

    id: str
    topic: str
    url: str
    secret: str
    allow_private: bool = False


class BusinessConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of a tenant's remit.

    ``endpoints`` maps the endpoint names of contracts to base URLs; ``credentials`` maps credential names to secret
    names (never values); ``breakers`` configures dependencies by name; ``subscriptions`` say who hears of what.
    """

    schema_version: int = POLICY_SCHEMA_VERSION
    name: str
    version: str
    description: str = ""
    bounds: Bounds
    scopes: tuple[Scope, ...] = ()
    approval_rules: tuple[ApprovalRule, ...] = ()
    breakers: dict[str, BreakerConfig] = {}
    endpoints: dict[str, str] = {}
    credentials: dict[str, str] = {}
    subscriptions: tuple[Subscription, ...] = ()


def encode_policy(config: BusinessConfig) -> bytes:
    """Return the canonical bytes that are stored and hashed."""
    return canonical_bytes(msgspec.to_builtins(config))


def decode_policy(data: bytes) -> BusinessConfig:
    """Return the business config stored as ``data``.

    Raises:
        InvariantViolated: the bytes are none: what is stored was compiled by us, so this is damage.
    """
    try:
        return msgspec.json.decode(data, type=BusinessConfig)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvariantViolated(f"the stored business config does not decode: {error}") from error
