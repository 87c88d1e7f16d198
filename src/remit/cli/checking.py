"""Checking documents for commands: which remit file counts, and how findings are printed.

Owns: the order (remit files first, because orchestrations are held against them). Does not know: what is checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from remit.cli.findings import FindingFormat, Report, print_report
from remit.cli.fixing import Fixing, read_input, require_files
from remit.cli.options import Options
from remit.cli.session import packs_and_tools
from remit.core.definition import Definition
from remit.core.runnable import require_runnable
from remit.diagnostics import Diagnostic, Diagnostics, Source
from remit.governance.policy import BusinessConfig
from remit.plans.catalogue import Catalogue
from remit.plans.documents import DOCUMENT_BYTES_MAX
from remit.plans.kinds import Checked, check_document
from remit.tools.builtin import registry_with
from remit.tools.registry import Registry


def check_files(files: Sequence[Path], options: Options) -> list[Checked]:
    """Return what came of each file, in the order given."""
    return _checked(_read(files), registry_of(options))


def fix_files(files: Sequence[Path], options: Options) -> tuple[list[Checked], Fixing]:
    """Make the fixes of all files, and return what came of each afterwards, and what was fixed.

    Raises:
        UsageError: standard input is among the files.
    """
    require_files(files)
    contracts = registry_of(options)
    documents = _read(files)
    fixing = Fixing()
    for path, (shown, raw) in documents.items():
        if not isinstance(raw, Diagnostic):
            fixed = fixing.fix(path, raw, shown=shown, check=partial(_findings, shown, contracts))
            documents[path] = (shown, fixed)
    return _checked(documents, contracts), fixing


def report_of(checked: Sequence[Checked], fixing: Fixing | None = None) -> Report:
    """Return what was found in several files, and which findings were fixed or could not be."""
    everything = Diagnostics(() if fixing is None else fixing.unfixed)
    for one in checked:
        everything.extend(one.diagnostics)
    return Report(
        files=[{"path": one.path, "kind": one.kind, "valid": not one.diagnostics.has_errors} for one in checked],
        diagnostics=everything,
        sources={one.path: one.source for one in checked if one.source is not None},
        fixed=() if fixing is None else fixing.made,
    )


def registry_of(options: Options) -> Registry:
    """Return the built-in tools, those of installed packs, and those of the files that were named."""
    packs, tools = packs_and_tools(options)
    return registry_with([*(tool for pack in packs for tool in pack.tools), *tools])


def require_runnable_files(checked: Sequence[Checked], options: Options) -> None:
    """Refuse orchestrations that this version cannot run, before anything is stored or started.

    Raises:
        DefinitionUnrunnableError: names each part of the first one that cannot run.
    """
    without_adapter = registry_of(options).without_adapter()
    for one in checked:
        if isinstance(one.compiled, Definition):
            require_runnable(one.compiled, without_adapter=without_adapter)


def print_findings(checked: Sequence[Checked], *, is_json: bool) -> None:
    """Print the findings to standard output, and a summary to standard error."""
    print_report(report_of(checked), FindingFormat.JSON if is_json else FindingFormat.TEXT)


def _read(files: Sequence[Path]) -> dict[Path, tuple[str, bytes | Diagnostic]]:
    return {path: read_input(path, bytes_max=DOCUMENT_BYTES_MAX) for path in dict.fromkeys(files)}


def _checked(documents: Mapping[Path, tuple[str, bytes | Diagnostic]], contracts: Catalogue) -> list[Checked]:
    checked = [_check(raw, shown, contracts) for shown, raw in documents.values()]
    policy = next((one.compiled for one in checked if isinstance(one.compiled, BusinessConfig)), None)
    if policy is None:
        return checked
    return [
        one if isinstance(one.compiled, BusinessConfig) else _check(raw, shown, contracts, policy=policy)
        for one, (shown, raw) in zip(checked, documents.values(), strict=True)
    ]


def _check(
    raw: bytes | Diagnostic, shown: str, contracts: Catalogue, *, policy: BusinessConfig | None = None
) -> Checked:
    if isinstance(raw, Diagnostic):
        return Checked(path=shown, kind=None, compiled=None, diagnostics=Diagnostics([raw]), source=None)
    return check_document(raw, path=shown, contracts=contracts, policy=policy)


def _findings(shown: str, contracts: Catalogue, raw: bytes) -> tuple[Source | None, Diagnostics]:
    checked = check_document(raw, path=shown, contracts=contracts)
    return checked.source, checked.diagnostics
