"""Words with which people fill a place where there is nothing to write: ``none``, ``n/a``, a dash.

Owns: the words that every format knows, in lower case. Does not know: what a place may hold; a format may know more.
"""

from __future__ import annotations

from typing import Final

NOTHING_WORDS: Final = frozenset({"none", "n/a", "na", "nothing", "nil", "-", "\N{EN DASH}", "\N{EM DASH}"})
