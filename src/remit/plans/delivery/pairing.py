"""Pairing: which test item tests which work item, and how that is known.

Owns: the pairs. A test has one work item, a work item may have several tests.
Does not know: what follows from a pair. Time grows linearly: words that many items share decide nothing.

What decides, strongest first:

1. a name: a class, file or code that both write, such as ``OrderService`` and ``order.service.spec.ts``;
2. words that both have in their titles; the work item directly before the test comes first;
3. order: the test directly after a work item, or as many tests as work items before them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Final

from remit.plans.delivery.record import BUILDER, TESTER, DeliveryPlan, Item, Phase
from remit.plans.delivery.vocabulary import CLOSING, DECISIVE, GENERAL, INFRASTRUCTURE, TESTING

_CODE: Final = re.compile(r"`([^`\n]{1,200})`")
_CAMEL: Final = re.compile(r"\b[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)+\b")
_HUMP: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_WORD: Final = re.compile(r"[^\W_]+")
_FILE: Final = re.compile(r"[\w{}-]+(?:\.[\w-]+){1,5}\Z")

_SUFFIXES: Final = ("ical", "ation", "ing", "ate", "ion", "al", "ed", "es", "y", "e", "s")
_STEM_MIN: Final = 3
_SHORTENED: Final = {"doc": "document", "config": "configur", "auth": "authentic", "perf": "performanc"}
_STEMS_MAX: Final = 40
"""So many words of a title are compared."""
_SHARED_MAX: Final = 8
"""A word that more work items of a section share says nothing."""
_NAME_PARTS_MIN: Final = 2


class PairedBy(StrEnum):
    """How a pair is known."""

    NAME = "name"
    WORDS = "words"
    ORDER = "order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A work item and its test, by id; ``evidence`` are the names or words that both have."""

    work: str
    test: str
    by: PairedBy
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """All pairs of a plan, and what has none. Ids are in reading order."""

    pairs: tuple[Pair, ...]
    untested: tuple[str, ...]
    general: tuple[str, ...]

    def tests_of(self) -> dict[str, tuple[Pair, ...]]:
        """Return the pairs of each work item that has any."""
        found: defaultdict[str, list[Pair]] = defaultdict(list)
        for pair in self.pairs:
            found[pair.work].append(pair)
        return {work: tuple(pairs) for work, pairs in found.items()}


@dataclass(slots=True, kw_only=True)
class _Scope:
    """Items of one section, or the ones left of a phase; pairs are found within it."""

    works: list[Item]
    tests: list[Item]
    pairs: dict[str, Pair] = field(default_factory=dict)


def pair_items(plan: DeliveryPlan) -> Pairing:
    """Return which test items test which work items."""
    pairs = [pair for phase in plan.phases for pair in _pairs(phase)]
    worked, tested = {pair.work for pair in pairs}, {pair.test for pair in pairs}
    return Pairing(
        pairs=tuple(pairs),
        untested=tuple(item.id for item in plan.items if is_work(item) and item.id not in worked),
        general=tuple(item.id for item in plan.items if is_test(item) and item.id not in tested),
    )


def is_work(item: Item) -> bool:
    """Whether an item is the builder's alone, so that somebody else tests it."""
    return item.roles == (BUILDER,)


def is_test(item: Item) -> bool:
    """Whether an item is the tester's alone."""
    return item.roles == (TESTER,)


def names_of(item: Item) -> frozenset[tuple[str, ...]]:
    """Return the names that an item writes, each as its parts: ``OrderService`` is ``order``, ``service``."""
    texts = (item.title, *(detail.text for detail in item.details[:_STEMS_MAX]))
    found: set[tuple[str, ...]] = set()
    for text in texts:
        codes = _CODE.findall(text) if "`" in text else []
        found.update(_parts(code) for code in codes)
        found.update(_humps(camel) for camel in _CAMEL.findall(text))
    # `AuthN` and `A2A` are words that many items write, no names.
    return frozenset(name for name in found if sum(len(part) > 1 for part in name) >= _NAME_PARTS_MIN)


