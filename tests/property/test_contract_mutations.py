"""Mutations of contracts: whatever becomes of a document, it is answered by findings, and soon."""

import random
from functools import partial
from pathlib import Path

import pytest

import remit.plans.contract
from remit.plans.converting import convert
from remit.plans.formats import read_plan
from remit.plans.options import PlanOptions
from remit.plans.plan import PlanFormat
from tests.processor import least_seconds

MUTATIONS = 2_000
CPU_SECONDS_MAX = 0.25
FOLDERS = (
    Path(__file__).parents[1] / "unit" / "plans" / "contract" / "golden",
    Path(remit.plans.contract.__file__).parent / "templates",
)
SNIPPETS = [
    b'"', b"{", b"}", b"[", b"]", b",", b":", b"\n", b"---\n", b"## ", b"```\n", b"<", b">", b"\xff", b"\xe2\x80\xa6",
    b"null", b"TODO", b"\\u0000", b"\\ud800", b"1e999", b'"roadmap":', b"- [ ] ", b"\r\n", b"\t", b"\xe2\x80\xae",
    b"//x\n", b"/*", b"0" * 30, b" " * 50,
]  # fmt: skip
KINDS = (None, PlanFormat.PLANNING_CONTRACT, PlanFormat.FANOUT, PlanFormat.ISSUE_CONTRACT)


@pytest.mark.parametrize("seed", [20261129])
def test_mutations_are_answered_by_findings(seed: int) -> None:
    """
    No mutation raises or takes a quarter of a second, read as any kind and converted.
    """
    choices = random.Random(seed)
    documents = [
        path.read_bytes() for folder in FOLDERS for path in sorted(folder.iterdir()) if path.suffix in {".md", ".json"}
    ]
    slowest = 0.0

    for _ in range(MUTATIONS):
        raw = mutated(choices.choice(documents), choices)
        options = PlanOptions(format=choices.choice(KINDS))
        slowest = max(
            slowest, least_seconds(partial(read_plan, raw, path="a", options=options), enough=CPU_SECONDS_MAX)
        )
        convert(read_plan(raw, path="a", options=options))

    assert slowest < CPU_SECONDS_MAX


def mutated(document: bytes, choices: random.Random) -> bytes:
    """Return a document with up to twelve changes."""
    raw = bytearray(document)
    for _ in range(choices.randint(1, 12)):
        place = choices.randrange(len(raw) + 1)
        match choices.randrange(4):
            case 0:
                raw[place:place] = choices.choice(SNIPPETS)
            case 1:
                del raw[place : place + choices.randint(1, 40)]
            case 2:
                start = choices.randrange(len(raw) + 1)
                raw[place:place] = raw[start : start + choices.randint(1, 200)]
            case _:
                raw[place : place + 1] = bytes([choices.randrange(256)])
    return bytes(raw)
