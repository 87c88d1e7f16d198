"""What the demo plays on: its folder, its processes, and what it says.

Owns: starting and ending processes, running commands as a person would, and claims: each is checked, and one that does
not hold ends the demo.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import secrets
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from remit.cli.app import run
from remit.cli.output import stdout
from remit.clock import monotonic
from remit.errors import InvariantViolated, OperationError, SettingsInvalidError
from remit.settings import Settings
from remit.store import EmbeddedServer, Lifetime

MARKER: Final = "made-by-remit-demo"
READY_SECONDS_MAX: Final = 30.0
STOP_SECONDS_MAX: Final = 10.0
POLL_SECONDS: Final = 0.02
CLEAN: Final = (
    "DATABASE_URL", "DATABASE_APP_URL", "REMIT_DATA_DIR", "REMIT_TENANT", "REMIT_SECRETS_FILE", "REMIT_ALLOW_UNSAFE",
    "REMIT_LOG_FORMAT", "REMIT_LOG_LEVEL", "REMIT_HOST", "REMIT_PORT", "REMIT_LEASE_SECONDS", "REMIT_HEARTBEAT_SECONDS",
)  # fmt: skip
"""What the demo's processes shall not inherit: it never touches a database of yours."""

Found = TypeVar("Found")


class ClaimFailedError(InvariantViolated):
    """Something is not as the demo claims."""

    code = "CLAIM_FAILED"


class DemoProcessError(OperationError):
    """A process of the demo did not start, or took too long."""

    code = "DEMO_PROCESS_FAILED"


@dataclass(slots=True)
class Child:
    """A process of the demo, and what it said when it was ready."""

    name: str
    process: Process
    ready: dict[str, Any]

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self.process.pid

    async def kill(self) -> None:
        """End it as a power cut would: no handler runs, nothing is handed back."""
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> None:
        """End it in good order."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await self.process.wait()
        except TimeoutError:
            await self.kill()


@dataclass(slots=True)
class Answer:
    """What a command said."""

    exit_code: int
    output: str
    errors: str


@dataclass(slots=True)
class Stage:
    """The demo's folder and processes."""

    folder: Path
    settings: Settings
    console: Console = field(default_factory=stdout)
    children: list[Child] = field(default_factory=list)
    claims: int = 0
    began: float = field(default_factory=monotonic)

    # --- saying -------------------------------------------------------------------------------------------------------

    def act(self, title: str) -> None:
        """Begin a part of the story."""
        self.console.print()
        self.console.print(Rule(Text(title, style="bold"), align="left", characters="─", style="dim"))

    def say(self, text: str) -> None:
        """Tell in plain words what happens."""
        self.console.print(Text(text), width=self.console.width)

    def claim(self, text: str, *, holds: bool, evidence: object = None) -> None:
        """Say what is true, after checking it.

        Raises:
            ClaimFailedError: it is not.
        """
        if not holds:
            self.console.print(Text(f"  ✗ {text}", style="bold red"))
            raise ClaimFailedError(f"not as claimed: {text}", evidence=evidence)
        self.claims += 1
        self.console.print(Text.assemble(("  ✓ ", "green"), text))

    # --- commands -----------------------------------------------------------------------------------------------------

    async def type(self, *words: str, shows: bool = True) -> Answer:
        """Run a command of ours as a person would, showing it and what it prints.

        It runs in a thread of this process, which spares a second of start-up each; its words and its code are those
        of the installed program.
        """
        answer = await asyncio.to_thread(_run, self, words)
        if shows:
            self.console.print()
            line = f"remit {' '.join(map(_shell, words))}".replace(f"{self.folder}/", "")
            self.console.print(Text.assemble(("$ ", "dim"), (line, "bold")), soft_wrap=True)
            for text in (answer.output + answer.errors).rstrip().splitlines():
                self.console.print(Text.from_ansi(text), soft_wrap=True)
            self.console.print()
        return answer

    async def must(self, *words: str, shows: bool = True) -> Answer:
        """Run a command that has to succeed."""
        answer = await self.type(*words, shows=shows)
        if answer.exit_code != 0:
            raise DemoProcessError(f"remit {' '.join(words)} ended with {answer.exit_code}: {answer.errors.strip()}")
        return answer

    # --- processes ----------------------------------------------------------------------------------------------------

    async def start(self, name: str, *words: str) -> Child:
        """Start a process that says in one line of JSON when it is ready, and that ends with this one."""
        log = (self.folder / f"{name}.log").open("wb")
        try:
            process = await asyncio.create_subprocess_exec(
                *_clean_environment(), sys.executable, *words, stdin=PIPE, stdout=PIPE, stderr=log
            )
        finally:
            log.close()
        assert process.stdout is not None
        try:
            async with asyncio.timeout(READY_SECONDS_MAX):
                said = await _read_json(process.stdout)
        except TimeoutError as error:
            process.kill()
            raise DemoProcessError(f"{name} was not ready after {READY_SECONDS_MAX:.0f} s; see {log.name}") from error
        if said is None:
            raise DemoProcessError(f"{name} ended before it was ready; see {log.name}")
        child = Child(name=name, process=process, ready=said)
        self.children.append(child)
        return child

    async def until(self, what: str, ask: Callable[[], Awaitable[Found | None]], *, seconds: float = 20.0) -> Found:
        """Return what ``ask`` finds, asking again until it finds something.

        Raises:
            ClaimFailedError: it found nothing in time.
        """
        deadline = monotonic() + seconds
        while monotonic() < deadline:
            found = await ask()
            if found is not None:
                return found
            await asyncio.sleep(POLL_SECONDS)
        raise ClaimFailedError(f"expected within {seconds:.0f} s: {what}")

    async def close(self) -> None:
        """End all processes, last one first."""
        for child in reversed(self.children):
            await child.stop()
        self.children.clear()


