"""The only source of randomness of the runtime; tests pass a seeded one.

Owns: jitter, nonces and ids drawn by a worker. What is drawn is recorded in facts, so replay never asks here.
"""

from __future__ import annotations

import random
import secrets
import uuid
from typing import Protocol


class Entropy(Protocol):
    """What may be drawn."""

    def fraction(self) -> float:
        """Return a number in [0, 1), for jitter."""
        ...

    def nonce(self) -> str:
        """Return 32 hex characters that nobody can guess."""
        ...

    def uuid(self) -> str:
        """Return a random UUID in its hyphenated form."""
        ...


class SystemEntropy:
    """The operating system's randomness."""

    def fraction(self) -> float:
        """Return jitter; not for secrets."""
        return random.random()  # noqa: S311 - jitter is no secret

    def nonce(self) -> str:
        """Return an unguessable nonce."""
        return secrets.token_hex(16)

    def uuid(self) -> str:
        """Return a random UUID."""
        return str(uuid.uuid4())
