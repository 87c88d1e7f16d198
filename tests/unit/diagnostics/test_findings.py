"""The collector: each finding once, in reading order, and never too many."""

from remit.diagnostics import Diagnostic, Diagnostics, Position, Reporter, Severity, Source, Span


def finding(line: int, *, code: str = "FIELD_UNKNOWN", severity: Severity = Severity.ERROR) -> Diagnostic:
    span = Span(Position(line, 1), Position(line, 2))
    return Diagnostic(code=code, message="expected x, got y", path="a.yaml", span=span, severity=severity)


def test_findings_come_in_reading_order_and_once() -> None:
    """
    The order of reporting means nothing, and the same finding counts once.
    """
    diagnostics = Diagnostics([finding(3), finding(1), finding(3), finding(2)])

    assert [1, 2, 3] == [found.span.start.line for found in diagnostics]
    assert 3 == diagnostics.error_count


def test_warnings_do_not_block() -> None:
    """
    Only errors make a file unusable.
    """
    diagnostics = Diagnostics([finding(1, severity=Severity.WARNING), finding(2, severity=Severity.NOTE)])

    assert not diagnostics.has_errors
    assert "1 warning, 1 note" == diagnostics.summary()


def test_findings_beyond_the_limit_are_counted() -> None:
    """
    What is not kept still counts, also when collectors are joined.
    """
    many = Diagnostics((finding(line) for line in range(1, 8)), findings_max=5)
    joined = Diagnostics(many)

    assert many.is_full
    assert (5, 2, 7) == (len(joined), joined.omitted_count, joined.error_count)


def test_warnings_leave_room_for_errors() -> None:
    """
    A flood of warnings does not push out an error.
    """
    warnings = (finding(line, severity=Severity.WARNING) for line in range(1, 9))
    diagnostics = Diagnostics(warnings, findings_max=5)
    diagnostics.add(finding(20))

    assert 20 == next(found for found in diagnostics if found.severity is Severity.ERROR).span.start.line


def test_summary_names_the_first_error() -> None:
    """
    One line is enough to begin with: counts, place, code and message.
    """
    diagnostics = Diagnostics([finding(2), finding(1, severity=Severity.WARNING)])

    assert "1 error, 1 warning; first a.yaml:2:1 FIELD_UNKNOWN expected x, got y" == diagnostics.summary()


def test_json_form_has_the_same_keys_always() -> None:
    """
    A finding with a fix and related places has the keys of one without.
    """
    diagnostics = Diagnostics()
    reporter = Reporter(Source("a.yaml", "abc: 1"), diagnostics)
    reporter.report("FIELD_UNKNOWN", "one", at=(0, 3), related={"here": (5, 6)}, replacement="abd")
    reporter.report("FIELD_UNKNOWN", "two", at=(0, 3))
    data = diagnostics.to_json()
    first, second = data["findings"]  # type: ignore[misc]

    assert first.keys() == second.keys()
    assert {"message": "write abd", "replacement": "abd", "line": 1, "column": 1, "end_line": 1, "end_column": 4} == (
        first["fix"]
    )
    assert second["fix"] is None
