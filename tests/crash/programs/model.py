"""Random programs: orchestrations whose result anybody can compute, and the code that computes it.

Owns: what a program is, drawing one, its text as a document, and what must come of it.
Does not know: Remit. It shares no code with the kernel: the text is what a person could write, and the expectation is
plain arithmetic over the same nodes.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

MODULUS = 1_000_003
GAINS = {"compute": 1, "flaky": 2, "keyed": 3, "queryable": 5, "opaque": 7, "signal": 11, "event": 13, "late": 0}
"""What each kind of step adds to the value that it is given; kinds that are not here have no value."""

EFFECTS = frozenset({"keyed", "queryable", "opaque"})
KINDS = (
    ("compute", 5), ("flaky", 3), ("keyed", 4), ("queryable", 3), ("opaque", 3), ("timer", 2), ("signal", 2),
    ("event", 2), ("late", 1), ("publish", 1),
)  # fmt: skip
NEVER = "never"
EVENT = "programs.paid"


@dataclass(frozen=True, kw_only=True)
class Node:
    """One step.

    ``ask`` is what a person will say if one is asked; ``fails`` how many attempts fail, of ``attempts``; ``die`` where
    the worker that makes the call kills itself, once; ``mapped`` what an output mapping adds, 0 for none; ``is_early``
    says that its message comes before anybody waits for it.
    """

    id: str
    label: str
    kind: str
    depends_on: tuple[str, ...] = ()
    constant: int = 0
    condition: tuple[str, int] | None = None
    on_failure: str = "continue"
    ask: str = ""
    fails: int = 0
    attempts: int = 1
    die: str = ""
    mapped: int = 0
    milliseconds: int = 0
    is_early: bool = False

    @property
    def has_value(self) -> bool:
        """Whether other steps may compute with its output."""
        return self.kind in GAINS


@dataclass(frozen=True, kw_only=True)
class Program:
    """An orchestration, its input, and how it is to end: ``completed``, ``failed`` or ``cancelled``."""

    name: str
    nodes: tuple[Node, ...]
    number: int
    ending: str = "completed"

    def node(self, node_id: str) -> Node:
        """Return a node."""
        return next(node for node in self.nodes if node.id == node_id)


@dataclass(kw_only=True)
class Expected:
    """What must come of a program.

    ``values`` are those of the steps that end well with one; ``effects`` says of each label how often its effect must
    have happened; of labels in ``uncertain`` at most so often, because the run ends early.
    """

    status: str
    error: tuple[str, str] | None = None
    values: dict[str, int] = field(default_factory=dict)
    effects: dict[str, int] = field(default_factory=dict)
    uncertain: set[str] = field(default_factory=set)

    @property
    def output(self) -> dict[str, int]:
        """The run's output, if it completes."""
        return {"total": sum(self.values.values()) % MODULUS, **self.values}


# --- drawing ----------------------------------------------------------------------------------------------------------


def draw(rng: random.Random, name: str, *, nodes_max: int = 9) -> Program:
    """Return a random program."""
    nodes: list[Node] = []
    for number in range(1, rng.randint(2, nodes_max) + 1):
        nodes.append(_draw_node(rng, name, number, nodes))
    ending = rng.choices(("completed", "failed", "cancelled"), weights=(16, 3, 1))[0]
    if ending == "failed":
        nodes = _with_fatal(rng, name, nodes)
    elif ending == "cancelled":
        nodes.append(Node(id=NEVER, label=f"{name}/{NEVER}", kind=NEVER, depends_on=_draw_dependencies(rng, nodes)))
    return Program(name=name, nodes=tuple(nodes), number=rng.randint(1, 99), ending=ending)


def _draw_node(rng: random.Random, name: str, number: int, earlier: list[Node]) -> Node:
    kind = rng.choices([kind for kind, _ in KINDS], weights=[weight for _, weight in KINDS])[0]
    depends_on = _draw_dependencies(rng, earlier)
    attempts = rng.randint(1, 4)
    is_effect = kind in EFFECTS
    fails = {"flaky": rng.randint(0, attempts)}.get(kind, rng.choice((0, 0, 0, attempts - 1)) if is_effect else 0)
    return Node(
        id=f"s{number}",
        label=f"{name}/s{number}",
        kind=kind,
        depends_on=depends_on,
        constant=rng.randint(1, 999),
        condition=(rng.choice(depends_on), rng.randint(0, 1)) if depends_on and rng.random() < 0.25 else None,
        ask=rng.choice(("approve", "approve", "deny")) if is_effect and rng.random() < 0.2 else "",
        fails=fails,
        attempts=attempts,
        die=rng.choice(("before", "after")) if is_effect and rng.random() < 0.03 else "",
        mapped=rng.randint(1, 50) if kind in {"compute", "keyed", "queryable"} and rng.random() < 0.3 else 0,
        milliseconds=rng.randint(1, 300),
        is_early=rng.random() < 0.4,
    )


def _draw_dependencies(rng: random.Random, earlier: list[Node]) -> tuple[str, ...]:
    if not earlier:
        return ()
    count = min(rng.choice((0, 1, 1, 1, 2, 3)), len(earlier))
    return tuple(sorted(node.id for node in rng.sample(earlier, count)))


