"""Checking documents for commands: which remit file counts, and how findings are printed.

Owns: the order (remit files first, because orchestrations are held against them). Does not know: what is checked.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from remit.cli.options import Options
from remit.cli.output import print_json
from remit.cli.session import packs_and_tools
from remit.core.definition import Definition
from remit.core.runnable import require_runnable
from remit.diagnostics import Diagnostics, Source, render_excerpts, render_plain, render_summary, to_json
from remit.governance.policy import BusinessConfig
from remit.plans.kinds import Checked, check_file
from remit.tools.builtin import registry_with
from remit.tools.registry import Registry


def check_files(files: Sequence[Path], options: Options) -> list[Checked]:
    """Return what came of each file, in the order given."""
    contracts = registry_of(options)
    checked = {path: check_file(path, contracts=contracts) for path in dict.fromkeys(files)}
    policy = next((one.compiled for one in checked.values() if isinstance(one.compiled, BusinessConfig)), None)
    if policy is not None:
        for path, one in checked.items():
            if not isinstance(one.compiled, BusinessConfig):
                checked[path] = check_file(path, contracts=contracts, policy=policy)
    return list(checked.values())


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


def print_findings(checked: Sequence[Checked], *, is_json: bool, has_excerpts: bool) -> None:
    """Print the findings to standard output, and a summary to standard error."""
    everything = Diagnostics()
    for one in checked:
        everything.extend(one.diagnostics)
    if is_json:
        files = [{"path": one.path, "kind": one.kind, "valid": not one.diagnostics.has_errors} for one in checked]
        print_json({"files": files, **to_json(everything)})
        return
    if has_excerpts:
        sources: dict[str, Source] = {one.path: one.source for one in checked if one.source is not None}
        sys.stdout.write(render_excerpts(everything, sources))
    else:
        sys.stdout.write(render_plain(everything))
    sys.stdout.flush()
    names = ", ".join(one.path for one in checked)
    print(f"{names}: {render_summary(everything)}", file=sys.stderr)
