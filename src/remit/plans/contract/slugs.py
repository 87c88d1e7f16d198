"""Slugs of fanout tasks: how a task is known before it has an issue.

Owns: the slug, which is what the marker of an issue says and what a plan calls the task.
Does not know: whether slugs differ.
"""

from __future__ import annotations

import re
from typing import Final

from remit.plans.contract.records import FanoutTask

SLUG_CHARACTERS_MAX: Final = 48

_OTHERS: Final = re.compile(r"[\W_]+")


def slug_of(task: FanoutTask) -> str:
    """Return role and title in lower case with hyphens, cut; letters of every script stay."""
    words = _OTHERS.sub("-", f"{task.role.value}-{task.title}"[:400].casefold()).strip("-")
    return words[:SLUG_CHARACTERS_MAX].strip("-")
