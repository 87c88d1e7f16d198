"""The composition root: settings in, wired kernel out. The only module that knows both ports and adapters.

Owns: which adapter stands behind each port, and the order of starting and stopping. No registries at module level:
two kernels live in one process without knowing of each other.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from importlib.metadata import entry_points
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import structlog

from remit.clock import DatabaseClock
from remit.core.canonical import JsonValue
from remit.core.definition import Definition, definition_digest, encode_definition
from remit.core.runnable import require_runnable
from remit.errors import DefinitionInvalidError, NotFoundError, OperationError, SettingsInvalidError
from remit.governance.policy import BusinessConfig, encode_policy
from remit.ids import Digest, PrincipalId, TenantId, WorkerId
from remit.plans.business import compile_business
from remit.plans.kinds import DocumentKind, kind_of
from remit.plans.orchestration import compile_orchestration
from remit.ports.pack import Pack
from remit.ports.store import Principal, RunSummary, StoredDefinition, Tenant
from remit.ports.tool import Tool, ToolSource
from remit.runtime.calls import ToolBook
from remit.runtime.catalogue import Catalogue
from remit.runtime.entropy import Entropy, SystemEntropy
from remit.runtime.guards import BreakerBook, LeaseGuard
from remit.runtime.ingress import Ingress, IngressPorts
from remit.runtime.lookout import Lookout, LookoutOptions, LookoutPorts
from remit.runtime.metrics import Metrics
from remit.runtime.outcomes import Outcomes
from remit.runtime.owner import OwnerPorts
from remit.runtime.pipeline import Pipeline, PipelinePorts
from remit.runtime.relay import Relay, RelayOptions, RelayPorts
from remit.runtime.runs import Runs, RunsPorts
from remit.runtime.secret_store import SecretStore
from remit.runtime.submissions import Submitter
from remit.runtime.worker import Worker, WorkerOptions, WorkerPorts
from remit.settings import Settings
from remit.store import Lifetime, PostgresStore, open_store
from remit.tools.builtin import registry_with

PACKS_GROUP: Final = "remit.packs"
LEASE_MARGIN_SECONDS: Final = 2.0
"""Of a short lease a quarter: one that is all margin would leave no time for any call."""

SERVER_CHECK_SECONDS: Final = 1.0
LOOKS_PER_PATIENCE: Final = 4
_log = structlog.get_logger("remit.kernel")

OPERATOR: Final = PrincipalId("operator")
APPROVER: Final = PrincipalId("approver")
"""The two people of a laptop's default tenant, so that four eyes can be shown."""


def installed_packs() -> list[Pack]:
    """Return the packs that installed distributions announce under ``remit.packs``.

    Raises:
        SettingsInvalidError: the libraries of one are not installed.
    """
    return [entry.load()() for entry in entry_points(group=PACKS_GROUP)]


def usable_packs() -> tuple[list[Pack], list[str]]:
    """Return the installed packs that have their libraries, and why each other one is left out.

    Who checks a document needs no pack that it does not use; who runs one must not miss a tool unnoticed.
    """
    packs: list[Pack] = []
    reasons: list[str] = []
    for entry in entry_points(group=PACKS_GROUP):
        try:
            packs.append(entry.load()())
        except SettingsInvalidError as error:
            reasons.append(error.message)
    return packs, reasons


