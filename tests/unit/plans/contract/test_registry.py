"""Registries of invariants: one's own ids instead of the known ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from remit.cli.app import run
from remit.cli.exit_codes import OK, USAGE
from remit.errors import UsageError
from remit.plans.contract import read_registry
from remit.plans.formats import read_plan
from remit.plans.options import PlanOptions

FANOUT = b"""{"tasks": [{"title": "Add fees", "role": "developer", "acceptance": ["stored"], "risk_class": "low",
 "max_diff_scope": 9, "invariants": ["fees_add_up"]}]}"""


def test_registry_holds_an_id_a_line(tmp_path: Path) -> None:
    """
    Blank lines and remarks say nothing.
    """
    path = tmp_path / "invariants.txt"
    path.write_text("# ours\nfees_add_up\n\n  no_fee_twice  # by the ledger\n", encoding="utf-8")

    assert frozenset({"fees_add_up", "no_fee_twice"}) == read_registry(path)


@pytest.mark.parametrize(
    "raw", [b"", b"# nothing\n", b"\xff\xfe", b"a\n" * 600_000], ids=["empty", "remark", "binary", "long"]
)
def test_what_is_no_registry_is_refused(tmp_path: Path, raw: bytes) -> None:
    """
    An empty, unreadable or endless file is a mistake of usage, and so is one that is not there.
    """
    path = tmp_path / "invariants.txt"
    path.write_bytes(raw)

    with pytest.raises(UsageError):
        read_registry(path)
    with pytest.raises(UsageError):
        read_registry(tmp_path / "absent")


def test_ids_of_a_registry_replace_the_known_ones() -> None:
    """
    With a registry its ids may be named, and only they.
    """
    ours, others = (PlanOptions(invariants=frozenset({one})) for one in ("fees_add_up", "other"))

    assert [] == list(read_plan(FANOUT, path="a", options=ours).diagnostics)
    assert ["INVARIANT_UNKNOWN"] == [
        finding.code for finding in read_plan(FANOUT, path="a", options=others).diagnostics
    ]


@pytest.mark.parametrize("command", ["check", "compile"])
def test_command_takes_a_registry(tmp_path: Path, command: str) -> None:
    """
    `--invariants FILE` holds contracts against the ids of the file.
    """
    registry, fanout = tmp_path / "ids.txt", tmp_path / "fanout.json"
    registry.write_text("fees_add_up\n", encoding="utf-8")
    fanout.write_bytes(FANOUT)

    assert USAGE == run(["plan", command, str(fanout)])
    assert OK == run(["plan", command, str(fanout), "--invariants", str(registry)])
