"""What most commands begin with: settings from environment and options, an open kernel, the acting principal.

Owns: which parts of a kernel a command needs, so that looking at a run does not load providers' libraries.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final, TypeVar

import uvloop

from remit.bootstrap import OPERATOR, Kernel, installed_packs, usable_packs
from remit.cli.logs import configure_logs
from remit.cli.options import Options
from remit.cli.output import progress
from remit.errors import PermissionDeniedError, SettingsInvalidError
from remit.ids import PrincipalId, RunId, TenantId
from remit.ports.pack import Pack
from remit.ports.store import Principal, Reader
from remit.ports.tool import Tool
from remit.settings import Settings

Answer = TypeVar("Answer")


class Needs(Enum):
    """Which parts of a kernel a command needs."""

    STORE = auto()
    """Questions and messages: no tools are loaded."""
    TOOLS = auto()
    """Compiling and submitting, but no work on runs."""
    WORKER = auto()
    """This process works on runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """An open kernel, and on whose behalf it is used."""

    kernel: Kernel
    tenant_id: TenantId
    principal_id: PrincipalId

    @property
    def reader(self) -> Reader:
        """Return the store's reader."""
        return self.kernel.store.reader

    async def run_id(self, text: str) -> RunId:
        """Return the run that the beginning or end of its id names; ``NotFoundError``."""
        return await self.reader.find_run_id(self.tenant_id, text.strip().lower())

    async def principal(self) -> Principal:
        """Return the acting principal.

        Raises:
            NotFoundError: the tenant has none of this name.
            PermissionDeniedError: it is not active.
        """
        found = await self.kernel.store.directory.get_principal(self.tenant_id, self.principal_id)
        if not found.active:
            raise PermissionDeniedError(f"principal {found.principal_id!r} is not active")
        return found


def settings_of(options: Options) -> Settings:
    """Return the environment's settings with what the options change."""
    settings = options.settings or Settings.from_environment()
    return settings if options.data_dir is None else replace(settings, data_dir=options.data_dir)


def serving_settings_of(options: Options) -> Settings:
    """Return the settings of a command that serves; a shorter lease gets a heartbeat and sweep that fit it."""
    settings = settings_of(options)
    if options.lease_seconds is not None:
        lease = timedelta(seconds=options.lease_seconds)
        beat = min(settings.heartbeat, lease / 4)
        settings = replace(settings, lease=lease, heartbeat=beat, sweep=min(settings.sweep, beat))
    return settings if options.secrets_file is None else replace(settings, secrets_file=options.secrets_file)


def tenant_of(options: Options, settings: Settings) -> TenantId:
    """Return the tenant to act in. It is not made if it does not exist: a typing mistake must not be a tenant."""
    return TenantId(options.tenant or settings.tenant)


@asynccontextmanager
async def open_session(
    options: Options, needs: Needs = Needs.STORE, *, settings: Settings | None = None
) -> AsyncIterator[Session]:
    """Open a kernel for one command and close it again.

    Raises:
        StoreUnavailableError, UnsafeDatabaseError: as the kernel's start.
        NotFoundError: the tenant does not exist.
    """
    chosen = settings or settings_of(options)
    configure_logs(chosen)
    has_tools = needs is not Needs.STORE
    kernel = Kernel(
        packs=installed_packs() if has_tools else [],
        tools=load_tools(options.tools) if has_tools else [],
        settings=chosen,
        has_worker=needs is Needs.WORKER,
    )
    async with progress("starting PostgreSQL"):
        await kernel.start()
    try:
        tenant_id = tenant_of(options, chosen)
        await kernel.store.directory.get_tenant(tenant_id)
        yield Session(kernel=kernel, tenant_id=tenant_id, principal_id=PrincipalId(options.principal or OPERATOR))
    finally:
        await kernel.stop()


def packs_and_tools(options: Options) -> tuple[list[Pack], list[Tool]]:
    """Return the installed packs and the tools of the files that were named; say which packs cannot be used."""
    packs, reasons = usable_packs()
    for reason in reasons:
        print(f"left out: {reason}", file=sys.stderr)
    return packs, load_tools(options.tools)


def run_in_loop(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run one command's work in a loop of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


MODULE_PREFIX: Final = "remit_tools_"


def load_tools(paths: list[Path]) -> list[Tool]:
    """Return the tools that Python files define at their top level. Loading a file runs it.

    Raises:
        SettingsInvalidError: a file cannot be loaded, or defines no tool.
    """
    return [tool for path in paths for tool in _load_file(path)]


def _load_file(path: Path) -> list[Tool]:
    spec = importlib.util.spec_from_file_location(f"{MODULE_PREFIX}{path.stem}", path)
    if spec is None or spec.loader is None:
        raise SettingsInvalidError(f"expected a Python file with tools, got {path}")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # boundary: the file is the user's, and so is the mistake in it
        raise SettingsInvalidError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error
    found = [value for name, value in vars(module).items() if not name.startswith("_") and _is_tool(value)]
    if not found:
        raise SettingsInvalidError(f"expected at least one @tool at the top level of {path}, found none")
    return found


def _is_tool(value: object) -> bool:
    return not isinstance(value, type) and hasattr(value, "contract") and hasattr(value, "call")
