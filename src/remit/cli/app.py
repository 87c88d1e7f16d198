"""The root command: which nouns there are, and how errors end a command.

Owns: the table of commands (loaded when first used, so that ``remit --help`` is quick), exit codes.
"""

from __future__ import annotations

import importlib
import sys
from difflib import get_close_matches
from typing import Annotated, Any, Final

import typer

from remit.cli.exit_codes import INTERRUPTED, OK, USAGE
from remit.cli.options import Options, RemitGroup
from remit.runtime.collector import look_less_often
from remit.settings import Settings

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "demo": ("remit.cli.demo", "Run a governed order here, from a signed webhook to receipts."),
    "init": ("remit.cli.init", "Write a starter folder: a remit, a tool, an orchestration."),
    "doctor": ("remit.cli.doctor", "Check this machine and the database."),
    "up": ("remit.cli.up", "Start the database, a worker and the HTTP API."),
    "down": ("remit.cli.down", "Stop what `remit up` started."),
    "worker": ("remit.cli.worker", "Work on runs until stopped."),
    "check": ("remit.cli.check", "Check documents; nothing is stored or run."),
    "plan": ("remit.cli.plan", "Check, show and compile plan documents."),
    "simulate": ("remit.cli.simulate", "Simulate an orchestration in every kind of trouble."),
    "apply": ("remit.cli.apply", "Store remit files and orchestrations."),
    "run": ("remit.cli.run", "Submit an orchestration and wait for it."),
    "runs": ("remit.cli.runs", "Look at runs and act on them."),
    "approvals": ("remit.cli.approvals", "See exactly what waits for a person, and decide."),
    "tools": ("remit.cli.tools", "Look at tools and their contracts."),
    "definitions": ("remit.cli.definitions", "Look at stored definitions."),
    "tenants": ("remit.cli.tenants", "Create, list, pause and resume tenants."),
    "principals": ("remit.cli.principals", "Create people, agents and services, and their API keys."),
    "webhooks": ("remit.cli.webhooks", "Make addresses that providers post to."),
    "events": ("remit.cli.events", "Look at inbound events, also those held."),
    "outbox": ("remit.cli.outbox", "Look at what steps published, and send it again."),
    "db": ("remit.cli.db", "Upgrade, downgrade or look at the schema."),
}
"""Each command's module (which has an ``app``) and its line in the help."""


class LazyGroup(RemitGroup):
    """Knows its commands by name and loads a module when its command is used."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the base's signature
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, loaded; ``None`` if there is none."""
        if cmd_name not in COMMANDS:
            near = get_close_matches(cmd_name, COMMANDS, n=1)
            if near and not ctx.resilient_parsing and not cmd_name.startswith("-"):
                ctx.fail(f"No such command {cmd_name!r}. Did you mean {near[0]!r}?")
            return None
        module, text = COMMANDS[cmd_name]
        command = typer.main.get_command(importlib.import_module(module).app)
        command.name = cmd_name
        command.short_help = text
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the base's signature
        """Write the table of commands without loading one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


app = typer.Typer(
    cls=LazyGroup,
    help="Remit runs agents and business workflows within their remit: what they may use, how far they may go, "
    "who must agree, and proof of everything that happened.",
    epilog="Start with `remit demo`, or `remit init` for a project of your own.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _print_version(value: bool) -> None:  # noqa: FBT001 - the form of an option's callback
    if value:
        from importlib.metadata import version

        print(f"remit {version('remit')}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options before the command."""


def main(arguments: list[str] | None = None) -> None:
    """Run one command and end the process with its exit code."""
    look_less_often()
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None, *, settings: Settings | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: Words after the program's name; ``None`` takes this process's.
        settings: Instead of those of the environment.
    """
    options = Options(settings=settings)
    command = typer.main.get_command(app)
    try:
        result = command.main(args=arguments, prog_name="remit", standalone_mode=False, obj=options)
        sys.stdout.flush()
    except typer.TyperException as error:
        return _explain_usage(error)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        return _seen_enough()
    except SystemExit as error:
        # Libraries of ours make an exit of it.
        if isinstance(error.__context__, BrokenPipeError):
            return _seen_enough()
        raise
    except Exception as error:  # boundary: the end of every command
        from remit.cli.failures import report

        return report(error, options)
    return result if isinstance(result, int) else OK


def _seen_enough() -> int:
    from remit.cli.output import let_output_go

    let_output_go()
    return OK


def _explain_usage(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    if not error.format_message() or type(error).__name__ == "NoArgsIsHelpError":
        print(context.get_help() if context is not None else error.format_message(), file=sys.stderr)
        return USAGE
    print(f"error USAGE: {error.format_message()}", file=sys.stderr)
    if context is not None:
        print(f"  try: {context.command_path} --help", file=sys.stderr)
    return USAGE
