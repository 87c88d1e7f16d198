"""Writing YAML that people review: comments, short lists in one line, texts quoted only where they have to be.

Owns: the form. What is written reads back as the same value, also with the restrictions of `plans.documents`.
Does not know: what is written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from remit.core.canonical import JsonValue

WIDTH: Final = 100
INDENT: Final = "  "

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[./-][A-Za-z0-9_]+)*")
_NOT_TEXT: Final = frozenset({"true", "false", "null", "nan", "inf", "infinity", "yes", "no", "on", "off", "y", "n"})
"""Words that some reader of YAML takes for something else than a text."""

# What the reader of documents refuses in a text as it stands; as an escape it is harmless, and can be seen.
_HIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
_NEVER: Final = re.compile("[\x00\ud800-\udfff]")


def yaml_lines(value: JsonValue, indent: str = "") -> list[str]:
    """Return the lines of a mapping or list that is not empty, each behind an indentation."""
    if isinstance(value, Mapping):
        return [line for name, item in value.items() for line in _entry(f"{indent}{_scalar(name)}:", item, indent)]
    assert isinstance(value, Sequence)
    assert not isinstance(value, str)
    return [line for item in value for line in _item(item, indent)]


def comment_lines(text: str, indent: str = "") -> list[str]:
    """Return a text as comment lines, broken between words."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = f"{indent}#"
        for word in _shown(paragraph).split():
            if len(line) + len(word) + 1 > WIDTH and line != f"{indent}#":
                lines.append(line)
                line = f"{indent}#"
            line += f" {word}"
        lines.append(line)
    return lines


def _entry(key: str, value: JsonValue, indent: str) -> list[str]:
    flow = _flow(value)
    if flow is not None and (_is_leaf(value) or len(key) + 1 + len(flow) <= WIDTH):
        return [f"{key} {flow}"]
    if isinstance(value, list) and all(isinstance(item, str) and _is_word(item) for item in value):
        return [key, *_words(value, indent + INDENT)]
    return [key, *yaml_lines(value, indent + INDENT)]


def _item(value: JsonValue, indent: str) -> list[str]:
    flow = _flow(value)
    if flow is not None and (_is_leaf(value) or (isinstance(value, list) and len(indent) + 2 + len(flow) <= WIDTH)):
        return [f"{indent}- {flow}"]
    lines = yaml_lines(value, indent + INDENT)
    return [f"{indent}- {lines[0][len(indent) + len(INDENT) :]}", *lines[1:]]


def _words(words: list[JsonValue], indent: str) -> list[str]:
    """Return a list of words in brackets, as many in a line as fit."""
    lines: list[str] = []
    line = f"{indent}["
    for place, word in enumerate(words):
        text = f"{word}{']' if place == len(words) - 1 else ','}"
        if len(line) + len(text) + 1 > WIDTH:
            lines.append(line)
            line = f"{indent} {text}"
        else:
            line += text if line.endswith("[") else f" {text}"
    return [*lines, line]


def _is_leaf(value: JsonValue) -> bool:
    return not isinstance(value, dict | list) or not value


def _is_word(value: str) -> bool:
    return _scalar(value) == value and len(value) < WIDTH // 2


def _flow(value: JsonValue, depth: int = 2) -> str | None:
    """Return a value in one line: a leaf, or a list or mapping of leaves and small lists; ``None`` for others."""
    if not isinstance(value, dict | list):
        return _scalar(value)
    if not depth and value:
        return None
    if isinstance(value, list):
        items = [_flow(item, depth - 1) for item in value]
        return None if any(item is None for item in items) else f"[{', '.join(map(str, items))}]"
    entries = {name: _flow(item, depth - 1) for name, item in value.items()}
    if any(entry is None for entry in entries.values()):
        return None
    return "{" + ", ".join(f"{_scalar(name)}: {entry}" for name, entry in entries.items()) + "}"


def _scalar(value: JsonValue) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _NOT_TEXT:
        return value
    return _shown(json.dumps(_NEVER.sub("\N{REPLACEMENT CHARACTER}", value), ensure_ascii=False))


def _shown(text: str) -> str:
    """Return a text in which what cannot be seen stands as an escape."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
