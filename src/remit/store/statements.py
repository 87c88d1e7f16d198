"""Named statements: the text of every query, read from ``.sql`` files.

Owns: the format of those files: ``-- name: get_run`` begins a statement, comment lines under it describe it.
Does not know: who runs them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
_MARK: Final = "-- name: "


@cache
def load_statements(name: str) -> dict[str, str]:
    """Return the statements of ``queries/<name>.sql`` by name, without their descriptions."""
    blocks = (FOLDER / "queries" / f"{name}.sql").read_text(encoding="utf-8").split(_MARK)[1:]
    statements: dict[str, str] = {}
    for block in blocks:
        title, _, body = block.partition("\n")
        lines = [line for line in body.splitlines() if not line.startswith("--")]
        assert title.strip() not in statements, f"two statements are called {title.strip()!r}"
        statements[title.strip()] = "\n".join(lines).strip().rstrip(";")
    return statements
