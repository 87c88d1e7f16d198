"""One parser under a coverage-guided fuzzer, in a process of its own.

    python -m campaigns._fuzz_one PARSER --runs N --seed N --folder FOLDER

Owns: instrumenting Remit, handing inputs to the parser's judge, and what is left in the folder: ``figures.json``, the
grown corpus, and in ``broken`` every input that the parser did not survive.
Does not know: which parsers there are, or what they may do.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Final

import atheris

with atheris.instrument_imports(include=["remit", "remit_commerce"]):
    from tests.attacks.edge_parsers import PARSERS
from tests.attacks.parsing import INPUT_BYTES_MAX, BrokenParserError, judge

BROKEN_MAX: Final = 20
"""Inputs kept that break a parser; more are the same mistake again."""

WRITE_EVERY: Final = 500
"""How often the figures are written: the fuzzer ends the process without asking."""


class Fuzzed:
    """What came of the inputs so far."""

    def __init__(self, name: str, *, runs: int, folder: Path) -> None:
        self._parser = PARSERS[name]
        self._runs = runs
        self._folder = folder
        self._executions = self._refused = self._broken = 0
        self._slowest_seconds, self._slowest = 0.0, b""

    def take(self, data: bytes) -> None:
        """Judge one input."""
        self._executions += 1
        try:
            verdict = judge(self._parser, data[:INPUT_BYTES_MAX])
        except BrokenParserError as error:
            self._keep(data, str(error))
        else:
            self._refused += verdict.is_refused
            # The first inputs compile patterns and fill caches.
            if verdict.cpu_seconds > self._slowest_seconds and self._executions > WRITE_EVERY:
                self._slowest_seconds, self._slowest = verdict.cpu_seconds, data
        if self._executions % WRITE_EVERY == 0 or self._executions >= self._runs:
            self.write()

    def write(self) -> None:
        """Write the figures."""
        figures = {
            "executions": self._executions,
            "refused": self._refused,
            "broken": self._broken,
            "slowest_seconds": self._slowest_seconds,
            "slowest": self._slowest[:200].decode("latin-1"),
        }
        (self._folder / "figures.json").write_text(json.dumps(figures), encoding="utf-8")

    def _keep(self, data: bytes, message: str) -> None:
        self._broken += 1
        if self._broken <= BROKEN_MAX:
            folder = self._folder / "broken"
            folder.mkdir(exist_ok=True)
            name = hashlib.sha256(data).hexdigest()[:12]
            (folder / name).write_bytes(data)
            (folder / f"{name}.txt").write_text(message[:4_000], encoding="utf-8", errors="backslashreplace")


def main() -> None:
    """Fuzz one parser; does not return."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("parser")
    arguments.add_argument("--runs", type=int, required=True)
    arguments.add_argument("--seed", type=int, required=True)
    arguments.add_argument("--folder", type=Path, required=True)
    given = arguments.parse_args()
    corpus = given.folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(PARSERS[given.parser].seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    fuzzed = Fuzzed(given.parser, runs=given.runs, folder=given.folder)
    options = [f"-atheris_runs={given.runs}", f"-seed={given.seed % 2**31 or 1}", f"-max_len={INPUT_BYTES_MAX}"]
    atheris.Setup(["fuzz", str(corpus), *options, "-timeout=60", "-rss_limit_mb=2048", "-verbosity=0"], fuzzed.take)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
