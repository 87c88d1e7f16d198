"""Remit files to business configs.

Owns: the order of checks, and the result.
Does not know: stores or files. The same bytes and tools give the same business config.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from remit.core.definition import Bounds
from remit.diagnostics import Diagnostics, Reporter
from remit.governance.compile_checks import check_policy
from remit.governance.contracts import ToolContract
from remit.governance.policy import BusinessConfig
from remit.plans.bounds import BOUNDS, read_bounds
from remit.plans.business.reading import (
    read_approval_rules,
    read_breakers,
    read_credentials,
    read_endpoints,
    read_scopes,
)
from remit.plans.business.subscriptions import read_subscriptions
from remit.plans.business.tables import DOCUMENT
from remit.plans.catalogue import Catalogue
from remit.plans.checking import report_checks
from remit.plans.documents import Document, Node, read_document
from remit.plans.fields import DEFINITION_NAME, VERSION, fields_of
from remit.plans.secrets import without_secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessResult:
    """What came of a remit file: ``config`` is ``None`` if any finding is an error."""

    config: BusinessConfig | None
    diagnostics: Diagnostics
    document: Document | None


def compile_business(
    text: bytes, *, path: str, contracts: Mapping[str, ToolContract] | Catalogue | None = None
) -> BusinessResult:
    """Return the business config that a remit file describes, or everything that is wrong with it.

    Args:
        text: The file's bytes, YAML or JSON.
        path: Names the file in findings; its ending chooses the syntax.
        contracts: The tools that there are; without them scopes and rules are not held against tools.
    """
    diagnostics = Diagnostics()
    document = read_document(text, path=path, diagnostics=diagnostics)
    config = compile_tree(document, diagnostics, contracts=contracts)
    return BusinessResult(config=config, diagnostics=diagnostics, document=document)


def compile_tree(
    document: Document | None,
    diagnostics: Diagnostics,
    *,
    contracts: Mapping[str, ToolContract] | Catalogue | None,
) -> BusinessConfig | None:
    """Return the business config of a document that was read; ``None`` if ``diagnostics`` has, or gets, an error."""
    if document is None or document.root is None or not document.is_complete:
        return None
    reporter = Reporter(document.source, diagnostics)
    config = _compile(reporter, without_secrets(reporter, document.root))
    if config is not None and not diagnostics.is_full:
        report_checks(reporter, document.root, check_policy(config, contracts=contracts))
    return None if diagnostics.has_errors else config


def _compile(reporter: Reporter, root: Node) -> BusinessConfig | None:
    fields = fields_of(reporter, root, DOCUMENT)
    if fields is None:
        return None
    for name in ("business", "version", "bounds"):
        fields.require(name)
    bounds = fields.fields("bounds", BOUNDS)
    return BusinessConfig(
        name=fields.text("business", rule=DEFINITION_NAME) or "unnamed",
        version=fields.text("version", rule=VERSION) or "0.0.0",
        description=fields.text("description") or "",
        bounds=Bounds() if bounds is None else read_bounds(bounds),
        scopes=read_scopes(fields),
        approval_rules=read_approval_rules(fields),
        breakers=read_breakers(fields),
        endpoints=read_endpoints(fields),
        credentials=read_credentials(fields),
        subscriptions=read_subscriptions(fields),
    )
