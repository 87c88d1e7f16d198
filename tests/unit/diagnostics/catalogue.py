"""The catalogue of findings: each code with an example, and what the checker says of it.

Owns: running the checker on the examples, and the page made of them. Run as a module to write the page.
Does not know: the codes. ``examples/CODE.md`` (or ``.json``, ``.yaml``) is the example of a code;
``examples/CODE.level-2.md`` is read with ``--level 2``; ``examples/CODE/`` holds several files checked together.
"""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from remit.cli.fixing import Fixing
from remit.core.definition import Definition, ToolStep
from remit.diagnostics import Diagnostic, Diagnostics, Explanation, Reporter, Source, render_excerpts
from remit.governance.compile_checks import check_definition
from remit.governance.findings import Finding
from remit.governance.policy import BusinessConfig
from remit.governance.tool_checks import check_repeated_call
from remit.ids import Digest, StepId
from remit.plans.codes import ALL_CODES, PLAN_GROUPS
from remit.plans.compiling import compile_plan
from remit.plans.formats import read_plan, read_plan_file
from remit.plans.kinds import check_document, check_file
from remit.plans.options import PlanOptions
from remit.plans.queue import check_queue
from remit.plans.texts import PlanReporter
from remit.tools.builtin import registry_with
from tests.unit.plans.tools import TOOLS

EXAMPLES = Path(__file__).with_name("examples")
PENDING = EXAMPLES / "PENDING"
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "diagnostics.md"

FINDINGS_SHOWN_MAX = 2
_COMPILE = "COMPILE_"
"""Codes that begin like this are reported when a plan is compiled."""
LINES_SHOWN_MAX = 40
HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")

