"""Laws of SPECTRA execution plans: what is written is read, and a change changes one thing."""

import codecs
import random
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.diagnostics import Diagnostics
from remit.plans.formats import read_plan
from remit.plans.options import PlanOptions
from remit.plans.plan import PlanFormat, TaskState
from remit.plans.spectra import (
    Origin,
    SpectraPlan,
    read_exported,
    read_spectra,
    set_state,
    to_plan,
    write,
    write_exported,
)
from remit.plans.texts import PlanReporter, read_text
from tests.plans.spectra_forms import other_form
from tests.plans.spectra_strategies import large_plan, spectra_plans
from tests.processor import least_seconds

MANGLED = "\N{EM DASH}".encode().decode("mac_roman")
AS_SPECTRA = PlanOptions(format=PlanFormat.SPECTRA)


def record(text: str | bytes) -> SpectraPlan:
    """Return the record of a text."""
    raw = text if isinstance(text, bytes) else text.encode()
    diagnostics = Diagnostics()
    read = read_text(raw, path="plan.md", diagnostics=diagnostics)
    assert read is not None
    return read_spectra(read, PlanReporter(read, diagnostics)).plan


@given(spectra_plans())
def test_reading_what_is_written_gives_the_plan(plan: SpectraPlan) -> None:
    """
    parse(write(plan)) == plan, whatever parts a plan has.
    """
    assert plan == record(write(plan))


@given(spectra_plans())
def test_plan_goes_through_json_and_back(plan: SpectraPlan) -> None:
    """
    What a plan says is the same after plan.json, and after the Markdown that is written of that.
    """
    level = 1 if plan.level is None else plan.level
    there = write_exported(plan, Origin(source_hash=None, lines=()), level=level)
    text = read_text(there.encode(), path="plan.json", diagnostics=Diagnostics())
    assert text is not None
    found = read_exported(text, PlanReporter(text, Diagnostics()))

    assert found is not None
    assert to_plan(plan, level=level) == to_plan(found.plan, level=level)
    assert to_plan(plan, level=level) == to_plan(record(write(found.plan)), level=level)


def test_large_plan_is_read_as_it_was_written() -> None:
    """
    The same holds for a plan of 999 tasks, which has no finding.
    """
    plan = large_plan(999)
    text = write(plan)

    assert plan == record(text)
    assert [] == list(read_plan(text.encode(), path="plan.md").diagnostics)


@given(spectra_plans(), st.sampled_from(["\n", "\r\n"]), st.sampled_from([b"", codecs.BOM_UTF8]), st.data())
def test_another_state_changes_one_character(plan: SpectraPlan, end: str, mark: bytes, data: st.DataObject) -> None:
    """
    Another check mark changes one character of the file, whatever its line ends, mark and spoiled characters.
    """
    spoiled = f"{write(plan)}\n## Notes {MANGLED}\n{MANGLED} seen {MANGLED}\n"
    raw = mark + spoiled.replace("\n", end).encode()
    marked = [task for task in plan.tasks if task.description is not None]
    if not marked:
        return
    task = data.draw(st.sampled_from(marked))
    state = data.draw(st.sampled_from([state for state in TaskState if state is not task.state]))

    changed = set_state(raw, task.id, state)

    before, after = raw.decode(), changed.decode()
    assert len(before) == len(after)
    assert 1 == sum(one != other for one, other in zip(before, after, strict=True))
    read = record(changed)
    assert {task.id: state} == {
        one.id: one.state for one, other in zip(read.tasks, record(raw).tasks, strict=True) if one != other
    }


@given(spectra_plans(), st.randoms(use_true_random=False), st.sampled_from(["\n", "\r\n"]))
def test_other_forms_say_the_same(plan: SpectraPlan, rng: random.Random, end: str) -> None:
    """
    A plan in other forms is the same plan: keys, headers, bullets, markup, arrows and line ends are told, not lost.
    """
    text = other_form(write(plan), rng).replace("\n", end)

    assert plan == record(text)


ADVERSE = {
    "bullets": "- x\n",
    "fences": "```\n",
    "marks": "- [ ] 001: x\n",
    "headers": "## Task 001: a\n",
    "graphs": "## Dependency Graph\n```\n001 -> 002\n```\n",
    "keys": "- Owner: x\n",
    "comments": "<!--\n",
    "spaces": " ",
    "brackets": "- File-ownership:\n  - owns: [[[[\n",
    "dashes": "- ",
    "arrows": "001 -> ",
    "globs": "- Files: {a,b}/*.ts, **/x\n",
}


@pytest.mark.parametrize("unit", ADVERSE.values(), ids=ADVERSE.keys())
def test_time_grows_with_the_text(unit: str) -> None:
    """
    A text four times as long takes about four times as long, whatever it repeats: never sixteen times.
    """
    head = "# SPECTRA Execution Plan\n## Level: 3\n\n## Task 001: a\n- [ ] 001: a\n- AC:\n"
    spent = []
    for size in (50_000, 200_000):
        raw = (head + unit * (size // len(unit)) + "end\n").encode()
        spent.append(least_seconds(partial(read_plan, raw, path="plan.md", options=AS_SPECTRA), rounds=2))

    assert spent[1] < 10 * spent[0] + 0.3
