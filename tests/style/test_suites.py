"""The tests themselves: each states its property, waits for nothing, and uses what users use."""

import ast

from tests.style.sources import Module, dotted_name, imported_names, modules

SLEEPS = frozenset({"time.sleep", "asyncio.sleep", "anyio.sleep", "trio.sleep", "sleep"})
MOCKS = ("unittest.mock", "mock", "pytest_mock")


def test_every_test_states_its_property() -> None:
    """
    Each test has a docstring: one sentence that is true of the subject, without the word "should".
    """
    silent = [
        f"{module.at(node)} {node.name}"
        for module in modules("tests")
        for node, _ in module.functions()
        if node.name.startswith("test_") and not states_property(ast.get_docstring(node), node.name)
    ]

    assert [] == silent


def states_property(docstring: str | None, name: str) -> bool:
    return bool(docstring) and "_should_" not in name


def test_no_test_sleeps() -> None:
    """
    Tests move the clock or wait on a signal with a timeout; `asyncio.sleep(0)` only yields.
    """
    sleeping = [
        module.at(node)
        for module in modules("tests")
        for node in module.nodes
        if isinstance(node, ast.Call) and dotted_name(node.func) in SLEEPS and not is_yield(node)
    ]

    assert [] == sleeping


def is_yield(node: ast.Call) -> bool:
    return bool(node.args) and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0


def test_no_test_mocks() -> None:
    """
    Our own types have shipped fakes, so no test imports a mocking library.
    """
    mocking = [
        module.at(node)
        for module in modules("tests")
        for node, name in imported_names(module)
        if any(name == mock or name.startswith(f"{mock}.") for mock in MOCKS)
    ]

    assert [] == mocking


def test_suites_import_public_modules_only() -> None:
    """
    Outside tests/unit, tests use what users can: no module, and no name, of ours that begins with an underscore.
    """
    private = [
        f"{module.at(node)} {name}"
        for module in modules("tests")
        for node, name in imported_names(module)
        if not module.is_in("tests/unit") and is_private(name)
    ]

    assert [] == private


def is_private(name: str) -> bool:
    root, *parts = name.split(".")
    return root in {"remit", "remit_commerce"} and any(part.startswith("_") for part in parts)


def test_packs_import_public_modules_only() -> None:
    """
    The commerce pack is a user of the kernel: it imports no private name of remit.
    """
    private = [
        f"{module.at(node)} {name}" for module in modules("src/remit_commerce") for node, name in private_names(module)
    ]

    assert [] == private


def private_names(module: Module) -> list[tuple[ast.stmt, str]]:
    return [(node, name) for node, name in imported_names(module) if name.startswith("remit.") and is_private(name)]
