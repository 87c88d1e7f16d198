"""Other forms of a SPECTRA plan: the same plan as it is found in the wild.

Owns: changes of a canonical text that change nothing of what it says.
Does not know: what is reported of them.
"""

import random
import re

FIELD = re.compile(r"- (?P<key>[A-Z][A-Za-z -]*):(?P<rest>.*)")
HEADER = re.compile(r"## (?P<key>Project|Level|Generated|Source): (?P<value>.*)")
TASK = re.compile(r"## Task (?P<id>[A-Za-z0-9-]+): (?P<title>[A-Za-z0-9].*)")
LEGACY = {
    "Max-iterations": ["Max iterations", "max-iterations", "Max_iterations"],
    "Wiring-proof": ["Wiring proof", "Wiring"],
    "File-ownership": ["File ownership", "Ownership"],
    "Dependencies": ["Blocked-by", "Depends on", "depends-on"],
    "AC": ["Acceptance criteria", "Acceptance Criteria"],
    "Verify": ["Verification"],
}


def other_form(text: str, rng: random.Random) -> str:
    """Return a text that says the same: about a third of its lines are written in another way."""
    lines = text.split("\n")
    is_code = False
    for index, line in enumerate(lines):
        if line.strip().startswith("```"):
            is_code = not is_code
        elif not is_code and rng.random() < 0.35:
            lines[index] = _changed(line, rng)
    return "\n".join(lines)


def _changed(line: str, rng: random.Random) -> str:
    header, task = HEADER.fullmatch(line), TASK.fullmatch(line)
    if header is not None:
        return _header(header, rng)
    if task is not None:
        return rng.choice([_task(task, rng), f"{line} ", f"{line} ##"])
    if line.startswith("  - "):
        return rng.choice(["    - ", "  * ", "\t- ", "   + ", "  1. "]) + line[4:]
    field = FIELD.fullmatch(line)
    return line if field is None else _field(field, rng)


def _header(found: re.Match[str], rng: random.Random) -> str:
    key, value = found["key"], found["value"]
    forms = [f"**{key}:** {value}", f"- {key}: {value}", f"**{key}**: {value}", f"### {key}: {value}"]
    if key == "Level":
        forms += [f"## Level: {value} (as agreed)", f"## Level: **{value}**", f"## level : {value}"]
    return rng.choice(forms)


def _task(found: re.Match[str], rng: random.Random) -> str:
    task_id, title = found["id"], found["title"]
    short = task_id.lstrip("0") or "0"
    shown = short if task_id.isdigit() else task_id
    return rng.choice(
        [
            f"### Task {task_id}: {title}",
            f"## Task {shown}: {title}",
            f"## Task {task_id} - {title}",
            f"## Task {task_id} \N{EM DASH} {title}",
            f"## TASK #{task_id}: {title}",
            f"## **Task {task_id}**: {title}",
        ]
    )


def _field(found: re.Match[str], rng: random.Random) -> str:
    key, rest = found["key"], found["rest"]
    if key == "Sequential dependencies":
        rest = rest.replace("->", rng.choice(["\N{RIGHTWARDS ARROW}", "-->", "=>"]))
    elif key == "Risk":
        rest = rng.choice([f" **{rest.strip()}**", f" {rest.strip().upper()}", f"{rest} (as agreed)"])
    elif key in {"Max-iterations", "Scope"}:
        rest = rng.choice([f" **{rest.strip()}**", f"{rest} (as agreed)"])
    elif key == "Dependencies":
        rest = rest.replace("Task ", "").replace(", ", rng.choice([", ", " and ", ", Task "]))
    elif key == "Verify" and rest:
        rest = rng.choice([f"{rest} = 0", f"{rest} returns nothing"])
    elif key == "Recommendation":
        rest = {"TEAM_ELIGIBLE": " PARALLEL_OK", "SEQUENTIAL_ONLY": " **SEQUENTIAL**"}[rest.strip()]
    other = rng.choice([key, *LEGACY.get(key, [])])
    return rng.choice([f"- {other}:{rest}", f"* **{other}:**{rest}", f"- **{other}**:{rest}", f"+ {other}:{rest}  "])
