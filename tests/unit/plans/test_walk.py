"""docs/plans.md: what its commands print is what it shows."""

import re
import shlex
from pathlib import Path

import pytest

from remit.cli.app import run

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "plans.md"
SEED = ROOT / "tests" / "plans" / "seeds" / "spectra-payments-audit-plan.md"
BLOCK = re.compile(r"```console\n\$ remit ([^\n]*)\n(.*?)```", re.DOTALL)


def test_page_shows_what_its_commands_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Each command of the page, one after the other, prints what stands below it, and ends well.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.md").write_bytes(SEED.read_bytes())
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))

    told = [(run(shlex.split(words)), capsys.readouterr()) for words, _ in blocks]

    assert len(blocks) >= 4
    assert {0} == {code for code, _ in told}
    for (_, shown), (_, said) in zip(blocks, told, strict=True):
        assert shown.splitlines() == [line.rstrip() for line in (said.out + said.err).splitlines()]
