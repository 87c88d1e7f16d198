"""Tasks of ``plan.json``.

Owns: reading one task.
Does not know: other tasks. Whose dependencies are said elsewhere is decided by the reader of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from remit.plans.documents import Node
from remit.plans.fields import Fields, fields_of
from remit.plans.plan import PathClaim, Place, Reference, RiskClass, TaskState, Text
from remit.plans.spectra import names
from remit.plans.spectra.assertions import read_assertion
from remit.plans.spectra.exported import words
from remit.plans.spectra.exported.values import Values
from remit.plans.spectra.ids import same_id
from remit.plans.spectra.paths import read_path, read_paths
from remit.plans.spectra.record import OtherField, Ownership, SpectraTask, Wiring
from remit.plans.spectra.tasks import check_id
from remit.plans.spectra.values import check_iterations, risk_of
from remit.plans.texts import PlanReporter


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPart:
    """A task, what ``deps`` says comes first, and the line of the document that it was exported from."""

    task: SpectraTask
    deps: tuple[Reference, ...]
    line_number: int


def read_task_part(node: Node, reporter: PlanReporter) -> TaskPart | None:
    """Return a task; ``None`` if the node is no object or has no id."""
    fields = fields_of(reporter, node, words.TASK)
    if fields is None:
        return None
    for name in ("id", "title", "status", "line_number"):
        fields.require(name)
    values = Values(fields, reporter)
    task_id = values.piece("id")
    if task_id is None or not task_id.text:
        return None
    check_id(task_id, same_id(task_id.text), values.reporter_of(task_id))
    title = values.text("title") or ""
    places = _places(fields)
    task = SpectraTask(
        id=same_id(task_id.text),
        title=title,
        description=_description(values, title),
        state=_state(fields),
        criteria=values.texts("ac"),
        files=_files(values),
        verify=_text(values, "verify"),
        risk=_risk(values),
        iterations_max=_iterations(fields, reporter),
        scope=fields.choice("scope", names.SCOPES),
        dependencies=values.references("dependencies"),
        ownership=_ownership(values),
        wiring=_wiring(fields, reporter, places),
        assertions=None
        if (found := values.pieces("assertions")) is None
        else tuple(read_assertion(one, values.reporter_of(one)) for one in found),
        others=tuple(read_others(values)),
        at=fields.key("title"),
        id_at=values.place(task_id),
        mark_at=fields.value_place("status"),
        description_at=fields.value_place("title"),
        places=places,
    )
    return TaskPart(
        task=task,
        deps=values.references("deps") or (),
        line_number=fields.integer("line_number", minimum=1, maximum=2**31) or 1,
    )


def read_others(values: Values) -> list[OtherField]:
    """Return the fields that the format does not know."""
    found: list[OtherField] = []
    for node in values.children("fields"):
        fields = fields_of(values.reporter, node, words.FIELD)
        if fields is None or not fields.require("key"):
            continue
        inner = Values(fields, values.reporter)
        items = tuple(item.text for item in inner.pieces("items") or ())
        at = fields.key("key")
        found.append(OtherField(key=inner.text("key") or "", value=inner.text("value") or "", items=items, at=at))
    return [other for other in found if other.key]


def _places(fields: Fields) -> dict[str, Place]:
    return {name: fields.value_place(field) for name, field in words.FIELD_NAMES.items() if field in fields}


def _description(values: Values, title: str) -> str | None:
    if values.fields.boolean("marked") is False:
        return None
    found = values.piece("description")
    return title if found is None else found.text


def _state(fields: Fields) -> TaskState:
    status = words.STATUSES.get(fields.choice("status", tuple(words.STATUSES)) or "", TaskState.PENDING)
    is_under_way = fields.boolean("in_progress") and status is TaskState.PENDING
    return TaskState.IN_PROGRESS if is_under_way else status


def _text(values: Values, name: str) -> Text | None:
    piece = values.piece(name)
    return None if piece is None else Text(text=piece.text, at=values.place(piece))


def _files(values: Values) -> tuple[PathClaim, ...] | None:
    piece = values.piece("files")
    return None if piece is None else read_paths(piece, values.reporter_of(piece)).claims


def _risk(values: Values) -> RiskClass | None:
    piece = values.piece("risk")
    return None if piece is None else risk_of(piece, values.reporter_of(piece), at=values.place(piece))


def _iterations(fields: Fields, reporter: PlanReporter) -> int | None:
    number = fields.integer("max_iterations", minimum=-(2**31), maximum=2**31)
    return (
        None if number is None else check_iterations(number, at=fields.value_place("max_iterations"), reporter=reporter)
    )


def _ownership(values: Values) -> Ownership | None:
    found = {name: values.pieces(name) for name in names.OWNERSHIP_KEYS}
    lists = {
        name: tuple(read_path(piece, values.reporter_of(piece)) for piece in pieces)
        for name, pieces in found.items()
        if pieces is not None
    }
    return Ownership(**lists) if lists else None


def _wiring(fields: Fields, reporter: PlanReporter, places: dict[str, Place]) -> Wiring | None:
    inner = fields.fields("wiring_proof", words.WIRING)
    if inner is None:
        return None
    values = Values(inner, reporter)
    places.update(_places(inner))
    return Wiring(
        command=_text(values, "cli"), integration=_text(values, "integration"), others=values.texts("others") or ()
    )
