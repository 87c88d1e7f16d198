"""What no tracked file may hold, and how long the pages for newcomers may be."""

import re

import pytest

from tests.style.sources import ROOT, project_files

PAGE_LINES_MAX = {"README.md": 150, "ARCHITECTURE.md": 400}
TEXT_BYTES_MAX = 2_000_000

# Written apart so that this file does not hold what it looks for.
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:wo" + r"rk/(?:main|shared)|ro" + r"ot/|ho" + r"me/\w+/|Us" + r"ers/\w+/)")
REGISTRY = re.compile(
    r"https?://[\w.@:-]*(?:py" + r"pi\.|python" + r"hosted\.|registry\.npm" + r"js\.|/sim" + r"ple\b)"
    r"|^--?(?:i|f|index-url|extra-index-url|find-links)\b",
    re.MULTILINE,
)


def read_text(path: str) -> str | None:
    """Return a file's text, or None if it is binary or too large to be ours."""
    content = (ROOT / path).read_bytes()
    if len(content) > TEXT_BYTES_MAX or b"\0" in content[:8192]:
        return None
    return content.decode("utf-8", errors="replace")


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY], ids=["machine-path", "registry"])
def test_no_file_names_a_machine_or_registry(pattern: re.Pattern[str]) -> None:
    """
    The project builds anywhere: no tracked file holds a path of one machine or the address of a package registry.
    """
    hits = [
        f"{path}:{text.count(chr(10), 0, hit.start()) + 1} {hit.group()!r}"
        for path in project_files()
        if (text := read_text(path)) is not None
        for hit in pattern.finditer(text)
    ]

    assert [] == hits


@pytest.mark.parametrize(("page", "limit"), PAGE_LINES_MAX.items(), ids=PAGE_LINES_MAX)
def test_page_is_short_enough_to_be_read(page: str, limit: int) -> None:
    """
    The pages that newcomers read first keep to their length.
    """
    path = ROOT / page
    lines = path.read_text(encoding="utf-8").count("\n") if path.exists() else 0

    assert lines <= limit


def test_decisions_are_numbered_once() -> None:
    """
    Each decision record has a number of its own, and a title that begins with it.
    """
    folder = ROOT / "docs" / "decisions"
    records = sorted(path for path in folder.glob("*.md") if path.name[:1].isdigit())
    numbers = [path.name[:4] for path in records]
    untitled = [path.name for path in records if not path.read_text(encoding="utf-8").startswith(f"# {path.name[:4]} ")]

    assert sorted(set(numbers)) == numbers
    assert [] == untitled


def test_sql_files_stay_below_limit() -> None:
    """
    A file of queries is read like code, and is as short; migrations may be longer.
    """
    queries = [path for path in project_files() if path.endswith(".sql") and "/migrations/" not in path]
    lengths = {path: (ROOT / path).read_text(encoding="utf-8").count("\n") for path in queries}

    assert {} == {path: lines for path, lines in lengths.items() if lines > 700}
