"""``simulate``: take a definition through every trouble that the kernel is built for, thousands of times, in seconds.

Owns: the way from a user's definition, tools and people to scenarios, and random scenarios for the kernel itself.
Does not know: what can go wrong (``dice``) or what is right (``audit``).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from remit.core.canonical import JsonValue
from remit.core.definition import Definition
from remit.core.program import Program
from remit.diagnostics import render_plain
from remit.errors import DefinitionInvalidError, InputInvalidError, NotFoundError
from remit.governance.contracts import ToolContract, check_result
from remit.governance.policy import BusinessConfig
from remit.plans.kinds import check_document, check_file
from remit.ports.tool import Tool, ToolContext
from remit.testing.definitions import program_of
from remit.testing.simulator.dice import ALL, Fault
from remit.testing.simulator.examples import example_of
from remit.testing.simulator.known import known_scenario
from remit.testing.simulator.report import Check, Report, run_seeds
from remit.testing.simulator.scenario import People, Scenario, Word, open_config, posts_for, tools_of
from remit.testing.simulator.wild import wild_scenario
from remit.testing.simulator.world import Act

SEEDS_DEFAULT: Final = range(1_000)
SCHEDULES_PER_DEFINITION: Final = 4
"""Seeds in a row that share a random definition: compiling its expressions costs more than running it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is around a definition.

    ``config`` is the remit (``None`` permits every tool and asks nobody), ``principal_id`` who asks for the run;
    ``messages`` are the payloads of signals and inbound events by name, ``words`` what the approver says by step
    (approve, deny, ignore), ``faults`` what may go wrong.
    """

    config: BusinessConfig | None = None
    run_input: JsonValue = None
    principal_id: str = "operator"
    messages: Mapping[str, JsonValue] = field(default_factory=dict)
    words: Mapping[str, Word] = field(default_factory=dict)
    faults: Sequence[Fault] = ALL


def simulate(
    definition: Definition,
    *,
    tools: Iterable[Tool | ToolContract] = (),
    acts: Mapping[str, Act] | None = None,
    setting: Setting | None = None,
    seeds: Iterable[int] = SEEDS_DEFAULT,
    check: Check | None = None,
) -> Report:
    """Run a definition once for each seed, and hold each run against the kernel's promises and ``check``.

    Workers crash and stall, replies get lost, messages come twice, providers fail; everything is drawn from the seed,
    and nothing is real: no time passes and no tool is called.

    Args:
        definition: What is run.
        tools: The definition's tools, or their contracts. Only the contracts count: what a tool does is its act.
        acts: What tools do, by name: a pure function of arguments and context that returns the output or raises
            ``ToolError``. A tool without one answers with an example of its output schema.
        setting: The remit, the input, what people do, and which faults there are.
        seeds: One execution for each; the same seed is the same execution.
        check: Called with each ``Outcome``; raises ``AssertionError`` if it is not as it should be.

    Raises:
        NotFoundError: the definition uses a tool that is not given.
        InputInvalidError: a tool's output schema is too subtle to answer by example; give it an act.
    """
    setting = Setting() if setting is None else setting
    program = program_of(definition)
    contracts = _contracts_of(program, tools)
    scenario = Scenario(
        program=program,
        contracts=contracts,
        acts={contract.name: (acts or {}).get(contract.name) or _by_example(contract) for contract in contracts},
        config=open_config(contracts) if setting.config is None else setting.config,
        run_input=setting.run_input,
        principal_id=setting.principal_id,
        people=People(words=setting.words, posts=posts_for(program, setting.messages)),
    )
    return run_seeds(lambda _seed: scenario, seeds, faults=setting.faults, check=check)


def read_orchestration(source: str | Path, *, tools: Iterable[Tool | ToolContract]) -> Definition:
    """Return the definition of an orchestration, from its file or its text (which has more than one line).

    Raises:
        DefinitionInvalidError: the document has findings; they are in the message.
    """
    contracts = {contract.name: contract for contract in map(_contract_of, tools)}
    if isinstance(source, str) and "\n" in source:
        checked = check_document(source.encode(), path="orchestration", contracts=contracts)
    else:
        checked = check_file(source, contracts=contracts)
    if not isinstance(checked.compiled, Definition):
        told = render_plain(checked.diagnostics) or f"{checked.path} is no orchestration"
        raise DefinitionInvalidError(f"expected an orchestration without errors:\n{told}")
    return checked.compiled


def simulate_random(seeds: Iterable[int], *, faults: Iterable[Fault] = ALL) -> Report:
    """Run random definitions: half of them with an outcome that is known beforehand, half in which anything goes."""
    return run_seeds(random_scenario, seeds, faults=faults)


def random_scenario(seed: int) -> Scenario:
    """Return the scenario of a seed; neighbours share one."""
    return _scenario(seed // SCHEDULES_PER_DEFINITION)


@lru_cache(maxsize=8)
def _scenario(number: int) -> Scenario:
    make = known_scenario if number % 2 == 0 else wild_scenario
    return make(random.Random(number))  # noqa: S311 - a seed is to be repeated, not to be a secret


def _contracts_of(program: Program, tools: Iterable[Tool | ToolContract]) -> tuple[ToolContract, ...]:
    known = {contract.name: contract for contract in map(_contract_of, tools)}
    missing = [name for name in tools_of(program) if name not in known]
    if missing:
        names = ", ".join(missing)
        raise NotFoundError(f"expected every tool of the definition, got none for {names}; add it to `tools`")
    return tuple(known[name] for name in tools_of(program))


def _contract_of(tool: Tool | ToolContract) -> ToolContract:
    return tool if isinstance(tool, ToolContract) else tool.contract


def _by_example(contract: ToolContract) -> Callable[[Mapping[str, JsonValue], ToolContext], JsonValue]:
    example = example_of(contract.output_schema)
    refusal = check_result(contract, example)
    if refusal is not None:
        raise InputInvalidError(
            f"expected an output schema of {contract.name} that can be answered by example, got a subtler one "
            f"({refusal.message}); say what the tool does in `acts`",
            tool=contract.name,
        )
    return lambda _arguments, _context: example
