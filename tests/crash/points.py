"""Crash points: the numbered instants at which a kernel can die, and what dies there.

Owns: the names of points, an observer that counts them and dies at one, the same for tools, and the checked-in list.
Does not know: what the kernel does at a point.

A point is ``name:phase:ordinal``: the n-th time that a statement of the store, or a tool of the pack, is about to be
asked for (``before``) or was executed but never heard of (``after``). For a statement that commits, ``after`` is the
commit whose reply is lost; for a tool it is the effect that nobody recorded.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from remit.core.canonical import JsonValue
from remit.errors import StoreUnavailableError
from remit.governance.contracts import ToolContract
from remit.ports.pack import Pack
from remit.ports.tool import LookupResult, Tool, ToolContext, ToolResult

LIST = Path(__file__).with_name("points.txt")

LOOKING = frozenset({"list_suspect_tenants", "list_suspects", "list_workers", "now"})
"""What the lookout asks every quarter of a minute: nothing, in a scenario that is quick."""

RECURRING = {"claim": 3, "heartbeat": 6, "sweep": 1, **dict.fromkeys(LOOKING, 0)}
"""Statements that come back by the clock, with how many of them are certain to come: a slow machine sees more."""

READING = frozenset(
    {
        "begin", "commit", "rollback", "inspect", "server_version", "schema_version", "get_tenant", "get_policy",
        "get_definition", "list_definitions", "find_endpoint", "get_endpoint", "load", "load_inbox", "load_breaker",
        "get", "find_key", *LOOKING,
    }
)  # fmt: skip
"""Statements that store nothing: losing their reply loses no commit."""


class CrashError(BaseException):
    """The process is gone: nothing of ours catches this."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One crash point."""

    name: str
    phase: str
    ordinal: int

    @classmethod
    def parse(cls, text: str) -> Point:
        """Return the point of a line such as ``append:after:3``."""
        name, phase, ordinal = text.rsplit(":", 2)
        return cls(name=name, phase=phase, ordinal=int(ordinal))

    def __str__(self) -> str:
        return f"{self.name}:{self.phase}:{self.ordinal}"

    @property
    def phase_class(self) -> str:
        """Return which of the kinds of crash this is."""
        if "." in self.name:
            return f"{self.phase} a provider call"
        if self.phase == "before":
            return "before a statement"
        return "after a read" if self.name in READING else "commit executed, reply lost"


class Watch:
    """Sees everything that one kernel does to the world, and kills it at a point.

    ``reached`` holds the points in order; ``changed`` is set at each of them; ``crashed`` once the kernel is dead: from
    then on it reaches nothing, whatever it still tries raises.
    """

    def __init__(self, target: Point | None = None) -> None:
        self._target = target
        self._counts: Counter[tuple[str, str]] = Counter()
        self.reached: list[Point] = []
        self.changed = asyncio.Event()
        self.crashed = asyncio.Event()
        self.cut: Callable[[], None] = lambda: None

    @property
    def is_dead(self) -> bool:
        """Whether the kernel crashed."""
        return self.crashed.is_set()

    async def before(self, statement: str) -> None:
        """Called by the store before a statement leaves."""
        self.reach(statement, "before")

    async def after(self, statement: str) -> None:
        """Called by the store after a statement was executed."""
        self.reach(statement, "after")

    def reach(self, name: str, phase: str) -> None:
        """Count a point; die if it is the one."""
        if self.is_dead:
            raise CrashError("dead already")
        self._counts[name, phase] += 1
        point = Point(name=name, phase=phase, ordinal=self._counts[name, phase])
        self.reached.append(point)
        self.changed.set()
        if point == self._target:
            self.die()
            raise CrashError(str(point))

    def die(self) -> None:
        """Cut every connection at once, without a word."""
        self.crashed.set()
        self.changed.set()
        self.cut()

    def count(self, name: str, phase: str = "after") -> int:
        """Return how often a point of this name was reached."""
        return self._counts[name, phase]


class CountingWatch(Watch):
    """Kills its kernel at the n-th thing it does, sweeps aside, and at the latest when it says goodbye."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def reach(self, name: str, phase: str) -> None:
        """Count a point; die if it is the n-th, or the last chance."""
        super().reach(name, phase)
        done = sum(point.name != "sweep" for point in self.reached)
        if done >= self._number or name == "retire_worker":
            self.die()
            raise CrashError(str(self.reached[-1]))


class CuttingWatch(Watch):
    """Cuts the connection of one statement; the kernel lives on. ``was_cut`` says that it came to that."""

    def __init__(self, target: Point) -> None:
        super().__init__()
        self._cut = target
        self.was_cut = False

    def reach(self, name: str, phase: str) -> None:
        """Count a point; fail if it is the one, which makes the store cut the connection."""
        super().reach(name, phase)
        if self.reached[-1] == self._cut:
            self.was_cut = True
            raise StoreUnavailableError(f"{self._cut}: cut by the test", retryable=True)


class CrashingTool:
    """A tool whose calls and look-ups are points of a watch."""

    def __init__(self, tool: Tool, watch: Watch) -> None:
        self._tool = tool
        self._watch = watch

    @property
    def contract(self) -> ToolContract:
        """Return the tool's own contract."""
        return self._tool.contract

    @property
    def lookup(self) -> Callable[[Mapping[str, JsonValue], ToolContext], Awaitable[LookupResult]] | None:
        """Return the tool's look-up between two points, or ``None``."""
        return None if self._tool.lookup is None else self._look_up

    async def call(self, arguments: Mapping[str, JsonValue], context: ToolContext) -> ToolResult:
        """Call the tool between two points."""
        self._watch.reach(self._tool.contract.name, "before")
        result = await self._tool.call(arguments, context)
        self._watch.reach(self._tool.contract.name, "after")
        return result

    async def _look_up(self, arguments: Mapping[str, JsonValue], context: ToolContext) -> LookupResult:
        assert self._tool.lookup is not None
        self._watch.reach(f"{self._tool.contract.name}.lookup", "before")
        found = await self._tool.lookup(arguments, context)
        self._watch.reach(f"{self._tool.contract.name}.lookup", "after")
        return found


def watched(pack: Pack, watch: Watch) -> Pack:
    """Return a pack whose tools are points of a watch."""
    return replace(pack, tools=tuple(CrashingTool(tool, watch) for tool in pack.tools))


def certain(reached: Sequence[Point]) -> list[Point]:
    """Return the points that every run of the scenario reaches."""
    return [point for point in reached if point.ordinal <= RECURRING.get(point.name, point.ordinal)]


def listed() -> list[Point]:
    """Return the checked-in list."""
    lines = LIST.read_text(encoding="utf-8").splitlines() if LIST.exists() else []
    return [Point.parse(line) for line in lines if line and not line.startswith("#")]
