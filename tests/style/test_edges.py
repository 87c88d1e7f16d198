"""What only the edges may do: catch everything, speak SQL, read the environment."""

import ast
import builtins
import re

from tests.style.sources import Module, dotted_name, modules

BOUNDARY_COMMENT = re.compile(r"# boundary: \S+")
CATCH_ALL = frozenset({"Exception", "BaseException", "builtins.Exception", "builtins.BaseException"})
STATEMENT = re.compile(
    r"\s*(select\s.+\sfrom\s|insert\s+into\s|update\s+[\w.\"]+\s+set\s|delete\s+from\s|with\s+\w+\s+as\s*\("
    r"|(create|alter|drop)\s+(or\s+replace\s+)?(table|index|role|schema|function|policy|database|view|type|sequence)\b"
    r"|truncate\s+\w+|copy\s+\w+\s+(from|to)\s|grant\s+\w+\s+(on|to)\s|set\s+(local\s+)?\w+\s*=)",
    re.IGNORECASE | re.DOTALL,
)
BUILTIN_ERRORS = frozenset(
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
)


def test_boundaries_that_catch_all_are_marked() -> None:
    """
    `except Exception` stands only where everything ends, and says why: `# boundary: <why>`.
    """
    unmarked = [
        module.at(node)
        for module in modules("src")
        for node in module.nodes
        if catches_all(node) and not BOUNDARY_COMMENT.search(module.comments.get(node.lineno, ""))
    ]

    assert [] == unmarked


def catches_all(node: ast.AST) -> bool:
    """Tell whether a handler, or a `suppress`, swallows every exception."""
    match node:
        case ast.ExceptHandler(type=None):
            return True
        case ast.ExceptHandler(type=ast.Tuple(elts=types)):
            return any(dotted_name(item) in CATCH_ALL for item in types)
        case ast.ExceptHandler(type=caught):
            return caught is not None and dotted_name(caught) in CATCH_ALL
        case ast.Call(func=function, args=arguments) if dotted_name(function).endswith("suppress"):
            return any(dotted_name(item) in CATCH_ALL for item in arguments)
        case _:
            return False


def test_sql_lives_in_sql_files() -> None:
    """
    No Python file holds a statement: queries and functions are named and described under remit/store.
    """
    statements = [
        f"{module.path}:{line} {text.strip()[:40]!r}"
        for module in modules("src")
        for line, text in string_literals(module)
        if STATEMENT.match(text)
    ]

    assert [] == statements


def string_literals(module: Module) -> list[tuple[int, str]]:
    """Return every string that is no documentation; an f-string counts as its first literal part."""
    documentation = module.docstrings()
    return [
        (node.lineno, node.value)
        for node in module.nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation
    ]


def test_environment_is_read_in_settings_only() -> None:
    """
    `os.environ` and its kin appear in remit/settings.py and nowhere else.
    """
    names = {"os.environ", "os.environb", "os.getenv", "os.putenv", "environ", "getenv"}
    readers = [
        module.at(node)
        for module in modules("src")
        for node in module.nodes
        if module.path != "src/remit/settings.py" and dotted_name(node) in names
    ]

    assert [] == readers


def test_errors_belong_to_one_tree() -> None:
    """
    Every exception class of the kernel and its packs descends from the tree in remit/errors.py.
    """
    strays = [
        f"{module.at(node)} {node.name}"
        for module in modules("src")
        for node in module.classes()
        if module.path != "src/remit/errors.py" and any(dotted_name(base) in BUILTIN_ERRORS for base in node.bases)
    ]

    assert [] == strays
