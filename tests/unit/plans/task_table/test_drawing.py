"""Drawings say what their lines join."""

import pytest

from remit.plans.task_table.drawing import longest_line, read_picture

IDS = frozenset({"A1", "A2", "A3", "A4"})


def edges(drawing: str) -> set[str]:
    picture = read_picture(drawing.strip("\n"), [0] * 20, IDS)
    return {f"{source.id}>{target.id}" for source, target in picture.edges}


@pytest.mark.parametrize(
    ("drawing", "expected"),
    [
        ("A1 → A2 → A3", {"A1>A2", "A2>A3"}),
        ("A1 -> A2 --> A3", {"A1>A2", "A2>A3"}),
        ("A1 ◄── A2", {"A2>A1"}),
        ("A1 (x)\n │\n ▼\nA2", {"A1>A2"}),
        ("A1\n|\nv\nA2", {"A1>A2"}),
        ("A1\n│\n├────┐\n▼    ▼\nA2   A3", {"A1>A2", "A1>A3"}),
        ("A1   A2\n│    │\n▼    │\nA3 ◄─┘", {"A1>A3", "A2>A3"}),
        ("A1   A2\n│    │\n└─┬──┘\n  ▼\n  A3", {"A1>A3", "A2>A3"}),
        ("A1\n│\nA2", {"A1>A2"}),
        ("A1\n │\n│\n▼\nA2", {"A1>A2"}),
        ("A2\n▲\n│\nA1", {"A1>A2"}),
        ("A1   A2\n│\n▼\n═══\nEXIT", set()),
        ("A1 A2", set()),
    ],
)
def test_lines_lead_from_task_to_task(drawing: str, expected: set[str]) -> None:
    """
    Branches, merges, labels and arrows of any alphabet are followed; nothing else is joined.
    """
    assert expected == edges(drawing)


def test_longest_line_passes_branches_by() -> None:
    """
    Of a branching drawing the longest line counts; of one that leads back none does.
    """
    branching = read_picture("A1\n│\n├────┐\n▼    ▼\nA2   A3\n│\n▼\nA4", [0] * 9, IDS)
    circular = read_picture("A1 → A2 → A1", [0], IDS)

    assert ("A1", "A2", "A4") == longest_line(branching)
    assert () == longest_line(circular)
