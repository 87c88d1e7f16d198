"""What is promised, and what holds each promise: the table in ``promises.toml`` as records.

Owns: reading the table strictly, and the sentences of the README that it must cover.
Does not know: how a test is run or a bug is planted.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec

from campaigns.planting import Bug

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("promises.toml")
SECTION = "## Guarantees"
_SENTENCE_END = re.compile(r"(?<=[.:])\s+(?=[A-Z`*-])")
_MARKUP = re.compile(r"^\*\*[^*]+\*\*\s*|^- ")


class Edit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bug of a promise: in ``file``, relative to ``src``, ``old`` becomes ``new``.

    ``shows`` is what the failing test prints, where that is no failed assertion.
    """

    file: str
    old: str
    new: str
    shows: str = ""


class Promise(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One promise.

    ``words`` are quotations of the README, ``tests`` and ``planted`` node ids; ``planted`` are tests that plant bugs by
    themselves, ``bug`` is one that ``tests`` must find when it is planted in the sources.
    """

    id: str
    says: str
    tests: list[str]
    words: list[str] = []
    bug: Edit | None = None
    planted: list[str] = []
    number: str = ""
    campaigns: list[str] = []

    def bug_to_plant(self) -> Bug:
        """Return the bug as something that can be planted."""
        assert self.bug is not None
        return Bug(name=self.id, file=self.bug.file, old=self.bug.old, new=self.bug.new)


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    promise: list[Promise]


def read_promises() -> list[Promise]:
    """Return the table."""
    return msgspec.convert(tomllib.loads(TABLE.read_text(encoding="utf-8")), _Table).promise


def guaranteed() -> list[str]:
    """Return what the README guarantees and does not promise, sentence by sentence and row by row."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split(f"{SECTION}\n", 1)[1].split("\n## ", 1)[0]
    claims: list[str] = []
    for paragraph in section.split("\n\n"):
        lines = [line.strip() for line in paragraph.splitlines() if line.strip()]
        if lines and lines[0].startswith("|"):
            claims += lines[2:]  # the first two are the table's head
        else:
            claims += _sentences(lines)
    return claims


def _sentences(lines: list[str]) -> list[str]:
    joined: list[str] = []
    for line in lines:
        if line.startswith("- ") or not joined:
            joined.append(line)
        else:
            joined[-1] += f" {line}"
    sentences: list[str] = []
    for item in joined:
        text = _MARKUP.sub("", item)
        sentences += [text] if item.startswith("- ") else _SENTENCE_END.split(text)
    return [sentence for sentence in sentences if sentence]
