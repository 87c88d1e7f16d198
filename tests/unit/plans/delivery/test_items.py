"""Items in every spelling that is read: marks, roles, durations, and what is said about them."""

from decimal import Decimal

import pytest

from remit.diagnostics import Source
from remit.diagnostics.fixes import apply_fixes
from remit.plans.delivery import write_delivery
from remit.plans.delivery.lines import plain
from remit.plans.plan import TaskState
from tests.unit.plans.delivery.reading import CRITERIA, PHASE, codes, item_of, phase_of, read


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        ("(1.5d)", "1.5", "1.5"),
        ("- 0.5d", "0.5", "0.5"),
        ("– 0.5d", "0.5", "0.5"),
        ("(2 days)", "2", "2"),
        ("(1 day)", "1", "1"),
        ("(4h)", "0.5", "0.5"),
        ("(30 min)", "0.0625", "0.0625"),
        ("(1w)", "5", "5"),
        ("(2 weeks)", "10", "10"),
        ("(1-2d)", "1", "2"),
        ("(1 – 2 days)", "1", "2"),
        ("(4h-1d)", "0.5", "1"),
        ("(0,5d)", "0.5", "0.5"),
        ("(½d)", "0.5", "0.5"),
        ("(1½ days)", "1.5", "1.5"),
        ("(~3d)", "3", "3"),
        ("(est. 2d)", "2", "2"),
        ("**(1d)**", "1", "1"),
        ("(~~2d~~ 1d)", "1", "1"),
        ("(3 person-days)", "3", "3"),
        ("(.5d)", "0.5", "0.5"),
        ("(half a day)", "0.5", "0.5"),
        ("(two days)", "2", "2"),
        ("(1d+)", "1", "1"),
        ("(<1d)", "1", "1"),
        ("[1d]", "1", "1"),
        ("_(1d)_", "1", "1"),
        ("(2\n  days)", "2", "2"),
        ("(\n  1-2d\n  )", "1", "2"),
    ],
)
def test_duration_is_read_in_every_spelling(written: str, low: str, high: str) -> None:
    """
    A duration is person-days, a day of 8 hours and a week of 5 days, and is no part of the title.
    """
    item = item_of(f"[ ] (B) Order table {written}")

    assert item.duration is not None
    assert (Decimal(low), Decimal(high)) == (item.duration.days_min, item.duration.days_max)
    if "~~" not in written:
        assert "Order table" == item.title


@pytest.mark.parametrize(
    "title",
    [
        "Keep logs `(3d)`",
        "Version 2d",
        "Retry after 5 days",
        "~~(2d)~~ table",
        "(2) tables",
        "Look (3 days after launch)",
    ],
)
def test_what_is_no_estimate_is_left_in_the_title(title: str) -> None:
    """
    Code, struck-out words and numbers in a sentence are no estimate.
    """
    item = item_of(f"[ ] (B) {title}")

    assert (None, title) == (item.duration, item.title)


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Duration first: 2d for this", "got only 2d among its words"),
        ("Tests (1d build, 2d run)", "got only 1d, 2d among its words"),
        ("Tests", "got none;"),
    ],
)
def test_missing_estimate_names_what_may_be_meant(title: str, said: str) -> None:
    """
    An amount of time that stands among the words is no estimate, and is not said to be missing altogether.
    """
    _, found = read(phase_of("[ ] (H) Look (1d)", f"[ ] (H) {title}"))

    assert [True] == [said in one.message for one in found if one.code == "ITEM_ESTIMATE_MISSING"]


def test_estimate_with_a_remark_is_read_and_the_remark_kept() -> None:
    """
    Words behind an estimate in its brackets do not hide it; an estimate in points is said once.
    """
    text = phase_of("[ ] (H) Look (1d, after lunch)", "[ ] (H) Think (3 points)")
    record, _ = read(text)

    assert ("Look (1d, after lunch)", Decimal(1)) == (
        record.items[0].title,
        record.items[0].duration and record.items[0].duration.days_max,
    )
    assert ["5 ITEM_ESTIMATE_SPELLING", "6 ITEM_ESTIMATE_UNIT"] == codes(text)
    assert record == read(write_delivery(record))[0]


