"""The table of finding codes: each with its severity and an explanation.

Owns: the codes of reading texts. A code, once released, keeps its meaning.
Does not know: the compile checks, which have codes of their own; ``plans.codes`` joins both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from remit.diagnostics.findings import Severity

_ERROR: Final = Severity.ERROR
_WARNING: Final = Severity.WARNING
_NOTE: Final = Severity.NOTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a code means. ``conceals`` is set where the text itself must not be shown, because it may be a secret."""

    code: str
    group: str
    severity: Severity
    text: str
    conceals: bool = False


_DOCUMENTS: Final = (
    (
        "DOCUMENT_TOO_LARGE",
        _ERROR,
        (
            "The file is larger than its kind may be (4 MB, 262,144 values, 32,768 expressions; a plan 8 MB). It is "
            "not read; split it."
        ),
    ),
    ("DOCUMENT_EMPTY", _ERROR, "The file holds nothing, or comments only."),
    ("DOCUMENT_UNREADABLE", _ERROR, "The file does not exist or may not be read."),
    (
        "DOCUMENT_UNFIXED",
        _ERROR,
        (
            "With `--fix`: there are fixes that could not be written, because the file may not be written, is not "
            "UTF-8, or was changed by somebody else since it was read. It is as it was; other files are fixed all the "
            "same."
        ),
    ),
    (
        "DOCUMENT_KIND_UNKNOWN",
        _ERROR,
        "Nothing tells what the file is: an orchestration has `steps` at its top level, a remit file has `business`.",
    ),
    ("ENCODING_INVALID", _ERROR, "The file is not UTF-8. The message gives the byte, counted from 0."),
    ("BYTE_ORDER_MARK", _WARNING, "The file begins with a byte-order mark. It is skipped."),
    ("LINE_ENDINGS", _NOTE, "Lines end in CRLF. They are read like LF; one finding stands for the whole file."),
    (
        "CHARACTER_FORBIDDEN",
        _ERROR,
        (
            "A character that cannot be seen or that turns text around: control characters, a carriage return alone, "
            "separators such as U+2028, bidirectional marks. Reviewers would not see what the file says. In a quoted "
            "string write it as an escape."
        ),
    ),
    ("TAB_INDENTATION", _ERROR, "A line is indented by a tab. YAML allows spaces only; each such line is reported."),
    ("SYNTAX_INVALID", _ERROR, "The text is no YAML, or no JSON. Content is checked only once the syntax is right."),
    ("NESTING_TOO_DEEP", _ERROR, "Lists and mappings are nested more than 64 deep. The rest is not read."),
    ("KEY_DUPLICATE", _ERROR, "A mapping has the same key twice. Many readers silently take the last one."),
    ("KEY_NOT_STRING", _ERROR, "A key is a number, a boolean, null or a collection. Quote it if it is a name."),
    ("YAML_ANCHOR", _ERROR, "An anchor `&name`. A few bytes of anchors can stand for gigabytes, so none is accepted."),
    ("YAML_ALIAS", _ERROR, "An alias `*name`. Write the value out."),
    ("YAML_TAG", _ERROR, "A tag such as `!!str` or `!custom`. Quote a text instead; nothing else needs one."),
    ("YAML_MERGE_KEY", _ERROR, "The merge key `<<`. It is no part of YAML 1.2; write the keys out."),
    ("YAML_DIRECTIVE", _ERROR, "A directive other than `%YAML 1.2`."),
    ("YAML_MULTIPLE_DOCUMENTS", _ERROR, "A second document after `---`. One file holds one document."),
    ("NUMBER_NOT_FINITE", _ERROR, "NaN, an infinity, or a number too large to be one of JSON."),
    (
        "NUMBER_OUT_OF_RANGE",
        _ERROR,
        "An integer beyond 2**53 - 1, which JavaScript and others would round, or a fraction that would become 0.",
    ),
    ("NUMBER_AMBIGUOUS", _WARNING, "A number with leading zeros: 12 in YAML 1.2, 10 in YAML 1.1 for `012`."),
    ("SURROGATE_LONE", _ERROR, "An escape for half a character, such as `\\ud800`."),
)

