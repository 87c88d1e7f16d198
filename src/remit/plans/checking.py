"""Compile checks on a document: findings about records become findings about text.

Owns: the way from a place inside a definition or business config to the place in the file, and silence about what
only follows from a mistake that was reported already.
Does not know: the checks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingType
from typing import Final

from remit.diagnostics import Reporter, Severity, Span
from remit.governance.findings import Finding
from remit.plans.documents import Entry, Mapping, Node, Pointer, Scalar, Sequence
from remit.plans.documents.alignment import place_within
from remit.plans.expressions import place_of_word, unwrapped
from remit.plans.fields import place, snake_case

_OTHER_NAMES: Final[MappingType[str, tuple[str, ...]]] = {
    "active_seconds_max": ("active_time_max", "max_time_seconds"),
    "approval_rules": ("hitl_rules",),
    "approvers_required": ("required_approvers",),
    "attempts_max": ("max_attempts",),
    "body": ("steps",),
    "condition": ("if", "when"),
    "cost_usd_micros_max": ("cost_usd_max",),
    "data_cap_bytes": ("data_cap",),
    "delay_initial_ms": ("delay_initial", "initial_delay", "base_delay"),
    "delay_max_ms": ("delay_max", "max_delay"),
    "duration_ms": ("timer",),
    "input_schema": ("input", "parameters"),
    "iterations_max": ("max_iterations",),
    "multiplier": ("backoff_multiplier",),
    "network": ("network_allowlist",),
    "on_timeout": ("timeout_action",),
    "operations": ("allowed_operations",),
    "steps_max": ("max_steps_per_run",),
    "timeout_ms": ("timeout",),
    "timeout_seconds": ("timeout",),
    "tokens_max": ("max_tokens_per_run",),
    "tool": ("tool_name", "trigger"),
    "tool_calls_max": ("max_tool_calls_per_run",),
    "tool_calls_max_by_tool": ("max_tool_calls_per_type",),
}
"""What a field of a record may be called in a document, where that is not its own name."""

_CONDITIONS: Final = frozenset({"condition", "match", "until"})
"""Fields that hold an expression without the braces around it in the document."""

_OF_ABSENT: Final = frozenset({"FIELD_MISSING", "KIND_MISSING"})
"""These stand where a mapping begins; only what would have been inside the missing field follows from them."""

_OF_LIMITS: Final = frozenset({"BOUNDS_BELOW_ITERATIONS", "BOUNDS_TOO_SMALL"})
"""These are about one of the bounds, which their message names."""

_CONTAINERS: Final = ("wait", "loop", "gate")
"""Fields of a step whose own fields are the step's in the record."""

_OF_KEY: Final = frozenset({"ARGUMENT_UNKNOWN"})
_OF_WHOLE: Final = frozenset(
    {"APPROVAL_MISSING", "ARGUMENT_INVALID", "GATE_INVALID", "SCOPE_INVALID", "TRIGGER_KEY_CONSTANT"}
)
"""These judge a value with all that is in it: a mistake inside may be their only cause."""

_CHARACTER: Final = re.compile(r" \(character \d+\)$")
_GOT: Final = re.compile(r"\bgot (?:steps\.)?'?([A-Za-z_][A-Za-z0-9_-]*)")
_LIMIT: Final = re.compile(r"^expected ([a-z_]+)(?: of ([a-z0-9_.]+))? of at least")


def report_checks(reporter: Reporter, root: Node, findings: list[Finding]) -> None:
    """Report the findings of compile checks on the record that was read from ``root``."""
    errors = [finding for finding in reporter.diagnostics if finding.severity is Severity.ERROR]
    absent = [finding.span for finding in errors if finding.code in _OF_ABSENT]
    present = [finding.span for finding in errors if finding.code not in _OF_ABSENT]
    for finding in findings:
        target = _Target(root, _pointer_of(finding))
        at = target.key if finding.code in _OF_KEY else target.shown(reporter.source.text, finding)
        judged = target.whole if finding.code in _OF_WHOLE else at
        if _overlaps(reporter.source.span(*judged), present if target.is_there else present + absent):
            continue
        reporter.report(
            finding.code,
            _CHARACTER.sub("", finding.message),
            at=at,
            related={what: _Target(root, pointer).key for what, pointer in finding.related},
            severity=finding.severity,
        )


