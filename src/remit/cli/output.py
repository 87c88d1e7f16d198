"""What commands print: JSON for machines, tables for people.

Owns: consoles, the look of tables, states and amounts. Standard output gets results only; progress and errors go to
standard error. Text from outside is made harmless for terminals before it is printed.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import orjson
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from remit.diagnostics.rendering import harmless

WIDTH_MAX: Final = 100
PROGRESS_DELAY_SECONDS: Final = 0.4
"""What is quicker than this needs no progress."""

SHORT_ID_CHARACTERS: Final = 8

STYLES: Final[dict[str, str]] = {
    "completed": "green",
    "delivered": "green",
    "approved": "green",
    "ok": "green",
    "running": "cyan",
    "ready": "cyan",
    "waiting": "yellow",
    "pending": "yellow",
    "held": "yellow",
    "warn": "yellow",
    "checkpoint": "yellow",
    "failed": "red",
    "denied": "red",
    "aborted": "red",
    "dead": "red",
    "fail": "red",
    "unknown": "bold magenta",
    "expired": "magenta",
    "skipped": "dim",
    "cancelled": "dim",
    "withdrawn": "dim",
}

_DIGITS: Final[dict[str, int]] = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""ISO 4217 minor units where they are not two."""


def print_json(body: object) -> None:
    """Print data as JSON to standard output."""
    sys.stdout.write(orjson.dumps(body, option=orjson.OPT_INDENT_2, default=str).decode() + "\n")
    sys.stdout.flush()


def stdout() -> Console:
    """Return the console of results: colours on a terminal only, at most ``WIDTH_MAX`` columns."""
    console = Console(highlight=False, markup=False, emoji=False)
    console.width = min(WIDTH_MAX, console.width) if console.is_terminal else WIDTH_MAX
    return console


def let_output_go() -> None:
    """Send what is still to be printed nowhere: whoever read it has seen enough and is gone.

    Otherwise the interpreter would complain at its end that it cannot write the rest.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def stderr() -> Console:
    """Return the console of progress and remarks."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    console.width = min(WIDTH_MAX, console.width) if console.is_terminal else WIDTH_MAX
    return console


def print_table(columns: Iterable[str], rows: Iterable[Iterable[str | Text]], *, empty: str) -> None:
    """Print rows under their headings; a heading that ends in ``>`` is of a column that is aligned right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name.rstrip(">"), justify="right" if name.endswith(">") else "left", overflow="fold")
    count = 0
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else harmless(cell) for cell in row))
        count += 1
    console = stdout()
    console.print(table if count else Text(empty, style="dim"))


def print_fields(fields: Iterable[tuple[str, str | Text | None]]) -> None:
    """Print names and values, one pair a line; ``None`` leaves a pair out."""
    pairs = [(name, value) for name, value in fields if value is not None]
    width = max((len(name) for name, _ in pairs), default=0)
    console = stdout()
    for name, value in pairs:
        line = Text.assemble((f"{name:<{width}}  ", "bold"))
        line.append_text(value if isinstance(value, Text) else Text(harmless(value)))
        console.print(line, soft_wrap=True)


def state_text(state: str) -> Text:
    """Return a state in its colour."""
    return Text.assemble((state, STYLES.get(state, "")))


def short_run(run_id: str) -> str:
    """Return the end of a run id: its beginning is the time, which runs share."""
    return run_id[-SHORT_ID_CHARACTERS:]


def short_id(text: str) -> str:
    """Return the beginning of a random id or digest."""
    return text[:SHORT_ID_CHARACTERS]


def short_receipt(receipt_id: str) -> str:
    """Return the random part of a receipt id, shortened."""
    return receipt_id.rpartition("_")[2][:SHORT_ID_CHARACTERS]


def instant(value: datetime | None) -> str:
    """Return an instant in UTC, to the second."""
    return "" if value is None else value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def time_of_day(value: datetime) -> str:
    """Return the time of day in UTC, to the second."""
    return value.astimezone(UTC).strftime("%H:%M:%S")


def clock_time(value: datetime) -> str:
    """Return the time of day in UTC, to the millisecond."""
    return value.astimezone(UTC).strftime("%H:%M:%S.%f")[:-3]


def duration(seconds: float) -> str:
    """Return a duration as people read it: ``12 ms``, ``3.4 s``, ``2 min 5 s``, ``1 h 2 min``."""
    if seconds < 1:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def usd(micros: int) -> str:
    """Return a cost, exact to the millionth; empty for none."""
    if not micros:
        return ""
    text = f"{micros / 1_000_000:.6f}".rstrip("0")
    whole, _, fraction = text.partition(".")
    return f"${whole}.{fraction.ljust(2, '0')}"


def amount(minor: int | None, currency: str | None) -> str:
    """Return an amount of money as ``409.94 USD``; empty if the receipt has none."""
    if minor is None or currency is None:
        return ""
    digits = _DIGITS.get(currency.upper(), 2)
    whole = f"{minor / 10**digits:.{digits}f}"
    return f"{whole} {currency.upper()}"


@asynccontextmanager
async def progress(what: str) -> AsyncIterator[None]:
    """Show on a terminal that something takes long, while it does."""
    console = stderr()
    if not console.is_terminal:
        yield
        return
    status = console.status(Text(f"{what} …"))

    async def show() -> None:
        await asyncio.sleep(PROGRESS_DELAY_SECONDS)
        status.start()

    showing = asyncio.create_task(show())
    try:
        yield
    finally:
        showing.cancel()
        status.stop()