def prepare_folder(folder: Path) -> list[Path]:
    """Make an empty folder for a demo; one that an earlier demo made is moved aside, any other is refused.

    Returns:
        What was moved aside, now or by demos that were interrupted: to be removed while the demo runs.

    Raises:
        SettingsInvalidError: the folder holds something that no demo made.
    """
    aside = f".{folder.name}-old-"
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).exists():
            raise SettingsInvalidError(f"expected an empty folder or one of an earlier demo, got {folder}")
        if any(folder.glob("postgresql-*")):
            EmbeddedServer(folder, lifetime=Lifetime.OWNED).stop()
        folder.rename(folder.with_name(f"{aside}{secrets.token_hex(4)}"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).touch()
    return [path for path in folder.parent.glob(f"{aside}*") if (path / MARKER).exists()]


def write_secrets(folder: Path, names: Mapping[str, str]) -> tuple[Path, dict[str, str]]:
    """Write random secrets of the demo's tenant, each after its prefix, into a file that only its owner can read."""
    values = {name: f"{prefix}{secrets.token_hex(16)}" for name, prefix in names.items()}
    path = folder / "secrets.json"
    path.touch(mode=0o600)
    path.write_bytes(orjson.dumps({"default": values}))
    return path, values


async def _read_json(stream: asyncio.StreamReader) -> dict[str, Any] | None:
    """Return the JSON object that a process prints first, on one line or several; ``None`` if it ends before."""
    text = b""
    while line := await stream.readline():
        text += line
        with contextlib.suppress(orjson.JSONDecodeError):
            said: dict[str, Any] = orjson.loads(text)
            return said
    return None


class _Screen(io.StringIO):
    """What a command prints, with colours where a person watches."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


def _run(stage: Stage, words: tuple[str, ...]) -> Answer:
    output, errors = (_Screen(is_terminal=stage.console.is_terminal) for _ in range(2))
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        exit_code = run([*words, "--data-dir", str(stage.folder)], settings=stage.settings)
    return Answer(exit_code=exit_code, output=output.getvalue(), errors=errors.getvalue())


def _clean_environment() -> list[str]:
    return ["env", *(word for name in CLEAN for word in ("-u", name))]


def _shell(word: str) -> str:
    is_plain = word and all(character.isalnum() or character in "-_./:=@" for character in word)
    return word if is_plain else f"'{word}'"
