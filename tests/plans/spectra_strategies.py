"""Random SPECTRA execution plans, small and large.

Owns: records that the format can write, and documents made of them by damage.
Does not know: the laws.
"""

import re

from hypothesis import strategies as st

from remit.plans.plan import PathClaim, Reference, RiskClass, TaskState, Text
from remit.plans.spectra import (
    Assertion,
    AssertionKind,
    GraphEntry,
    HeaderField,
    Marker,
    OtherField,
    Ownership,
    Parallelism,
    SpectraPlan,
    SpectraTask,
    Wiring,
)

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
FOREIGN = "\u03b1\u03b2\u03b3\u0436\u0437\u4e2d\u6587\u6f22\u5b57\u05d0\u05d1\u0905\U0001f680"
SIGNS = " .,;:()[]{}<>=+-*/!?'\"$%&@~^_|\\"
MARKERS = re.compile(r"SPLIT|STUCK|VERIFIED|SPECTRA_COMPLETE|<!--|task|depend|independent|sequential", re.IGNORECASE)
SIGNS_ONLY = re.compile(r"[-*_+ ]*")


def is_plain(text: str) -> bool:
    """Whether a line of text means nothing to the grammar, and is read as it stands."""
    return text == text.strip() and not SIGNS_ONLY.fullmatch(text) and not MARKERS.search(text) and "  " not in text


TEXTS = (
    st.text(alphabet=LETTERS + FOREIGN + SIGNS, min_size=1, max_size=40)
    .map(lambda text: re.sub(" +", " ", text).strip())
    .filter(is_plain)
)
WORDS = st.text(alphabet=LETTERS, min_size=1, max_size=12).filter(is_plain)
COMMANDS = st.one_of(
    TEXTS,
    WORDS.map(lambda word: f"echo `{word}`"),
    st.lists(WORDS, min_size=2, max_size=3).map("\n".join),
)
SEGMENTS = st.text(alphabet=LETTERS + "-_", min_size=1, max_size=10).filter(is_plain)
PATHS = st.builds(
    lambda parts, end: f"src/{'/'.join(parts)}{end}",
    st.lists(SEGMENTS, min_size=1, max_size=4),
    st.sampled_from([".ts", ".py", "/", "/*.md", "/[id]/page.tsx", "/{a,b}.go"]),
).map(lambda path: PathClaim(path=path, written=path))
KEYS = st.sampled_from(["Owner", "Ticket", "Estimate", "Branch name"])


def tuples(element: st.SearchStrategy, *, max_size: int = 3) -> st.SearchStrategy:
    """Return tuples of an element."""
    return st.lists(element, max_size=max_size).map(tuple)


def maybe(element: st.SearchStrategy) -> st.SearchStrategy:
    """Return an element or ``None``."""
    return st.none() | element


def references(ids: list[str]) -> st.SearchStrategy[Reference]:
    """Return references to tasks, mostly to those that exist."""
    return st.sampled_from([*ids, "999"]).map(lambda task_id: Reference(id=task_id))


OTHERS = st.builds(OtherField, key=KEYS, value=st.just("") | TEXTS, items=tuples(TEXTS))
ASSERTIONS = st.one_of(
    st.builds(lambda word: Assertion(kind=AssertionKind.GREP, text=f'GREP src/{word}.ts "{word}" EXISTS'), WORDS),
    st.builds(lambda word: Assertion(kind=AssertionKind.COUNT, text=f'COUNT {word} "x" MIN 3'), WORDS),
    st.builds(
        lambda word: Assertion(kind=AssertionKind.CALLSITE, text=f"CALLSITE {word} NOT_ONLY_IN tests EXISTS"), WORDS
    ),
    st.builds(lambda word: Assertion(kind=AssertionKind.NOT_EXISTS, text=f'NOT_EXISTS {word} "y"'), WORDS),
)
WIRINGS = st.builds(
    Wiring,
    command=maybe(WORDS.map(lambda word: Text(text=f"npm test {word}"))),
    integration=maybe(TEXTS.map(lambda text: Text(text=f"a -> {text}"))),
    others=tuples(WORDS.map(lambda word: Text(text=f"see {word}")), max_size=2),
)
OWNERSHIPS = st.builds(Ownership, owns=maybe(tuples(PATHS)), touches=maybe(tuples(PATHS)), reads=maybe(tuples(PATHS)))