@pytest.mark.parametrize(
    ("line", "id_", "fixed"),
    [
        ("- [ ](T) Two (1d)", "1-T1", "- [ ] (T) Two (1d)"),
        ("-[x] (T) Two (1d)", "1-T1", "- [x] (T) Two (1d)"),
        ("\u2022 [ ] (T) Two (1d)", "1-T1", "- [ ] (T) Two (1d)"),
        ("[ ] (T) Two (1d)", "1-T1", "- [ ] (T) Two (1d)"),
        ("-[ ] Two (1d)", "1-U1", "- [ ] Two (1d)"),
    ],
)
def test_item_without_space_or_bullet_is_read_and_mended(line: str, id_: str, fixed: str) -> None:
    """
    What Markdown takes for a link, or for more words of the item above, is an item; the fix makes it one.
    """
    for text in (phase_of("[ ] (B) One (1d)").replace("(1d)\n", f"(1d)\n{line}\n"), f"{PHASE}{line}\n{CRITERIA}"):
        record, found = read(text)

        assert id_ == record.items[-1].id
        assert "ITEM_MARK_SPELLING" in [one.code for one in found]
        mended = apply_fixes(text.encode(), Source("plan.md", text), found).raw
        assert f"\n{fixed}\n" in mended.decode()


def test_emphasis_that_goes_on_behind_roles_is_not_cut() -> None:
    """
    A fix of roles never leaves half of an emphasis behind, and no title has one.
    """
    _, found = read(phase_of("[ ] **(B) All of it (1d)**", "[ ] **(T)** All of it tests (1d)"))

    assert [False, True] == [one.fix is not None for one in found if one.code == "ITEM_ROLE_SPELLING"]
    assert ["All of it", "Ends."] == [item_of(line).title for line in ("**(B) All of it**", "(B) Ends (1d).")]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Rename `src/__tests__/a.ts` to `__mocks__`", "Rename src/__tests__/a.ts to __mocks__"),
        ("src/__tests__/a.ts", "src/__tests__/a.ts"),
        ("**Bold** and *light* __lines__, `a*b*c`", "Bold and light lines, a*b*c"),
        ("See [the page](x.md) ~~once~~", "See the page"),
        ("~~All of it~~", "All of it"),
        ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
    ],
)
def test_plain_text_keeps_what_code_writes(written: str, shown: str) -> None:
    """
    Emphasis, links and struck-out words go; underscores and asterisks of code stay.
    """
    assert shown == plain(written)


def test_duration_in_the_middle_is_cut_out() -> None:
    """
    What stands behind an estimate belongs to the title.
    """
    item = item_of("[ ] (T) Order tests (1d) – `a/order.spec.ts`")

    assert "Order tests – `a/order.spec.ts`" == item.title


@pytest.mark.parametrize(
    ("mark", "state", "found"),
    [
        ("[ ]", TaskState.PENDING, []),
        ("[~]", TaskState.IN_PROGRESS, []),
        ("[x]", TaskState.DONE, []),
        ("[X]", TaskState.DONE, []),
        ("[!]", TaskState.STUCK, []),
        ("[]", TaskState.PENDING, ["ITEM_MARK_SPELLING"]),
        ("[x ]", TaskState.DONE, ["ITEM_MARK_SPELLING"]),
        ("[✅]", TaskState.DONE, ["ITEM_MARK_SPELLING"]),
        ("✅", TaskState.DONE, ["ITEM_MARK_SPELLING"]),
        ("☑️", TaskState.DONE, ["ITEM_MARK_SPELLING"]),
        ("🚧", TaskState.IN_PROGRESS, ["ITEM_MARK_SPELLING"]),
        ("⚠️", TaskState.STUCK, ["ITEM_MARK_SPELLING"]),
        ("❌", TaskState.STUCK, ["ITEM_MARK_SPELLING"]),
        ("⬜", TaskState.PENDING, ["ITEM_MARK_SPELLING"]),
        ("[/]", TaskState.PENDING, ["ITEM_MARK_UNKNOWN"]),
        ("", TaskState.PENDING, ["ITEM_MARK_MISSING"]),
    ],
)
def test_mark_tells_the_state(mark: str, state: TaskState, found: list[str]) -> None:
    """
    Marks in brackets are read as they are; others are read too, and said.
    """
    text = phase_of(f"{mark} (H) Order table (1d)".lstrip())

    assert state == read(text)[0].items[0].state
    assert found == [one.partition(" ")[2] for one in codes(text)]