def _with_fatal(rng: random.Random, name: str, nodes: list[Node]) -> list[Node]:
    """Return the nodes with one more that fails the run, the only one that may."""
    fatal = Node(
        id="fatal",
        label=f"{name}/fatal",
        kind=rng.choice(("flaky", "keyed")),
        depends_on=_draw_dependencies(rng, nodes),
        constant=1,
        on_failure="fail",
        fails=2,
        attempts=2,
    )
    if fatal.kind == "keyed":
        fatal = Node(**{**vars(fatal), "ask": "deny", "fails": 0, "attempts": 1})
    return [*nodes, fatal]


# --- the text ---------------------------------------------------------------------------------------------------------


def text_of(program: Program) -> str:
    """Return the program as an orchestration document."""
    lines = [
        f"name: {program.name}",
        "version: 1.0.0",
        "description: drawn at random",
        'input: {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}',
        "bounds: {steps_max: 100, tool_calls_max: 200, active_time_max: 10m}",
        "steps:",
    ]
    for node in program.nodes:
        fields = _fields(program, node)
        lines += [
            f"  {'- ' if not number else '  '}{key}: {json.dumps(fields[key])}" for number, key in enumerate(fields)
        ]
    valued = [node for node in program.nodes if node.has_value]
    total = " + ".join(_term(node) for node in valued) or "0"
    output = {"total": f"${{{{ ({total}) % {MODULUS} }}}}", **{n.id: f"${{{{ {_term(n)} }}}}" for n in valued}}
    return "\n".join([*lines, f"output: {json.dumps(output)}", ""])


def _fields(program: Program, node: Node) -> dict[str, Any]:
    fields: dict[str, Any] = {"id": node.id}
    if node.depends_on:
        fields["depends_on"] = list(node.depends_on)
    if node.condition is not None:
        guard, parity = node.condition
        fields["if"] = f"{_term(program.node(guard))} % 2 == {parity}"
    if node.on_failure == "continue" and (node.fails or node.ask):
        fields["on_failure"] = "continue"
    match node.kind:
        case "timer":
            fields["wait"] = {"timer": f"{node.milliseconds}ms"}
        case "signal":
            fields["wait"] = {"signal": node.label.replace("/", ".")}
        case "late":
            fields["wait"] = {"signal": "absent", "timeout": f"{node.milliseconds}ms", "on_timeout": "continue"}
        case "event":
            fields["wait"] = {"event": EVENT, "correlation": node.label}
        case "never":
            fields["wait"] = {"signal": NEVER}
        case "publish":
            fields["tool"] = "outbox.publish"
            fields["input"] = {"topic": "programs.done", "body": {"label": node.label}}
        case _:
            fields |= _call(program, node)
    return fields


def _call(program: Program, node: Node) -> dict[str, Any]:
    terms = [f"{_term(program.node(needed))} * {place}" for place, needed in enumerate(node.depends_on, 1)]
    value = " + ".join([f"input.number + {node.constant}", *terms])
    arguments: dict[str, Any] = {"label": node.label, "value": f"${{{{ ({value}) % {MODULUS} }}}}", "fails": node.fails}
    if node.kind in EFFECTS:
        arguments |= {"ask": bool(node.ask), "die": node.die}
    fields: dict[str, Any] = {"tool": f"programs.{node.kind}", "input": arguments}
    if node.attempts > 1:
        fields["retry"] = {"attempts_max": node.attempts, "delay_initial": "10ms", "delay_max": "80ms"}
    if node.mapped:
        fields["output_mapping"] = {"value": f"${{{{ output.value + {node.mapped} }}}}"}
    return fields


def _term(node: Node) -> str:
    if not node.has_value:
        return "0"
    return f"(steps.{node.id}.output == null ? 0 : steps.{node.id}.output.value)"


# --- the expectation --------------------------------------------------------------------------------------------------


def message_value(node: Node) -> int:
    """Return the value that a signal or event carries."""
    return node.constant + GAINS[node.kind]


def expected_of(program: Program) -> Expected:
    """Compute what must come of a program."""
    expected = Expected(status=program.ending)
    for node in program.nodes:
        if node.id in {"fatal", NEVER}:
            continue
        expected.effects[node.label] = 0
        if node.condition is not None:
            guard, parity = node.condition
            if expected.values.get(guard, 0) % 2 != parity:
                continue
        if node.ask == "deny" or (node.kind == "flaky" and node.fails >= node.attempts):
            continue
        if node.kind in EFFECTS:
            expected.effects[node.label] = 1
        if node.has_value and node.kind != "late":
            expected.values[node.id] = _value(program, node, expected.values)
    if program.ending != "completed":
        expected.uncertain = {node.label for node in program.nodes}
    if program.ending == "failed":
        fatal = program.node("fatal")
        expected.error = ("APPROVAL_DENIED" if fatal.ask else "FLAKY", fatal.id)
        expected.effects[fatal.label] = 0
        expected.uncertain.discard(fatal.label)
    expected.values = {node.id: expected.values.get(node.id, 0) for node in program.nodes if node.has_value}
    return expected


def _value(program: Program, node: Node, values: dict[str, int]) -> int:
    if node.kind in {"signal", "event"}:
        return message_value(node)
    given = program.number + node.constant
    given += sum(values.get(needed, 0) * place for place, needed in enumerate(node.depends_on, 1))
    return given % MODULUS + GAINS[node.kind] + node.mapped
