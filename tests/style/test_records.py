"""Values of core and ports are frozen, slotted and built by name."""

import ast

from tests.style.sources import Module, dotted_name, modules

RECORD_PACKAGES = ("src/remit/core", "src/remit/ports")
DATACLASS = frozenset({"frozen", "slots", "kw_only"})
STRUCT = frozenset({"frozen", "kw_only"})

MUTABLE_MODULES = frozenset({"src/remit/core/state.py"})
"""The folded state: `evolve_many` applies thousands of facts in place, so its parts are not frozen."""


def test_dataclasses_are_frozen_slotted_and_built_by_name() -> None:
    """
    A dataclass of core or ports says `frozen=True, slots=True, kw_only=True`.
    """
    loose = [
        f"{module.at(node)} {node.name} lacks {', '.join(sorted(DATACLASS - options))}"
        for module in modules(*RECORD_PACKAGES)
        for node in module.classes()
        for options in dataclass_options(node)
        if not options >= DATACLASS
    ]

    assert [] == loose


def dataclass_options(node: ast.ClassDef) -> list[set[str]]:
    """Return the options switched on, for each dataclass decorator of the class."""
    found = []
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if dotted_name(call) in {"dataclass", "dataclasses.dataclass"}:
            found.append(options_on(decorator.keywords) if isinstance(decorator, ast.Call) else set())
    return found


def options_on(keywords: list[ast.keyword]) -> set[str]:
    return {
        keyword.arg
        for keyword in keywords
        if keyword.arg and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
    }


def test_structs_are_frozen_and_built_by_name() -> None:
    """
    A msgspec struct of core or ports says `frozen=True, kw_only=True`; so does each class below it that adds fields.
    """
    classes = [(module, node) for module in modules(*RECORD_PACKAGES) for node in module.classes()]
    structs = struct_names([node for _, node in classes])
    loose = [
        f"{module.at(node)} {node.name} lacks {', '.join(sorted(missing))}"
        for module, node in classes
        if node.name in structs and has_fields(node) and (missing := required_of(module) - options_on(node.keywords))
    ]

    assert [] == loose


def required_of(module: Module) -> frozenset[str]:
    return STRUCT - {"frozen"} if module.path in MUTABLE_MODULES else STRUCT


def struct_names(classes: list[ast.ClassDef]) -> set[str]:
    """Return the names of all classes that descend from `msgspec.Struct`."""
    names = {"msgspec.Struct", "Struct"}
    for _ in classes:
        grown = names | {node.name for node in classes if any(dotted_name(base) in names for base in node.bases)}
        if grown == names:
            break
        names = grown
    return names


def has_fields(node: ast.ClassDef) -> bool:
    return any(isinstance(child, ast.AnnAssign) for child in node.body)
