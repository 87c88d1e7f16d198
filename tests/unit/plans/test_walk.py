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


@pytest.mark.parametrize(("words", "shown"), BLOCK.findall(PAGE.read_text(encoding="utf-8")))
def test_page_shows_what_its_commands_print(
    words: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Each command of the page prints what stands below it, and ends well.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.md").write_bytes(SEED.read_bytes())

    assert 0 == run(shlex.split(words))

    told = capsys.readouterr()
    assert shown.splitlines() == [line.rstrip() for line in (told.out + told.err).splitlines()]
