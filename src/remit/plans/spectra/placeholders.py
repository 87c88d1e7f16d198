"""Texts that stand for others that are still to be written: ``{title}``, ``TBD``, ``...``.

Owns: recognising them.
Does not know: where they stand.
"""

from __future__ import annotations

import re
from typing import Final

_PLACEHOLDER: Final = re.compile(
    r"\{[^{}$]{0,80}\}|<[a-z][a-z _-]{0,60}>"
    r"|\[(?:criterion|title|name|project|task|description|todo|tbd|date|\.\.\.)[^\[\]]{0,60}\]"
    r"|(?:\.\.\.|\N{HORIZONTAL ELLIPSIS}|x{3,}|\?{2,}|lorem ipsum.*)",
    re.IGNORECASE,
)
_TO_DO: Final = re.compile(
    r"^(?:TODO|TBD|FIXME|TBC)\b(?:[ \t]*$|[ \t]*[-:(.])|\b(?:TBD|TBC)[.!]?$"
    r"|\bto be (?:defined|decided|determined)[.!]?$"
)


def is_placeholder(text: str) -> bool:
    """Whether a text stands for one that is still to be written."""
    bare = text.strip("*_`\"' ")
    return _PLACEHOLDER.fullmatch(bare) is not None or _TO_DO.search(bare) is not None
