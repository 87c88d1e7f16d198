"""Who may do what on the command line: the same roles as over HTTP.

Whoever can run these commands reaches the database anyway; the roles are here so that a laptop behaves as production
does, and so that what is recorded names who acted.
"""

from __future__ import annotations

from remit.api.access import OPERATE, require_role
from remit.cli.session import Session
from remit.ports.store import Principal


async def require_operator(session: Session) -> Principal:
    """Return the acting principal if it may operate runs.

    Raises:
        NotFoundError, PermissionDeniedError: it does not exist, is not active or lacks the role.
    """
    principal = await session.principal()
    require_role(principal, OPERATE)
    return principal
