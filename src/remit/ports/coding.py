"""The coding port: what changes code, and what judges the change. Adapters come as tools; there are none yet.

Owns: the protocols of a coding agent, a verifier, a prover of wiring and a checker of assertions, with their records.
Does not know: models, sandboxes, version control. `declared` holds the contracts of the tools that adapters will be.

A *workspace* is named, never a path of this machine: the adapter knows where it is, and lets nothing leave it; what the
version control keeps for itself is no part of it. Paths are relative to its root, as plans write them: a file, a
directory that ends in ``/`` (with all below), or a glob of ``*``, ``?``, ``**`` and ``{a,b}``; brackets are brackets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from remit.core.canonical import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOrder:
    """What a coding agent is asked to do.

    It may create, change and delete what ``write`` names and nothing else, at most ``files_max`` files if that is set,
    and sees that and what ``read`` names (empty: the whole workspace), without ``denied``, which wins over both. With
    ``evidence_required`` it leaves evidence of each criterion in the workspace. ``feedback`` is what the verification
    of the iteration before found; null in the first.
    """

    workspace: str
    task: str
    title: str
    objective: str
    criteria: tuple[str, ...]
    write: tuple[str, ...]
    read: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    files_max: int | None = None
    invariants: tuple[str, ...] = ()
    evidence_required: bool = False
    feedback: JsonValue = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an agent changed: the paths, the workspace's ``revision`` after it, and a summary for people."""

    changed: tuple[str, ...]
    revision: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command came to. ``exit_code`` is ``None`` for one that ran out of time.

    ``output_digest`` is the SHA-256 of all it wrote, ``output_tail`` the end of that, redacted.
    """

    passed: bool
    exit_code: int | None
    output_digest: str
    output_tail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One proof of wiring: a command that ran, or a path through the code that was followed, with the evidence."""

    kind: Literal["cli", "integration"]
    claim: str
    passed: bool
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionResult:
    """Whether one assertion holds, and what was found instead."""

    assertion: str
    passed: bool
    found: str


class CodingAgent(Protocol):
    """Changes code in a workspace."""

    async def change(self, order: ChangeOrder, *, reference: str) -> Change:
        """Do the order and record it in the workspace under ``reference``.

        Idempotency: a change that was recorded under the reference is returned, never made again.

        Raises:
            ToolError: it could not; with ``effect="none"`` the workspace is as before.
        """
        ...

    async def find_change(self, workspace: str, *, reference: str) -> Change | None:
        """Return the change that was recorded under a reference; ``None`` proves that there is none."""
        ...


class Verifier(Protocol):
    """Runs commands against a workspace without changing it."""

    async def verify(self, workspace: str, command: str, *, cwd: str, timeout_seconds: int) -> Outcome:
        """Run a command in a copy of the workspace that is thrown away, without network.

        A command that fails is an outcome. `ToolError` says that it could not be run at all.
        """
        ...


class WiringProver(Protocol):
    """Shows that what was built is reached from outside, not only from its own tests."""

    async def prove(
        self, workspace: str, *, commands: tuple[str, ...], paths: tuple[str, ...], owns: tuple[str, ...]
    ) -> tuple[Proof, ...]:
        """Run every command, and follow every path through the code that ``owns`` names; one proof for each."""
        ...


class AssertionChecker(Protocol):
    """Evaluates assertions about the text of a workspace (``GREP``, ``CALLSITE``, ``COUNT``, ``NOT_EXISTS``)."""

    async def check(self, workspace: str, assertions: tuple[str, ...]) -> tuple[AssertionResult, ...]:
        """Return one result for each assertion, in their order."""
        ...
