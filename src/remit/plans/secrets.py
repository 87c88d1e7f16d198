"""Secrets in documents: a file names secrets, it never holds one.

Owns: finding values that look like secrets.
Does not know: the patterns of known kinds (``governance.redaction`` does), or any secret store.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from remit.diagnostics import Reporter
from remit.governance.redaction import Redactor
from remit.plans.documents import Entry, Invalid, Mapping, Node, Scalar, Sequence
from remit.plans.fields import place

_RUN_LENGTH_MIN: Final = 20
"""So many letters and digits without a separator, with digits among them, are no name that a person chose."""

_HEX_DIGITS_MIN: Final = 24
"""So many hexadecimal digits in a row are no word."""

_DIGIT_GROUPS_MIN: Final = 3

_SECRET: Final = "secret"  # noqa: S105 - the name of a class of findings
_RUN: Final = re.compile(rf"[A-Za-z0-9+=]{{{_RUN_LENGTH_MIN},}}")
_HEX: Final = re.compile(rf"[0-9a-f]{{{_HEX_DIGITS_MIN},}}|[0-9A-F]{{{_HEX_DIGITS_MIN},}}")
_DIGITS: Final = re.compile(r"[0-9]+")


def without_secrets(reporter: Reporter, root: Node) -> Node:
    """Report every string of a document that holds a secret of a known kind; return the tree without those.

    Later findings quote what they find, and can no longer quote a secret.
    """
    redactor = Redactor()
    secrets = {scalar for scalar in _all_strings(root) if _SECRET in redactor.redact_value(scalar.value).findings}
    for scalar in secrets:
        report_secret(reporter, scalar)
    return _without(root, secrets) if secrets else root


def report_secret(reporter: Reporter, scalar: Scalar) -> None:
    """Report one value without showing it."""
    reporter.report(
        "SECRET_LITERAL",
        "expected no secret in a file, got what looks like one; put it into the secret store, name it in `credentials` "
        "of the remit file, and replace it, because whoever can read the file knows it",
        at=place(scalar),
    )


def looks_like_secret(text: str) -> bool:
    """Tell whether a text that is to be the name of a secret looks like a value: known kinds, or random characters."""
    if _SECRET in Redactor().redact_value(text).findings or _HEX.search(text):
        return True
    return any(_is_random(run) for run in _RUN.findall(text))


def _is_random(run: str) -> bool:
    groups = len(_DIGITS.findall(run))
    is_mixed = run.upper() != run != run.lower()
    return groups >= _DIGIT_GROUPS_MIN or (groups > 0 and is_mixed)


def _all_strings(node: Node) -> Iterator[Scalar]:
    """Yield all strings of a tree, keys too; its depth is limited."""
    match node:
        case Scalar(value=str()):
            yield node
        case Sequence(items=items):
            for item in items:
                yield from _all_strings(item)
        case Mapping(entries=entries):
            for entry in entries.values():
                yield entry.key
                yield from _all_strings(entry.value)
        case Scalar() | Invalid():
            return


def _without(node: Node, secrets: set[Scalar]) -> Node:
    match node:
        case Scalar():
            return Invalid(start=node.start, end=node.end) if node in secrets else node
        case Sequence(items=items):
            kept = tuple(_without(item, secrets) for item in items)
            return Sequence(items=kept, start=node.start, end=node.end)
        case Mapping(entries=entries):
            known = {
                name: Entry(key=entry.key, value=_without(entry.value, secrets))
                for name, entry in entries.items()
                if entry.key not in secrets
            }
            return Mapping(entries=known, start=node.start, end=node.end)
        case Invalid():
            return node
