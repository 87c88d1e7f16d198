"""Findings as workflow commands."""

import re

from remit.diagnostics import Diagnostics, Reporter, Severity, Source, render_github
from tests.unit.diagnostics.catalogue import examples

COMMAND = re.compile(r"::(error|warning|notice) ((?:[A-Za-z]+=[^,:\r\n]*,?)+)::([^\r\n]*)")


def test_finding_is_a_command_with_its_place() -> None:
    """
    A finding on one line has columns, and the code is the title.
    """
    diagnostics = Diagnostics()
    Reporter(Source("a.md", "x: 1"), diagnostics).report("TYPE_WRONG", "expected y", at=(3, 4))

    expected = "::error file=a.md,line=1,endLine=1,col=4,endColumn=5,title=TYPE_WRONG::expected y\n"
    assert expected == render_github(diagnostics)


def test_finding_over_several_lines_has_no_columns() -> None:
    """
    GitHub refuses columns of a place that goes over several lines.
    """
    diagnostics = Diagnostics()
    Reporter(Source("a.md", "x: [\n]"), diagnostics).report("TYPE_WRONG", "expected y", at=(3, 6))

    assert "::error file=a.md,line=1,endLine=2,title=TYPE_WRONG::expected y\n" == render_github(diagnostics)


def test_what_means_something_to_github_is_escaped() -> None:
    """
    A name or message cannot end its property or command, or begin another one.
    """
    diagnostics = Diagnostics()
    reporter = Reporter(Source("a,b:c%\n.md", "x"), diagnostics)
    reporter.report("TYPE_WRONG", "expected 100%\n::error::x, y: z", at=(0, 1), severity=Severity.NOTE)

    (command,) = render_github(diagnostics).splitlines()

    assert command.startswith("::notice file=a%2Cb%3Ac%25%0A.md,line=1,")
    assert command.endswith("::expected 100%25\ufffd::error::x, y: z")


def test_related_places_and_fix_are_lines_of_the_message() -> None:
    """
    What an annotation has no field for stands below its message.
    """
    diagnostics = Diagnostics()
    reporter = Reporter(Source("a.md", "abc\nabd"), diagnostics)
    reporter.report("TYPE_WRONG", "expected y", at=(0, 3), related={"first here": (4, 7)}, replacement="abd")

    assert render_github(diagnostics).endswith("::expected y%0Afirst here, line 2%0Afix: write abd\n")


def test_findings_of_every_example_are_commands() -> None:
    """
    Whatever the checker can find, each finding is one command on one line.
    """
    for code, example in examples().items():
        lines = render_github(example.findings).splitlines()

        assert len(example.findings) == len(lines), code
        assert all(COMMAND.fullmatch(line) for line in lines), code
