"""Who is asking, and what they may do here.

Owns: reading the API key, and which role each act needs. The tenant comes from the key and from nowhere else.
Does not know: how keys are stored.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from remit.errors import PermissionDeniedError, UnauthenticatedError
from remit.ports.store import Directory, Principal

OPERATE: Final = frozenset({"operator", "admin"})
"""May submit, signal and cancel runs, and settle parked effects."""

KEY_CHARACTERS_MAX: Final = 200


async def authenticate(request: Request, directory: Directory) -> Principal:
    """Return whose API key the request carries.

    Raises:
        UnauthenticatedError: no key, not a key, or not a known one.
    """
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    key = key.strip()
    is_readable = key.isascii() and key.isprintable() and len(key) <= KEY_CHARACTERS_MAX
    if scheme.lower() != "bearer" or not key or not is_readable:
        raise UnauthenticatedError("expected an API key: Authorization: Bearer <key>")
    return await directory.authenticate(key)


def require_role(principal: Principal, roles: frozenset[str]) -> None:
    """Refuse a principal that has none of the roles, or is not active.

    Raises:
        PermissionDeniedError: names the roles that would do.
    """
    if not principal.active:
        raise PermissionDeniedError(f"principal {principal.principal_id!r} is not active")
    if roles.isdisjoint(principal.roles):
        raise PermissionDeniedError(
            f"expected one of the roles {', '.join(sorted(roles))}; {principal.principal_id!r} has "
            f"{', '.join(principal.roles) or 'none'}",
            principal_id=principal.principal_id,
        )
