"""Canaries: values that must not come out anywhere, and a scanner that knows them in every disguise.

Owns: what is searched for, and in which forms. Does not know: the places that are searched.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex
from typing import Final
from urllib.parse import quote

FORMS: Final[dict[str, Callable[[str], str]]] = {
    "plain": lambda text: text,
    "base64": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "base64 behind a byte": lambda text: base64.b64encode(b"x" + text.encode()).decode().rstrip("=")[2:-2],
    "base64 behind two bytes": lambda text: base64.b64encode(b"xy" + text.encode()).decode().rstrip("=")[3:-2],
    "URL": lambda text: quote(text, safe=""),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "hexadecimal": lambda text: text.encode().hex(),
    "backwards": lambda text: text[::-1],
    "upper case": lambda text: text.upper(),
    "repr": lambda text: repr(text)[1:-1],
}


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A canary that came out: which, in which form, and the text around it."""

    canary: str
    form: str
    around: str


class Canaries:
    """Values of one run, by what they are.

    Secrets look like nothing in particular, so that no pattern finds them: only knowing them does. Personal data looks
    like what it is.
    """

    def __init__(self) -> None:
        self.secrets = {
            name: f"{name.replace(' ', '-')}/{token_hex(12)}+{token_hex(4)}"
            for name in ("tool credential", "webhook secret")
        }
        self.persons = {"address": f"anna.{token_hex(6)}@example.org", "card": "4111 1111 1111 1111"}

    @property
    def all(self) -> dict[str, str]:
        """Return secrets and personal data."""
        return {**self.secrets, **self.persons}


def leaks(text: str, values: dict[str, str]) -> list[Leak]:
    """Return every value that a text holds in any form; case is ignored."""
    found = []
    for name, value in values.items():
        for form, disguise in FORMS.items():
            match = re.search(re.escape(disguise(value)), text, re.IGNORECASE)
            if match is not None:
                around = text[max(0, match.start() - 80) : match.end() + 40]
                found.append(Leak(canary=name, form=form, around=around))
                break
    return found
