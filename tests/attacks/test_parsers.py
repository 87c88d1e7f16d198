"""Every parser answers every input: an answer or a declared refusal, the same each time, in bounded time.

The campaign `fuzz` does the same with inputs that a coverage-guided fuzzer finds, in other numbers.
"""

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.attacks.edge_parsers import PARSERS
from tests.attacks.mutating import inputs_of, mutated, remodelled
from tests.attacks.parsing import INPUTS, BrokenParserError, Parser, judge, judge_twice, past_inputs

EXAMPLES = 200
"""Examples of hypothesis for each parser, which shrinks what it finds; the seeded ones below are many more."""

SEEDED = 1_000
REACHED_MIN = 8
"""So many of the seeded inputs must be accepted, and so many refused, or they say nothing about the parser."""

ONE_BY_ONE = pytest.mark.parametrize("parser", PARSERS.values(), ids=PARSERS)


@ONE_BY_ONE
def test_real_inputs_are_answered(parser: Parser) -> None:
    """
    The seeds are what the parser is for: each gets an answer or a refusal, and some an answer.
    """
    verdicts = [judge_twice(parser, data) for data in parser.seeds]

    assert not all(verdict.is_refused for verdict in verdicts)


@ONE_BY_ONE
def test_seeded_inputs_are_answered(parser: Parser) -> None:
    """
    A thousand damaged real inputs, the same in every run: nothing undeclared, nothing slow, both sides reached.
    """
    generator = random.Random(f"seed of {parser.name}")
    reached: Counter[bool] = Counter()

    for number in range(SEEDED):
        damage = remodelled if number % 2 else mutated
        reached[judge(parser, damage(generator.choice(parser.seeds), generator)).is_refused] += 1

    assert reached[False] >= REACHED_MIN
    assert reached[True] >= REACHED_MIN or not parser.refusals


@ONE_BY_ONE
def test_any_input_is_answered_the_same_way_twice(parser: Parser) -> None:
    """
    Whatever hypothesis makes of real inputs: declared refusals only, and the same answer to the same bytes.
    """

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), database=None)
    @given(data=inputs_of(parser))
    def answer(data: bytes) -> None:
        judge_twice(parser, data)

    answer()


@pytest.mark.parametrize(
    ("parser", "path"),
    [(PARSERS[folder.name], path) for folder in sorted(INPUTS.iterdir()) for path in past_inputs(folder.name)],
    ids=lambda value: value.name,
)
def test_input_that_once_broke_a_parser_is_answered(parser: Parser, path: Path) -> None:
    """
    What once raised something undeclared, or was taken although it is nonsense, gets its answer.
    """
    judge_twice(parser, path.read_bytes())


@given(data=st.binary(min_size=1, max_size=40))
@settings(max_examples=50)
def test_judge_notices_what_no_parser_may_do(data: bytes) -> None:
    """
    An undeclared error, an answer that changes, and time are noticed: the judge is not blind.
    """
    answers = iter(range(1_000_000))
    raising = Parser(name="raising", read=lambda data: data[1_000], refusals=(ValueError,), seeds=(data,))
    changing = Parser(name="changing", read=lambda _: next(answers), seeds=(data,))
    refusing = Parser(name="refusing", read=lambda data: data[1_000], refusals=(IndexError,), seeds=(data,))

    for broken in (raising, changing):
        with pytest.raises(BrokenParserError):
            judge_twice(broken, data)
    assert judge_twice(refusing, data).is_refused
