"""Errors as problem documents: one table, one form."""

from __future__ import annotations

import json
from http import HTTPStatus

import pytest

from remit import errors
from remit.api.problems import STATUS, HttpRefusalError, problem_of, status_of


def error_classes() -> list[type[errors.RemitError]]:
    """Return every class of the tree."""
    found = [value for value in vars(errors).values() if isinstance(value, type)]
    return [kind for kind in found if issubclass(kind, errors.RemitError)]


def test_table_has_every_code_once() -> None:
    """
    Each code of the error tree has its status, and the table has no other.
    """
    assert {kind.code for kind in error_classes()} == set(STATUS)


def test_families_have_their_classes_of_status() -> None:
    """
    What is the caller's fault answers 4xx; what is ours or the world's 5xx. Our own settings are not the caller's.
    """
    ours = {"SETTINGS_INVALID", "CONTRACT_INVALID"}
    for kind in error_classes():
        is_callers = issubclass(kind, errors.UsageError) and kind.code not in ours
        assert is_callers == (STATUS[kind.code] < 500), kind


@pytest.mark.parametrize("kind", [errors.InvariantViolated, errors.JournalCorruptError, errors.UnsafeDatabaseError])
def test_inner_errors_show_no_details(kind: type[errors.RemitError]) -> None:
    """
    A caller learns the code of what went wrong inside, never its words or facts.
    """
    answer = problem_of(kind("secret words", run_id="secret-run"), request_id="request-1")

    body = json.loads(bytes(answer.body))
    assert (kind.code, "request-1") == (body["code"], body["request_id"])
    assert b"secret" not in bytes(answer.body)


def test_usage_errors_show_their_facts() -> None:
    """
    What the caller can put right is told with its facts; facts never replace the standard members.
    """
    error = errors.InputInvalidError("expected a number", path="$.a", status="nonsense")

    body = json.loads(bytes(problem_of(error, request_id="r").body))

    assert ("$.a", 422, "expected a number") == (body["path"], body["status"], body["detail"])
    assert "urn:remit:error:input-invalid" == body["type"]


def test_store_that_is_away_says_when_to_come_again() -> None:
    """
    503 carries Retry-After.
    """
    answer = problem_of(errors.StoreUnavailableError("gone", retryable=True), request_id="r")

    assert (503, "1") == (answer.status_code, answer.headers["retry-after"])


def test_errors_of_packs_answer_by_their_family() -> None:
    """
    A class that the table does not know answers 400 or 500.
    """

    class PackUsageError(errors.UsageError):
        code = "PACK_USAGE"

    class PackOperationError(errors.OperationError):
        code = "PACK_OPERATION"

    assert (400, 500) == (status_of(PackUsageError("a")), status_of(PackOperationError("b")))


def test_refusals_of_http_bring_their_own_status() -> None:
    """
    What HTTP itself refuses carries status and reason.
    """
    refusal = HttpRefusalError("too large", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, reason="PAYLOAD_TOO_LARGE")

    body = json.loads(bytes(problem_of(refusal, request_id="r").body))

    assert (413, "PAYLOAD_TOO_LARGE") == (body["status"], body["code"])
