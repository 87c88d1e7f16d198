"""Orchestration documents to definitions.

Owns: the order of checks, and the result.
Does not know: stores or files. The same bytes, tools and business config give the same definition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from remit.core.canonical import JsonValue
from remit.core.definition import STEPS_MAX, Bounds, Definition, Step, Trigger, encode_definition
from remit.core.program import RUN_ROOTS, TRIGGER_ROOTS
from remit.diagnostics import Diagnostics, Reporter
from remit.errors import DefinitionInvalidError
from remit.governance.contracts import ToolContract
from remit.governance.policy import BusinessConfig
from remit.plans.bounds import BOUNDS, read_bounds
from remit.plans.catalogue import Catalogue, ContractTable
from remit.plans.documents import Document, Node, read_document
from remit.plans.expressions import condition_of, template_of
from remit.plans.fields import DEFINITION_NAME, VERSION, WORD, Fields, fields_of, place
from remit.plans.orchestration.inputs import read_input
from remit.plans.orchestration.steps import read_step
from remit.plans.orchestration.tables import DOCUMENT, TRIGGER
from remit.plans.secrets import without_secrets

TRIGGERS_MAX = 100
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
    contracts: Mapping[str, ToolContract] | Catalogue,
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
    definition = None
    if document is not None and document.root is not None and document.is_complete:
        catalogue = ContractTable(contracts) if isinstance(contracts, Mapping) else contracts
        definition = _compile(Reporter(document.source, diagnostics), document.root, catalogue=catalogue)
    del policy  # until the compile checks are called here
    if diagnostics.has_errors:
        definition = None
    return CompileResult(definition=definition, diagnostics=diagnostics, document=document)


def _compile(reporter: Reporter, root: Node, *, catalogue: Catalogue) -> Definition | None:
    fields = fields_of(reporter, without_secrets(reporter, root), DOCUMENT)
    if fields is None:
        return None
    for name in ("name", "version", "steps"):
        fields.require(name)
    bounds = fields.fields("bounds", BOUNDS)
    definition = Definition(
        name=fields.text("name", rule=DEFINITION_NAME) or "unnamed",
        version=fields.text("version", rule=VERSION) or "0.0.0",
        description=fields.text("description") or "",
        input_schema=read_input(fields),
        bounds=Bounds() if bounds is None else read_bounds(bounds),
        steps=_read_steps(fields, catalogue),
        output=_read_output(fields),
        triggers=_read_triggers(fields),
    )
    _check_size(fields, definition)
    return definition


def _read_steps(fields: Fields, catalogue: Catalogue) -> tuple[Step, ...]:
    items = fields.items("steps")
    if items is None:
        return ()
    node = fields.node("steps")
    assert node is not None
    if not items:
        fields.reporter.report("VALUE_INVALID", "expected at least one step, got none; write one", at=place(node))
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
    found = (_read_trigger(fields.reporter, item) for item in items[:TRIGGERS_MAX])
    return tuple(trigger for trigger in found if trigger is not None)


def _read_trigger(reporter: Reporter, node: Node) -> Trigger | None:
    fields = fields_of(reporter, node, TRIGGER)
    if fields is None:
        return None
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
    text = None if condition is None else condition_of(reporter, condition, roots=TRIGGER_ROOTS)
    if event is None or key is None or not isinstance(value, dict):
        return None
    return Trigger(event=event, input=value, key=key, condition=text)


def _check_size(fields: Fields, definition: Definition) -> None:
    if fields.reporter.diagnostics.has_errors:
        return
    try:
        encode_definition(definition)
    except DefinitionInvalidError as error:
        fields.reporter.report("DOCUMENT_TOO_LARGE", error.message, at=(0, 0))
