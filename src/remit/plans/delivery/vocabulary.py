"""Words that tell what an item is about: testing, closing a phase, or nothing in particular.

Owns: the sets of words, all in small letters.
Does not know: what follows from a word.
"""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TESTING: Final = _words(
    """
    test tests testing spec specs unit integration e2e regression smoke contract validation validate verify verifying
    verification verified check checks checking coverage confirm confirming ensure ensuring qa audit review performance
    load acceptance assert
    """
)
"""Words that say that something is tested, and not what."""

DECISIVE: Final = _words(
    "test tests testing spec specs e2e validation validate verify verification check checks smoke regression qa"
)
"""Words of which a test has one in its title."""

CLOSING: Final = _words("commit commits push merge backup release notes pr signoff deploy")
"""Words of items that close a phase."""

INFRASTRUCTURE: Final = _words(
    """
    scaffolding helper helpers infrastructure harness harnesses fixture fixtures data environment environments plan
    planning strategy utilities mocks doubles
    """
)
"""What tests need: an item about `test helpers` is no test."""

GENERAL: Final = _words(
    """
    a an and the of for to in on with without from by via per as at or not all any each new own if into it its is are
    add adds build builds create creates implement implements implementation make makes update updates write writes
    support set up use uses using based ts js tsx jsx py rb go java kt cs md json yaml yml sql
    der die das und fuer mit von
    """
)
"""Words that say nothing about what an item is about."""

WRITING: Final = _words("write add create implement author extend build")
TESTS: Final = _words("test tests spec specs testing")
KINDS_OF_TESTS: Final = _words(
    """
    unit integration e2e end-to-end regression smoke contract acceptance load performance security api the all more new
    automated missing and ui
    """
)
AFTER_TESTS: Final = _words("for of covering verifying to in on with (e2e) -") | {"\N{EN DASH}", "\N{EM DASH}"}
"""What may follow `tests` in a title that says that tests are written."""

LEVELS: Final = _words(
    """
    low medium high critical moderate minor major severe unlikely possible likely certain rare very negligible
    catastrophic med h m l none
    """
)
"""Words that begin a level of impact or likelihood."""
