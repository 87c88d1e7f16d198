"""Columns: which field of a task a heading of a column means.

Owns: the fields of a task table, their other names, and how well a set of columns describes tasks.
Does not know: values, except through the samples that it is given.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final

from remit.plans.task_table import languages


class TaskField(StrEnum):
    """The fields of a task, by the names of the AutoBiz form where it has them."""

    TASK_ID = "Task_ID"
    TITLE = "Title"
    DESCRIPTION = "Description"
    KIND = "Kind"
    PHASE = "Phase"
    WORKSTREAM = "Workstream"
    COMPONENT = "Component"
    SPEC_SECTION = "Spec_Section"
    REQUIREMENT_IDS = "Requirement_IDs"
    WORKFLOW_SCOPE = "Workflow_Scope"
    DELIVERABLE = "Deliverable"
    ACCEPTANCE_CRITERIA = "Acceptance_Criteria"
    VERIFICATION_METHOD = "Verification_Method"
    VERIFY = "Verify"
    TEST_CASES = "Test_Cases"
    ORACLE_TYPE = "Oracle_Type"
    PRIORITY = "Priority"
    RISK = "Risk"
    EFFORT = "Effort"
    OWNER = "Owner"
    ROLE = "Role"
    DEPENDS_ON = "Depends_On"
    BLOCKED_BY = "Blocked_By"
    BLOCKS = "Blocks"
    FILES = "Files"
    RISKS = "Risks"
    ROLLBACK = "Rollback"
    TELEMETRY = "Telemetry"
    SECURITY_NOTES = "Security_Notes"
    STATUS = "Status"
    PR_LINK = "PR_Link"
    EVIDENCE_LINK = "Evidence_Link"
    TARGET_DATE = "Target_Date"


_OTHER_NAMES: Final[Mapping[TaskField, str]] = {
    TaskField.TASK_ID: (
        "id nº taskno tasknumber tasknum no num nr number key ticket ticketid ticketno issueid issueno reference "
        "code wbs storyid itemid stepid taskref jira issuekey"
    ),
    TaskField.TITLE: (
        "taskname tasktitle tasksummary summary activity todo workitem storytitle name what headline work action "
        "whattodo whatneedstobedone"
    ),
    TaskField.DESCRIPTION: "details taskdescription objective",
    TaskField.KIND: "type tasktype issuetype",
    TaskField.PHASE: "milestone stage sprint iteration wave",
    TaskField.WORKSTREAM: "stream track area category epic",
    TaskField.COMPONENT: "components module service",
    TaskField.SPEC_SECTION: "spec specsections",
    TaskField.REQUIREMENT_IDS: (
        "requirement requirements requirementid reqs req reqid reqids satisfies tracesto coversrequirements"
    ),
    TaskField.WORKFLOW_SCOPE: "workflow workflows",
    TaskField.DELIVERABLE: "deliverables output outputs artifact artifacts produces result",
    TaskField.ACCEPTANCE_CRITERIA: "acceptance criteria donewhen definitionofdone dod successcriteria",
    TaskField.VERIFICATION_METHOD: "verification verifiedhow",
    TaskField.VERIFY: "verifycommand command verifywith",
    TaskField.TEST_CASES: "tests test testid testids testcase coveredby verifiedby",
    TaskField.ORACLE_TYPE: "oracle oracles",
    TaskField.PRIORITY: "prio pri p importance moscow",
    TaskField.RISK: "risklevel riskclass",
    TaskField.EFFORT: (
        "estimate estimates estimation size est estimatedeffort effortestimate duration days personday persondays "
        "hours originalestimate manday mandays loe tshirt tshirtsize points storypoints estdays esthours effortdays "
        "efforthours estimatedays estimatehours"
    ),
    TaskField.OWNER: (
        "owners assignee assignees assign assigned assignedto responsible who team lead dri resource resources "
        "resourcename resourcenames"
    ),
    TaskField.ROLE: "agent performedby",
    TaskField.DEPENDS_ON: (
        "dependencies dependency deps dep depends dependsupon requires after prerequisite prerequisites predecessor "
        "predecessors needs waitsfor waitingon dependenton"
    ),
    TaskField.BLOCKED_BY: "blockers blocker isblockedby inwardissuelinkblocks",
    TaskField.BLOCKS: "blocking enables unblocks successors successor requiredby outwardissuelinkblocks",
    TaskField.FILES: "file paths path touches filestouched fileschanged",
    TaskField.RISKS: "failuremodes",
    TaskField.ROLLBACK: "revert rollbackplan",
    TaskField.TELEMETRY: "observability",
    TaskField.SECURITY_NOTES: "security",
    TaskField.STATUS: ("state progress done mark taskstatus complete completed percentcomplete percentdone"),
    TaskField.PR_LINK: "pr prs pullrequest",
    TaskField.EVIDENCE_LINK: "evidence",
    TaskField.TARGET_DATE: "due duedate deadline eta target when bywhen finish enddate finishdate targetfinish",
}

_EITHER: Final = frozenset({"task", "story", "userstory", "item", "step", "issue"}) | languages.TASK_WORDS
"""Headings that mean the id or the title; what stands below decides."""

_NAME_LENGTH_MAX: Final = 40
_REMARK: Final = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")
_MARKS: Final = re.compile(r"[\W_]+")

_PLANNING: Final = frozenset({
    TaskField.DEPENDS_ON, TaskField.BLOCKED_BY, TaskField.BLOCKS, TaskField.STATUS, TaskField.EFFORT,
    TaskField.ACCEPTANCE_CRITERIA, TaskField.PRIORITY, TaskField.OWNER, TaskField.DELIVERABLE, TaskField.PHASE,
    TaskField.WORKSTREAM, TaskField.REQUIREMENT_IDS, TaskField.TEST_CASES, TaskField.VERIFY, TaskField.TARGET_DATE,
    TaskField.FILES,
})  # fmt: skip
"""Fields that say something about work to do, beside its name."""


def _names() -> dict[str, tuple[TaskField, int]]:
    """Return each name with its field and its rank among the names of it: the first is the likeliest."""
    table: dict[str, tuple[TaskField, int]] = {}
    for member in TaskField:
        names = (plain(member), *_OTHER_NAMES.get(member, "").split())
        table.update((name, (member, rank)) for rank, name in enumerate(names))
    for member in TaskField:
        for rank, name in enumerate(languages.COLUMNS.get(member, "").split(), len(table)):
            for spelling in (name, _without_accents(name)):
                table.setdefault(spelling, (member, rank))
    return table


def _without_accents(name: str) -> str:
    """Return a name without its accents, as people also write it."""
    parts = unicodedata.normalize("NFD", name)
    return "".join(character for character in parts if not unicodedata.combining(character))


def plain(name: str) -> str:
    """Return a name as it compares: without case, marks and space; ``#`` is a number."""
    # Short texts are names and values, which repeat from row to row.
    return _plain_short(name) if len(name) <= _NAME_LENGTH_MAX else _plain(name)


