"""Orchestration documents to definitions.

Owns: the order of checks, and the result.
Does not know: stores or files. The same bytes, tools and business config give the same definition.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from typing import Final

from remit.core.canonical import JsonValue
from remit.core.definition import STEPS_MAX, Bounds, Definition, Step, Trigger, encode_definition
from remit.core.program import RUN_ROOTS, TRIGGER_ROOTS
from remit.core.runnable import told, unrunnable_parts
from remit.diagnostics import Diagnostics, Reporter, Severity
from remit.errors import DefinitionInvalidError
from remit.governance.compile_checks import check_definition
from remit.governance.contracts import ToolContract
from remit.governance.policy import BusinessConfig
from remit.plans.bounds import BOUNDS, read_bounds
from remit.plans.catalogue import Catalogue, ContractTable
from remit.plans.checking import report_checks
from remit.plans.documents import Document, Mapping, Node, read_document
from remit.plans.expressions import condition_of, template_of
from remit.plans.fields import DEFINITION_NAME, VERSION, WORD, Fields, fields_of
from remit.plans.orchestration.inputs import read_input
from remit.plans.orchestration.steps import read_step
from remit.plans.orchestration.tables import DOCUMENT, TRIGGER
from remit.plans.secrets import without_secrets

_UNREADABLE: Final = "unreadable"
_UNREADABLE_KEY: Final = "${{ event }}"

TRIGGERS_MAX: Final = 100
"""Most triggers of one definition; each inbound event is held against all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileResult:
    """What came of a document: ``definition`` is ``None`` if any finding is an error."""

    definition: Definition | None
    diagnostics: Diagnostics
    document: Document | None


def compile_orchestration(
    text: bytes,
    *,
    path: str,
    contracts: MappingType[str, ToolContract] | Catalogue,
    policy: BusinessConfig | None = None,
) -> CompileResult:
    """Return the definition that a document describes, or everything that is wrong with it.

    Args:
        text: The file's bytes, YAML or JSON.
        path: Names the file in findings; its ending chooses the syntax.
        contracts: The tools that steps may call.
        policy: The business config that runs will be under; with it scopes, approval rules and bounds are checked too.
    """
    diagnostics = Diagnostics()
    document = read_document(text, path=path, diagnostics=diagnostics)
    definition = compile_tree(document, diagnostics, contracts=contracts, policy=policy)
    return CompileResult(definition=definition, diagnostics=diagnostics, document=document)


def compile_tree(
    document: Document | None,
    diagnostics: Diagnostics,
    *,
    contracts: MappingType[str, ToolContract] | Catalogue,
    policy: BusinessConfig | None,
) -> Definition | None:
    """Return the definition of a document that was read; ``None`` if ``diagnostics`` has, or gets, an error."""
    if document is None or document.root is None or not document.is_complete:
        return None
    catalogue = ContractTable(contracts) if isinstance(contracts, MappingType) else contracts
    reporter = Reporter(document.source, diagnostics)
    definition = _compile(reporter, document.root, catalogue=catalogue)
    if definition is not None and not diagnostics.is_full:
        report_checks(reporter, document.root, check_definition(definition, contracts=catalogue, policy=policy))
        _check_size(reporter, definition)
        _note_unrunnable(reporter, document.root, definition, catalogue)
    return None if diagnostics.has_errors else definition


def _compile(reporter: Reporter, root: Node, *, catalogue: Catalogue) -> Definition | None:
    fields = fields_of(reporter, without_secrets(reporter, root), DOCUMENT)
    if fields is None:
        return None
    for name in ("name", "version", "steps"):
        fields.require(name)
    bounds = fields.fields("bounds", BOUNDS)
    return Definition(
        name=fields.text("name", rule=DEFINITION_NAME) or "unnamed",
        version=fields.text("version", rule=VERSION) or "0.0.0",
        description=fields.text("description") or "",
        input_schema=read_input(fields),
        bounds=Bounds() if bounds is None else read_bounds(bounds),
        steps=_read_steps(fields, catalogue),
        output=_read_output(fields),
        triggers=_read_triggers(fields),
    )


def _read_steps(fields: Fields, catalogue: Catalogue) -> tuple[Step, ...]:
    items = fields.items("steps")
    if items is None:
        return ()
    if len(items) > STEPS_MAX:
        fields.reporter.report(
            "LIMIT_EXCEEDED",
            f"expected at most {STEPS_MAX} steps, got {len(items)}; split the orchestration",
            at=fields.key("steps"),
        )
    return tuple(
        read_step(fields.reporter, item, number=number, catalogue=catalogue)
        for number, item in enumerate(items[:STEPS_MAX], start=1)
    )


def _read_output(fields: Fields) -> JsonValue:
    node = fields.node("output")
    return None if node is None else template_of(fields.reporter, node, roots=RUN_ROOTS)


def _read_triggers(fields: Fields) -> tuple[Trigger, ...]:
    items = fields.items("triggers") or ()
    if len(items) > TRIGGERS_MAX:
        fields.reporter.report(
            "LIMIT_EXCEEDED",
            f"expected at most {TRIGGERS_MAX} triggers, got {len(items)}; join their conditions with ||",
            at=fields.key("triggers"),
        )
    return tuple(_read_trigger(fields.reporter, item) for item in items[:TRIGGERS_MAX])


def _read_trigger(reporter: Reporter, node: Node) -> Trigger:
    """Return one trigger; what cannot be read is replaced, so that the others keep their places."""
    fields = fields_of(reporter, node, TRIGGER)
    if fields is None:
        return Trigger(event=_UNREADABLE, key=_UNREADABLE_KEY, input={})
    if not fields.has_unsupported:
        for name in ("event", "input", "key"):
            fields.require(name)
    event = fields.text("event", rule=WORD)
    key = fields.text("key")
    key_node = fields.node("key")
    if key is not None and key_node is not None:
        template_of(reporter, key_node, roots=TRIGGER_ROOTS)
    mapping = fields.object("input")
    value = {} if mapping is None else template_of(reporter, mapping, roots=TRIGGER_ROOTS)
    condition = fields.node("if")
    text = None if condition is None else condition_of(reporter, condition)
    assert isinstance(value, dict)
    return Trigger(event=event or _UNREADABLE, input=value, key=key or _UNREADABLE_KEY, condition=text)


def _note_unrunnable(reporter: Reporter, root: Node, definition: Definition, catalogue: Catalogue) -> None:
    """Say of a sound definition that this version cannot run it, and why."""
    if reporter.diagnostics.has_errors:
        return
    parts = unrunnable_parts(definition, without_adapter=catalogue.without_adapter())
    if parts:
        steps = root.entries.get("steps") if isinstance(root, Mapping) else None
        reporter.report(
            "DEFINITION_UNRUNNABLE",
            f"expected steps that this version can run, got {told(parts)}; it can be checked, not run or stored",
            at=(0, 0) if steps is None else (steps.key.start, steps.key.end),
            severity=Severity.NOTE,
        )


def _check_size(reporter: Reporter, definition: Definition) -> None:
    if reporter.diagnostics.has_errors:
        return
    try:
        encode_definition(definition)
    except DefinitionInvalidError as error:
        reporter.report("DOCUMENT_TOO_LARGE", error.message, at=(0, 0))
