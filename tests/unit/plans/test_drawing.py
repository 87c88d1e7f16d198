"""Drawings say what their lines join."""

import pytest

from remit.plans.drawing import longest_line, read_picture

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
        ("A1   A2\n│    │\n│◄───┘\n▼\nA3", {"A1>A3", "A2>A3"}),
        ("A1   A2\n│    │\n│◄───┤\n▼    ▼\nA3   A4", {"A1>A3", "A2>A3", "A2>A4"}),
        ("A1 │◄──┐\n   │   A2\n   A3", {"A2>A3"}),
        ("A1\n│◄──┐\n▼   │\nA2──┘", {"A1>A2"}),
        ("A1 ──►│◄── A2\n      ▼\n      A3", {"A1>A3", "A2>A3"}),
        ("│A1│──►│A2│", {"A1>A2"}),
    ],
)
def test_lines_lead_from_task_to_task(drawing: str, expected: set[str]) -> None:
    """
    Branches, merges, labels and arrows of any alphabet are followed; nothing else is joined.
    """
    assert expected == edges(drawing)


def test_line_whose_arrowhead_points_at_nothing_is_told_and_not_read() -> None:
    """
    Where such a line leads is not known, so that no edge is made of it; an arrowhead at a word joins nothing either.
    """
    loose = read_picture("A1\n│\n├──►\n│\nA2", [0] * 5, IDS)
    word = read_picture("A1\n├──► done\n▼\nA2 ──► all", [0] * 4, IDS)

    assert ((), (2, 3)) == (loose.edges, loose.loose)
    assert (1, None) == (len(word.edges), word.loose)


def test_lines_that_lead_into_lines_are_followed_as_long_as_there_is_room() -> None:
    """
    Each of many lines that lead into the next one leads to where the last one does; too many steps are told.
    """
    few, many = ("\n".join(["A1 ──►│"] * count + ["      ▼", "      A2"]) for count in (40, 20_000))

    assert {("A1", "A2")} == {(one.id, other.id) for one, other in read_picture(few, [0] * 42, IDS).edges}
    assert not read_picture(many, [0] * 20_002, IDS).is_complete


def test_longest_line_passes_branches_by() -> None:
    """
    Of a branching drawing the longest line counts; of one that leads back none does.
    """
    branching = read_picture("A1\n│\n├────┐\n▼    ▼\nA2   A3\n│\n▼\nA4", [0] * 9, IDS)
    circular = read_picture("A1 → A2 → A1", [0], IDS)

    assert ("A1", "A2", "A4") == longest_line(branching)
    assert () == longest_line(circular)
