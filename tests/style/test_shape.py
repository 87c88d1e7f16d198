"""Sizes, signatures and names: the tail decides how a codebase feels."""

import ast
import re

from tests.style.sources import FunctionNode, Module, code_length, modules

FILE_LINES_MAX = 700
FUNCTION_LINES_MAX = 70
PARAMETERS_MAX = 6
POSITIONAL_MAX = 4
PUBLIC_METHODS_MAX = 15
ELIF_MAX = 5
INIT_LINES_MAX = 60

BANNED_MODULES = frozenset({"utils", "util", "helpers", "helper", "common", "misc", "base", "types"})
BANNED_SUFFIXES = ("Manager", "Service", "Helper", "Processor", "Wrapper", "Impl", "Data", "Info")
BOUND_COMMENT = "# bound: "


def test_files_stay_below_limit() -> None:
    """
    No Python or SQL file is longer than 700 lines; split by table or role before 400.
    """
    too_long = [f"{module.path}: {len(module.lines)}" for module in modules() if len(module.lines) > FILE_LINES_MAX]

    assert [] == too_long


def test_functions_stay_below_limit() -> None:
    """
    No function has more than 70 lines of code, not counting its docstring.
    """
    too_long = [
        f"{module.at(node)} {node.name}: {code_length(node)}"
        for module in modules()
        for node, _ in module.functions()
        if code_length(node) > FUNCTION_LINES_MAX
    ]

    assert [] == too_long


def test_signatures_stay_below_limit() -> None:
    """
    No function takes more than six parameters besides self, or more than four without a name.
    """
    too_wide = [
        f"{module.at(node)} {node.name}"
        for module in modules("src")
        for node, owner in module.functions()
        if is_too_wide(node, owner)
    ]

    assert [] == too_wide


def is_too_wide(node: FunctionNode, owner: ast.ClassDef | None) -> bool:
    positional = [*node.args.posonlyargs, *node.args.args]
    is_bound = owner is not None and not any(
        isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list
    )
    positional_count = len(positional) - int(is_bound)
    return positional_count > POSITIONAL_MAX or positional_count + len(node.args.kwonlyargs) > PARAMETERS_MAX


def test_classes_have_few_public_methods() -> None:
    """
    No class has more than fifteen public methods: one table or one role per class.
    """
    too_wide = [
        f"{module.at(node)} {node.name}: {public_method_count(node)}"
        for module in modules("src")
        for node in module.classes()
        if public_method_count(node) > PUBLIC_METHODS_MAX
    ]

    assert [] == too_wide


def public_method_count(node: ast.ClassDef) -> int:
    return sum(isinstance(child, FunctionNode) and not child.name.startswith("_") for child in node.body)


def test_names_say_which_part_of_the_machine() -> None:
    """
    No module is a drawer for leftovers, and no class is a Manager of something.
    """
    drawers = [
        module.path
        for module in modules("src")
        for part in module.path.split("/")
        if part.removesuffix(".py") in BANNED_MODULES
    ]
    managers = [
        f"{module.at(node)} {node.name}"
        for module in modules("src")
        for node in module.classes()
        if node.name.endswith(BANNED_SUFFIXES)
    ]

    assert [] == drawers + managers


def test_async_functions_have_no_twin() -> None:
    """
    There is one implementation, asynchronous; no name says which of two it is.
    """
    twins = [
        f"{module.at(node)} {node.name}"
        for module in modules("src")
        for node, _ in module.functions()
        if node.name.endswith(("_async", "_sync"))
    ]

    assert [] == twins


def test_dispatch_is_no_ladder() -> None:
    """
    No chain has more than five elif branches; dispatch by table or match.
    """
    ladders = [
        f"{module.at(node)}"
        for module in modules("src")
        for node in module.nodes
        if isinstance(node, ast.If) and elif_count(node) > ELIF_MAX
    ]

    assert [] == ladders


def elif_count(node: ast.If) -> int:
    count = 0
    while len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        node = node.orelse[0]
        count += 1
    return count


def test_endless_loops_name_their_bound() -> None:
    """
    Each `while True` says on its line, or the one above, what ends it: `# bound: <what>`.
    """
    unbounded = [
        module.at(node)
        for module in modules("src")
        for node in module.nodes
        if isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and not has_bound(module, node)
    ]

    assert [] == unbounded


def has_bound(module: Module, node: ast.While) -> bool:
    return any(BOUND_COMMENT in module.comments.get(line, "") for line in (node.lineno, node.lineno - 1))


def test_packages_only_reexport() -> None:
    """
    An `__init__` holds a docstring, imports and `__all__`, in at most 60 lines.
    """
    packages = [module for module in modules("src") if module.path.endswith("__init__.py")]
    too_long = [module.path for module in packages if len(module.lines) > INIT_LINES_MAX]
    code = [module.at(node) for module in packages for node in module.tree.body if not is_reexport(module, node)]

    assert [] == too_long + code


def is_reexport(module: Module, node: ast.stmt) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__" | "__version__" | "_PLACES")]):
            return True
        case ast.FunctionDef(name="__getattr__" | "__dir__") | ast.If(test=ast.Name(id="TYPE_CHECKING")):
            # Lazy exports keep `import remit` light.
            return module.path in {"src/remit/__init__.py", "src/remit_commerce/__init__.py"}
        case _:
            return False


def test_type_ignores_say_what_and_why() -> None:
    """
    Every `type: ignore` names its code and its reason.
    """
    reasoned = re.compile(r"type: ignore\[[\w, -]+\]\s*[#-]\s*\S")
    bare = [
        f"{module.path}:{line}"
        for module in modules("src")
        for line, comment in module.comments.items()
        if "type: ignore" in comment and not reasoned.search(comment)
    ]

    assert [] == bare
