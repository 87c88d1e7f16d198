"""No parser is brought down by any input: every one under a coverage-guided fuzzer, seeded from the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from campaigns.record import ROOT, Figure, Options, at_least, at_most, exactly, reading
from tests.attacks.edge_parsers import PARSERS
from tests.attacks.parsing import CPU_SECONDS_MAX

PROMISE: Final = (
    "No input makes a parser raise anything undeclared, contradict itself or a second parser, or take long."
)
EXECUTIONS: Final = 10_000_000
"""For each parser; the parsers of whole documents, a hundred times as slow as the others, get a tenth."""

DOCUMENTS: Final = frozenset({"yaml-document", "json-document", "orchestration", "remit-file"})
FUZZER: Final = ROOT / ".cache" / "fuzzer"
"""Where `make campaign-fuzz` puts it: it has no wheels for every system that Remit runs on, and is no dependency."""

REFUSED_MIN: Final = 100
"""So many inputs each parser with refusals must have refused, or nothing hostile reached it."""


def run(options: Options) -> list[Figure]:
    """Fuzz every parser, one after the other; what breaks one is kept in ``.cache/broken``."""
    if not (FUZZER / "atheris").is_dir():
        sys.exit(f"expected the fuzzer in {FUZZER.relative_to(ROOT)}; run `make campaign-fuzz`")
    results = {name: fuzz(name, options) for name in PARSERS}
    slowest = max(results, key=lambda name: float(results[name]["slowest_seconds"]))
    hostile = [name for name, parser in PARSERS.items() if parser.refusals]
    print(f"slowest: {slowest}: {results[slowest]['slowest']!r}")
    return [
        at_least("parsers", len(results), 26),
        at_least("executions", sum(int(one["executions"]) for one in results.values()), _wanted(options)),
        exactly("inputs that broke a parser", sum(int(one["broken"]) for one in results.values())),
        exactly("fuzzers that ended early", sum(int(one["exit_code"]) != 0 for one in results.values())),
        at_most("slowest input, seconds of processor", float(results[slowest]["slowest_seconds"]), CPU_SECONDS_MAX),
        at_least("parsers that refused a hundred inputs", _refusing(hostile, results), len(hostile)),
        *(reading(f"executions of {name}", int(one["executions"])) for name, one in results.items()),
    ]


def fuzz(name: str, options: Options) -> dict[str, Any]:
    """Fuzz one parser in a process of its own and return its figures."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(FUZZER), str(ROOT)))}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "campaigns._fuzz_one", name, "--folder", folder]
        command += ["--runs", str(_executions(name, options)), "--seed", str(options.seed)]
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
        path = Path(folder, "figures.json")
        figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else _NOTHING
        for broken in Path(folder).glob("broken/*"):
            kept = ROOT / ".cache" / "broken" / name / broken.name
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(broken.read_bytes())
    print(f"{name:20} {figures['executions']:>10,} executions, {figures['broken']} broken", flush=True)
    if ran.returncode:
        print(ran.stderr.decode(errors="replace")[-2_000:])
    return figures | {"exit_code": ran.returncode}


_NOTHING: Final[dict[str, Any]] = {"executions": 0, "refused": 0, "broken": 0, "slowest_seconds": 0.0, "slowest": ""}


def _executions(name: str, options: Options) -> int:
    return options.count(EXECUTIONS // 10 if name in DOCUMENTS else EXECUTIONS)


def _wanted(options: Options) -> int:
    return sum(_executions(name, options) for name in PARSERS)


def _refusing(names: list[str], results: dict[str, dict[str, Any]]) -> int:
    return sum(int(results[name]["refused"]) >= REFUSED_MIN for name in names)