def _pointer_of(finding: Finding) -> Pointer:
    """Return where a finding points; one about all bounds names the limit it is about."""
    limit = _LIMIT.match(finding.message) if finding.code in _OF_LIMITS else None
    return finding.pointer if limit is None else (*finding.pointer, *(part for part in limit.groups() if part))


class _Target:
    """Where a pointer leads in a document.

    ``key`` is the name of the field (for an item of a list the item), ``whole`` the value with all that is in it.
    """

    def __init__(self, root: Node, pointer: Pointer) -> None:
        self.node = root
        self.key = (root.start, root.start + 1)
        self.is_there = True
        for part in pointer:
            found = _child(self.node, part)
            if found is None:
                self.is_there = False
                self.key = _begin_of_container(self.node) or self.key
                break
            if isinstance(found, Entry):
                self.node, self.key = found.value, (found.key.start, found.key.end)
            else:
                self.node = found
                self.key = place(found) if isinstance(found, Scalar) else (found.start, found.start + 1)
        self.whole = place(self.node)

    def shown(self, text: str, finding: Finding) -> tuple[int, int]:
        """Return what to mark: a word inside a text, a text, or the name of a list or mapping."""
        if not isinstance(self.node, Scalar):
            return self.key
        if finding.offset is not None and isinstance(self.node.value, str):
            is_condition = finding.pointer[-1] in _CONDITIONS
            begin = unwrapped(self.node.value).offset if is_condition else 0
            return place_of_word(text, self.node, begin + finding.offset)
        word = _word_of(self.node, finding)
        return place(self.node) if word is None else place_within(text, self.node, *word)


def _child(node: Node, part: str | int) -> Entry | Node | None:
    match node:
        case Sequence(items=items) if isinstance(part, int) and part < len(items):
            return items[part]
        case Mapping() if isinstance(part, str):
            return _entry(node, part)
        case _:
            return None


def _entry(mapping: Mapping, name: str) -> Entry | None:
    """Return the entry of a record's field; fields of waits, loops and gates stand one level deeper in documents."""
    if name in mapping.entries:
        return mapping.entries[name]
    names = {name, *_OTHER_NAMES.get(name, ())}
    for key, entry in mapping.entries.items():
        if snake_case(key) in names:
            return entry
    container = _container_of(mapping)
    return None if container is None else _entry(container, name)


def _container_of(mapping: Mapping) -> Mapping | None:
    """Return what holds a step's own fields beside those that every step has."""
    for name in _CONTAINERS:
        entry = mapping.entries.get(name)
        if entry is not None and isinstance(entry.value, Mapping):
            return entry.value
    return None


def _begin_of_container(node: Node) -> tuple[int, int] | None:
    """Return where a field of a loop or gate would stand that is not there: findings about missing fields are there."""
    container = _container_of(node) if isinstance(node, Mapping) and "wait" not in node.entries else None
    return None if container is None else (container.start, container.start + 1)


def _word_of(scalar: Scalar, finding: Finding) -> tuple[int, int] | None:
    """Return the characters of a text that a finding is about, if it says."""
    text = scalar.value
    if not isinstance(text, str) or not finding.code.startswith("REFERENCE_"):
        return None
    named = _GOT.search(finding.message)
    if named is None:
        return None
    selections = re.finditer(rf"(?:\.\s*|\[\s*['\"])({re.escape(named[1])})(?![\w-])", text)
    return next((found.span(1) for found in selections if _is_inside(text, found.start())), None)


def _is_inside(text: str, offset: int) -> bool:
    """Whether an offset is inside an expression: anywhere in a bare one, between the braces in a template."""
    return "${{" not in text or text.rfind("${{", 0, offset) > text.rfind("}}", 0, offset)


def _overlaps(span: Span, known: list[Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in known)
