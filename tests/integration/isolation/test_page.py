"""The page for sceptics says what the tests do."""

from tests.integration.isolation.page import PAGE, PROBES, render


def test_page_is_current() -> None:
    """
    The page is what the tests make of it: ``python -m tests.integration.isolation.page`` writes it anew.
    """
    assert render() == PAGE.read_text(encoding="utf-8")


def test_probes_are_numbered_without_gaps() -> None:
    """
    There are at least the 27 probes that were asked for, each under a number of its own.
    """
    numbers = [
        int(line[3:].split(" ")[0])
        for line in render().splitlines()
        if line.startswith(("| P0", "| P1", "| P2", "| P3"))
    ]

    assert list(range(1, len(numbers) + 1)) == numbers
    assert len(numbers) >= 27
    assert 3 == len(PROBES)
