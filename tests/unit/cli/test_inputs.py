"""JSON from files and command lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from remit.cli.inputs import read_json
from remit.errors import InputInvalidError, JsonSyntaxError


def test_text_and_file_are_read_alike(tmp_path: Path) -> None:
    """
    JSON text, a file that holds it and the default are told apart without an option.
    """
    path = tmp_path / "input.json"
    path.write_text('{"a": 1}')

    assert {"a": 1} == read_json('{"a": 1}', default={})
    assert {"a": 1} == read_json(str(path), default={})
    assert {"b": 2} == read_json(None, default={"b": 2})


def test_wrong_json_is_named_with_its_place(tmp_path: Path) -> None:
    """
    The message begins with file, line and column.
    """
    path = tmp_path / "input.json"
    path.write_text('{\n  "a": 1,\n}')

    with pytest.raises(JsonSyntaxError, match=r"input\.json:[23]:\d+ "):
        read_json(str(path), default={})


def test_missing_file_is_an_input_error(tmp_path: Path) -> None:
    """
    A path that cannot be read says why.
    """
    with pytest.raises(InputInvalidError, match="No such file"):
        read_json(str(tmp_path / "none.json"), default={})