def _plain(name: str) -> str:
    found = _MARKS.sub("", name.casefold())
    if found == "n" and "°" in name:
        return "number"
    return found or ("number" if "#" in name or "№" in name else "")


_plain_short: Final = lru_cache(maxsize=4096)(_plain)


_NAMES: Final = _names()


def field_named(name: str) -> TaskField | None:
    """Return the field that a name means, whatever stands in it."""
    found = _NAMES.get(_key(name))
    return None if found is None else found[0]


def _key(name: str) -> str:
    """Return how a name is looked up: without what stands in parentheses behind it, such as a unit, if need be."""
    if len(name) > _NAME_LENGTH_MAX:
        return ""
    whole = plain(name)
    return whole if whole in _NAMES else plain(_REMARK.sub("", name))


def is_task_word(name: str) -> bool:
    """Whether a heading says task, story or the like: the id or the title."""
    return plain(name) in _EITHER


def mapping_of(header: Iterable[str], *, ids_in_column: frozenset[int]) -> dict[int, TaskField]:
    """Return which field each column means; of two that mean the same the one with the likelier name does.

    Args:
        header: The headings.
        ids_in_column: Columns of which most cells are ids.
    """
    names = list(header)
    found: dict[int, TaskField] = {}
    ranked = sorted(
        (_NAMES[key][1], index, _NAMES[key][0])
        for index, name in enumerate(names)
        if (key := _key(name)) in _NAMES and not is_task_word(name)
    )
    for _, index, meant in ranked:
        if meant not in found.values():
            found[index] = meant
    for index, name in enumerate(names):
        if is_task_word(name):
            wanted = TaskField.TASK_ID if index in ids_in_column else TaskField.TITLE
            if wanted not in found.values():
                found[index] = wanted
    _name_the_rest(found)
    return dict(sorted(found.items()))


def _name_the_rest(found: dict[int, TaskField]) -> None:
    """A description stands for a title, and a blocker for a dependency, where there is no other."""
    values = {meant: index for index, meant in found.items()}
    for wanted, instead in (
        (TaskField.TITLE, TaskField.DESCRIPTION),
        (TaskField.TITLE, TaskField.DELIVERABLE),
        (TaskField.DEPENDS_ON, TaskField.BLOCKED_BY),
    ):
        if wanted not in values and instead in values:
            found[values[instead]] = wanted
            values = {meant: index for index, meant in found.items()}


def planning_fields(mapping: Mapping[int, TaskField]) -> frozenset[TaskField]:
    """Return those of the columns that say something about work to do."""
    return frozenset(mapping.values()) & _PLANNING
