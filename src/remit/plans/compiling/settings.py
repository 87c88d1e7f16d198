"""What the user of the compiler decides, and what holds where a plan says nothing.

Owns: the defaults, each with its reason; the compiled document states those that it used.
Does not know: plans.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from remit.errors import InputInvalidError
from remit.governance.gate_checks import ROLE_PREFIX
from remit.plans.fields import DEFINITION_NAME, PRINCIPAL_NAME

ITERATIONS_DEFAULT: Final = 5
"""Iterations of a task that names no limit: the default of SPECTRA's own schema."""

CHANGE_SECONDS: Final = 900
"""How long one change may take: one context of a coding agent is used up well before."""

ITERATION_TOKENS: Final = 200_000
"""Tokens that the bounds allow for each iteration: one context of a coding agent."""

TASK_COST_USD: Final = 10
"""What the bounds allow each task to cost: the budget of a task in SPECTRA's project files."""

VERIFY_SECONDS: Final = 600
"""How long one command may take, and all proofs of wiring of one task together."""

COPY_SECONDS: Final = 60
"""What making the copy of a workspace may take, in which a command runs."""

ASSERT_SECONDS: Final = 60
"""How long all assertions of one task may take: they read text."""

GATE_DAYS: Final = 14
"""How long a human gate waits for an answer; then it fails, and the run with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileSettings:
    """How to compile.

    ``builder`` changes code, ``tester`` writes tests, and each verifies what the other did: two principals, so that
    nobody judges their own work. ``approvers`` answer at gates: principals, or roles as ``role:name``; neither of the
    two is among them. ``name`` is the orchestration's; without one it is made of the plan's title.
    """

    builder: str = "builder"
    tester: str = "tester"
    approvers: tuple[str, ...] = ("role:approver",)
    name: str | None = None

    def __post_init__(self) -> None:
        if self.builder == self.tester:
            raise InputInvalidError(
                f"expected two principals, got {self.builder!r} as builder and tester; nobody verifies their own work"
            )
        for name in (self.builder, self.tester):
            if name.startswith(ROLE_PREFIX) or PRINCIPAL_NAME.pattern.fullmatch(name) is None:
                raise InputInvalidError(f"expected the name of a principal that acts, got {name!r}; a role cannot act")
        for name in self.approvers:
            if name == ROLE_PREFIX or PRINCIPAL_NAME.pattern.fullmatch(name) is None:
                raise InputInvalidError(f"expected {PRINCIPAL_NAME.words}, got {name!r}; correct it")
        acting = sorted({self.builder, self.tester} & set(self.approvers))
        if acting:
            raise InputInvalidError(
                f"expected approvers that do none of the work, got {', '.join(acting)}; who acts must not decide"
            )
        if not self.approvers:
            raise InputInvalidError("expected at least one approver, got none; gates need somebody who may decide")
        if self.name is not None and DEFINITION_NAME.pattern.fullmatch(self.name) is None:
            raise InputInvalidError(f"expected {DEFINITION_NAME.words}, got {self.name!r}; rename it")


DEFAULTS: Final = CompileSettings()
