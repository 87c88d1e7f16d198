"""Structured logs: configured once per process, from the settings.

Owns: the processors and where lines go (standard error). A line never holds bodies or secrets: who logs names facts.
"""

from __future__ import annotations

import io
import logging
import sys
from typing import Final

import structlog

from remit.settings import Settings

LEVELS: Final = logging.getLevelNamesMapping()


class _StandardError(io.TextIOBase):
    """Standard error as it is when a line is written: whoever replaced it may have put it back and closed his own."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def configure_logs(settings: Settings) -> None:
    """Send structlog's and the libraries' lines to standard error, for people or as JSON."""
    level = LEVELS[settings.log_level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if settings.log_format == "json":
        rendering: list[structlog.typing.Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    else:
        rendering = [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    logging.basicConfig(
        stream=_StandardError(), level=max(level, logging.WARNING), format="%(levelname)s %(name)s %(message)s"
    )
