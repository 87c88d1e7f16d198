"""``remit plan show`` as a process, on the plans of the test seeds: the page as a browser would read it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from remit.plans.publishing import SchemaKind, schema_text
from tests.unit.plans.showing.markup import read_page

SEEDS = Path(__file__).parents[1] / "plans" / "seeds"
PLANS = sorted(path for path in SEEDS.glob("*.md") if path.stem != "planner-prompt")
"""The prompt tells how a contract is written; it is none."""

PAGE_BYTES_MAX = 2_000_000


def shown(path: Path, form: str) -> str:
    """Return what the command prints; it needs no database, and no folder of its own."""
    command = [sys.executable, "-m", "remit.cli", "plan", "show", path.name, "--format", form]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.startswith(f"{path.name}: ")
    return done.stdout


@pytest.mark.parametrize("path", PLANS, ids=[path.stem for path in PLANS])
def test_seed_is_shown_in_every_form(path: Path) -> None:
    """
    The page is whole, small and closed to the outside; drawing, data and tree tell of the same tasks.
    """
    data = json.loads(shown(path, "json"))
    markup = shown(path, "html")
    page = read_page(markup)
    drawing = ET.fromstring(shown(path, "svg"))
    tree = shown(path, "tree")
    tasks = [task["id"] for task in data["plan"]["tasks"]]
    ids = page.values("id")

    jsonschema.Draft202012Validator(json.loads(schema_text(SchemaKind.SHOWN_PLAN))).validate(data)
    assert len(tasks) > 0
    assert len(markup.encode()) < PAGE_BYTES_MAX
    assert 0 == page.open_count
    assert len(set(ids)) == len(ids)
    assert set() == {href.removeprefix("#") for href in page.values("href")} - set(ids)
    assert set() == page.tags() & {"script", "img", "iframe", "link", "object", "form"}
    assert [] == re.findall(r"<[^>]*(?:https?:)?//", markup)
    assert len(tasks) == sum(group.get("role") == "img" for group in drawing.iter("{http://www.w3.org/2000/svg}g"))
    assert [] == [task for task in tasks if f" {task} " not in f"{tree} "]
