"""What the simulated processes of an execution share, and what they stand on: time, draws, secrets, room, a catalogue.

Owns: these stand-ins for the kernel's ports. Does not know: the processes (``worker``) or the database's replies.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from remit.core.limits import Policy
from remit.core.program import Program
from remit.errors import NotFoundError, StoreReadOnlyError
from remit.governance.breaker import BreakerState
from remit.governance.contracts import ToolContract
from remit.ids import Digest, TenantId
from remit.ports.room import RoomReport
from remit.runtime.catalogue import ActivePolicy, Catalogue
from remit.runtime.metrics import Metrics
from remit.testing.simulator.actor import WatchedActor
from remit.testing.simulator.database import START, Database
from remit.testing.simulator.dice import Dice, Fault
from remit.testing.simulator.loop import VirtualLoop
from remit.testing.simulator.world import World


@dataclass(slots=True, kw_only=True)
class Site:
    """What all processes of an execution share. ``policy`` is the one in force; people change it."""

    loop: VirtualLoop
    dice: Dice
    database: Database
    world: World
    program: Program
    contracts: tuple[ToolContract, ...]
    policy: ActivePolicy
    core_policy: Policy
    metrics: Metrics
    actors: type[WatchedActor]
    breakers: dict[str, BreakerState]


class SimulatedClock:
    """Virtual time as a worker sees it."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        """Return the database's instant."""
        return START + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        """Return virtual seconds."""
        return self._loop.time()

    def observe(self, database_now: datetime) -> None:
        """Take a reply's instant; there is only one clock."""


class SimulatedEntropy:
    """Draws from the execution's seed."""

    def __init__(self, dice: Dice) -> None:
        self._rng = dice.rng

    def fraction(self) -> float:
        """Return jitter."""
        return self._rng.random()

    def nonce(self) -> str:
        """Return 32 hex characters."""
        return f"{self._rng.getrandbits(128):032x}"

    def uuid(self) -> str:
        """Return an id in the form of a UUID."""
        text = f"{self._rng.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"


class NoSecrets:
    """Simulated tools need no credentials; one that is named has a value that means nothing."""

    def resolve(self, tenant_id: TenantId, name: str) -> str:
        """Return a value."""
        del tenant_id
        return f"simulated-{name}"

    def known_values(self) -> frozenset[str]:
        """Return nothing to redact."""
        return frozenset()


class SimulatedRoom:
    """Room for more work, most of the time."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice

    def require(self) -> None:
        """Return if there is room; ``StoreReadOnlyError`` if there is none for now."""
        if self._dice.strikes(Fault.NO_ROOM):
            raise StoreReadOnlyError("the disk is full", retryable=True)

    def look(self) -> RoomReport:
        """Return that there is room."""
        return RoomReport()


class SiteCatalogue(Catalogue):
    """The one program and the policy in force, without a directory to ask."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def program(self, tenant_id: TenantId, digest: Digest) -> Program:
        """Return the program."""
        del tenant_id
        if digest != self._site.program.digest:
            raise NotFoundError(f"no definition {digest}")
        return self._site.program

    def fresh_policy(self, tenant_id: TenantId) -> ActivePolicy | None:
        """Return the policy in force."""
        del tenant_id
        return self._site.policy

    async def policy(self, tenant_id: TenantId) -> ActivePolicy:
        """Return the policy in force."""
        del tenant_id
        return self._site.policy
