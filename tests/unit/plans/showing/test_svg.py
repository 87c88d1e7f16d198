"""The drawing of a plan: nothing overlaps, nothing is lost, and it is safe by itself."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from remit.plans.formats import read_plan
from remit.plans.plan import Plan, PlanTask
from remit.plans.showing import render_svg
from remit.plans.showing.graph import GROUPS_DRAWN_MAX, PlanGraph, graph_of
from remit.plans.showing.measuring import text_width
from remit.plans.showing.routing import PAGE_WIDTH, Drawing, DrawnBox, draw
from tests.unit.plans.showing.plans import after, payments, plan_of, random_plan, view_of

ROOT = Path(__file__).parents[4]
SVG = "{http://www.w3.org/2000/svg}"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")

PLANS = {
    "one": plan_of(PlanTask(id="a", title="Alone")),
    "small": payments(),
    "thirty": random_plan(30),
    "phases": random_plan(60, seed=2, phase_count=5),
    "two-hundred": random_plan(200, seed=3),
    "wide": plan_of(*(PlanTask(id=f"{number}", title="Beside") for number in range(50))),
    "fan": plan_of(
        *(PlanTask(id=f"{number}", title="First") for number in range(40)),
        PlanTask(id="end", title="Last", depends_on=after(*map(str, range(40)))),
    ),
    "star": plan_of(
        PlanTask(id="begin", title="First"),
        *(PlanTask(id=f"{number}", title="Beside", depends_on=after("begin")) for number in range(40)),
        PlanTask(id="end", title="Last", depends_on=after(*map(str, range(40)))),
    ),
    "cycles": plan_of(
        PlanTask(id="before", title="In front of the cycle"),
        PlanTask(id="egg", title="Egg", depends_on=after("before", "hen")),
        PlanTask(id="chick", title="Chick", depends_on=after("egg")),
        PlanTask(id="hen", title="Hen", depends_on=after("chick", "egg")),
        PlanTask(id="roast", title="Behind the cycle", depends_on=after("hen", "before")),
        PlanTask(id="one", title="One of two", depends_on=after("other")),
        PlanTask(id="other", title="The other of two", depends_on=after("one", "before")),
    ),
    "tangle": plan_of(
        *(
            PlanTask(id=f"{number}", title="Entangled", depends_on=after(*(f"{number * step % 30}" for step in (2, 7))))
            for number in range(30)
        )
    ),
}


def drawing_of(plan: Plan) -> tuple[PlanGraph, Drawing]:
    graph = graph_of(view_of(plan))
    return graph, draw(graph)


def overlap(one: DrawnBox, other: DrawnBox) -> bool:
    is_beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not is_beside and one.y < other.y + other.height and other.y < one.y + one.height


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_boxes_stand_apart_and_inside(plan: Plan) -> None:
    """
    No two boxes overlap, and none leaves the drawing.
    """
    _, drawing = drawing_of(plan)
    boxes = drawing.boxes

    assert len(plan.tasks) == len(boxes)
    assert [] == [(a, b) for number, a in enumerate(boxes) for b in boxes[:number] if overlap(a, b)]
    assert all(0 <= box.x and box.x + box.width <= drawing.width for box in boxes)
    assert all(0 <= box.y and box.y + box.height <= drawing.height for box in boxes)


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_lines_pass_beside_boxes(plan: Plan) -> None:
    """
    Between its ends no line enters a box: it is straight beside rows, and bends between them only.
    """
    _, drawing = drawing_of(plan)
    straight = [piece for line in drawing.lines for piece in straight_pieces(line.path)]

    for x, top, bottom in straight:
        for box in drawing.boxes:
            is_beside = not box.x < x < box.x + box.width
            assert is_beside or bottom <= box.y or box.y + box.height <= top
    tops = sorted({box.y for box in drawing.boxes})
    gaps = [(above + drawing.boxes[0].height, below) for above, below in pairwise(tops)]
    for line in drawing.lines:
        for top, bottom in bends(line.path):
            assert any(start - 0.2 <= top and bottom <= end + 0.2 for start, end in gaps)


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_lines_from_a_box_lead_to_what_comes_after_it(plan: Plan) -> None:
    """
    Whoever follows the lines that leave a box, also where several share a way, comes to all that it leads to, and to
    nothing else.
    """
    graph, drawing = drawing_of(plan)
    ways: dict[bool, dict[tuple[float, float], set[tuple[float, float]]]] = {True: {}, False: {}}
    for line in drawing.lines:
        for one, other in pairwise(points(line.path)):
            ways[line.is_upward].setdefault(one, set()).add(other)

    for number, box in enumerate(drawing.boxes):
        down = reached(ways[False], box, at=box.y + box.height)
        assert {other for one, other in graph.links if one == number} == {
            other
            for other, target in enumerate(drawing.boxes)
            if any(holds(target, x) and y == target.y - 5 for x, y in down)
        }
        up = reached(ways[True], box, at=box.y)
        assert {one for one, other in graph.upward if other == number} == {
            other
            for other, target in enumerate(drawing.boxes)
            if any(holds(target, x) and y == target.y + target.height + 5 for x, y in up)
        }


def points(path: str) -> list[tuple[float, float]]:
    return [(numbers[-2], numbers[-1]) for _, numbers in commands(path)]


def holds(box: DrawnBox, x: float) -> bool:
    return box.x <= x <= box.x + box.width


def reached(
    ways: dict[tuple[float, float], set[tuple[float, float]]], box: DrawnBox, *, at: float
) -> set[tuple[float, float]]:
    """Return the points that ways lead to from an edge of a box."""
    found = {point for point in ways if holds(box, point[0]) and point[1] == at}
    following = list(found)
    while following:
        new = ways.get(following.pop(), set()) - found
        found |= new
        following += new
    return found


def test_every_line_of_a_cycle_is_drawn() -> None:
    """
    What waits for one another stands below the others, each dependency has a line, and one of each cycle leads up.
    """
    graph, _ = drawing_of(PLANS["cycles"])
    edges = {(1, 0), (1, 3), (2, 1), (3, 2), (3, 1), (4, 3), (4, 0), (5, 6), (6, 5), (6, 0)}

    assert edges == {(after, before) for before, after in graph.links} | set(graph.upward)
    assert {(1, 3), (4, 3), (5, 6)} == set(graph.upward)
    assert [2, 3] == [sum(map(len, graph.bands[0].layers)) + 1, len(graph.bands[-1].layers)]
    assert frozenset() == graph.critical & {(0, 4)} - set(graph.links)


def commands(path: str) -> list[tuple[str, list[float]]]:
    return [(part[0], [float(n) for n in NUMBER.findall(part)]) for part in re.findall(r"[MLC][^MLC]*", path)]


def straight_pieces(path: str) -> list[tuple[float, float, float]]:
    found = []
    y = 0.0
    for command, numbers in commands(path):
        if command == "L":
            found.append((numbers[0], min(y, numbers[1]), max(y, numbers[1])))
        y = numbers[-1]
    return found


def bends(path: str) -> list[tuple[float, float]]:
    found = []
    y = 0.0
    for command, numbers in commands(path):
        if command == "C":
            found.append((min(y, numbers[-1]), max(y, numbers[-1])))
        y = numbers[-1]
    return found


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_texts_fit_into_their_boxes(plan: Plan) -> None:
    """
    Titles are cut or wrapped; no text is wider than the box that it stands in.
    """
    _, drawing = drawing_of(plan)
    style = drawing.style

    for box in drawing.boxes:
        assert all(text_width(line, style.title_size) <= box.width - 18 for line in box.title)
        assert text_width(box.note, style.note_size) <= box.width - 18
        assert text_width(box.heading, style.heading_size) + box.risk_width <= box.width - 18
        assert style.title_size >= 11
        assert style.note_size >= 11


@pytest.mark.parametrize("plan", [payments(), random_plan(30), random_plan(60, phase_count=4)], ids=["5", "30", "60"])
def test_ordinary_plan_fits_a_page(plan: Plan) -> None:
    """
    Plans of up to some dozens of tasks need no moving sideways.
    """
    _, drawing = drawing_of(plan)

    assert drawing.width <= PAGE_WIDTH


def test_implied_dependency_is_not_drawn() -> None:
    """
    004 comes after 001 by way of 002 and 003: one line less, and the drawing says so.
    """
    graph, _ = drawing_of(payments())

    assert ((0, 1), (1, 2), (2, 3)) == graph.links
    assert ("1 dependency that others imply is not drawn.",) == graph.remarks


def test_critical_path_is_marked_by_more_than_colour() -> None:
    """
    The critical path has thick lines and a sign in its boxes; states have marks, risks have words.
    """
    root = ET.fromstring(render_svg(view_of(payments())))
    texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    lines = [path for path in root.iter(f"{SVG}path") if path.get("class") == "line critical"]

    assert 3 == len(lines)
    assert ["◆ [x] 001", "◆ [~] 002", "◆ [!] 003", "◆ [ ] 004", "[ ] 005"] == [
        text for text in texts if re.search(r"\] 00\d$", text)
    ]
    assert ["high", "medium", "critical", "low"] == [
        text for text in texts if text in {"low", "medium", "high", "critical"}
    ]


def test_drawing_tells_readers_who_do_not_see_it() -> None:
    """
    Title, description and every box have words.
    """
    root = ET.fromstring(render_svg(view_of(payments())))
    labels = [group.get("aria-label") for group in root.iter(f"{SVG}g")]

    assert "Payments audit" == root.findtext(f"{SVG}title")
    assert "Critical path: 001, 002, 003, 004." in (root.findtext(f"{SVG}desc") or "")
    assert "002: Emit events; work; in progress; medium risk; on the critical path; after 001" == labels[1]


@pytest.mark.parametrize("phase_count", [0, 7])
def test_large_plan_is_condensed_and_says_so(phase_count: int) -> None:
    """
    Thousands of tasks become one box for each phase, or for some waves, and a sentence tells how many.
    """
    view = view_of(random_plan(2000, phase_count=phase_count))
    graph = graph_of(view)
    drawing = draw(graph)

    assert graph.is_condensed
    assert (phase_count or 1) <= len(drawing.boxes) <= GROUPS_DRAWN_MAX
    assert 2000 == sum(int(re.findall(r"[\d,]+", box.node.title)[0].replace(",", "")) for box in drawing.boxes)
    assert graph.remarks[0].startswith("2,000 tasks with ")
    assert drawing.boxes[-1].node.heading in render_svg(view)


def test_drawing_is_the_same_each_time() -> None:
    """
    The same plan is drawn the same way, so that a drawing can be kept under version control.
    """
    assert render_svg(view_of(random_plan(80))) == render_svg(view_of(random_plan(80)))


def test_drawing_of_the_reference_is_the_one_that_is_drawn() -> None:
    """
    The example of the reference page is what `remit plan show` draws of the payments seed today.
    """
    path = ROOT / "tests" / "plans" / "seeds" / "spectra-payments-audit-plan.md"
    reading = read_plan(path.read_bytes(), path=path.name)
    assert reading.plan is not None

    drawn = render_svg(view_of(reading.plan))

    assert drawn == (ROOT / "docs" / "reference" / "plans-show.svg").read_text(encoding="utf-8")


def test_title_that_is_read_from_the_right_begins_there() -> None:
    """
    A title in Arabic or Hebrew begins at the right side of its box, one with such a word in it does not.
    """
    titles = (
        "\u05e2\u05d1\u05e8\u05d9\u05ea 100% ok",
        "1. \u0627\u0644\u0639\u0642\u062f",
        "Plan \u05e2\u05d1\u05e8\u05d9\u05ea",
        "Plan",
    )
    root = ET.fromstring(render_svg(view_of(plan_of(*(PlanTask(id=title, title=title) for title in titles)))))
    ways = {
        text.text: (text.get("direction"), text.get("x"))
        for text in root.iter(f"{SVG}text")
        if text.get("class") == "title"
    }

    assert [("rtl", "203"), ("rtl", "203"), (None, "9"), (None, "9")] == [ways[title] for title in titles]


def test_hostile_text_stays_text() -> None:
    """
    What a plan says is text of the drawing, never an element, a style or an address.
    """
    text = "</text></style><script>x</script><a href='https://example.org'>&amp;\x00\x01"
    root = ET.fromstring(render_svg(view_of(plan_of(PlanTask(id=text, title=text), title=text))))
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}

    assert set() == tags - {"svg", "title", "desc", "style", "rect", "defs", "marker", "path", "g", "text", "tspan"}
    assert {"role", "aria-label"} <= {name for element in root.iter() for name in element.attrib}
    assert text.replace("\x00\x01", "\N{REPLACEMENT CHARACTER}" * 2) == root.findtext(f"{SVG}title")