INTRODUCTION = """\
# Diagnostics

What `remit check` and `remit plan check` may find in a file. Each finding has a place, a code and a message
that says what was expected, what was found and what to do. An **error** blocks, a **warning** is likely a
mistake and blocks with `--strict`, a **note** only informs. Codes keep their meaning.

Every example is the smallest text that causes the finding, and what follows it is what the checker says of it.
Characters that cannot be seen are written as escapes. Orchestrations in the examples use four tools:
`shop.order.get` reads an order, `mail.send` sends mail, `pay.refund` moves money, `ledger.post` books.

This page is made from the tables of codes and from `tests/unit/diagnostics/examples`."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """The example of a code: its files by name, the words of the command, what the checker says, and the checker."""

    files: Mapping[str, bytes]
    command: str
    findings: Diagnostics
    sources: Mapping[str, Source] = field(default_factory=dict)
    check: Callable[[bytes], tuple[Source | None, Diagnostics]] = field(default=lambda _: (None, Diagnostics()))

    def of_code(self, code: str) -> list[Diagnostic]:
        """Return the findings that the example is there for."""
        return [finding for finding in self.findings if finding.code == code]


def pending() -> set[str]:
    """Return the codes that have no example yet."""
    return set(PENDING.read_text(encoding="utf-8").split()) if PENDING.exists() else set()


@cache
def examples() -> dict[str, Example]:
    """Return the example of each code that has one."""
    found = {code: make() for code, make in MADE.items()}
    for path in sorted(EXAMPLES.iterdir()):
        if path != PENDING:
            code, _, option = path.name.removesuffix(path.suffix).partition(".")
            found[code] = _stored(code, path, option)
    return found


def page() -> str:
    """Return the reference page: every code of every group."""
    known = examples()
    parts = [INTRODUCTION]
    for group in dict.fromkeys(explanation.group for explanation in ALL_CODES.values()):
        parts.append(f"## {group}")
        for explanation in ALL_CODES.values():
            if explanation.group == group:
                parts += _section(explanation, known.get(explanation.code))
    return "\n\n".join(parts) + "\n"


def _section(explanation: Explanation, example: Example | None) -> list[str]:
    parts = [f"### {explanation.code}", f"*{explanation.severity.value.capitalize()}.* {explanation.text}"]
    if example is None:
        return parts
    for name, raw in example.files.items():
        if len(example.files) > 1:
            parts.append(f"`{name}`:")
        parts.append(_fenced(_shown(raw), Path(name).suffix.removeprefix(".")))
    found = example.of_code(explanation.code)
    said = render_excerpts(found[:FINDINGS_SHOWN_MAX], example.sources)
    command = f"$ {example.command}\n" if example.command else ""
    return [*parts, _fenced(command + said, "text")]


def _shown(raw: bytes) -> str:
    """Return a file's text with what cannot be seen as escapes, and only the beginning of a long one."""
    text = raw.decode(errors="backslashreplace")
    text = HIDDEN.sub(lambda found: ascii(found.group())[1:-1], text)
    lines = [line if len(line) <= 160 else f"{line[:120]}… ({len(line)} characters)" for line in text.split("\n")]
    if len(lines) > LINES_SHOWN_MAX:
        lines[LINES_SHOWN_MAX // 2 :] = [f"… ({len(lines) - LINES_SHOWN_MAX // 2} more lines)"]
    return "\n".join(lines)


def _fenced(text: str, language: str) -> str:
    longest = max((len(found) for found in re.findall(r"^\s*(`{3,})", text, re.MULTILINE)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _stored(code: str, path: Path, option: str) -> Example:
    """Return the example that stands in a file or folder."""
    if path.is_dir():
        files = {file.name: file.read_bytes() for file in sorted(path.iterdir())}
        return _of_queue(files) if ALL_CODES[code].group in PLAN_GROUPS else _of_files(files)
    if code.startswith(_COMPILE):
        return _of_compiling(f"plan{path.suffix}", path.read_bytes())
    is_plan = path.suffix == ".md" or ALL_CODES[code].group in PLAN_GROUPS
    if is_plan:
        return _of_plan(f"plan{path.suffix}", path.read_bytes(), option)
    return _of_files({f"document{path.suffix}": path.read_bytes()})


def _of_plan(name: str, raw: bytes, option: str) -> Example:
    word, _, value = option.partition("-")
    if word not in {"", "level"}:
        raise ValueError(f"expected CODE.level-N{Path(name).suffix}, got {option!r}")
    options = PlanOptions(level=int(value) if word else None)

    def check(text: bytes) -> tuple[Source | None, Diagnostics]:
        reading = read_plan(text, path=name, options=options)
        return reading.source, reading.diagnostics

    source, findings = check(raw)
    words = f" --level {value}" if word else ""
    return Example(
        files={name: raw},
        command=f"remit plan check{words} {name} --excerpts",
        findings=findings,
        sources={} if source is None else {name: source},
        check=check,
    )


def _of_queue(files: Mapping[str, bytes]) -> Example:
    """Return the example of plans checked together."""
    readings = [read_plan(raw, path=name) for name, raw in files.items()]
    check_queue(readings)
    findings = Diagnostics()
    for reading in readings:
        findings.extend(reading.diagnostics)
    return Example(
        files=files,
        command=f"remit plan check {' '.join(files)} --excerpts",
        findings=findings,
        sources={reading.path: reading.source for reading in readings if reading.source is not None},
    )


def _of_compiling(name: str, raw: bytes) -> Example:
    reading = read_plan(raw, path=name)
    assert reading.text is not None
    assert reading.plan is not None
    assert reading.analysis is not None
    reporter = PlanReporter(reading.text, reading.diagnostics)
    compile_plan(reading.plan, reading.analysis, reporter=reporter, contracts=registry_with([]))
    return Example(
        files={name: raw},
        command=f"remit plan compile {name}",
        findings=reading.diagnostics,
        sources={name: reading.text.source},
    )


def _of_files(files: Mapping[str, bytes]) -> Example:
    """Return the example of documents checked together: orchestrations are held against a remit file among them."""
    checked = [check_document(raw, path=name, contracts=TOOLS) for name, raw in files.items()]
    policy = next((one.compiled for one in checked if isinstance(one.compiled, BusinessConfig)), None)
    if policy is not None:
        checked = [check_document(raw, path=name, contracts=TOOLS, policy=policy) for name, raw in files.items()]
    findings = Diagnostics()
    for one in checked:
        findings.extend(one.diagnostics)

    def check(text: bytes) -> tuple[Source | None, Diagnostics]:
        one = check_document(text, path=next(iter(files)), contracts=TOOLS, policy=policy)
        return one.source, one.diagnostics

    return Example(
        files=files,
        command=f"remit check {' '.join(files)} --excerpts",
        findings=findings,
        sources={one.path: one.source for one in checked if one.source is not None},
        check=check,
    )


def _too_large() -> Example:
    return _of_files({"document.yaml": b"name: fine\nversion: 1.0.0\n# " + b"more and more " * 300_000})


def _unreadable() -> Example:
    found = check_file("missing.yaml", contracts=TOOLS).diagnostics
    found.extend(read_plan_file("missing.yaml").diagnostics)
    return Example(files={}, command="remit check missing.yaml --excerpts", findings=found)


def _unfixed() -> Example:
    raw = "# SPECTRA Execution Plan\n\n## Project: Café\n## Level: **0**\n".encode("latin-1")
    shown, fixing = "plan.md", Fixing()

    def check(text: bytes) -> tuple[Source | None, Diagnostics]:
        reading = read_plan(text, path=shown)
        return reading.source, reading.diagnostics

    fixing.fix(EXAMPLES / shown, raw, shown=shown, check=check)
    command = f"remit plan check --fix {shown} --excerpts"
    return Example(files={shown: raw}, command=command, findings=Diagnostics(fixing.unfixed))


def _limit_exceeded() -> Example:
    trigger = b'  - {event: shop.paid, key: "${{ event.id }}"}\n'
    head = b"name: fine\nversion: 1.0.0\nsteps:\n  - {id: a, tool: mail.send}\ntriggers:\n"
    return _of_files({"document.yaml": head + trigger * 101})


def _contract_changed() -> Example:
    text = '{"id": "a", "tool": "mail.send", "tool_version": "1.0.0", "contract_digest": "sha256:0000"}'
    step = ToolStep(id=StepId("a"), tool="mail.send", tool_version="1.0.0", contract_digest=Digest("sha256:0000"))
    definition = Definition(name="fine", version="1.0.0", steps=(step,))
    return _of_record(text, "tool", check_definition(definition, contracts=TOOLS))


def _repeated() -> Example:
    found = check_repeated_call(TOOLS["ledger.post"], {"order": "o-1"}, varying=frozenset({"item"}), pointer=("input",))
    return _of_record('{"tool": "ledger.post", "input": {"order": "o-1"}}', "input", found.found)


def _of_record(text: str, name: str, findings: list[Finding]) -> Example:
    """Return the example of a code that no document causes by itself: it is about a step of a compiled definition."""
    source = Source("step.json", text)
    diagnostics = Diagnostics()
    reporter = Reporter(source, diagnostics, codes=ALL_CODES)
    start = text.index(f'"{name}"')
    for finding in findings:
        reporter.report(finding.code, finding.message, at=(start, start + len(name) + 2))
    return Example(files={"step.json": text.encode()}, command="", findings=diagnostics, sources={source.path: source})


def _tests_unordered() -> Example:
    """Return a table in which one task has more tests, and more that waits for it, than are ordered."""
    tests = [f"| T-{number} | Test {number} | Test | A-1 | Bo |" for number in range(250)]
    others = [f"| W-{number} | Use {number} | Work | A-1 | Al |" for number in range(250)]
    head = [
        "# Cart",
        "",
        "| ID | Task | Kind | Depends on | Owner |",
        "|---|---|---|---|---|",
        "| A-1 | Build | Work | | Al |",
    ]
    table = "\n".join([*head, *tests, *others, ""])
    return _of_plan("plan.md", table.encode(), "")


MADE = {
    "CONTRACT_CHANGED": _contract_changed,
    "DOCUMENT_TOO_LARGE": _too_large,
    "DOCUMENT_UNFIXED": _unfixed,
    "DOCUMENT_UNREADABLE": _unreadable,
    "IDEMPOTENCY_REPEATED": _repeated,
    "LIMIT_EXCEEDED": _limit_exceeded,
    "TESTS_UNORDERED": _tests_unordered,
}
"""Examples that no file can hold."""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