@pytest.mark.parametrize(
    ("written", "roles", "id_"),
    [
        ("(B) Order", ("builder",), "1-B1"),
        ("(B/T/H) Order", ("builder", "tester", "human"), "1-BTH1"),
        ("**(B)** Order", ("builder",), "1-B1"),
        ("(b + t) Order", ("builder", "tester"), "1-BT1"),
        ("[T] Order", ("tester",), "1-T1"),
        ("Builder: Order", ("builder",), "1-B1"),
        ("(Tester) Order", ("tester",), "1-T1"),
        ("Order (B)", ("builder",), "1-B1"),
        ("(B, 1d) Order", ("builder",), "1-B1"),
        ("(Z) Order", ("z",), "1-Z1"),
        ("(optional) Order", (), "1-U1"),
        ("Order", (), "1-U1"),
    ],
)
def test_roles_are_read_in_every_spelling(written: str, roles: tuple[str, ...], id_: str) -> None:
    """
    Roles stand in brackets after the mark, as words, or at the end; the id of the item has their letters.
    """
    item = item_of(f"[ ] {written}")

    assert (roles, id_) == (item.roles, item.id)
    assert item.title.endswith("Order")


def test_names_of_people_are_roles() -> None:
    """
    An item may name who does it, and a role of the plan by its letter.
    """
    people = "## Roles\n\n- **Builder (Ada)** – builds.\n- **Designer (Dana)** – draws.\n\n"
    record, diagnostics = read(
        people + phase_of("[ ] (Ada) Table (1d)", "[ ] (D) Colours (1d)", "[ ] (Dana) Fonts (1d)")
    )

    assert [("builder",), ("designer",), ("designer",)] == [item.roles for item in record.items]
    assert ["ITEM_ROLE_SPELLING"] == [one.code for one in diagnostics]


def test_initials_of_roles_and_their_other_names_are_roles() -> None:
    """
    A table of roles may call them otherwise, and an item may write the initials of a role of several words.
    """
    table = "| Role | Who |\n|---|---|\n| Developer | Ada |\n| QA | Bob |\n| Product Owner | Dora |\n\n"
    record, diagnostics = read(
        table + phase_of("[ ] (B) Table (1d)", "[ ] Bob: Table tests (1d)", "[ ] (PO) Look (1d)")
    )

    assert [("builder",), ("tester",), ("product owner",)] == [item.roles for item in record.items]
    assert ["ITEM_ROLE_SPELLING"] == [one.code for one in diagnostics]


def test_item_goes_on_over_lines() -> None:
    """
    The estimate of an item may stand on its second line; a label there is none of its words.
    """
    record, _ = read(PHASE + "- [ ] (B) Order table with\n  all columns (2d)\n**Exit Criteria**\n1. Stored.\n")

    (item,) = record.items
    assert ("Order table with all columns", Decimal(2)) == (item.title, item.duration and item.duration.days_max)
    assert ["Stored."] == [criterion.text for criterion in record.phases[0].criteria]


def test_ids_are_unique_and_count_in_their_section() -> None:
    """
    An item is numbered by section and letters; without a numbered section by its phase; a second phase has its own.
    """
    text = (
        PHASE + "- [ ] (B) a\n- [ ] (B) b\n\n#### 1.2 Two\n\n- [ ] (B) c\n- [ ] (T) d\n\n#### Three\n\n- [ ] (B) e\n\n"
        "### Phase 1 – Again\n\n- [ ] (B) f\n"
    )

    assert ["1-B1", "1-B2", "1.2-B1", "1.2-T1", "1-B3", "1-2-B1"] == [item.id for item in read(text)[0].items]


def test_estimate_for_each_needs_a_certain_number() -> None:
    """
    A number in the title, or a list that the section is repeated for, multiplies; not if the goal counts otherwise.
    """
    listed = "#### 1.1 Order\n\n1. A\n2. B\n3. C\n\n#### 1.2 Checklist (repeat for each shop above)\n\n"
    item = "- [ ] (H) Table (0.5d each)\n"
    agreeing = PHASE.replace("Stored.", "All three shops.") + listed + item + CRITERIA
    other = PHASE.replace("Stored.", "All four shops.") + listed + item + CRITERIA

    assert 3 == read(agreeing)[0].items[0].repeats
    assert (1, "13 ITEM_ESTIMATE_EACH_UNCLEAR") == (read(other)[0].items[0].repeats, codes(other)[0])
    assert 4 == item_of("[ ] (H) Tables of 4 shops (0.5d each)").repeats


def test_sound_plan_has_no_findings() -> None:
    """
    A plan in the canonical spelling, with a test for each work item, yields nothing.
    """
    assert [] == codes(phase_of("[x] (B) Order table (1d)", "[x] (T) Order table tests (0.5d)", "[ ] (H) Look (0.25d)"))
