"""Measures of the whole source tree that may only improve; run as a module to record today's.

Owns: measuring, and the file ratchet.toml.
Does not know: the hard limits, which test_shape.py holds.
"""

import ast
import math
import re
import statistics
import tomllib
from pathlib import Path

from tests.style.sources import Module, code_length, modules
from tests.style.test_edges import catches_all
from tests.style.test_shape import public_method_count

FILE = Path(__file__).with_name("ratchet.toml")


def recorded() -> dict[str, float]:
    """Return the values that the code may not be worse than."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def measured() -> dict[str, float]:
    """Return the values of the code as it stands, by the names in ratchet.toml."""
    source = modules("src")
    kloc = max(1.0, sum(len(module.lines) for module in source) / 1000)
    functions = [code_length(node) for module in source for node, _ in module.functions()]
    ignores = sum("type: ignore" in comment for module in source for comment in module.comments.values())
    boundaries = sum(catches_all(node) for module in source for node in module.nodes)
    return {
        "largest_file_lines": max((len(module.lines) for module in source), default=0),
        "largest_function_lines": max(functions, default=0),
        "p95_function_lines": math.ceil(statistics.quantiles(functions, n=20)[-1]) if len(functions) > 1 else 0,
        "most_public_methods": max((public_method_count(node) for m in source for node in m.classes()), default=0),
        "type_ignores_per_kloc": round(ignores / kloc, 2),
        "boundaries_per_kloc": round(boundaries / kloc, 2),
        "undocumented_percent": undocumented_percent(source),
    }


def undocumented_percent(source: tuple[Module, ...]) -> float:
    """Return the share of public modules, classes and top-level functions without a docstring."""
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    public = [
        node
        for module in source
        for node in [module.tree, *module.tree.body]
        if isinstance(node, kinds) and not getattr(node, "name", "").startswith("_")
    ]
    missing = sum(ast.get_docstring(node) is None for node in public)
    return round(100 * missing / max(1, len(public)), 1)


def tighten() -> None:
    """Lower each recorded value to the measured one; never raise any."""
    text = FILE.read_text(encoding="utf-8")
    now = measured()
    for name, limit in recorded().items():
        text = re.sub(rf"^{name} = .*$", f"{name} = {min(limit, now[name])}", text, flags=re.MULTILINE)
    FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    tighten()
