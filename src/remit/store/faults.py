"""What a failure of the database means to us.

Owns: the one mapping from SQLSTATEs, constraint names and driver errors to our error tree.
Does not know: which statement failed.

Messages never repeat the server's: its details quote rows.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

import asyncpg

from remit.errors import (
    AlreadyDecidedError,
    InputInvalidError,
    InvariantViolated,
    NotFoundError,
    RemitError,
    StoreReadOnlyError,
    StoreUnavailableError,
    TenantContextError,
    UnsafeDatabaseError,
)

OUR_TENANT_CONTEXT: Final = "RM001"
OUR_PAYLOAD_MISSING: Final = "RM002"
OUR_PARTITION_RANGE: Final = "RM003"
OUR_APPROVAL_LATE: Final = "RM004"
NO_PARTITION: Final = "23514"
"""A check violation; also what a row without a partition raises."""

DRIVER_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # What the driver raises when a connection is lost at an unlucky moment.
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    UnicodeEncodeError,
)
"""Everything that a statement can raise."""

CONSTRAINTS: Final[dict[str, tuple[type[RemitError], str]]] = {
    "runs_tenant_id_definition_digest_fkey": (NotFoundError, "expected a stored definition; put it first"),
    "runs_tenant_id_principal_id_fkey": (NotFoundError, "expected a known principal; put it first"),
    "principals_tenant_id_fkey": (NotFoundError, "expected a known tenant; create it first"),
    "definitions_tenant_id_fkey": (NotFoundError, "expected a known tenant; create it first"),
    "policies_tenant_id_fkey": (NotFoundError, "expected a known tenant; create it first"),
    "inbound_events_tenant_id_fkey": (NotFoundError, "expected a known tenant; create it first"),
    "breakers_tenant_id_fkey": (NotFoundError, "expected a known tenant; create it first"),
    "rates_tenant_id_fkey": (NotFoundError, "expected a known tenant; create it first"),
    "api_keys_tenant_id_principal_id_fkey": (NotFoundError, "expected a known principal; put it first"),
    "webhook_endpoints_tenant_id_principal_id_fkey": (NotFoundError, "expected a known principal; put it first"),
    "tenants_tenant_id_check": (
        InputInvalidError,
        "expected a tenant id of 1 to 40 of a-z, 0-9, _ and -, beginning with a letter",
    ),
}
"""What a violated constraint means; those that are not here are data that we refuse."""

_POOLED: Final = "a pooler in transaction mode is in between: connect to the server, or let it pool sessions"

_EXACT: Final[dict[str, tuple[type[RemitError], str]]] = {
    OUR_TENANT_CONTEXT: (TenantContextError, "a statement on tenant data ran without a tenant context"),
    OUR_PAYLOAD_MISSING: (InputInvalidError, "an entry's payload was neither sent nor stored before"),
    OUR_PARTITION_RANGE: (InputInvalidError, "a run id is of a time that no partition may be made for"),
    OUR_APPROVAL_LATE: (AlreadyDecidedError, "the request expired while it was being decided"),
    "25006": (StoreReadOnlyError, "the database is read-only, as a standby is"),
    "53100": (StoreReadOnlyError, "the database's volume is full"),
    "42501": (InvariantViolated, "the database forbids this to the application role"),
    "3F000": (UnsafeDatabaseError, "the schema is missing: run `remit db upgrade`"),
    "42P01": (UnsafeDatabaseError, "a table is missing: run `remit db upgrade`"),
    "42883": (UnsafeDatabaseError, "a function is missing: run `remit db upgrade`"),
    "28P01": (UnsafeDatabaseError, "the database refuses the password"),
    "28000": (UnsafeDatabaseError, "the database refuses the role"),
    "3D000": (UnsafeDatabaseError, "the database does not exist"),
    # A pooler that does not know our settings of the session, or gives prepared statements to others.
    "08P01": (UnsafeDatabaseError, _POOLED),
    "26000": (UnsafeDatabaseError, _POOLED),
    "42P05": (UnsafeDatabaseError, _POOLED),
}

_CLASSES: Final[dict[str, tuple[type[RemitError], str]]] = {
    "08": (StoreUnavailableError, "the connection to the database was lost"),
    "25": (StoreUnavailableError, "the transaction is gone"),
    "40": (StoreUnavailableError, "the transaction lost against another; send it again"),
    "53": (StoreUnavailableError, "the database has no memory or connections left"),
    "55": (StoreUnavailableError, "something is locked; send it again"),
    "57": (StoreUnavailableError, "the database is shutting down or cancelled the statement"),
    "58": (StoreUnavailableError, "the database's machine failed"),
    "22": (InputInvalidError, "the database refuses a value"),
    "23": (InputInvalidError, "the database refuses a row"),
    "54": (InputInvalidError, "a value is beyond the database's limits"),
}

_QUOTING: Final = frozenset({"22", "23"})


def translate(error: BaseException, *, statement: str) -> RemitError:
    """Return our error for a driver's; ``statement`` is the name of what was run."""
    if isinstance(error, RemitError):
        return error
    if isinstance(error, asyncpg.PostgresError):
        return _from_server(error, statement)
    if isinstance(error, ssl.SSLCertVerificationError):
        # It is a ValueError as well.
        return UnsafeDatabaseError(
            f"{statement}: expected a certificate of the database's that `sslrootcert` vouches for, "
            f"got one that fails: {error.verify_message}",
            statement=statement,
        )
    if isinstance(error, UnicodeEncodeError | ValueError | TypeError):
        # The driver could not encode an argument: a lone surrogate, a number out of range.
        return InputInvalidError(f"{statement}: a value cannot be stored", statement=statement, sqlstate="22000")
    if isinstance(
        error, asyncpg.InterfaceError | asyncpg.InternalClientError | OSError | TimeoutError | asyncio.CancelledError
    ):
        return StoreUnavailableError(
            f"{statement}: the database cannot be reached", retryable=True, statement=statement
        )
    return InvariantViolated(f"{statement}: {type(error).__name__}", statement=statement)


def loggable(error: BaseException) -> BaseException | None:
    """Return a driver's error as the cause of ours, if its text cannot quote a value: tracebacks go to logs.

    The server quotes what it refuses (classes 22 and 23, and every detail), the driver what it cannot encode.
    """
    if isinstance(error, ValueError | TypeError):
        return None
    if isinstance(error, asyncpg.PostgresError):
        if (error.sqlstate or "")[:2] in _QUOTING:
            return None
        error.detail = error.hint = error.where = None
    return error


def _from_server(error: asyncpg.PostgresError, statement: str) -> RemitError:
    sqlstate = error.sqlstate or "XX000"
    constraint = getattr(error, "constraint_name", None)
    kind, meaning = (
        CONSTRAINTS.get(constraint or "")
        or _EXACT.get(sqlstate)
        or _CLASSES.get(sqlstate[:2])
        or (InvariantViolated, "the database failed in a way that we do not know")
    )
    fields: dict[str, object] = {"statement": statement, "sqlstate": sqlstate}
    if constraint:
        fields["constraint"] = constraint
    if issubclass(kind, StoreUnavailableError):
        return kind(f"{statement}: {meaning} ({sqlstate})", retryable=True, **fields)
    return kind(f"{statement}: {meaning} ({sqlstate})", **fields)
