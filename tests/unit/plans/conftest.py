"""Tools that documents of these tests call."""

import pytest

from remit.governance.contracts import ToolContract
from tests.unit.plans.tools import TOOLS


@pytest.fixture
def contracts() -> dict[str, ToolContract]:
    """Return the tools by name."""
    return dict(TOOLS)
