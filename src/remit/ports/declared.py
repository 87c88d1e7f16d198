"""Declared tools: contracts that definitions may be compiled against before anything here can call them.

Owns: the contracts of the tools that adapters of `coding` will be. An adapter is a tool with exactly this contract: its
digest is in the definitions. `remit check` knows them; a run whose tools have no adapter is refused by name.
Does not know: who implements them.

Why they promise what they promise:

- ``code.change`` writes, into a workspace under version control and nowhere else: SOFT_WRITE, it can be undone. It
  takes minutes and money, so after a crash it must not simply run again: it is recorded under our reference and looked
  up (``queryable``). Its key is the step's, not the arguments': the same order in a later iteration is another try.
- ``code.verify``, ``code.prove_wiring`` and ``code.assert`` run against a copy that is thrown away, without network:
  READ and ``pure``, run again after a crash. An adapter that cannot keep that needs a contract of its own.
- Time: an agent's change ends within half an hour or is too large for one task; a verification has an hour at most, and
  says itself how long it may take; assertions read text and have a minute. These outlast a worker's usual lease, and a
  call with an effect is sent only inside of one: an adapter starts the work and is asked for it, or leases are longer.
"""

from __future__ import annotations

from typing import Final

from remit.core.canonical import JsonValue
from remit.core.states import DeliveryClass, Idempotency, SideEffectLevel
from remit.governance.contracts import ToolContract

VERIFY_SECONDS_MAX: Final = 3_600
CHANGE_MS: Final = 30 * 60_000
VERIFY_MS: Final = (VERIFY_SECONDS_MAX + 60) * 1_000
"""The longest command, and a minute to make the copy of the workspace."""

ASSERT_MS: Final = 60_000
TEXT_CHARACTERS_MAX: Final = 20_000
TAIL_CHARACTERS_MAX: Final = 8_000
"""Of a command's output: a few screens, enough to see why it failed. The whole is named by its digest."""

ITEMS_MAX: Final = 1_000
FILES_MAX: Final = 10_000

OUTSIDE_PATTERN: Final = r"^\s*([/\\~]|[A-Za-z]:)|(^|[/\\])\s*\.\.\s*([/\\]|$)|[\u0000-\u001f]"
"""What a path has that leads out of a workspace, or may on some system."""

WORKSPACE: Final[dict[str, JsonValue]] = {
    "description": "The workspace's name; the adapter knows where it is.",
    "type": "string",
    "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
}
"""The schema of a workspace's name, here and in a run's input."""

_TEXT: Final[dict[str, JsonValue]] = {"type": "string", "minLength": 1, "maxLength": TEXT_CHARACTERS_MAX}
_TEXTS: Final[dict[str, JsonValue]] = {"type": "array", "items": _TEXT, "maxItems": ITEMS_MAX}
_PATH: Final[dict[str, JsonValue]] = {
    "description": "Relative to the workspace: a file, a directory ending in /, or a glob of *, ?, ** and {a,b}.",
    "type": "string",
    "minLength": 1,
    "maxLength": 500,
    "not": {"pattern": OUTSIDE_PATTERN},
}
PATHS: Final[dict[str, JsonValue]] = {"type": "array", "items": _PATH, "maxItems": ITEMS_MAX}
"""The schema of a list of paths; that of a run's input is the same, so that nothing is refused only when it is used."""

_PASSED: Final[dict[str, JsonValue]] = {"type": "boolean"}


def _input(properties: dict[str, JsonValue], required: list[JsonValue]) -> dict[str, JsonValue]:
    return {
        "type": "object",
        "properties": {"workspace": WORKSPACE, **properties},
        "required": ["workspace", *required],
        "additionalProperties": False,
    }


def _output(properties: dict[str, JsonValue]) -> dict[str, JsonValue]:
    return {"type": "object", "properties": properties, "required": list(properties)}


CODE_CHANGE: Final = ToolContract(
    name="code.change",
    description="Lets a coding agent change files of a workspace, within the paths that it may write.",
    input_schema=_input(
        {
            "task": _TEXT,
            "title": _TEXT,
            "objective": _TEXT,
            "criteria": _TEXTS,
            "write": {**PATHS, "minItems": 1},
            "read": PATHS,
            "denied": PATHS,
            "files_max": {"type": "integer", "minimum": 1, "maximum": FILES_MAX},
            "invariants": _TEXTS,
            "evidence_required": {
                "description": "Whether evidence that each criterion holds is left in the workspace.",
                "type": "boolean",
            },
            "feedback": {"description": "What the verification before found; null in the first iteration."},
        },
        ["task", "title", "objective", "criteria", "write", "read", "denied"],
    ),
    output_schema=_output(
        {
            "changed": {"type": "array", "items": {"type": "string"}},
            "revision": {"type": "string"},
            "summary": {"type": "string"},
        }
    ),
    side_effect_level=SideEffectLevel.SOFT_WRITE,
    delivery_class=DeliveryClass.QUERYABLE,
    idempotency=Idempotency.STEP,
    operation="change",
    timeout_ms=CHANGE_MS,
    dependency="coding_agent",
    external_reference_path="revision",
)

CODE_VERIFY: Final = ToolContract(
    name="code.verify",
    description="Runs a command against a copy of a workspace and says whether it passed.",
    input_schema=_input(
        {
            "command": _TEXT,
            "cwd": _PATH,
            "timeout_seconds": {"type": "integer", "minimum": 1, "maximum": VERIFY_SECONDS_MAX},
        },
        ["command", "timeout_seconds"],
    ),
    output_schema=_output(
        {
            "passed": _PASSED,
            "exit_code": {"type": ["integer", "null"]},
            "output_digest": {"type": "string"},
            "output_tail": {"type": "string"},
        }
    ),
    delivery_class=DeliveryClass.PURE,
    idempotency=Idempotency.NONE,
    operation="verify",
    timeout_ms=VERIFY_MS,
    dependency="sandbox",
)

CODE_PROVE_WIRING: Final = ToolContract(
    name="code.prove_wiring",
    description="Shows that what was built is reached: runs commands, and follows paths through the code.",
    input_schema=_input({"cli": _TEXTS, "integration": _TEXTS, "owns": PATHS}, ["cli", "integration", "owns"]),
    output_schema=_output(
        {
            "passed": _PASSED,
            "proofs": {
                "type": "array",
                "items": _output(
                    {
                        "kind": {"enum": ["cli", "integration"]},
                        "claim": {"type": "string"},
                        "passed": _PASSED,
                        "evidence": {"type": "string"},
                    }
                ),
            },
        }
    ),
    delivery_class=DeliveryClass.PURE,
    idempotency=Idempotency.NONE,
    operation="prove",
    timeout_ms=VERIFY_MS,
    dependency="sandbox",
)

CODE_ASSERT: Final = ToolContract(
    name="code.assert",
    description="Evaluates assertions about the text of a workspace, as SPECTRA plans write them.",
    input_schema=_input({"assertions": {**_TEXTS, "minItems": 1}}, ["assertions"]),
    output_schema=_output(
        {
            "passed": _PASSED,
            "results": {
                "type": "array",
                "items": _output({"assertion": {"type": "string"}, "passed": _PASSED, "found": {"type": "string"}}),
            },
        }
    ),
    delivery_class=DeliveryClass.PURE,
    idempotency=Idempotency.NONE,
    operation="assert",
    timeout_ms=ASSERT_MS,
    dependency="sandbox",
)

DECLARED: Final[tuple[ToolContract, ...]] = (CODE_ASSERT, CODE_CHANGE, CODE_PROVE_WIRING, CODE_VERIFY)
"""The contracts of all declared tools, by name."""
