"""The first event of a run, from its submission or its stored row.

Owns: which bounds a run gets. Used by the submitter, and by a worker whose submitter died before the first entry.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from remit.core.events import RunSubmitted
from remit.core.program import Program
from remit.governance.policy import BusinessConfig
from remit.ids import Digest


class SubmittedInput(Protocol):
    """What a submission and a stored run have in common."""

    @property
    def definition_digest(self) -> Digest: ...
    @property
    def policy_digest(self) -> Digest: ...
    @property
    def principal_id(self) -> str: ...
    @property
    def input(self) -> bytes: ...
    @property
    def trigger(self) -> str | None: ...


def submission_event(program: Program, run: SubmittedInput, config: BusinessConfig | None) -> RunSubmitted:
    """Return the first event of a run: its bounds are the tighter of its definition's and its tenant's."""
    bounds = program.definition.bounds
    if config is not None:
        bounds = bounds.tightened(config.bounds)
    return RunSubmitted(
        definition_digest=run.definition_digest,
        policy_digest=run.policy_digest,
        principal_id=run.principal_id,
        input=msgspec.json.decode(run.input),
        bounds=bounds,
        trigger=run.trigger,
    )
