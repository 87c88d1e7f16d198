"""What is called under faults: one scenario for each tool, with the steps that must come before it.

Owns: the tools under test with their delivery classes, the steps of their runs, and which faults each can meet.
Does not know: what becomes of it; the table of expectations does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

import remit_commerce
from remit.core.definition import Bounds, Definition, RetryPolicy, ToolStep
from remit.governance.contracts import contract_digest
from remit.ports.tool import Tool
from remit_commerce.simulators.faults import STRIPE_ONLY, FaultKind
from tests.integration.commerce import calling
from tests.integration.faults import tools as fake

ATTEMPTS_MAX: Final = 6
PROMPT: Final = RetryPolicy(attempts_max=ATTEMPTS_MAX, delay_initial_ms=30, delay_max_ms=500)
PAST_WINDOW: Final = RetryPolicy(attempts_max=ATTEMPTS_MAX, delay_initial_ms=1_000, delay_max_ms=1_000)
BOUNDS: Final = Bounds(steps_max=20, tool_calls_max=100, active_seconds_max=3_600)
PATIENT_MS: Final = 15_000
HASTY_MS: Final = 2_500
"""Timeout of a step whose answer will not come."""

HANGING: Final = frozenset({FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER, FaultKind.SLOW_DRIP, FaultKind.LATE})
LATE_SECONDS: Final = 2.6
"""When a request is executed whose caller waits no longer; before the last of its repetitions."""

TOOLS: Final[dict[str, Tool]] = {tool.contract.name: tool for tool in (*remit_commerce.pack().tools, *fake.ALL)}


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One tool under faults: ``before`` are the steps whose outputs it needs; ``needs_order`` seeds a shop's order."""

    tool: str
    arguments: dict[str, Any]
    before: tuple[tuple[str, dict[str, Any]], ...] = ()
    needs_order: bool = False
    retry: RetryPolicy = PROMPT
    operation: str = ""

    @property
    def provider(self) -> str:
        """Return whose tool it is."""
        return self.tool.partition(".")[0]

    @property
    def short(self) -> str:
        """Return a name that fits into a tenant's."""
        return f"{self.provider}_{step_id(self.tool)}"

    @property
    def delivery(self) -> str:
        """Return the class as the matrix names it: a key that is forgotten is a class of its own."""
        name = TOOLS[self.tool].contract.delivery_class.value
        return "keyed, past the window" if self.tool == "fake.forgetful" else name

    @property
    def target(self) -> str:
        """Return the provider's name for what the tool does."""
        return self.operation or self.tool.partition(".")[2]

    def kinds(self) -> list[FaultKind]:
        """Return the faults that this tool can meet."""
        is_doubling = self.tool in {"fake.queryable", "fake.forgetful"}
        return [
            kind
            for kind in FaultKind
            if (kind not in STRIPE_ONLY or (self.provider == "stripe" and self.delivery == "keyed"))
            # A provider that is slow to execute and makes as many as it is asked for answers a look-up untruthfully.
            and not (kind is FaultKind.LATE and is_doubling)
        ]

    def definition(self, *, timeout_ms: int) -> Definition:
        """Return the run: the steps before, then the tool, each once."""
        steps: list[ToolStep] = []
        for name, arguments in (*self.before, (self.tool, self.arguments)):
            contract = TOOLS[name].contract
            is_target = name == self.tool
            step = ToolStep(
                id=step_id(name),
                depends_on=(steps[-1].id,) if steps else (),
                tool=name,
                tool_version=contract.version,
                contract_digest=contract_digest(contract),
                input=arguments,
                retry=self.retry if is_target else PROMPT,
                timeout_ms=timeout_ms if is_target else PATIENT_MS,
            )
            steps.append(step)
        name = f"{self.tool.replace('.', '-').replace('_', '-')}-{timeout_ms}"
        return Definition(name=name, version="1", bounds=BOUNDS, steps=tuple(steps))


def step_id(tool: str) -> str:
    """Return the id of the step that calls a tool."""
    return tool.rpartition(".")[2]


def timeout_of(kinds: tuple[FaultKind, ...]) -> int:
    """Return how long a call may take that meets these faults."""
    return HASTY_MS if HANGING & set(kinds) else PATIENT_MS


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)


_HOLD = (calling.HOLD, calling.payment())
_PAID = "${{ steps.authorize.output.payment_intent_id }}"
_DRAFTED = "${{ steps.create_draft.output.order_id }}"
_DRAFT = (calling.DRAFT, calling.draft())
_ORDER = "${{ input.order_id }}"

SCENARIOS: Final = (
    Scenario(tool=calling.HOLD, arguments=calling.payment()),
    Scenario(
        tool=calling.TAKE,
        arguments={"payment_intent_id": _PAID, "amount_minor": 40994, "currency": "USD"},
        before=(_HOLD,),
    ),
    Scenario(tool=calling.GIVE_BACK, arguments={"payment_intent_id": _PAID}, before=(_HOLD,)),
    Scenario(tool=calling.DRAFT, arguments=calling.draft()),
    Scenario(tool=calling.CONFIRM, arguments={"order_id": _DRAFTED, "cost_max_minor": 5_000}, before=(_DRAFT,)),
    Scenario(tool="printful.orders.get", arguments={"order_id": _DRAFTED}, before=(_DRAFT,)),
    Scenario(tool=calling.ORDER, arguments={"order_id": _ORDER}, needs_order=True),
    Scenario(tool=calling.FULFIL, arguments={"order_id": _ORDER, "tracking_number": "T1"}, needs_order=True),
    Scenario(tool=calling.MAIL, arguments=calling.mail()),
    Scenario(tool="fake.keyed", arguments={}, operation="things.keyed"),
    Scenario(tool="fake.forgetful", arguments={}, operation="things.forgetful", retry=PAST_WINDOW),
    Scenario(tool="fake.queryable", arguments={}, operation="things.queryable"),
    Scenario(tool="fake.opaque", arguments={}, operation="things.opaque"),
    Scenario(
        tool="fake.local",
        arguments={"reference": "${{ steps.keyed.output.reference }}"},
        before=(("fake.keyed", {}),),
        operation="things.find",
    ),
)
BY_TOOL: Final = {scenario.tool: scenario for scenario in SCENARIOS}
