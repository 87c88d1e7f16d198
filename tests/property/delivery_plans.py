"""Strategies: delivery plans as records, with everything that a record may hold."""

from collections import Counter
from decimal import Decimal

from hypothesis import strategies as st

from remit.plans.delivery import (
    Criterion,
    DeliveryPlan,
    DeliveryRisk,
    DeliveryRule,
    Detail,
    Duration,
    Entry,
    Gate,
    Involvement,
    Item,
    Phase,
    Responsibility,
    RoleHolder,
    Section,
    Share,
    StatedRule,
    Weeks,
)
from remit.plans.plan import TaskState

WORDS = st.one_of(
    st.sampled_from(
        ["order", "Orders", "OrderService", "refund", "API", "tests", "cache", "Ünïcode", "über", "注文", "100%", "ж"]
    ),
    st.text(st.characters(categories=("Ll", "Lo")), min_size=1, max_size=8).map(lambda word: f"q{word}"),
)
INNER = st.one_of(WORDS, st.sampled_from(["`src/order.service.ts`", "–", "&", "(all of it)", "**now**", "a_b", "x|y"]))
STATES = st.sampled_from(TaskState)
DAYS = st.integers(1, 4000).map(lambda quarters: (Decimal(quarters) / 4).normalize())
ROLES = st.sampled_from([(), ("builder",), ("tester",), ("human",), ("builder", "tester"), ("tester", "human"), ("q",)])
LETTERS = {"builder": "B", "tester": "T", "human": "H", "q": "Q"}


@st.composite
def phrases(draw: st.DrawFn, words_max: int = 5) -> str:
    """Return words that begin and end with one that means nothing to Markdown."""
    inner = draw(st.lists(INNER, max_size=words_max))
    return " ".join([draw(WORDS), *inner, draw(WORDS)])


@st.composite
def durations(draw: st.DrawFn, *, is_each: bool = False) -> Duration:
    low, high = sorted((draw(DAYS), draw(DAYS)))
    is_range = draw(st.booleans())
    return Duration(
        days_min=low, days_max=high if is_range else low, is_each=is_each, is_approximate=draw(st.booleans())
    )


@st.composite
def details(draw: st.DrawFn) -> tuple[Detail, ...]:
    """Return details, none more than one level below the one before."""
    found: list[Detail] = []
    for text in draw(st.lists(phrases(3), max_size=3)):
        deepest = found[-1].depth + 1 if found else 1
        state = draw(st.none() | STATES)
        found.append(Detail(text=text, depth=draw(st.integers(1, min(deepest, 4))), state=state))
    return tuple(found)


@st.composite
def sections(draw: st.DrawFn, prefix: str, number: str, counts: Counter[tuple[str, str]]) -> Section:
    """Return a section whose items are numbered as the document's are: by prefix and letters."""
    found: list[Item] = []
    for roles in draw(st.lists(ROLES, min_size=1, max_size=4)):
        marks = "".join(LETTERS[role] for role in roles) or "U"
        counts[prefix, marks] += 1
        found.append(
            Item(
                id=f"{prefix}-{marks}{counts[prefix, marks]}",
                roles=roles,
                title=draw(phrases()),
                state=draw(STATES),
                duration=draw(st.none() | durations()),
                details=draw(details()),
            )
        )
    entries = [
        Entry(text=text, state=draw(st.none() | STATES), duration=draw(st.none() | durations()))
        for text in draw(st.lists(phrases(2), max_size=3))
    ]
    title = draw(phrases(2)) if number else ""
    return Section(number=number, title=title, items=tuple(found), entries=tuple(entries))


@st.composite
def phases(draw: st.DrawFn, number: int, counts: Counter[tuple[str, str]]) -> Phase:
    phase_id = str(number)
    # The first phase has items in any case, for those who need one.
    found = [draw(sections(phase_id, "", counts))] if not number or draw(st.booleans()) else []
    numbers = [f"{phase_id}.{index}" for index in range(1, draw(st.integers(1, 3)))]
    found += [draw(sections(prefix, prefix, counts)) for prefix in numbers]
    if draw(st.booleans()):
        found += draw(repeated(f"{phase_id}.8", f"{phase_id}.9", counts))
    weeks = st.builds(Weeks, first=st.none() | st.integers(0, 99), count=st.integers(1, 9))
    return Phase(
        id=phase_id,
        number=phase_id,
        title=draw(phrases(2)),
        weeks=draw(st.none() | weeks),
        state=draw(st.none() | STATES),
        goal=draw(st.just("") | phrases()),
        sections=tuple(found),
        criteria=tuple(draw(st.lists(st.builds(Criterion, text=phrases(), state=st.none() | STATES), max_size=3))),
        total=draw(st.none() | durations()),
    )


@st.composite
def repeated(draw: st.DrawFn, listed: str, number: str, counts: Counter[tuple[str, str]]) -> list[Section]:
    """Return a list of things, and a checklist that is repeated for each of them."""
    entries = tuple(
        Entry(text=text, state=draw(st.none() | STATES)) for text in draw(st.lists(phrases(1), min_size=2, max_size=4))
    )
    counts[number, "B"] += 1
    item = Item(
        id=f"{number}-B{counts[number, 'B']}",
        roles=("builder",),
        title=draw(phrases(2)),
        duration=draw(durations(is_each=True)),
        repeats=len(entries),
        repeats_open=sum(entry.state is not TaskState.DONE for entry in entries),
    )
    title = "Checklist (repeat for each shop above)"
    return [Section(number=listed, title="Shops", entries=entries), Section(number=number, title=title, items=(item,))]


@st.composite
def delivery_plans(draw: st.DrawFn) -> DeliveryPlan:
    """Return a record that `write_delivery` writes in full."""
    counts: Counter[tuple[str, str]] = Counter()
    names = st.lists(st.sampled_from(["Ada", "Bob", "Chi"]), max_size=2, unique=True).map(tuple)
    duties = st.just("") | phrases()
    holders = tuple(
        RoleHolder(role=role, names=draw(names), duties=draw(duties)) for role in ("builder", "tester", "human")
    )
    shares = st.builds(Share, role=st.just(""), involvement=st.sampled_from(Involvement), note=st.just("") | WORDS)
    responsibilities = tuple(
        Responsibility(
            text=text,
            shares=tuple(
                Share(role=role, involvement=share.involvement, note=share.note)
                for role, share in zip(("builder", "tester", "human"), draw(st.lists(shares, max_size=3)), strict=False)
            ),
        )
        for text in draw(st.lists(WORDS, max_size=2))
    )
    count = draw(st.integers(1, 3))
    has_holders = draw(st.booleans())
    gates = st.builds(
        Gate,
        id=st.sampled_from("ABC"),
        after=st.just("") | st.integers(0, 5).map(str),
        text=st.just("") | phrases(),
        criteria=st.lists(phrases(1), max_size=2).map(tuple),
    )
    text = st.just("") | phrases(2)
    risks = st.builds(
        DeliveryRisk,
        id=st.just("") | st.integers(1, 99).map("R-{:02}".format),
        text=phrases(2),
        impact=text,
        likelihood=text,
        mitigation=text,
    )
    return DeliveryPlan(
        title=draw(st.just("") | phrases()),
        holders=holders if has_holders else (),
        responsibilities=responsibilities if has_holders else (),
        rules=tuple(StatedRule(rule=rule) for rule in DeliveryRule if draw(st.booleans())),
        phases=tuple(draw(phases(number, counts)) for number in range(count)),
        gates=tuple(draw(st.lists(gates, max_size=3))),
        risks=tuple(draw(st.lists(risks, max_size=3))),
    )
