"""The catalogue: every code has an example that causes it, and the page shows what the checker says."""

from difflib import unified_diff

import pytest

from remit.plans.codes import ALL_CODES
from tests.unit.diagnostics.catalogue import PAGE, Example, examples, page, pending


@pytest.fixture(scope="module")
def known() -> dict[str, Example]:
    return examples()


def test_every_code_has_an_example(known: dict[str, Example]) -> None:
    """
    Each code has an example or is listed as pending, none is both, and no example is of an unknown code.
    """
    assert ALL_CODES.keys() == known.keys() | pending()
    assert set() == known.keys() & pending()


@pytest.mark.parametrize("code", sorted(ALL_CODES.keys() - pending()))
def test_example_yields_its_code(code: str, known: dict[str, Example]) -> None:
    """
    The checker finds in an example what the example is there for, and says what was expected.
    """
    found = known[code].of_code(code)

    assert found
    assert all(finding.message.startswith("expected ") for finding in found)


def test_page_is_what_the_checker_says() -> None:
    """
    docs/reference/diagnostics.md is what `python -m tests.unit.diagnostics.catalogue` writes.
    """
    written, expected = PAGE.read_text(encoding="utf-8").splitlines(), page().splitlines()
    differences = [line for line in unified_diff(written, expected, lineterm="", n=0) if not line.startswith("@")]

    assert [] == differences[:20], "run `python -m tests.unit.diagnostics.catalogue`"
