"""Changes in place: marks and values, and no other byte."""

import pytest

from remit.errors import UsageError
from remit.plans.plan import TaskState
from remit.plans.spectra import set_state, set_value
from tests.unit.plans.spectra.records import HEAD, SEED, TASK, record

RAW = SEED.read_bytes()


def test_mark_of_one_task_is_changed() -> None:
    """
    The mark of the named task is changed, whichever way its id is written.
    """
    changed = set_state(RAW, "3", TaskState.DONE)

    assert RAW.replace(b"- [ ] 003", b"- [x] 003") == changed


def test_state_that_is_there_changes_nothing() -> None:
    """
    A large X says done already and stays.
    """
    raw = RAW.replace(b"- [ ] 003", b"- [X] 003")

    assert raw == set_state(raw, "003", TaskState.DONE)


@pytest.mark.parametrize(
    ("field", "value", "old", "new"),
    [
        ("Risk", "low", b"- Risk: medium", b"- Risk: low"),
        ("Max-iterations", "5", b"- Max-iterations: 4", b"- Max-iterations: 5"),
        ("reads", "[]", b"reads: [docs/architecture/payments-audit.md]", b"reads: []"),
        ("Scope", "code", b"- Scope: docs", b"- Scope: code"),
    ],
)
def test_value_of_field_is_changed(field: str, value: str, old: bytes, new: bytes) -> None:
    """
    A value is replaced where it stands.
    """
    assert RAW.replace(old, new) == set_value(RAW, "005", field, value)


def test_value_is_put_where_none_is() -> None:
    """
    An empty field gets its value behind the colon.
    """
    raw = (HEAD + TASK).replace("`npm test login`", "").replace("Verify: ", "Verify:").encode()

    changed = set_value(raw, "001", "Verify", "`npm test`")

    assert b"- Verify: `npm test`\n" in changed
    assert "npm test" == (record(changed).tasks[0].verify or pytest.fail("no command")).text


@pytest.mark.parametrize(
    ("raw", "task_id", "field", "value"),
    [
        (RAW, "009", "Risk", "low"),
        (RAW, "001", "Dependencies", "Task 002"),
        (RAW, "001", "Rsk", "low"),
        (RAW, "001", "Risk", "low\n- Scope: x"),
        (RAW + b"\xff", "001", "Risk", "low"),
        (b'{"tasks": []}', "001", "Risk", "low"),
    ],
    ids=["task", "missing", "field", "lines", "bytes", "json"],
)
def test_change_that_cannot_be_made_is_refused(raw: bytes, task_id: str, field: str, value: str) -> None:
    """
    An unknown task or field, a value of two lines, JSON and a file that is no UTF-8 are refused by name.
    """
    with pytest.raises(UsageError, match="expected "):
        set_value(raw, task_id, field, value)


def test_task_without_mark_is_not_marked() -> None:
    """
    Nothing is put into a task that has no check mark.
    """
    raw = (HEAD + TASK).replace("- [ ] 001: Add login\n", "").encode()

    with pytest.raises(UsageError, match="check mark"):
        set_state(raw, "001", TaskState.DONE)