class Kernel:
    """A wired kernel; ``async with`` starts and stops it.

        async with Kernel(tools=[greet], business="remit.yaml") as kernel:
            run = await kernel.run("hello.yaml", {"name": "Ada"})

    Args:
        tools: Tools beside the built-in ones and those of the packs.
        packs: Packs to plug in; ``None`` takes the installed ones.
        settings: How to run; ``None`` reads the environment.
        business: A remit file to apply to the settings' tenant at start.
        has_worker: Whether this process also works on runs; without, it only asks and tells.
    """

    def __init__(
        self,
        *,
        tools: Sequence[Tool] = (),
        packs: Sequence[Pack] | None = None,
        settings: Settings | None = None,
        business: str | Path | None = None,
        has_worker: bool = True,
    ) -> None:
        self.settings = settings or Settings.from_environment()
        self.packs = list(installed_packs() if packs is None else packs)
        self.registry = registry_with([*(tool for pack in self.packs for tool in pack.tools), *tools])
        self.clock = DatabaseClock()
        self.metrics = Metrics()
        self.secrets = SecretStore(self.settings.secrets, self.settings.secrets_file)
        self._business = business
        self._has_worker = has_worker
        self.store: PostgresStore
        self.catalogue: Catalogue
        self.runs: Runs
        self.ingress: Ingress
        self.worker: Worker | None = None
        self.relay: Relay | None = None
        self.lookout: Lookout
        self._keeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def tenant_id(self) -> TenantId:
        """Return the tenant that this kernel's own calls act for."""
        return TenantId(self.settings.tenant)

    async def start(self) -> None:
        """Open the store, wire everything, start the worker.

        Raises:
            UnsafeDatabaseError: the database would lose acknowledged work or mix tenants.
            StoreUnavailableError: it cannot be reached.
            DefinitionInvalidError: the remit file has findings.
        """
        async with AsyncExitStack() as opened:
            self.store = await open_store(self.settings, lifetime=Lifetime.OWNED)
            opened.push_async_callback(self.store.close)
            self._wire()
            await self._ensure_default_tenant()
            if self._business is not None:
                await self.apply(self._business)
            if self.worker is not None and self.relay is not None:
                await self.worker.start()
                self.relay.start()
                self.lookout.start()
                self._keeping = asyncio.create_task(self._keep_server(), name="keep-server")
            opened.pop_all()  # everything stands: nothing to undo

    async def stop(self) -> None:
        """Let calls and deliveries in flight end, hand runs back, close the store (and a server that is ours)."""
        if self._keeping is not None:
            self._keeping.cancel()
        await self.lookout.stop()
        if self.worker is not None:
            await self.worker.stop()
        if self.relay is not None:
            await self.relay.stop()
        await self.store.close()

    async def _keep_server(self) -> None:
        """Start an embedded server again that was killed: its workers go on by themselves once it answers."""
        server = self.store.server
        while server is not None:  # bound: cancelled by ``stop``
            await asyncio.sleep(SERVER_CHECK_SECONDS)
            try:
                if await asyncio.to_thread(server.revive):
                    _log.warning("server_revived")
                elif await asyncio.to_thread(server.keep_ballast):
                    _log.warning("ballast_kept", bytes=server.ballast_bytes)
            except (OperationError, OSError) as error:
                _log.warning("server_down", error=str(error))

    def _wire(self) -> None:
        store, settings, clock, entropy = self.store, self.settings, self.clock, SystemEntropy()
        self.catalogue = Catalogue(store.directory, clock)
        seconds = settings.lease.total_seconds()
        lease = LeaseGuard(clock, lease_seconds=seconds, margin_seconds=min(LEASE_MARGIN_SECONDS, seconds / 4))
        pipeline = Pipeline(
            PipelinePorts(
                tools=ToolBook(self.registry),
                catalogue=self.catalogue,
                reservation=store.reservation,
                secrets=self.secrets,
                breakers=BreakerBook(store.reservation, clock),
                outcomes=Outcomes(clock=clock, entropy=entropy, secrets=self.secrets, lease=lease),
                clock=clock,
                entropy=entropy,
                metrics=self.metrics,
            )
        )
        if self._has_worker:
            self.worker = self._wire_worker(pipeline, lease)
            self.relay = self._wire_relay(entropy, self.worker)
        self.lookout = open_lookout(
            store, self.catalogue, tools=self.registry, metrics=self.metrics, patience=settings.stuck_after
        )
        submitter = Submitter(store.journal, clock, self.worker)
        self.runs = Runs(
            RunsPorts(
                directory=store.directory,
                dispatch=store.dispatch,
                inbox=store.inbox,
                reader=store.reader,
                catalogue=self.catalogue,
                submitter=submitter,
                entropy=entropy,
                worker=self.worker,
            )
        )
        self.ingress = Ingress(
            IngressPorts(
                endpoints=store.endpoints,
                inbox=store.inbox,
                secrets=self.secrets,
                runs=self.runs,
                clock=clock,
                metrics=self.metrics,
            ),
            [source for pack in self.packs for source in pack.webhook_sources],
        )

    def _wire_worker(self, pipeline: Pipeline, lease: LeaseGuard) -> Worker:
        """Return this process's worker."""
        return Worker(
            WorkerPorts(
                owner=OwnerPorts(
                    journal=self.store.journal,
                    approvals=self.store.approvals,
                    catalogue=self.catalogue,
                    pipeline=pipeline,
                    clock=self.clock,
                    metrics=self.metrics,
                    room=self.store.room,
                ),
                dispatch=self.store.dispatch,
                lease=lease,
            ),
            WorkerOptions(
                worker_id=WorkerId(str(uuid.uuid4())),
                version=_version(),
                tools=tuple(sorted({tool.contract.name for tool in self.registry.list()})),
                lease_seconds=self.settings.lease.total_seconds(),
                heartbeat_seconds=self.settings.heartbeat.total_seconds(),
                sweep_seconds=self.settings.sweep.total_seconds(),
                poll_seconds=self.settings.poll.total_seconds(),
            ),
        )

    def _wire_relay(self, entropy: Entropy, worker: Worker) -> Relay:
        """Return a relay that this process's worker wakes."""
        # Only who delivers needs an HTTP client.
        from remit.tools.guarded_http import GuardedClient
        from remit.tools.webhook_notifier import WebhookNotifier

        ports = RelayPorts(
            outbox=self.store.outbox,
            notifier=WebhookNotifier(GuardedClient(), version=_version()),
            catalogue=self.catalogue,
            secrets=self.secrets,
            clock=self.clock,
            entropy=entropy,
            metrics=self.metrics,
        )
        relay = Relay(ports, RelayOptions(worker_id=worker.worker_id))
        worker.on_outbox = relay.wake
        return relay

    async def _ensure_default_tenant(self) -> None:
        """Make tenant ``default`` with an operator and an approver, as a laptop needs them."""
        try:
            await self.store.directory.get_tenant(self.tenant_id)
        except NotFoundError:
            await self.store.directory.create_tenant(
                Tenant(tenant_id=self.tenant_id, display_name=self.settings.tenant)
            )
            for principal_id, roles in ((OPERATOR, ("operator",)), (APPROVER, ("approver",))):
                await self.store.directory.put_principal(
                    Principal(tenant_id=self.tenant_id, principal_id=principal_id, kind="human", roles=roles)
                )

    # --- documents ---------------------------------------------------------------------------------

    async def apply(self, path: str | Path, *, tenant_id: TenantId | None = None) -> StoredDefinition | BusinessConfig:
        """Compile a document and store it: an orchestration becomes the newest of its name, a remit file the tenant's.

        Raises:
            DefinitionInvalidError: the document has findings; carries them as ``diagnostics``. Nothing was stored.
            DefinitionUnrunnableError: it is sound, and this version cannot run it. Nothing was stored.
        """
        tenant = tenant_id or self.tenant_id
        text = await asyncio.to_thread(Path(path).read_bytes)
        if kind_of(text, path=str(path)) is DocumentKind.BUSINESS:
            return await self.apply_business(text, path=str(path), tenant_id=tenant)
        return await self.apply_orchestration(text, path=str(path), tenant_id=tenant)

    async def apply_business(self, text: bytes, *, path: str, tenant_id: TenantId) -> BusinessConfig:
        """Compile a remit file and make it the tenant's active one."""
        result = compile_business(text, path=path, contracts=self.registry)
        if result.config is None:
            raise DefinitionInvalidError(result.diagnostics.summary(), diagnostics=result.diagnostics.to_json())
        body = encode_policy(result.config)
        await self.store.directory.put_policy(tenant_id, digest=Digest(definition_digest(body)), body=body)
        self.catalogue.forget(tenant_id)
        return result.config

    async def apply_orchestration(self, text: bytes, *, path: str, tenant_id: TenantId) -> StoredDefinition:
        """Compile an orchestration against the tools and the tenant's remit, and store it."""
        policy = await self.catalogue.policy(tenant_id)
        # A large one takes seconds, in which a worker here must still be heard of.
        result = await asyncio.to_thread(
            compile_orchestration, text, path=path, contracts=self.registry, policy=policy.config
        )
        if result.definition is None:
            raise DefinitionInvalidError(result.diagnostics.summary(), diagnostics=result.diagnostics.to_json())
        return await self.put_definition(result.definition, tenant_id=tenant_id)

    async def put_definition(self, definition: Definition, *, tenant_id: TenantId | None = None) -> StoredDefinition:
        """Store a compiled definition.

        Raises:
            DefinitionUnrunnableError: this version cannot run it, so it is not stored: it would become the newest of
                its name, and its triggers would count, while no run of it could begin.
        """
        require_runnable(definition, without_adapter=self.registry.without_adapter())
        body = encode_definition(definition)
        return await self.store.directory.put_definition(
            tenant_id or self.tenant_id,
            name=definition.name,
            version=definition.version,
            digest=definition_digest(body),
            body=body,
        )

    async def run(
        self,
        definition: str | Path,
        run_input: JsonValue,
        *,
        principal_id: PrincipalId = OPERATOR,
        timeout_seconds: float = 60.0,
    ) -> RunSummary:
        """Compile, submit and wait: the shortest way from a file to an outcome.

        Returns:
            The run once it is terminal or waits for somebody outside, or as it stands after ``timeout_seconds``.
        """
        stored = await self.apply(definition)
        if not isinstance(stored, StoredDefinition):
            raise DefinitionInvalidError(f"expected an orchestration, got a remit file: {definition}")
        submitted = await self.runs.submit(
            self.tenant_id, definition_digest=stored.digest, run_input=run_input, principal_id=principal_id
        )
        return await self.runs.wait(self.tenant_id, submitted.run_id, timeout_seconds=timeout_seconds, until="at_rest")


def open_lookout(
    store: PostgresStore, catalogue: Catalogue, *, tools: ToolSource, metrics: Metrics, patience: timedelta
) -> Lookout:
    """Return a lookout over a store; ``tools`` tell the time-outs of calls."""
    ports = LookoutPorts(
        suspects=store.suspects,
        reader=store.reader,
        approvals=store.approvals,
        catalogue=catalogue,
        tools=tools,
        metrics=metrics,
    )
    return Lookout(ports, LookoutOptions(patience=patience, interval=patience / LOOKS_PER_PATIENCE))


def _version() -> str:
    from importlib.metadata import version

    return version("remit")
