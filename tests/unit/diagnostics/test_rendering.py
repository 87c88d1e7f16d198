"""Findings as text."""

from remit.diagnostics import Diagnostics, Reporter, Severity, Source, render_excerpts, render_plain
from remit.diagnostics.rendering import EXCERPT_WIDTH_MAX, harmless


def rendered(text: str, *, at: tuple[int, int], code: str = "FIELD_UNKNOWN") -> list[str]:
    source = Source("a.yaml", text)
    diagnostics = Diagnostics()
    Reporter(source, diagnostics).report(code, "expected x, got y", at=at)
    return render_excerpts(diagnostics, {"a.yaml": source}).splitlines()


def test_plain_form_is_one_line_for_tools() -> None:
    """
    The plain form is `file:line:column CODE message`, and says the severity if it is no error.
    """
    diagnostics = Diagnostics()
    reporter = Reporter(Source("dir/a.yaml", "a: 1\nb: 2"), diagnostics)
    reporter.report("FIELD_UNKNOWN", "expected x, got y", at=(5, 6))
    reporter.report("LINE_ENDINGS", "expected LF", at=(4, 5))

    expected = "dir/a.yaml:1:5 LINE_ENDINGS note: expected LF\ndir/a.yaml:2:1 FIELD_UNKNOWN expected x, got y\n"
    assert expected == render_plain(diagnostics)


def test_excerpt_shows_line_and_caret() -> None:
    """
    The caret line marks all characters of the finding.
    """
    assert ["a.yaml:2:1 FIELD_UNKNOWN expected x, got y", "  2 | bcd: 2", "    | ^^^"] == rendered(
        "a: 1\nbcd: 2", at=(5, 8)
    )


def test_caret_stands_under_wide_characters_and_tabs() -> None:
    """
    Tabs count four columns, wide characters two, combining ones none.
    """
    lines = rendered("\t漢e\u0301x", at=(4, 5))

    assert "    |        ^" == lines[2]
    assert lines[1].index("x") - lines[1].index("漢") == 3


def test_long_line_is_cut_around_the_finding() -> None:
    """
    A line of 10,000 characters is shown where the finding is.
    """
    lines = rendered("x" * 5_000 + "Y" + "z" * 5_000, at=(5_000, 5_001))

    assert len(lines[1]) <= EXCERPT_WIDTH_MAX + 6
    assert lines[1].index("Y") == lines[2].index("^")


def test_finding_over_several_lines_is_marked_on_the_first() -> None:
    """
    A span that goes on is marked to the end of its first line.
    """
    assert "    |    ^^" == rendered("a: [1\n2]", at=(3, 8))[2]


def test_finding_behind_the_text_has_a_caret() -> None:
    """
    What is missing at the end is shown behind it.
    """
    assert "    |     ^" == rendered("a: 1", at=(4, 5))[2]


def test_controls_of_a_file_reach_no_terminal() -> None:
    """
    Escape sequences, bidirectional marks and line ends of names are replaced.
    """
    hostile = "a\x1b[31mb\u202ec\nd\u00a0"

    assert "a\ufffd[31mb\ufffdc\ufffdd\ufffd" == harmless(hostile)
    assert "plain text é 漢" == harmless("plain text é 漢")


def test_joiners_stay_where_letters_need_them() -> None:
    """
    Persian words and emoji hold characters without width; between ASCII they would only hide something.
    """
    persian, family = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\U0001f469\u200d\U0001f4bb"

    assert persian == harmless(persian)
    assert family == harmless(family)
    assert "ab\ufffdc \ufffd\u0645" == harmless("ab\u200dc \u200c\u0645")
    assert "\x1b" not in "".join(rendered("a: \x1b[31m", at=(0, 1)))


def test_concealed_text_is_shown_by_no_finding() -> None:
    """
    A line with a secret is shown without it, also for another finding on the same line.
    """
    source = Source("a.yaml", "a: hunter2, b: [x]")
    diagnostics = Diagnostics()
    reporter = Reporter(source, diagnostics)
    reporter.report("SECRET_LITERAL", "expected a name", at=(3, 10))
    reporter.report("TYPE_WRONG", "expected y", at=(15, 18), severity=Severity.WARNING)

    text = render_excerpts(diagnostics, {"a.yaml": source})

    assert "hunter2" not in text
    assert 2 == text.count("a: *******, b: [x]")


def test_finding_of_an_unread_file_has_no_excerpt() -> None:
    """
    Without its text a finding is one line.
    """
    diagnostics = Diagnostics()
    Reporter(Source("a.yaml", "a"), diagnostics).report("FIELD_UNKNOWN", "expected x", at=(0, 1))

    assert "a.yaml:1:1 FIELD_UNKNOWN expected x\n" == render_excerpts(diagnostics, {})


def test_fix_is_told_on_one_line() -> None:
    """
    What a fix writes is shown with its line ends as signs, and a fix that writes nothing removes.
    """
    diagnostics = Diagnostics()
    reporter = Reporter(Source("a.yaml", "ab"), diagnostics)
    reporter.report("FIELD_UNKNOWN", "expected x", at=(0, 1), replacement="one\ntwo\r\n")
    reporter.report("FIELD_UNKNOWN", "expected y", at=(1, 2), replacement="")

    fixes = [line for line in render_excerpts(diagnostics, {}).splitlines() if line.startswith("  fix:")]

    assert ["  fix: write one\N{RETURN SYMBOL}two\N{RETURN SYMBOL}", "  fix: remove it"] == fixes
