"""The servers that a suite runs on: one of each version, opened when first asked for and kept until the session's end.

A version that is missing is an error, never a skip; its message says what to run.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from remit.testing.database import ScratchServer


class Servers:
    """Scratch servers by major version."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._open: dict[int, ScratchServer] = {}

    def of(self, major: int) -> ScratchServer:
        """The server of one version."""
        if major not in self._open:
            self._open[major] = self._stack.enter_context(ScratchServer(major))
        return self._open[major]


@contextmanager
def open_servers() -> Iterator[Servers]:
    """Servers for a session; they are left at its end."""
    with ExitStack() as stack:
        yield Servers(stack)