@st.composite
def tasks(draw: st.DrawFn, task_id: str, ids: list[str], *, criteria_max: int = 4) -> SpectraTask:
    """Return a task that the format can write."""
    description = draw(maybe(st.just("") | TEXTS))
    criteria = tuples(TEXTS.map(lambda text: Text(text=text)), max_size=criteria_max)
    return SpectraTask(
        id=task_id,
        title=draw(st.just("") | TEXTS),
        description=description,
        state=TaskState.PENDING if description is None else draw(st.sampled_from(TaskState)),
        criteria=draw(maybe(criteria)),
        files=draw(maybe(tuples(PATHS))),
        verify=draw(maybe(COMMANDS.map(lambda text: Text(text=text)))),
        risk=draw(maybe(st.sampled_from(RiskClass))),
        iterations_max=draw(maybe(st.integers(min_value=1, max_value=999))),
        scope=draw(maybe(st.sampled_from(["code", "infra", "docs", "config", "multi-repo"]))),
        dependencies=draw(maybe(tuples(references(ids)) | st.just((Reference(id="all"),)))),
        ownership=draw(maybe(OWNERSHIPS)),
        wiring=draw(maybe(WIRINGS)),
        assertions=draw(maybe(tuples(ASSERTIONS))),
        others=draw(tuples(OTHERS, max_size=2)),
    )


@st.composite
def spectra_plans(draw: st.DrawFn, *, tasks_max: int = 5, criteria_max: int = 4) -> SpectraPlan:
    """Return a plan that the format can write: ids as they are in the wild, every part there or not."""
    numbers = draw(st.lists(st.integers(min_value=0, max_value=999), max_size=tasks_max, unique=True))
    ids = [f"{number:03d}" for number in sorted(numbers)] or ["001"]
    odd = draw(tuples(st.sampled_from(["NE-S0", "NE-S1", "002-a"]), max_size=1))
    known = [*ids[: len(numbers)], *odd]
    chains = tuples(st.lists(references(ids), min_size=1, max_size=4).map(tuple))
    entries = st.lists(references(ids), min_size=2, max_size=4).map(tuple)
    for_all = references(ids).map(lambda one: (Reference(id="all"), one))
    return SpectraPlan(
        title=draw(st.just("SPECTRA Execution Plan") | WORDS.map(lambda word: f"SPECTRA Execution Plan, {word}")),
        project=draw(maybe(TEXTS)),
        level=draw(maybe(st.integers(min_value=0, max_value=4))),
        generated=draw(maybe(st.dates().map(str))),
        source=draw(maybe(TEXTS)),
        others=draw(tuples(st.builds(HeaderField, key=KEYS, value=TEXTS), max_size=2)),
        tasks=tuple(draw(tasks(task_id, ids, criteria_max=criteria_max)) for task_id in known),
        parallelism=draw(
            maybe(
                st.builds(
                    Parallelism,
                    independent=maybe(tuples(references(ids))),
                    chains=maybe(chains),
                    recommendation=maybe(st.sampled_from(["TEAM_ELIGIBLE", "SEQUENTIAL_ONLY"])),
                    others=tuples(st.builds(OtherField, key=KEYS, value=TEXTS), max_size=2),
                )
            )
        ),
        graph=draw(maybe(tuples((entries | for_all).map(lambda chain: GraphEntry(chain=chain))))),
        markers=tuple(
            draw(
                st.lists(
                    st.one_of(
                        st.just(Marker(word="SPECTRA_COMPLETE", task=None)),
                        references(ids).map(lambda one: Marker(word="STUCK", task=one)),
                        references(ids).map(
                            lambda one: Marker(word="SPLIT", task=one, parts=(Reference(id=f"{one.id}-a"),))
                        ),
                    ),
                    max_size=2,
                )
            )
        ),
    )


def large_plan(task_count: int, *, criteria_count: int = 10) -> SpectraPlan:
    """Return a sound plan of any size: each task after the one before, with files of its own."""
    made = tuple(_large_task(number, criteria_count) for number in range(1, task_count + 1))
    return SpectraPlan(
        project="Large",
        level=3,
        generated="2026-02-10",
        tasks=made,
        parallelism=Parallelism(
            independent=(),
            chains=(tuple(Reference(id=task.id) for task in made),),
            recommendation="SEQUENTIAL_ONLY",
        ),
    )


def _large_task(number: int, criteria_count: int) -> SpectraTask:
    task_id = f"{number:03d}"
    path = f"services/part-{number}/src/module.ts"
    return SpectraTask(
        id=task_id,
        title=f"Build part {number}, with failure injection",
        description=f"Build part {number}, with failure injection",
        criteria=tuple(
            Text(text=f"Request {index} of part {number} returns status {200 + index}.")
            for index in range(criteria_count)
        ),
        files=(PathClaim(path=path, written=path),),
        verify=Text(text=f"pnpm --filter part-{number} test"),
        risk=RiskClass.MEDIUM,
        iterations_max=5,
        scope="code",
        ownership=Ownership(owns=(PathClaim(path=path, written=path),), touches=(), reads=()),
        wiring=Wiring(
            command=Text(text=f"pnpm --filter part-{number} test"),
            integration=Text(text=f"gateway -> part {number} -> store"),
        ),
    )
