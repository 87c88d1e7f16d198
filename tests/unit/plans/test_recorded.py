"""Orchestrations that were stored before loops, gates and principals were known compile to the same bytes."""

from pathlib import Path

import pytest

from remit.bootstrap import installed_packs
from remit.cli.session import load_tools
from remit.core.definition import definition_digest, encode_definition
from remit.plans.orchestration import compile_orchestration
from remit.tools.builtin import registry_with

ROOT = Path(__file__).parents[3]
RECORDED = {
    "examples/first_tool/hello.yaml": "dd2c65273fb30f545c154be8368c77e471e99d58de1e344bad8d0b2196023725",
    "src/remit_commerce/workflows/order_fulfilment.yaml": (
        "0f57f864b1fb7f50696071d88dd2b2528eb80640818b640a64c60aed221a0a27"
    ),
}
"""Digests as the version before computed them."""


@pytest.mark.parametrize("path", RECORDED)
def test_known_orchestration_has_its_recorded_digest(path: str) -> None:
    """
    Runs, approvals and journals name definitions by their digest, so it must not move.
    """
    tools = [tool for pack in installed_packs() for tool in pack.tools]
    registry = registry_with([*tools, *load_tools([ROOT / "examples/first_tool/tools.py"])])
    result = compile_orchestration((ROOT / path).read_bytes(), path=path, contracts=registry)
    assert result.definition is not None

    assert RECORDED[path] == definition_digest(encode_definition(result.definition))
