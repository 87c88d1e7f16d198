"""One server for this folder's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from remit.testing.database import ScratchServer


@pytest.fixture(scope="session")
def server() -> Iterator[ScratchServer]:
    """Lend one embedded server to the whole session."""
    with ScratchServer() as running:
        yield running
