"""The error tree: every error that Remit raises on purpose.

Owns: the classes, their stable codes and how they are rendered as data.
Does not know: HTTP, exit codes of a shell, SQLSTATEs (the edges map codes to those).

    RemitError
    ├── UsageError                    the caller's fault; trying again unchanged cannot help
    │   ├── CanonicalizationError     CANONICAL_INVALID
    │   ├── JsonSyntaxError           JSON_INVALID
    │   ├── ExpressionError           EXPRESSION_INVALID
    │   ├── EvaluationError           EVALUATION_FAILED
    │   ├── DefinitionInvalidError    DEFINITION_INVALID
    │   ├── DefinitionUnrunnableError DEFINITION_UNRUNNABLE
    │   ├── InputInvalidError         INPUT_INVALID
    │   ├── NotFoundError             NOT_FOUND
    │   ├── AlreadyDecidedError       ALREADY_DECIDED
    │   ├── IllegalTransitionError    ILLEGAL_TRANSITION
    │   ├── PermissionDeniedError     PERMISSION_DENIED
    │   ├── UnauthenticatedError      UNAUTHENTICATED
    │   ├── SignatureInvalidError     SIGNATURE_INVALID
    │   ├── SettingsInvalidError      SETTINGS_INVALID
    │   └── ContractInvalidError      CONTRACT_INVALID
    ├── OperationError                the world's fault; `retryable` says whether waiting may help
    │   ├── StoreUnavailableError     STORE_UNAVAILABLE
    │   │   └── StoreReadOnlyError    STORE_READ_ONLY
    │   ├── UnsafeDatabaseError       UNSAFE_DATABASE
    │   ├── TenantContextError        TENANT_CONTEXT_MISSING
    │   ├── FencedError               FENCED
    │   ├── CapacityError             CAPACITY_EXCEEDED
    │   └── ToolError                 TOOL_FAILED
    └── InvariantViolated             INVARIANT_VIOLATED; a bug of ours or damaged data
        └── JournalCorruptError       JOURNAL_CORRUPT
"""

from __future__ import annotations

from typing import ClassVar


class RemitError(Exception):
    """An error with a stable code, a message for people, and facts as typed fields.

    Args:
        message: What was expected, what came, what to do.
        fields: The facts the message speaks of, as JSON values. Never a secret.
    """

    code: ClassVar[str] = "REMIT_ERROR"

    def __init__(self, message: str, **fields: object) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields

    def to_dict(self) -> dict[str, object]:
        """Return the error as JSON data: ``code``, ``message`` and the fields."""
        return {"code": self.code, "message": self.message, **self.fields}


class UsageError(RemitError):
    """The caller's fault: the same call cannot succeed."""

    code = "USAGE_ERROR"


class CanonicalizationError(UsageError):
    """A value has no canonical JSON form (NaN, a lone surrogate, an unsafe integer)."""

    code = "CANONICAL_INVALID"


class JsonSyntaxError(UsageError):
    """Bytes are not the strict JSON that we accept; carries ``line`` and ``column``."""

    code = "JSON_INVALID"


class ExpressionError(UsageError):
    """An expression does not compile; carries ``offset`` within its text."""

    code = "EXPRESSION_INVALID"


class EvaluationError(UsageError):
    """A compiled expression failed on its data."""

    code = "EVALUATION_FAILED"


class DefinitionInvalidError(UsageError):
    """A definition, plan or business config has findings; carries them all."""

    code = "DEFINITION_INVALID"


class DefinitionUnrunnableError(UsageError):
    """A definition is sound, but has parts that this version knows and cannot run; carries them all."""

    code = "DEFINITION_UNRUNNABLE"


class InputInvalidError(UsageError):
    """The input of a run, signal or call does not match its schema."""

    code = "INPUT_INVALID"


class NotFoundError(UsageError):
    """The named thing does not exist for this tenant."""

    code = "NOT_FOUND"


class AlreadyDecidedError(UsageError):
    """A decision was made before, the request expired, or what it covers changed."""

    code = "ALREADY_DECIDED"


class IllegalTransitionError(UsageError):
    """The transition table has no such move from the current state."""

    code = "ILLEGAL_TRANSITION"


class PermissionDeniedError(UsageError):
    """The principal may not do this."""

    code = "PERMISSION_DENIED"


class UnauthenticatedError(UsageError):
    """There is no principal: the key is missing, unknown or revoked."""

    code = "UNAUTHENTICATED"


class SignatureInvalidError(UsageError):
    """A webhook's signature does not match its raw bytes, or its time is outside the window."""

    code = "SIGNATURE_INVALID"


class SettingsInvalidError(UsageError):
    """A setting is missing or out of range."""

    code = "SETTINGS_INVALID"


class ContractInvalidError(UsageError):
    """A tool's contract contradicts itself or its function."""

    code = "CONTRACT_INVALID"


class OperationError(RemitError):
    """The world's fault. ``retryable`` says whether the same call may succeed later."""

    code = "OPERATION_ERROR"

    def __init__(self, message: str, *, retryable: bool = False, **fields: object) -> None:
        super().__init__(message, **fields)
        self.retryable = retryable


class StoreUnavailableError(OperationError):
    """PostgreSQL cannot be reached or refused the work for now."""

    code = "STORE_UNAVAILABLE"


class StoreReadOnlyError(StoreUnavailableError):
    """The store takes on no more work for now, but answers: its volume is nearly full, or the server is a standby."""

    code = "STORE_READ_ONLY"


class UnsafeDatabaseError(OperationError):
    """The database would lose acknowledged work or let tenants mix; we refuse to use it."""

    code = "UNSAFE_DATABASE"


class TenantContextError(OperationError):
    """A statement on tenant data ran without a tenant context."""

    code = "TENANT_CONTEXT_MISSING"


class FencedError(OperationError):
    """Another worker owns the run now; nothing of ours is accepted."""

    code = "FENCED"


class CapacityError(OperationError):
    """A queue or limit is full; try later."""

    code = "CAPACITY_EXCEEDED"


class ToolError(OperationError):
    """A tool failed. ``effect`` says what is known about its side effect.

    Args:
        message: What the tool or provider said, without secrets.
        retryable: Whether another attempt may succeed.
        effect: ``none`` (proven that nothing happened), ``unknown`` (it may have happened).
        reason: The provider's or tool's own code, such as ``card_declined``.
        retry_after_seconds: How long the provider asked us to wait, if it did.
    """

    code = "TOOL_FAILED"

    def __init__(
        self,
        message: str,
        *,
        retryable: bool = False,
        effect: str = "none",
        reason: str = "TOOL_FAILED",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message, retryable=retryable, effect=effect, reason=reason)
        self.effect = effect
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class InvariantViolated(RemitError):
    """Ours: a bug, or data that was changed behind our back."""

    code = "INVARIANT_VIOLATED"


class JournalCorruptError(InvariantViolated):
    """The journal does not verify; carries ``run_id``, ``sequence`` and ``part``."""

    code = "JOURNAL_CORRUPT"
