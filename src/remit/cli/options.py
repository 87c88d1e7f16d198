"""The options that every command takes, wherever on the line they stand.

Owns: their declaration, and collecting them from the root and from the command.
Does not know: what commands do with them. Must stay light: it is imported for ``remit --help``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from remit.settings import Settings

Callback = Callable[..., Any]


class Format(StrEnum):
    """What goes to standard output."""

    TABLE = "table"
    JSON = "json"


@dataclass(slots=True)
class Options:
    """The shared options of one invocation; ``None`` where nothing was given.

    ``findings`` is the format that a checking command was given for its findings. ``settings`` replace those of the
    environment; for who runs commands inside a process.
    """

    format: Format = Format.TABLE
    principal: str | None = None
    tenant: str | None = None
    data_dir: Path | None = None
    tools: list[Path] = field(default_factory=list)
    lease_seconds: int | None = None
    secrets_file: Path | None = None
    until_stdin_closes: bool = False
    findings: str | None = None
    excerpts: bool = False
    strict: bool = False
    fix: bool = False
    settings: Settings | None = None

    @property
    def is_json(self) -> bool:
        """Whether standard output is for a machine."""
        return self.format is Format.JSON


def options_of(context: typer.Context) -> Options:
    """Return the shared options of this invocation."""
    options = context.obj
    assert isinstance(options, Options)
    return options


class RemitCommand(TyperCommand):
    """A command that takes the shared options, except those that it declares itself: it may know more formats."""

    def __init__(self, name: str | None, *, params: list[Any] | None = None, **rest: Any) -> None:
        own = params or []
        taken = {option for param in own for option in param.opts}
        shared = [param for param in params_of(_shared) if taken.isdisjoint(param.opts)]
        super().__init__(name, params=[*own, *shared], **rest)


class ServingCommand(RemitCommand):
    """A command that works on runs until it is stopped: the shared options and those of serving."""

    def __init__(self, name: str | None, *, params: list[Any] | None = None, **rest: Any) -> None:
        super().__init__(name, params=[*(params or []), *params_of(_serving)], **rest)


class RemitGroup(TyperGroup):
    """A group that takes the shared options before its command."""

    def __init__(self, *, params: list[Any] | None = None, **rest: Any) -> None:
        super().__init__(params=[*(params or []), *params_of(_shared)], **rest)


class Noun:
    """A noun with its verbs.

    runs = Noun("Look at runs and act on them.")

    @runs.verb("list")
    def list_runs(context: typer.Context) -> None: ...
    """

    def __init__(self, text: str) -> None:
        self.app = typer.Typer(
            help=text, cls=RemitGroup, no_args_is_help=True, rich_markup_mode=None, add_completion=False
        )
        self.app.callback()(_nothing)

    def verb(self, name: str, *, kind: type[RemitCommand] = RemitCommand) -> Callable[[Callback], Callback]:
        """Register a function as a verb."""
        return self.app.command(name, cls=kind)


def single(text: str, *, kind: type[RemitCommand] = RemitCommand) -> tuple[typer.Typer, Callable[[Callback], Callback]]:
    """Return an application of one command, and the decorator that makes a function this command."""
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    return app, app.command(help=text, cls=kind)


def _nothing() -> None:
    """Do nothing: a callback makes a group of a single verb too."""


@cache
def params_of(declaration: Callback) -> tuple[Any, ...]:
    """Return the parameters that a signature declares; typer makes them as it makes all others."""
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command()(declaration)
    return tuple(param for param in typer.main.get_command(app).params if param.name != "help")


PREFIX: Final = "shared_"
"""Keeps shared options apart from those of commands: parameters of one name would get each other's value."""


def remember(context: typer.Context, param: typer.CallbackParam, value: Any) -> Any:
    """Keep what was given for an option among those of the invocation."""
    if value:
        setattr(options_of(context), str(param.name).removeprefix(PREFIX), value)
    return value


def keep_under(prefix: str) -> Callable[[typer.Context, typer.CallbackParam, Any], Any]:
    """Return a callback that keeps what was given for an option in the invocation's ``meta``, as prefix and name."""

    def keep(context: typer.Context, param: typer.CallbackParam, value: Any) -> Any:
        if value is not None:
            context.meta[f"{prefix}{param.name}"] = value
        return value

    return keep


def _shared(
    *,
    shared_format: Annotated[
        Format | None,
        typer.Option(
            "--format", help="Print a table, or JSON with stable keys.", callback=remember, expose_value=False
        ),
    ] = None,
    shared_principal: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="PRINCIPAL",
            help="Act as this principal (default: operator).",
            callback=remember,
            expose_value=False,
        ),
    ] = None,
    shared_tenant: Annotated[
        str | None,
        typer.Option("--tenant", help="Act in this tenant (default: default).", callback=remember, expose_value=False),
    ] = None,
    shared_data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            help="Folder of the embedded PostgreSQL.",
            file_okay=False,
            callback=remember,
            expose_value=False,
        ),
    ] = None,
    shared_tools: Annotated[
        list[Path] | None,
        typer.Option(
            "--tools",
            metavar="FILE",
            help="Python file with tools of yours; may be repeated.",
            exists=True,
            dir_okay=False,
            callback=remember,
            expose_value=False,
        ),
    ] = None,
) -> None:
    """Declare the shared options."""


def _serving(
    *,
    shared_lease_seconds: Annotated[
        int | None,
        typer.Option(
            "--lease-seconds",
            min=3,
            help="How long a worker that is not heard of keeps its runs.",
            callback=remember,
            expose_value=False,
        ),
    ] = None,
    shared_secrets_file: Annotated[
        Path | None,
        typer.Option(
            "--secrets-file",
            help="Secrets per tenant, as JSON; readable by its owner alone.",
            exists=True,
            dir_okay=False,
            callback=remember,
            expose_value=False,
        ),
    ] = None,
    shared_until_stdin_closes: Annotated[
        bool,
        typer.Option(
            "--until-stdin-closes",
            help="Also stop when standard input closes: when whoever started this is gone.",
            callback=remember,
            expose_value=False,
        ),
    ] = False,
) -> None:
    """Declare the options of serving commands."""
