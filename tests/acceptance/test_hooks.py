"""The hooks for pre-commit: what `.pre-commit-hooks.yaml` says is what works."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
EXAMPLES = ROOT / "tests" / "unit" / "diagnostics" / "examples"


def run_hook(hook: dict[str, Any], *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a hook as pre-commit does: the words of its entry, its arguments, then the names of files."""
    program, *words = hook["entry"].split()
    command = Path(sys.executable).with_name(program)
    return subprocess.run([command, *words, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_every_hook_has_what_pre_commit_needs() -> None:
    """
    A hook has an id, a name, an entry and a language; the language is one that installs the package.
    """
    assert {"remit-plan-check", "remit-check"} == HOOKS.keys()
    for hook in HOOKS.values():
        assert {"id", "name", "entry", "language", "files"} <= hook.keys()
        assert "python" == hook["language"]


@pytest.mark.parametrize(
    ("hook", "path", "is_taken"),
    [
        ("remit-plan-check", "plans/audit.md", True),
        ("remit-plan-check", "docs/plan/contract.json", True),
        ("remit-plan-check", "docs/payments-audit-plan.md", True),
        ("remit-plan-check", "plan.md", True),
        ("remit-plan-check", "README.md", False),
        ("remit-plan-check", "docs/explanation.md", False),
        ("remit-check", "remit.yaml", True),
        ("remit-check", "shop/workflows/order.yml", True),
        ("remit-check", ".github/workflows/ci.yml", False),
        ("remit-check", "package.json", False),
    ],
)
def test_hook_takes_the_files_it_is_for(hook: str, path: str, is_taken: bool) -> None:
    """
    By default plans are known by their folder or name, and nobody else's files are taken.
    """
    one = HOOKS[hook]
    excluded = "exclude" in one and re.search(one["exclude"], path)

    assert is_taken == bool(re.search(one["files"], path) and not excluded)


@pytest.mark.parametrize(
    ("hook", "example", "code"),
    [
        ("remit-plan-check", "PLAN_FORMAT_UNKNOWN.md", "PLAN_FORMAT_UNKNOWN"),
        ("remit-check", "DEPENDENCY_UNKNOWN.yaml", "DEPENDENCY_UNKNOWN"),
    ],
)
def test_hook_fails_on_findings_and_passes_without(hook: str, example: str, code: str, tmp_path: Path) -> None:
    """
    The entry runs: a file with an error fails the commit and says why, `--strict` may be added, a sound one passes.
    """
    (tmp_path / example).write_bytes((EXAMPLES / example).read_bytes())
    (tmp_path / "sound.yaml").write_text(
        "name: fine\nversion: 1.0.0\nsteps:\n  - id: a\n    wait: {timer: 1s}\n", encoding="utf-8"
    )
    failed = run_hook(HOOKS[hook], "--strict", example, folder=tmp_path)
    passed = run_hook(HOOKS["remit-check"], "--strict", "sound.yaml", folder=tmp_path)

    assert (2, 0) == (failed.returncode, passed.returncode)
    assert f"{example}:" in failed.stdout
    assert code in failed.stdout
