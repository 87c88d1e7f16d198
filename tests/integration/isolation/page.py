"""The page about isolation and approvals, made from the tests: probes, checks, matrices, attacks and planted bugs.

    python -m tests.integration.isolation.page

Owns: what ``docs/assurance/isolation.md`` says. Does not know: results; a test fails when something does not hold.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

from tests.integration.approvals import attacks
from tests.integration.isolation.catalogue import CHECKS
from tests.integration.isolation.crowd import QUESTIONS
from tests.integration.isolation.places import SAYING_WHO

ROOT: Final = Path(__file__).resolve().parents[3]
PAGE: Final = ROOT / "docs" / "assurance" / "isolation.md"
HERE: Final = "tests/integration/isolation"
PROBES: Final = ("test_probes_rights", "test_probes_sessions", "test_probes_sideways")
FAMILIES: Final = (
    attacks.forged_ids, attacks.altered_digests, attacks.altered_subjects, attacks.wrong_people, attacks.other_tenant,
    attacks.requests, attacks.bodies, attacks.keys, attacks.injections,
)  # fmt: skip

HEAD: Final = f"""# Tenants apart, approvals true

What was tried to reach another tenant's data or to get a call past a person, and where it is tried. Nothing here is
allowed to succeed; everything runs in `make test`, on the default PostgreSQL. `make campaign-isolation-versions` runs
probes, checks and matrices on each version that is supported, `make campaign-mixed-tenants` asks a million times,
`make campaign-approvals` lets eight people race ten thousand times; their figures are on the [first page](README.md).

What row-level security is for: a statement that forgets its tenant sees one tenant, or fails. What it is not for:
whoever sends SQL of his own as the application's role chooses his tenant (P17), so nobody gets to send any.

Run one part: `.venv/bin/pytest {HERE} -k p25`, or `-k C06`, or `.venv/bin/pytest tests/integration/approvals`.
"""


def render() -> str:
    """Return the page."""
    lines = [HEAD, "## Probes", "", "| Probe | What holds | Test |", "|---|---|---|"]
    lines += [_probe(name, text, module) for module in PROBES for name, text in _tests(f"{HERE}/{module}.py", "test_p")]
    lines += ["", "## The catalogue", "", "Read from `pg_catalog`, so that a migration's additions are judged too.", ""]
    lines += ["| Check | What must hold | Violations that it finds |", "|---|---|---|"]
    lines += [f"| {check.check_id} | {check.promise} | {len(check.violations)} |" for check in CHECKS]
    lines += ["", "## Matrices", "", *_matrices()]
    lines += ["", "## Attacks on approvals", "", "On one open request, some 400 cases:", ""]
    lines += [f"- {str(family.__doc__).splitlines()[0]}" for family in FAMILIES]
    moments = [text for _, text in _tests("tests/integration/approvals/test_moments.py", "test_")]
    shown = [text for _, text in _tests("tests/integration/approvals/test_shown.py", "test_")]
    lines += ["", "And in their moments:", "", *(f"- {text}" for text in [*moments, *shown])]
    lines += [
        "",
        "## Planted bugs",
        "",
        "Each is in the sources' place for the time of one test, which has to notice it:",
        "",
    ]
    bugs = [
        text
        for path in (f"{HERE}/test_planted_bugs.py", "tests/integration/approvals/test_planted_bugs.py")
        for _, text in _tests(path, "test_")
    ]
    lines += [f"- {text}" for text in bugs]
    lines += [
        "",
        f"Written by `python -m {HERE.replace('/', '.')}.page` from the tests; a test fails when it is not current.",
        "",
    ]
    return "\n".join(lines)


def _matrices() -> list[str]:
    text = f"""
Another tenant's id of every kind (run, approval, definition, policy, endpoint, subscription, message,
receipt, principal, key, event, ...) beside one of the same form that nobody has: status, body, headers, exit code and
the statements sent are the same, and no row of the other tenant changes. What is added and not covered fails a test.

- **HTTP**: every route with each method; every place in path, query and body, and {", ".join(SAYING_WHO)} in
  headers; five kinds of principals and none. One exception: a webhook endpoint's own id, which is its key.
- **Ports**: every method of every port; each id in its signature and records is exchanged alone.
- **Commands**: every one that takes a tenant's id; that the others take none is written down for each.
- **Batches**: append, submit, load, release and claim with tenants mixed.
- **Crowd**: {len(QUESTIONS)} kinds of requests of many tenants over five connections, given up, refused and killed.
"""
    return text.strip().splitlines()


def _probe(name: str, text: str, module: str) -> str:
    number = name.split("_")[1].upper()
    return f"| {number} | {text} | [`{name}`](../../{HERE}/{module}.py) |"


def _tests(path: str, prefix: str) -> list[tuple[str, str]]:
    """Return the tests of a file with their properties, each on one line."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return [
        (node.name, " ".join(str(ast.get_docstring(node)).split()))
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(prefix)
    ]


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
