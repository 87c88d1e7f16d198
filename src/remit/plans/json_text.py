"""JSON as plan documents are written: people read it, and it is read back as it was.

Owns: which characters stand as escapes.
Does not know: what is written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from remit.plans.texts.mojibake import repair

_UNSEEN: Final = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
"""Characters that a reader of plans refuses as they are; as an escape each is what it is."""


def json_text(value: Mapping[str, Any]) -> str:
    """Return the JSON of an object, indented, with a line end behind it."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    text = _UNSEEN.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
    # What only looks as if it had been misread would be repaired when it is read; escapes are left alone.
    return (text if repair(text) is None else json.dumps(value, indent=2)) + "\n"
