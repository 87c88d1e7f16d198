"""Ids of another tenant, each beside one of the same form that nobody has.

Owns: which kinds of ids there are, and what makes two answers the same. Does not know: where the ids are put.
"""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any, Final

from tests.integration.isolation.houses import House

NO_IDS: Final = frozenset({"keys", "webhook_secret"})
KINDS: Final = tuple(field.name for field in fields(House) if field.name not in NO_IDS)
"""Every kind of id that one tenant might try of another, the tenant's own among them."""

SHORT_CHARACTERS_MAX: Final = 3
_DIGITS: Final = str.maketrans("0123456789abcdef", "123456789abcdef0")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


def foreign(theirs: House, kind: str) -> Any:
    """Return an id of another tenant."""
    return getattr(theirs, kind)


def absent(theirs: House, kind: str) -> Any:
    """Return an id of the same kind, form and length that no tenant has."""
    value = getattr(theirs, kind)
    if isinstance(value, int):
        return value + 900
    if theirs.tenant_id in value:
        return value.replace(theirs.tenant_id, "z" * len(theirs.tenant_id))
    if re.fullmatch(r"(msg_)?[0-9a-f-]{16,}", value):
        head, mark, digits = value.rpartition("_")
        return head + mark + digits.translate(_DIGITS)
    return value.swapcase()


def comparable(text: str, *values: Any) -> str:
    """Return an answer without the ids that were asked for, and without what no two answers share."""
    for value in map(str, values):
        for shown in (value, value[:40], value[:20]):
            # A short number would be found in places where nobody put it.
            text = text.replace(shown, "<asked>") if len(value) > SHORT_CHARACTERS_MAX else text
    return _TIME.sub("<time>", _UUID.sub("<uuid>", text))
