"""Paths of claims: which of them can mean the same file."""

from __future__ import annotations

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.plans.analysis.cells import cells_of
from remit.plans.analysis.paths import name_matches, overlap, shape_of

SAME = [
    ("a/b.ts", "./a/b.ts"),
    ("a/b.ts", "A/B.ts"),
    ("a/b", "a/b/"),
    ("a//b", "a/./b"),
    ("a/b", "c/../a/b"),
    ("a\\b", "a/b"),
    ("caf\u00e9", "cafe\u0301"),
]
MEETING = [
    ("a/", "**/c.ts"),
    ("a/*.ts", "a/b.ts"),
    ("a/*.ts", "a/"),
    ("a/**", "a/b/c.ts"),
    ("a/**/c.ts", "a/c.ts"),
    ("**/c.ts", "a/b/c.ts"),
    ("a/**/x/*.ts", "a/b/**/y.ts"),
    ("a/b*d", "a/*cd"),
    ("a/{b,c}.ts", "a/c.ts"),
    ("{a,{b,c}}/x", "c/x"),
    ("a/?.ts", "a/b.ts"),
    ("*/", "a/b/c"),
    ("app/[id]/page.tsx", "app/[id]/page.tsx"),
]
APART = [
    ("a/b", "a/bc"),
    ("a/*.ts", "a/b/c.ts"),
    ("a/*.ts", "a/b.js"),
    ("a/**/c.ts", "a/b/c.js"),
    ("a/{b,c}.ts", "a/d.ts"),
    ("a/?.ts", "a/bc.ts"),
    ("app/[id]/page.tsx", "app/i/page.tsx"),
    ("a/b*d", "a/*c"),
    ("src/**", "test/a.ts"),
    ("**/*.test.ts", "src/a.ts"),
    ("**/*.ts", "Makefile"),
]
CONTAINED = [("a", "a/b/c.ts"), (".", "a/b"), ("a", "a/*.ts"), ("a", "a/**"), ("a.d", "a.d/b")]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_path_are_one_cell(one: str, other: str) -> None:
    """
    Dots, case, separators and trailing slashes make no other path.
    """
    cells = cells_of([one, other])

    assert 1 == len(cells.shapes)


@pytest.mark.parametrize(("one", "other"), MEETING)
def test_paths_that_mean_one_file_meet(one: str, other: str) -> None:
    """
    Paths meet if some file is meant by both, whichever is first, and whichever way they are compared.
    """
    cells = cells_of([one, other])

    assert overlap(shape_of(one), shape_of(other))
    assert overlap(shape_of(other), shape_of(one))
    assert cells.meets(cells.number[one], cells.number[other])
    assert cells.meets(cells.number[other], cells.number[one])


@pytest.mark.parametrize(("one", "other"), [*SAME, *CONTAINED])
def test_path_meets_what_is_written_below_it(one: str, other: str) -> None:
    """
    A path is a directory if another path, or the fixed part of a glob, is below it.
    """
    cells = cells_of([one, other])

    assert cells.meets(cells.number[one], cells.number[other])
    assert cells.meets(cells.number[other], cells.number[one])


def test_path_is_a_directory_for_all_if_one_claim_shows_it() -> None:
    """
    Whether a glob has matches below a path without slash depends on whether the plan shows that it is a directory.
    """
    alone = cells_of(["lib/audit", "**/*.ts"])
    shown = cells_of(["lib/audit", "**/*.ts", "lib/audit/readme.md"])

    assert not alone.meets(alone.number["lib/audit"], alone.number["**/*.ts"])
    assert shown.meets(shown.number["lib/audit"], shown.number["**/*.ts"])


@pytest.mark.parametrize(("one", "other"), APART)
def test_paths_without_common_file_do_not_meet(one: str, other: str) -> None:
    """
    Paths that no file has in common are apart.
    """
    cells = cells_of([one, other])

    assert not overlap(shape_of(one), shape_of(other))
    assert not cells.meets(cells.number[one], cells.number[other])


PARTS = st.text(alphabet="ab*?", min_size=1, max_size=5)
PATTERNS = st.tuples(
    st.lists(st.sampled_from(("**", "*", "a", "b", "a*", "?b", "ab")), max_size=3), st.sampled_from(("**", "*", "?b"))
).map(lambda drawn: "/".join((*drawn[0], drawn[1])))
PLAIN = st.lists(st.sampled_from(("a", "b", "ab")), min_size=1, max_size=4).map(lambda parts: "/".join(parts) + "/")


@given(PARTS, st.text(alphabet="ab", min_size=1, max_size=6))
def test_name_matches_as_the_standard_library_has_it(part: str, name: str) -> None:
    """
    Within one part of a path, `*` and `?` mean what they mean in `fnmatch`.
    """
    assert bool(re.fullmatch(fnmatch.translate(part), name)) == name_matches(part, name)


@given(st.lists(PATTERNS | PLAIN, min_size=2, max_size=6, unique=True))
def test_cells_meet_as_paths_compared_one_by_one(paths: list[str]) -> None:
    """
    The quick comparison of many paths finds what comparing all with all finds; directories are written with a slash.
    """
    cells = cells_of(paths)

    assert cells.is_complete
    for one in paths:
        for other in paths:
            expected = overlap(shape_of(one), shape_of(other))
            assert expected == cells.meets(cells.number[one], cells.number[other]), (one, other)


@given(PATTERNS, PATTERNS, st.lists(st.sampled_from(("a", "b", "ab", "ba")), min_size=1, max_size=5))
def test_file_of_both_patterns_makes_them_meet(one: str, other: str, file: list[str]) -> None:
    """
    A file that each of two patterns means proves that they meet, and a pattern meets the files that it means alone.
    """
    parts = (one.split("/"), other.split("/"))
    both = [means(pattern, file) for pattern in parts]

    assert overlap(shape_of(one), shape_of(other)) or not all(both)
    assert both[0] == overlap(shape_of(one), shape_of("/".join(file)))


def means(parts: list[str], file: list[str]) -> bool:
    """Return whether a pattern means a file, by trying out what each `**` stands for."""
    if not parts:
        return not file
    if parts[0] == "**":
        return any(means(parts[1:], file[start:]) for start in range(len(file) + 1))
    return bool(file) and fnmatch.fnmatchcase(file[0], parts[0]) and means(parts[1:], file[1:])