def stems_of(item: Item) -> frozenset[str]:
    """Return the words of a title that may tell what it is about, without their endings."""
    stems: list[str] = []
    for word in _WORD.findall(item.title[:2_000]):
        stems += [stem(hump) for hump in _humps(word) or (word.lower(),) if _says_something(hump)]
        if len(stems) >= _STEMS_MAX:
            break
    return frozenset(stems)


def _says_something(word: str) -> bool:
    return len(word) > 1 and word not in TESTING and word not in GENERAL


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return a word without its ending: plural, ``-ing``, ``-ation`` and the like."""
    found = word.lower()
    if found.endswith("ies") and len(found) > _STEM_MIN + 2:
        found = found[:-3] + "y"
    elif found.endswith("s") and not found.endswith("ss") and len(found) > _STEM_MIN:
        found = found[:-1]
    for suffix in _SUFFIXES:
        if found.endswith(suffix) and len(found) - len(suffix) >= _STEM_MIN:
            found = found[: -len(suffix)]
            break
    return _SHORTENED.get(found, found)


def _pairs(phase: Phase) -> list[Pair]:
    found: list[Pair] = []
    left = _Scope(works=[], tests=[])
    for section in phase.sections:
        scope = _Scope(
            works=[item for item in section.items if is_work(item)],
            tests=[item for item in section.items if is_test(item)],
        )
        _pair_section(section.items, scope)
        found += scope.pairs.values()
        worked = {pair.work for pair in scope.pairs.values()}
        left.works += [item for item in scope.works if item.id not in worked]
        left.tests += scope.tests if not scope.works else []
    _pair_left(left)
    found += left.pairs.values()
    order = {item.id: index for index, item in enumerate(phase.items)}
    return sorted(found, key=lambda pair: (order[pair.work], order[pair.test]))


def _pair_section(items: Sequence[Item], scope: _Scope) -> None:
    before = dict(_directly_before(items))
    followed = {work.id for work in before.values()}
    _pair_by_name(scope)
    shared = _Words(scope.works)
    for test in scope.tests:
        if test.id in scope.pairs:
            continue
        neighbour = scope.works[0] if len(scope.works) == 1 else before.get(test.id)
        pair = None if neighbour is None else shared.pair(test, neighbour)
        pair = pair or shared.best(test, without=followed if neighbour is not None else frozenset())
        if pair is not None:
            scope.pairs[test.id] = pair
    _pair_by_order(items, scope)


def _pair_left(scope: _Scope) -> None:
    """Pair what no section could: a phase may list its tests in a section of their own."""
    _pair_by_name(scope)
    worked = {pair.work for pair in scope.pairs.values()}
    shared = _Words([item for item in scope.works if item.id not in worked])
    for test in scope.tests:
        pair = None if test.id in scope.pairs else shared.best(test, without=frozenset(), evidence_min=2)
        if pair is not None:
            scope.pairs[test.id] = pair


def _directly_before(items: Sequence[Item]) -> Iterator[tuple[str, Item]]:
    for first, second in pairwise(items):
        if is_work(first) and is_test(second):
            yield second.id, first


def _pair_by_name(scope: _Scope) -> None:
    works: defaultdict[tuple[str, ...], list[Item]] = defaultdict(list)
    for work in scope.works:
        for name in names_of(work):
            works[name].append(work)
    for test in scope.tests:
        owners = {works[name][0].id: name for name in sorted(names_of(test)) if len(works.get(name, ())) == 1}
        if len(owners) == 1:
            ((owner, name),) = owners.items()
            scope.pairs[test.id] = Pair(work=owner, test=test.id, by=PairedBy.NAME, evidence=(" ".join(name),))


class _Words:
    """The words of work items, by which tests are compared with few of them."""

    def __init__(self, works: Iterable[Item]) -> None:
        self._stems = {work.id: stems_of(work) for work in works}
        self._works: defaultdict[str, list[str]] = defaultdict(list)
        for work, stems in self._stems.items():
            for one in stems:
                self._works[one].append(work)

    def pair(self, test: Item, work: Item) -> Pair | None:
        """Return the pair of a test with one work item if they share a word."""
        shared = stems_of(test) & self._stems.get(work.id, frozenset())
        others = len(self._stems)
        # A word that all of several work items have, such as the `service` of each, tells of none.
        if not shared or (others > 1 and all(len(self._works[one]) == others for one in shared)):
            return None
        return Pair(work=work.id, test=test.id, by=PairedBy.WORDS, evidence=tuple(sorted(shared)))

    def best(self, test: Item, *, without: Iterable[str], evidence_min: int = 1) -> Pair | None:
        """Return the pair with the one work item that shares most, or ``None`` where that is not one alone.

        A single shared word is enough if it is half of what the test's title says.
        """
        shared: defaultdict[str, list[str]] = defaultdict(list)
        left_out = frozenset(without)
        stems = sorted(stems_of(test))
        if _closes(test):
            return None
        for one in stems:
            works = self._works.get(one, [])
            # A word that several work items have does not tell them apart.
            if 0 < len(works) <= _SHARED_MAX:
                for work in works:
                    shared[work].append(one)
        scores = {
            work: sum(1 / len(self._works[one]) for one in words)
            for work, words in shared.items()
            if work not in left_out
        }
        if not scores:
            return None
        most = max(scores.values())
        best = [work for work, score in scores.items() if score == most]
        evidence = shared[best[0]]
        has_unique = any(len(self._works[one]) == 1 for one in evidence)
        is_enough = len(evidence) >= max(2, evidence_min) or (evidence_min == 1 and 2 * len(evidence) >= len(stems))
        if len(best) > 1 or not has_unique or not is_enough:
            return None
        return Pair(work=best[0], test=test.id, by=PairedBy.WORDS, evidence=tuple(evidence))


def _pair_by_order(items: Sequence[Item], scope: _Scope) -> None:
    worked = {pair.work for pair in scope.pairs.values()}
    for works, tests in _runs(items):
        free = [test for test in tests if test.id not in scope.pairs and _tests_work(test)]
        if len(scope.works) == 1 and works:
            # The only work item of its section: whatever follows it tests it.
            matched = zip(works * len(free), free, strict=True)
        elif len(works) == len(tests) == len(free) and not worked & {work.id for work in works}:
            matched = zip(works, tests, strict=True)
        elif works and tests and tests[0] in free[:1] and works[-1].id not in worked:
            matched = zip(works[-1:], tests[:1], strict=True)
        else:
            continue
        for work, test in matched:
            scope.pairs[test.id] = Pair(work=work.id, test=test.id, by=PairedBy.ORDER)
            worked.add(work.id)


def _runs(items: Sequence[Item]) -> Iterator[tuple[list[Item], list[Item]]]:
    """Return runs of work items with the run of test items directly after each."""
    works: list[Item] = []
    tests: list[Item] = []
    for item in items:
        if is_test(item):
            tests.append(item)
            continue
        if tests:
            yield works, tests
            works, tests = [], []
        if is_work(item):
            works.append(item)
        else:
            works = []
    if tests:
        yield works, tests


def _tests_work(test: Item) -> bool:
    """Whether a title speaks of a test of something: not of what tests need, nor of closing a phase."""
    words = [word.lower() for word in _WORD.findall(test.title[:2_000])]
    is_about_means = any(first in {"test", "testing"} and second in INFRASTRUCTURE for first, second in pairwise(words))
    says_test = any(word in DECISIVE or word.endswith(("test", "tests")) for word in words)
    return says_test and not is_about_means and not _closes(test)


def _closes(test: Item) -> bool:
    """Whether an item only closes a phase: commit, merge, release."""
    return not CLOSING.isdisjoint(word.lower() for word in _WORD.findall(test.title[:2_000]))


def _parts(code: str) -> tuple[str, ...]:
    """Return the parts of a name in code; those that only say that a file is a test are none."""
    name = code.strip().rsplit("/", 1)[-1]
    if _FILE.match(name) is not None:
        name = name.rsplit(".", 1)[0]
    elif " " in name or "(" in name:
        return ()
    return tuple(part for part in _humps(name) if part not in TESTING)


@lru_cache(maxsize=20_000)
def _humps(word: str) -> tuple[str, ...]:
    if not word.isascii() or word.rstrip("s").isupper():
        return (word.lower(),)
    return tuple(part.lower() for part in _HUMP.findall(word[:120]))
