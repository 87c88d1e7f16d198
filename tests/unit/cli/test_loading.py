"""Tools from files."""

from __future__ import annotations

from pathlib import Path

import pytest

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
