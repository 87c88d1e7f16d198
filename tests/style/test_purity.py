"""Core and governance decide; they cannot do anything else.

The allow-lists here are the import contract of the two pure packages. A library enters them only if it is deterministic
and touches neither clock, randomness, network, files nor environment in the way we use it.
"""

import ast
import subprocess
import sys
from collections import defaultdict

import pytest

from tests.style.sources import dotted_name, imported_names, modules

PURE_PACKAGES = ("src/remit/core", "src/remit/governance")

STANDARD = frozenset(
    {
        "__future__", "abc", "base64", "binascii", "bisect", "collections", "copy", "dataclasses", "datetime",
        "decimal", "difflib", "enum", "fractions", "functools", "graphlib", "hashlib", "heapq", "hmac",
        "ipaddress", "itertools", "json", "keyword", "math", "numbers", "operator", "re", "statistics",
        "string", "struct", "textwrap", "types", "typing", "unicodedata",
    }
)  # fmt: skip
STANDARD_NAMES = frozenset(
    {
        "contextlib.suppress", "fnmatch.fnmatchcase", "pathlib.PurePosixPath", "urllib.parse.quote",
        "urllib.parse.unquote", "urllib.parse.urlsplit", "urllib.parse.urlunsplit", "uuid.UUID",
    }
)  # fmt: skip
LIBRARIES = frozenset({"cel_expr_python", "jsonschema_rs", "msgspec", "orjson", "re2", "rfc8785"})
"""Pure, deterministic libraries; each but msgspec stands behind one module of ours."""

OURS = {
    "src/remit/core": ("remit.core", "remit.errors", "remit.ids"),
    "src/remit/governance": ("remit.governance", "remit.core", "remit.diagnostics", "remit.errors", "remit.ids"),
}

IMPURE_CALLS = frozenset(
    {"open", "print", "input", "breakpoint", "exec", "eval", "compile", "id", "globals", "__import__"}
)
IMPURE_METHODS = frozenset({"now", "utcnow", "today", "fromtimestamp"})


@pytest.mark.parametrize("package", PURE_PACKAGES)
def test_pure_package_imports_only_what_is_listed(package: str) -> None:
    """
    A pure package imports pure parts of the standard library, the listed libraries and layers below it.
    """
    foreign = [
        f"{module.at(node)} {name}"
        for module in modules(package)
        for node, name in imported_names(module)
        if not is_allowed(name, package)
    ]

    assert [] == foreign


def is_allowed(name: str, package: str) -> bool:
    root = name.partition(".")[0]
    is_ours = any(name == prefix or name.startswith(f"{prefix}.") for prefix in OURS[package])
    return is_ours or root in STANDARD or root in LIBRARIES or name in STANDARD_NAMES


def test_library_stands_behind_one_module() -> None:
    """
    Replacing a library is a change to one file of ours.
    """
    users: dict[str, set[str]] = defaultdict(set)
    for module in modules(*PURE_PACKAGES):
        for _, name in imported_names(module):
            if (root := name.split(".")[0]) in LIBRARIES - {"msgspec"}:
                users[root].add(module.path)

    assert {} == {library: sorted(paths) for library, paths in users.items() if len(paths) > 1}


def test_pure_package_never_waits_or_acts() -> None:
    """
    Nothing in a pure package is asynchronous, reads the time or reaches outside its arguments.
    """
    impure = [
        module.at(node)
        for module in modules(*PURE_PACKAGES)
        for node in module.nodes
        if is_asynchronous(node) or is_impure(node)
    ]

    assert [] == impure


def is_asynchronous(node: ast.AST) -> bool:
    return isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith)


def is_impure(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = dotted_name(node.func)
    is_clock = isinstance(node.func, ast.Attribute) and node.func.attr in IMPURE_METHODS and "date" in name.lower()
    return name in IMPURE_CALLS or is_clock


def test_pure_package_keeps_no_state() -> None:
    """
    A pure module has no module-level variable that can change: constants are upper case and not built empty.
    """
    variables = [
        f"{module.at(node)} {name}"
        for module in modules(*PURE_PACKAGES)
        for node in module.tree.body
        for name in mutable_names(node)
    ]

    assert [] == variables


def mutable_names(node: ast.stmt) -> list[str]:
    """Return the names that a top-level statement binds to an empty, hence mutable, container."""
    match node:
        case ast.Assign(
            targets=targets, value=ast.Dict(keys=[]) | ast.List(elts=[]) | ast.Call(args=[], keywords=[]) as value
        ):
            pass
        case ast.AnnAssign(
            target=target, value=ast.Dict(keys=[]) | ast.List(elts=[]) | ast.Call(args=[], keywords=[]) as value
        ):
            targets = [target]
        case _:
            return []
    is_container = not isinstance(value, ast.Call) or dotted_name(value.func) in {"dict", "list", "set", "deque"}
    return [target.id for target in targets if isinstance(target, ast.Name)] if is_container else []


def test_root_package_imports_nothing_heavy() -> None:
    """
    `import remit` loads no driver, no web framework, no migration tool and no command-line framework.
    """
    heavy = ("alembic", "asyncpg", "httpx2", "rich", "sqlalchemy", "starlette", "stripe", "typer", "uvicorn")
    script = f"import remit, sys; print(*sorted(set(sys.modules) & set({heavy!r})))"

    assert "" == run_python(script)


def run_python(script: str) -> str:
    """Return what a fresh interpreter prints for the script."""
    result = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return result.stdout.strip()
