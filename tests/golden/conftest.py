"""One server for this folder's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from remit.testing.database import ScratchServer


@pytest.fixture(scope="session")
def scratch_server() -> Iterator[ScratchServer]:
    with ScratchServer() as server:
        yield server
