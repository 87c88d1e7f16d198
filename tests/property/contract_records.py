"""Random planning contracts, fanouts and issues: records as a reader can have them, and JSON that is nearly right.

Owns: the strategies. Does not know: the laws.
"""

import json

from hypothesis import strategies as st

from remit.plans.contract import (
    ContractDefaults,
    Fanout,
    FanoutTask,
    IssueContract,
    Milestone,
    PlanningContract,
    Priority,
    Role,
    Section,
)
from remit.plans.contract.words import INVARIANTS, SECTIONS, STATUSES
from remit.plans.plan import Reference, RiskClass, Text

_CHARACTERS = st.characters(codec="utf-8", exclude_characters="\0")
_SPECIAL = st.sampled_from(
    [
        "\u2028",
        "\r\n",
        "\ufeff",
        "\u202e",
        "â€”",
        "\t",
        "<name>",
        "TODO",
        "a,b",
        "[x]",
        "## a",
        "```",
        "---",
        "k: v",
        "|",
    ]
)
TEXTS = st.lists(st.text(_CHARACTERS, max_size=8) | _SPECIAL, min_size=1, max_size=4).map("".join).filter(str.strip)
"""Any text that says something."""

LINES = st.lists(st.text("abc \N{LATIN SMALL LETTER E WITH ACUTE}\u4e2d.()/-", max_size=12), min_size=1, max_size=3)
WORDS = LINES.map(" ".join).map(str.strip).filter(lambda text: text and text[0] not in "-[")
"""Texts on one line that a header can hold: no comma, nothing around them."""

RISKS = st.sampled_from(list(RiskClass))
FILES = st.integers(1, 1_000_000)


def texts(one: st.SearchStrategy[str], *, least: int = 0) -> st.SearchStrategy[tuple[Text, ...]]:
    return st.lists(one.map(lambda text: Text(text=text)), min_size=least, max_size=3).map(tuple)


def references(one: st.SearchStrategy[str], *, least: int = 0) -> st.SearchStrategy[tuple[Reference, ...]]:
    return st.lists(one.map(lambda text: Reference(id=text)), min_size=least, max_size=3).map(tuple)


MILESTONES = st.builds(
    Milestone,
    id=TEXTS,
    title=TEXTS,
    outcome=TEXTS,
    dependencies=references(TEXTS),
    acceptance=texts(TEXTS, least=1),
    risks=texts(TEXTS),
    risk_class=RISKS,
    max_diff_scope=FILES,
)
CONTRACTS = st.builds(
    PlanningContract,
    version=TEXTS,
    objective=TEXTS,
    milestones=st.lists(MILESTONES, min_size=1, max_size=4).map(tuple),
    defaults=st.builds(
        ContractDefaults,
        risk_class=RISKS,
        max_diff_scope=FILES,
        acceptance_tests=texts(TEXTS, least=1),
        invariants=references(TEXTS, least=1),
        evidence_required=st.booleans(),
    ),
    decisions=texts(TEXTS),
    schema=st.just("") | TEXTS,
)
FANOUTS = st.builds(
    Fanout,
    tasks=st.lists(
        st.builds(
            FanoutTask,
            title=TEXTS,
            role=st.sampled_from(list(Role)),
            summary=st.just("") | TEXTS,
            labels=texts(TEXTS),
            acceptance=texts(TEXTS, least=1),
            notes=st.just("") | TEXTS,
            chains=texts(TEXTS),
            risk_class=st.none() | RISKS,
            max_diff_scope=st.none() | FILES,
            invariants=references(TEXTS),
        ),
        min_size=1,
        max_size=4,
    ).map(tuple),
    schema=st.just("") | TEXTS,
)


def issues(one: st.SearchStrategy[str], body: st.SearchStrategy[str]) -> st.SearchStrategy[IssueContract]:
    """Return issues whose fields are made of ``one``, and whose sections hold ``body``."""
    titles = st.permutations(SECTIONS).map(list)
    return st.builds(
        IssueContract,
        id=st.integers(1, 999_999).map(lambda number: f"I-{number:04}"),
        role=st.sampled_from(list(Role)),
        status=st.sampled_from(STATUSES),
        priority=st.sampled_from(list(Priority)),
        depends_on=references(st.just("I-0001") | st.just("I-0002")),
        title=one,
        complexity=RISKS,
        risk_class=RISKS,
        max_diff_scope=FILES,
        allowed_paths=texts(one),
        denied_paths=texts(one),
        acceptance_tests=texts(one, least=1),
        invariants=references(st.sampled_from(sorted(INVARIANTS)), least=1),
        non_goals=st.just("") | one,
        evidence_required=st.booleans(),
        preamble=st.just(""),
        sections=st.tuples(titles, st.lists(body, min_size=5, max_size=5)).map(
            lambda both: tuple(Section(title=title, text=text) for title, text in zip(*both, strict=True))
        ),
    )


BODIES = st.lists(WORDS | st.just("- [ ] one") | st.just("### deeper") | st.just(""), min_size=1, max_size=5).map(
    lambda lines: "\n".join(["words", *lines]).strip()
)
ISSUES = issues(WORDS, BODIES)

VALUES = st.sampled_from(
    [
        "null", "true", '"true"', '""', '" "', '"x"', '"High"', '"high"', "0", "1", "2.5", "3.0", '"25"', "[]", '["x"]',
        '[""]', "[1]", "{}", '{"a": 1}', '"a,b"',
    ]
).map(json.loads)  # fmt: skip
KEYS = st.sampled_from(
    ["title", "titel", "id", "acceptance", "acceptance_criteria", "notes", "role", "chain", "riskClass", "x", "$schema"]
)


@st.composite
def nearly(draw: st.DrawFn, text: str) -> str:
    """Return the JSON of a sound document with some values replaced, left out or added."""
    root = json.loads(text)
    for _ in range(draw(st.integers(0, 3))):
        places = list(_places(root))
        holder, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["replace", "remove", "add", "repeat"])):
            case "replace":
                holder[key] = draw(VALUES)
            case "remove":
                del holder[key]
            case "add" if isinstance(holder, dict):
                holder[draw(KEYS)] = draw(VALUES)
            case "repeat" if isinstance(holder, list):
                holder.append(holder[key])
        if not root:
            break
    return json.dumps(root)


def _places(value: object) -> list[tuple[object, object]]:
    found: list[tuple[object, object]] = []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        found += [(value, key), *_places(inner)]
    return found
