"""The error tree is drawn in the docstring of remit/errors.py; the drawing is the classes."""

import ast
import importlib
import re

from tests.style.sources import ROOT

BRANCH = re.compile(r"^(?P<indent>[ │├└─]*)(?P<name>[A-Z]\w+(?:Error|InvariantViolated|Violated))\b(?P<rest>.*)$")
CODE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
ERRORS = ROOT / "src" / "remit" / "errors.py"


def drawn() -> dict[str, tuple[str | None, str | None]]:
    """Return, for each class in the drawing, the class it hangs under and the code next to it, if any."""
    tree = ast.parse(ERRORS.read_text(encoding="utf-8"))
    found: dict[str, tuple[str | None, str | None]] = {}
    path: list[tuple[int, str]] = []
    for line in (ast.get_docstring(tree, clean=True) or "").splitlines():
        if not (branch := BRANCH.match(line)):
            continue
        depth = len(branch["indent"])
        path = [step for step in path if step[0] < depth]
        code = CODE.search(branch["rest"])
        found[branch["name"]] = (path[-1][1] if path else None, code.group() if code else None)
        path.append((depth, branch["name"]))
    return found


def defined() -> dict[str, type[Exception]]:
    """Return the exception classes of the module by name."""
    module = importlib.import_module("remit.errors")
    classes = (value for value in vars(module).values() if isinstance(value, type))
    return {
        kind.__name__: kind for kind in classes if issubclass(kind, Exception) and kind.__module__ == module.__name__
    }


def test_drawing_names_every_class_under_its_parent() -> None:
    """
    The drawing has each class exactly where the code puts it, and nothing else.
    """
    parents = {name: kind.__base__.__name__ for name, kind in defined().items()}
    drawing = {name: parent or "Exception" for name, (parent, _) in drawn().items()}

    assert parents == drawing


def test_drawing_gives_the_codes_of_the_classes() -> None:
    """
    A code in the drawing is the class's code.
    """
    classes = defined()
    wrong = {name: code for name, (_, code) in drawn().items() if code and classes[name].__dict__.get("code") != code}

    assert {} == wrong


def test_codes_are_distinct() -> None:
    """
    Each class has a code of its own, because HTTP problems, exit codes and traces tell errors apart by it.
    """
    codes = [kind.__dict__.get("code") for kind in defined().values()]

    assert None not in codes
    assert len(set(codes)) == len(codes)
