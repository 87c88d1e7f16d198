"""A server for measuring: its folder, and that nothing of it is left."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from remit.store.embedded import EmbeddedServer


@contextmanager
def server_folder() -> Iterator[Path]:
    """Return a folder for the server's data; its user can reach it also when we are root. Leaves no server behind."""
    with tempfile.TemporaryDirectory(prefix="remit-bench-", ignore_cleanup_errors=True) as name:
        parent = Path(name)
        parent.chmod(0o755)
        yield parent / "data"
        EmbeddedServer(parent / "data").stop()
