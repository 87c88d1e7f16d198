"""Single values of contracts: texts, and what stands where a text, list or number should.

Owns: which other forms of a value are read, and the words of the findings about them.
Does not know: fields and mappings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

from remit.diagnostics import Reporter
from remit.plans.contract.placeholders import placeholder_in
from remit.plans.documents import Invalid, Node, Scalar, describe, shorten
from remit.plans.documents.tree import PLAIN
from remit.plans.fields import place
from remit.plans.plan import Text
from remit.plans.texts import NOTHING_WORDS

_SEPARATORS: Final = re.compile(r"[\s_-]+")


def text_of(reporter: Reporter, node: Node, *, what: str) -> str:
    """Return a text; ``""`` for anything else, having said what is wrong."""
    if isinstance(node, Invalid):
        return ""
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        value = node.value if isinstance(node, Scalar) else None
        remedy = "write it as a text in quotes" if value is None else "put it in quotes"
        # How a fraction was written is not known any more: 1.10 is another version than 1.1.
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        reporter.report(
            "TYPE_WRONG",
            f"expected a text for {what}, got {describe(node)}; {remedy}",
            at=place(node),
            replacement=json.dumps(str(value)) if is_whole else None,
        )
        return ""
    told(reporter, node, node.value, what=what)
    return node.value if node.value.strip() else ""


def report_placeholder(reporter: Reporter, node: Node, text: str, *, what: str) -> None:
    """Report a value that a template left open."""
    reporter.report(
        "PLACEHOLDER_LEFT", f"expected {what}, got the placeholder {shorten(text)}; fill it in", at=place(node)
    )


def written_like(node: Node, text: str) -> str:
    """Return a text as it is written where a node stands: in quotes, or without."""
    return text if isinstance(node, Scalar) and node.style == PLAIN else json.dumps(text, ensure_ascii=False)


def parts_of(node: Scalar, text: str) -> tuple[Text, ...]:
    """Return the parts of a text between its commas, each with its place if the text stands as it is."""
    quote = 0 if node.style == PLAIN else 1
    is_plain = node.end - node.start == len(text) + 2 * quote
    found: list[Text] = []
    offset = 0
    for part in text.split(","):
        stripped = part.strip()
        if stripped:
            start = node.start + quote + offset + part.index(stripped)
            at = (start, start + len(stripped)) if is_plain else place(node)
            found.append(Text(text=stripped, at=at))
        offset += len(part) + 1
    return tuple(found)


def says_nothing(text: str) -> bool:
    """Whether a text says that there is nothing: ``none``, ``n/a``, ``-``."""
    return text.strip().lower() in NOTHING_WORDS


def empty(reporter: Reporter, node: Scalar, name: str) -> tuple[Text, ...]:
    """Return no parts for a text such as ``none`` where an empty list should be, and say so."""
    reporter.report(
        "CONTRACT_LIST_TEXT",
        f"expected a list for {name}, got {describe(node)}, which is read as an empty one; write []",
        at=place(node),
        replacement="[]",
    )
    return ()


def separated(reporter: Reporter, node: Scalar, name: str) -> tuple[Text, ...]:
    """Return the parts of a text with commas where a list should be, and say so."""
    parts = parts_of(node, str(node.value))
    if not parts:
        reporter.report(
            "VALUE_INVALID", f"expected a list for {name}, got {describe(node)}; write what is in it", at=place(node)
        )
        return ()
    reporter.report(
        "CONTRACT_LIST_TEXT",
        f"expected a list for {name}, got {describe(node)}, which is read as a list of {len(parts)}; write [ ] around "
        "texts in quotes",
        at=place(node),
        replacement=json.dumps([part.text for part in parts], ensure_ascii=False),
    )
    return parts


def whole(reporter: Reporter, node: Scalar, name: str) -> tuple[Text, ...]:
    """Return a text as the only one of the list that should be there, and say so."""
    text = str(node.value)
    is_single = not any(sign in text for sign in ",;\n")
    reporter.report(
        "TYPE_WRONG",
        f"expected a list for {name}, got {describe(node)}; write [ ] around it",
        at=place(node),
        replacement=json.dumps([text], ensure_ascii=False) if is_single else None,
    )
    return (Text(text=text, at=place(node)),)


def told(reporter: Reporter, node: Node, text: str, *, what: str) -> bool:
    """Whether a text is blank or a placeholder, which is said."""
    if not text.strip():
        reporter.report("VALUE_INVALID", f"expected a text for {what}, got an empty one; write one", at=place(node))
        return True
    found = placeholder_in(text)
    if found is not None:
        report_placeholder(reporter, node, text[slice(*found)], what=what)
    return found is not None


def alternatives(options: Iterable[str]) -> str:
    """Return words as people list them: ``'a', 'b' or 'c'``."""
    words = [repr(str(option)) for option in options]
    return f"{', '.join(words[:-1])} or {words[-1]}"


def folded(text: str) -> str:
    """Return a word without what only spells it: case, and what stands between its parts."""
    return _SEPARATORS.sub("-", text.strip().casefold())