_SHAPE: Final = (
    ("FIELD_UNKNOWN", _ERROR, "A field that this kind of document does not have. Often a misspelling."),
    ("FIELD_MISSING", _ERROR, "A field that must be there is not."),
    ("FIELD_REPEATED", _ERROR, "The same field in two spellings, such as `depends_on` and `dependsOn`."),
    ("FIELD_CONFLICT", _ERROR, "Two fields that exclude each other."),
    ("TYPE_WRONG", _ERROR, "A value of another type than the field has, such as the string `no` for a boolean."),
    ("VALUE_INVALID", _ERROR, "A value outside of what the field allows: range, choice, pattern or length."),
    ("DURATION_INVALID", _ERROR, "Not a duration. Write a number and a unit: `500ms`, `10s`, `15m`, `2h`, `14d`."),
    ("LIMIT_EXCEEDED", _ERROR, "More of something than a limit of the kernel allows."),
    ("KIND_MISSING", _ERROR, "A step says neither which tool it calls nor what it waits for."),
    (
        "KIND_UNSUPPORTED",
        _ERROR,
        (
            "A kind or field of step that is planned or known from elsewhere, and that this version cannot run. "
            "It is refused, because leaving it out would change what the orchestration means."
        ),
    ),
    (
        "PLACEHOLDER_LEFT",
        _ERROR,
        "A value that a template leaves to be filled in, such as `<name>`, `TODO` or `…`. Write what it stands for.",
    ),
    ("SCHEMA_MALFORMED", _ERROR, "A JSON Schema in the document is itself not valid, or refers outside itself."),
    (
        "SECRET_LITERAL",
        _ERROR,
        (
            "A value that looks like a secret stands in the file. Put it into the secret store and write the secret's "
            "name. The value is not shown, but treat it as known to everyone who can read the file: replace it."
        ),
    ),
)

_MEANING: Final = (
    (
        "TEMPLATE_FOREIGN",
        _WARNING,
        (
            "A text that other systems would replace, `{{ steps.x }}` or `$.x.y`. Here it is sent as it stands; an "
            "expression is written `${{ … }}`."
        ),
    ),
    (
        "DEFINITION_UNRUNNABLE",
        _NOTE,
        (
            "The orchestration is sound and has parts that this version cannot run: a loop, a human gate, a step that "
            "acts as another principal, or a tool that is declared without an adapter. It is refused by this name, "
            "whole, wherever it would be stored or run."
        ),
    ),
    ("SECRET_NAME_INVALID", _ERROR, "A credential names its secret in characters that secret stores do not share."),
    ("ENDPOINT_INSECURE", _WARNING, "An endpoint is reached by http, not https, on another machine."),
    (
        "APPROVAL_AUTOMATIC",
        _ERROR,
        "A rule would approve by itself when nobody answers in time. Time running out fails the call or asks others.",
    ),
    (
        "EXPRESSION_INVALID",
        _ERROR,
        "An expression does not compile. The place is inside the text, where it goes wrong.",
    ),
)


_CONCEALING: Final = frozenset({"SECRET_LITERAL", "SECRET_NAME_INVALID"})


_GROUPS: Final = (
    ("Reading a file", _DOCUMENTS),
    ("Fields and values", _SHAPE),
    ("Meaning", _MEANING),
)


def _table() -> dict[str, Explanation]:
    rows = [
        Explanation(code=code, group=group, severity=severity, text=text, conceals=code in _CONCEALING)
        for group, entries in _GROUPS
        for code, severity, text in entries
    ]
    table = {row.code: row for row in rows}
    assert len(table) == len(rows)
    return table


CODES: Final[Mapping[str, Explanation]] = MappingProxyType(_table())
"""All codes by name."""
