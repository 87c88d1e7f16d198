"""Word rules: does a task build something, or only look at what is there?

Owns: the words. They are written out in docs/reference/plans-contract.md, so that a finding can be argued with.
Does not know: tasks and rules. Words of other languages than English tell nothing, and nothing is said about them.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BUILDING: Final = _words(
    """
    add adapt allow attach automate block bound build cache change clean code configure connect convert create decode
    decouple delete deploy deprecate drop embed emit enable encode enforce expose extend extract fix generate guard
    handle harden implement index inject insert instrument integrate introduce isolate limit load log make merge
    migrate move normalize normalise optimize optimise parallelize parse persist port propagate provide publish record
    refactor reject release remove rename replace resolve retry return rewrite route run schedule secure separate
    serve set ship simplify split store stream support switch throttle track unify update upgrade use wire wrap write
    """
)
"""Verbs of work that changes code."""

LOOKING: Final = _words(
    """
    analyse analyze assess audit benchmark certify check compare confirm demonstrate evaluate examine exercise inspect
    investigate measure monitor prove qualify research review survey validate verify
    """
)
"""Verbs of work that looks at code as it is."""

EVIDENCE: Final = re.compile(
    r"\b(?:(?:coverage|evidence|traceability|test|verification|validation|compliance|requirements?|event)"
    r"\s+(?:matrix|matrices)|(?:matrix|matrices)(?=\s+(?:of|for|across|covering|showing)\b|\W*$)|"
    r"evidence\s+(?:pack|bundle|report|file)s?|(?:coverage|audit|test|verification|validation|gap)\s+reports?|"
    r"checklists?|gap\s+analysis|(?:verification|validation|audit|review|assessment)\s+(?:of|pass|sweep|run)s?)\b",
    re.IGNORECASE,
)
"""What verification leaves behind: papers, no code."""

VAGUE: Final = _words(
    "address consider continue coordinate discuss do enhance ensure explore finalise finalize help improve look plan "
    "polish revisit study tackle think work"
)
"""Verbs that name no result, if a title begins with one."""

PRODUCING: Final = _words(
    "assemble author build collect compile complete create deliver draft fill generate maintain make prepare produce "
    "provide publish update write"
)
"""Verbs of work that leaves something, be it code or a paper."""

_VERBS: Final = BUILDING | LOOKING | VAGUE | PRODUCING
_CODING: Final = BUILDING - PRODUCING
_CODE: Final = re.compile(
    r"(?<![\w./-])/?(?:[\w.-]+/)+[\w.-]*"  # a path
    r"|`[^`\n]{1,200}`"
    r"|\b\w{1,100}\.(?:go|py|ts|tsx|js|rs|sql|java|kt|swift|rb|c|cc|cpp|h|proto|toml|yaml|yml|sh)\b"
    r"|\b[a-z]{1,60}_[a-z0-9_]{1,100}\b"
    r"|\b[a-z]{1,60}[A-Z]\w{0,100}\b|\b[A-Z][a-z0-9]{1,60}[A-Z]\w{0,100}\b"
)
_PAPER_PATH: Final = re.compile(r"(?:\./)?(?:docs?|specs?|reports?|evidence)/|.*\.(?:md|txt|csv|html|pdf)[.`]?$")
_TESTING: Final = re.compile(r"\W*test(?:ing)?\s+(?:the|that|all|each|every|whether|if|how|existing)\b", re.IGNORECASE)
_PASSING: Final = re.compile(
    r"\W*(?:validate|verify|check)\s+(?:[A-Za-z]+\s+){0,2}?(?:inputs?|requests?|payloads?|parameters?|params|arguments?|"
    r"signatures?|tokens?|headers?|credentials?|checksums?|certificates?)\b",
    re.IGNORECASE,
)
"""What code looks at while it runs: a title that says so may well build the check."""

_DOCUMENTING: Final = re.compile(
    r"\W*(?:document|describe)\s|\W*(?:write|update|add|create|extend|improve|draft|prepare|publish|complete|clean)\s+"
    r"(?:up\s+)?(?:(?:the|a|an|our|more|all|missing|new)\s+)?(?:[\w-]+\s+)?"
    r"(?:readmes?|docs?|documentation|changelogs?|runbooks?|adrs?|tutorials?)(?=\s+(?:for|of|about|on|with|in)\b|[\s.]*$)",
    re.IGNORECASE,
)
_OPENING: Final = re.compile(r"\s*(?:\[[^\]\n]{0,40}\]\s*|[A-Za-z][A-Za-z ]{0,20}:\s+|please\s+)*", re.IGNORECASE)
_WORD: Final = re.compile(r"[A-Za-z]+")
_OPENING_WORDS_MAX: Final = 12
_TEXT_MAX: Final = 1_000
"""So much of a text is looked at: what a task is about stands at its beginning."""


class Aim(StrEnum):
    """What a task is for, as far as its words tell."""

    BUILDS = "builds"
    VERIFIES = "verifies"
    DOCUMENTS = "documents"
    VAGUE = "vague"
    UNTOLD = "untold"


def aim_of(title: str, text: str) -> Aim:
    """Return what a task is for.

    A task that produces papers of evidence verifies; so does one whose first verb looks at things, unless its words
    name code or a verb of building. One that writes only about code documents. A task that begins with a verb that
    names no result, or has a title of one word, is vague if it names no code.
    """
    everything = f"{title}\n{text}"[:_TEXT_MAX]
    verb = first_verb(title)
    code = names_code(everything)
    if is_evidence(title) and (verb in LOOKING or (verb not in _CODING and not code)):
        return Aim.VERIFIES
    if not code and _DOCUMENTING.match(title):
        return Aim.DOCUMENTS
    builds = code or not BUILDING.isdisjoint(word.lower() for word in _WORD.findall(everything))
    if (verb in LOOKING or _TESTING.match(title)) and not _PASSING.match(title):
        return Aim.BUILDS if builds else Aim.VERIFIES
    if not code and (_begins_vaguely(title) or (_is_one_word(title) and not text.strip())):
        return Aim.VAGUE
    return Aim.BUILDS if builds else Aim.UNTOLD


def _begins_vaguely(title: str) -> bool:
    """Whether a title begins with a verb that names no result; further on it may be a noun, as in `payment plan`."""
    opening = _OPENING.match(title[:_TEXT_MAX])
    word = _WORD.match(title, 0 if opening is None else opening.end())
    return word is not None and word.group().lower() in VAGUE


def _is_one_word(title: str) -> bool:
    """Whether a title is a single word; scripts without spaces between words do not tell."""
    return title.isascii() and len(title.split()) == 1


def is_evidence(title: str) -> bool:
    """Whether a title names a paper of evidence."""
    return EVIDENCE.search(title[:_TEXT_MAX]) is not None


def names_code(text: str) -> bool:
    """Whether a text names code: a path, a file or an identifier, but not a document."""
    return any(_PAPER_PATH.match(found.group().strip("`")) is None for found in _CODE.finditer(text[:_TEXT_MAX]))


def first_verb(title: str) -> str:
    """Return the first word of a title that is a known verb, ``""`` if none of its first words is."""
    words = [word.lower() for word in _WORD.findall(title[:_TEXT_MAX])[:_OPENING_WORDS_MAX]]
    return next((word for word in words if word in _VERBS), "")
