"""Tools from files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from remit.cli.app import run
from remit.cli.session import load_tools
from remit.errors import SettingsInvalidError


def test_tools_of_a_file_are_found(tmp_path: Path) -> None:
    """
    Every public tool at the top level is loaded; other names are not.
    """
    path = tmp_path / "mine.py"
    path.write_text(
        "from remit import tool\n\n"
        "@tool('mine.one')\ndef one() -> int:\n    '''One.'''\n    return 1\n\n"
        "@tool('mine.hidden')\ndef _hidden() -> int:\n    '''Hidden.'''\n    return 1\n"
    )

    assert ["mine.one"] == [tool.contract.name for tool in load_tools([path])]


@pytest.mark.parametrize(
    ("text", "words"), [("x = 1\n", "expected at least one @tool"), ("1 / 0\n", "ZeroDivisionError")]
)
def test_file_without_usable_tools_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """
    The mistake is the file's, and said as such.
    """
    path = tmp_path / "mine.py"
    path.write_text(text)

    with pytest.raises(SettingsInvalidError, match=words):
        load_tools([path])


def test_server_without_its_extra_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    The packages of the language server are an extra; without them the command names it.
    """
    monkeypatch.setitem(sys.modules, "pygls", None)
    monkeypatch.setitem(sys.modules, "pygls.lsp.server", None)
    monkeypatch.delitem(sys.modules, "remit.cli.plan_server", raising=False)

    assert 2 == run(["plan", "lsp"])
    assert "install remit with its extra: remit[lsp]" in capsys.readouterr().err
