"""The repository as the style tests see it: parsed modules, functions, classes and text files.

Owns: reading and parsing, once per process.
Does not know: any rule.
"""

import ast
import io
import subprocess
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED_FOLDERS = frozenset({".git", ".venv", ".cache", "build", "dist", "node_modules", "__pycache__"})

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True)
class Module:
    """One Python file; ``path`` is relative to the repository, with forward slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=self.path)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def comments(self) -> dict[int, str]:
        """Comments by line number."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    def is_in(self, *folders: str) -> bool:
        """Tell whether the file lies in one of the folders, or is one of them."""
        return any(self.path == folder or self.path.startswith(f"{folder}/") for folder in folders)

    def at(self, node: ast.AST) -> str:
        """Return the node's place as ``path:line``."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"

    def functions(self) -> Iterator[tuple[FunctionNode, ast.ClassDef | None]]:
        """Yield every function with the class that it is a method of, if any."""
        owners = {id(child): node for node in self.nodes if isinstance(node, ast.ClassDef) for child in node.body}
        for node in self.nodes:
            if isinstance(node, FunctionNode):
                yield node, owners.get(id(node))

    def classes(self) -> Iterator[ast.ClassDef]:
        return (node for node in self.nodes if isinstance(node, ast.ClassDef))

    def docstrings(self) -> set[int]:
        """Return the ids of the string nodes that are documentation: lone strings in a body."""
        return {
            id(node.value) for node in self.nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """Return all Python files in the folders (by default of the whole project), sorted by path."""
    paths = [path for path in project_files() if path.endswith(".py")]
    parsed = (Module(path=path, text=(ROOT / path).read_text(encoding="utf-8")) for path in paths)
    return tuple(module for module in parsed if not folders or module.is_in(*folders))


@cache
def project_files() -> tuple[str, ...]:
    """Return the project's files, as git would take them; outside a checkout, all but the known leavings."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        output = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        paths = [path for path in output.split("\0") if path]
    except (FileNotFoundError, subprocess.CalledProcessError):
        paths = [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if not is_skipped(path)]
    return tuple(sorted(path for path in set(paths) if (ROOT / path).is_file()))


def is_skipped(path: Path) -> bool:
    """Tell whether a path belongs to what a build leaves behind."""
    parts = path.relative_to(ROOT).parts
    return any(part in SKIPPED_FOLDERS or part.endswith(("_cache", ".egg-info")) for part in parts)


def code_length(node: FunctionNode) -> int:
    """Return a function's lines from its name to its end, without decorators and docstring."""
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node, clean=False) is None:
        return length
    documentation = node.body[0]
    return length - ((documentation.end_lineno or documentation.lineno) - documentation.lineno + 1)


def dotted_name(node: ast.AST) -> str:
    """Return ``a.b.c`` for a chain of attributes, the empty string for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attribute):
            prefix = dotted_name(value)
            return f"{prefix}.{attribute}" if prefix else ""
        case _:
            return ""


def imported_names(module: Module) -> Iterator[tuple[ast.stmt, str]]:
    """Yield every import statement with each full name that it brings in, wherever it stands."""
    for node in module.nodes:
        match node:
            case ast.Import(names=names):
                yield from ((node, alias.name) for alias in names)
            case ast.ImportFrom(module=source, names=names):
                yield from ((node, f"{source or ''}.{alias.name}") for alias in names)
            case _:
                pass
