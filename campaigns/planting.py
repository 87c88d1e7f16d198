"""Planted bugs: a copy of the sources in which one promise is broken, and a process that runs with it.

Owns: what a planted bug is, copying and editing the sources, and the environment that puts the copy first.
Does not know: which test is to find a bug.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SOURCES: Final = Path(__file__).resolve().parents[1] / "src"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """One edit that breaks one promise: in ``file``, relative to ``src``, ``old`` becomes ``new``.

    ``old`` stands there exactly once, so that a bug whose place has changed is noticed instead of planted nowhere.
    """

    name: str
    file: str
    old: str
    new: str


def plant(folder: Path, *bugs: Bug) -> dict[str, str]:
    """Copy the sources into an empty folder, plant bugs, and return the environment for a process that has them.

    Raises:
        ValueError: a bug's place is not there exactly once.
    """
    copy = folder / "src"
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for bug in bugs:
        path = copy / bug.file
        text = path.read_text(encoding="utf-8")
        found = text.count(bug.old)
        if found != 1:
            raise ValueError(f"bug {bug.name}: expected {bug.old!r} once in {bug.file}, found it {found} times")
        path.write_text(text.replace(bug.old, bug.new), encoding="utf-8")
    paths = [str(copy), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONDONTWRITEBYTECODE": "1"}
