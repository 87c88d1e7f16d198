"""Disguises: the forms in which a secret shows up once it went through an encoder.

Owns: those forms. Compression and splitting over several texts are beyond what a search can find.
"""

from __future__ import annotations

import base64
import json
from typing import Final
from urllib.parse import quote

FORM_CHARACTERS_MIN: Final = 6
LINE_CHARACTERS_MIN: Final = 16
"""A line of a key file gives the key away on its own."""


def disguises(secret: str) -> set[str]:
    """Return a secret as it is and as JSON, URL encoding, base64, hexadecimal digits and backwards; case is ignored."""
    forms = {secret, secret[::-1], secret.upper(), secret.lower(), secret.casefold()}
    forms |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    forms |= {repr(secret)[1:-1], quote(secret, safe=""), quote(secret), quote(secret, safe="").replace("%20", "+")}
    lines = [line.strip() for line in secret.splitlines()]
    if len(lines) > 1:
        forms |= {line for line in lines if len(line) >= LINE_CHARACTERS_MIN and not line.startswith("-----")}
    raw = secret.encode(errors="replace")
    forms.add(raw.hex())
    forms |= _base64_cores(raw)
    return {form for form in forms if len(form) >= FORM_CHARACTERS_MIN}


def _base64_cores(raw: bytes) -> set[str]:
    """Return what is always the same when the bytes are encoded as a part of something longer, at any offset."""
    cores = set()
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw).decode()
        # The first characters mix in what comes before, the last ones what comes after.
        first = (offset * 8 + 5) // 6
        last = (offset + len(raw)) * 8 // 6
        core = encoded[first:last]
        cores |= {core, core.replace("+", "-").replace("/", "_")}
    return cores
