"""Small inputs that ask for much: each in a process of its own, with its processor time and its memory.

    python -m tests.attacks.bombs [NAME…]     the figures as JSON: seconds, megabytes, and what was answered

Owns: the bombs, and measuring them. Does not know: which figures are too much.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, Final

from remit.core import strict_json
from remit.core.canonical import JsonValue, canonical_bytes
from remit.core.expressions import compile_expression, compile_template
from remit.core.facts import decode_facts
from remit.errors import RemitError
from remit.governance.display import render_request
from remit.governance.redaction import Redactor
from remit.governance.schemas import Schema, close_schema
from remit.plans.documents import DOCUMENT_BYTES_MAX
from remit.plans.kinds import check_document
from remit_commerce.ingress.signatures import read_body

BODY_BYTES_MAX: Final = 1_100_000
CPU_SECONDS_CUT: Final = 20
MEMORY_BYTES_CUT: Final = 2 * 1024**3
"""Where the system ends a bomb that nobody else did."""

MEGABYTE: Final = 1_000_000
WEBHOOK_BYTES: Final = 256 * 1024
ROOTS: Final = frozenset({"input"})
SCOPE: Final[dict[str, JsonValue]] = {
    "input": {
        "big": "x" * 900_000,
        "list": list(range(100_000)),
        "lists": [list(range(100)) for _ in range(100)],
        "texts": ["y" * 1_000] * 900,
        "a": "a" * 50_000 + "!",
        "object": {f"k{number}": number for number in range(50_000)},
    }
}


def body(text: str | bytes) -> Callable[[], object]:
    """A request's body."""
    return lambda: strict_json.parse(text, bytes_max=BODY_BYTES_MAX)


def webhook(text: bytes) -> Callable[[], object]:
    """A genuine webhook's body."""
    return lambda: read_body(text)


def document(text: str, path: str = "a.yaml") -> Callable[[], object]:
    """A document of any kind."""
    assert len(text.encode()) <= DOCUMENT_BYTES_MAX

    def check() -> object:
        checked = check_document(text.encode(), path=path, contracts={})
        return [finding.code for finding in checked.diagnostics][:3]

    return check


def expression(text: str) -> Callable[[], object]:
    """An expression over a large input."""
    return lambda: compile_expression(text, roots=ROOTS).evaluate(SCOPE)


def template(value: JsonValue) -> Callable[[], object]:
    """A template over a large input, rendered and put into the form that is stored."""

    def render() -> object:
        return len(canonical_bytes(compile_template(value, roots=ROOTS).render(SCOPE)))

    return render


def schema(written: dict[str, Any], *values: JsonValue) -> Callable[[], object]:
    """A schema, compiled as written and closed, and values held against it."""

    def hold() -> object:
        compiled = [Schema(written), Schema(close_schema(written))]
        return [(one.matches(value), len(one.mismatches(value))) for one in compiled for value in values]

    return hold


def redaction(text: str) -> Callable[[], object]:
    """A text on its way into a trace, by a redactor that knows secrets."""
    redactor = Redactor(["aaaaaa", "canary-secret-4711", *(f"secret-number-{number}" for number in range(50))])
    return lambda: (len(redactor.redact_text(text)), redactor.redact_value({"text": text}).findings)


def doubling(depth: int) -> dict[str, Any]:
    """A schema in which every definition asks for the next one twice."""
    named: dict[str, Any] = {
        f"d{number}": {"allOf": [{"$ref": f"#/$defs/d{number + 1}"}, {"$ref": f"#/$defs/d{number + 1}"}]}
        for number in range(depth)
    }
    return {"type": "object", "$ref": "#/$defs/d0", "$defs": {**named, f"d{depth}": {"minProperties": 0}}}


def laughs(levels: int) -> str:
    """YAML in which every list holds the one before nine times."""
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


BOMBS: Final[dict[str, Callable[[], Callable[[], object]]]] = {
    "json-deep-lists": lambda: body("[" * 200_000),
    "json-deep-and-closed": lambda: body("[" * 200_000 + "]" * 200_000),
    "json-deep-objects": lambda: body('{"a":' * 180_000),
    "json-brackets-in-text": lambda: body('"' + "[" * MEGABYTE + '"'),
    "json-long-integer": lambda: body("9" * MEGABYTE),
    "json-long-fraction": lambda: body("0." + "9" * MEGABYTE),
    "json-long-exponent": lambda: body("1e" + "9" * MEGABYTE),
    "json-infinity": lambda: body("[" + "1e999," * 150_000 + "1]"),
    "json-nan": lambda: body("[" + "NaN," * 200_000 + "1]"),
    "json-halves": lambda: body('["' + "\\ud800" * 180_000 + '"]'),
    "json-half-at-the-end": lambda: body('["' + "x" * MEGABYTE + '\\ud800"]'),
    "json-escapes": lambda: body('["' + "\\u0041" * 180_000 + '"]'),
    "json-escaped-quotes": lambda: body('["' + '\\"' * 500_000 + '"]'),
    "json-same-key": lambda: body("{" + '"a":1,' * 150_000 + '"a":1}'),
    "json-many-keys": lambda: body("{" + ",".join(f'"{number}":1' for number in range(90_000)) + "}"),
    "json-many-lists": lambda: body("[" + "[]," * 300_000 + "[]]"),
    "json-long-text": lambda: body('"' + "x" * (10 * MEGABYTE) + '"'),
    "json-not-closed": lambda: body('["' + "x" * MEGABYTE),
    "json-colons": lambda: body('["' + ":" * MEGABYTE + '"]'),
    "json-no-utf-8": lambda: body(b'["' + b"\xff" * MEGABYTE + b'"]'),
    "webhook-deep": lambda: webhook(b'{"a":' * 50_000),
    "webhook-same-key": lambda: webhook(b"{" + b'"a":1,' * 43_000 + b'"a":1}'),
    "webhook-halves": lambda: webhook(b'{"a":"' + b"\\ud800" * 43_000 + b'"}'),
    "webhook-too-large": lambda: webhook(b"{" + b" " * WEBHOOK_BYTES + b"}"),
    "facts-deep": lambda: lambda: decode_facts(b"[" * 500_000),
    "yaml-laughs": lambda: document(laughs(9)),
    "yaml-merge": lambda: document("a: &a {b: 1}\n" + "<<: *a\n" * 20_000),
    "yaml-tags": lambda: document("x: !!python/object/apply:os.system ['true']\n" * 3_000),
    "yaml-flow": lambda: document("{a: " * 50_000),
    "yaml-same-key": lambda: document("a: 1\n" * 50_000),
    "yaml-flat": lambda: document("".join(f"k{number}: v\n" for number in range(20_000))),
    "expression-nested-maps": lambda: expression("input.list.map(a, input.list.map(b, input.list.map(c, a + b + c)))"),
    "expression-all-of-all": lambda: expression("input.list.all(a, input.list.all(b, input.list.all(c, c >= 0)))"),
    "expression-doubled-text": lambda: expression("size(" + "(input.big + input.big)" * 1 + " + input.big" * 100 + ")"),
    "expression-doubled-lists": lambda: expression("[1].map(a, input.texts.map(b, input.texts))"),
    "expression-copies": lambda: expression("input.list.map(a, input.big)"),
    "expression-joined-copies": lambda: expression("input.texts.map(a, a + a + a + a).map(b, b + b + b + b)"),
    "expression-large-list": lambda: expression("size(input.list) > 0 && input.list.exists(a, a == 99999)"),
    "expression-regex": lambda: expression("input.a.matches('^(a+)+$')"),
    "expression-regex-size": lambda: expression("input.a.matches('((a{0,100}){0,100}){0,100}')"),
    "expression-parentheses": lambda: expression("(" * 2_000 + "1" + ")" * 2_000),
    "expression-nots": lambda: expression("!" * 4_000 + "true"),
    "expression-choices": lambda: expression("true ? 1 : " * 350 + "1"),
    "expression-sum": lambda: expression("1" + "+1" * 2_000),
    "expression-whole-object": lambda: expression("size(input.object) + size(input.lists)"),
    "expression-printed-object": lambda: expression("string(input.list[99999]) + input.big"),
    "template-joined": lambda: template("${{ input.big }}" * 15_000),
    "template-listed": lambda: template(["${{ input.big }}"] * 12_000),
    "template-whole-input": lambda: template({f"k{number}": "${{ input }}" for number in range(9_000)}),
    "template-as-text": lambda: template("x ${{ input.list }} y" * 10_000),
    "template-open": lambda: template("${{" * 80_000),
    "template-quotes": lambda: template("${{ '" * 50_000),
    "schema-doubling": lambda: schema(doubling(28), {}, {"a": 1}),
    "schema-itself": lambda: schema({"type": "object", "$ref": "#"}, {}),
    "schema-circle": lambda: schema(
        {"type": "object", "$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}, {}
    ),
    "schema-regex": lambda: schema({"type": "string", "pattern": "^(a+)+$"}, "a" * 50_000 + "!"),
    "schema-regex-size": lambda: schema({"type": "string", "pattern": "((a{0,100}){0,100}){0,100}"}, "a" * 1_000),
    "schema-regex-backward": lambda: schema({"type": "string", "pattern": "(a*)*\\1b"}, "a" * 50),
    "schema-enum": lambda: schema({"enum": [f"e{number}" for number in range(20_000)]}, "x", "e19999"),
    "schema-unique": lambda: schema(
        {"type": "array", "uniqueItems": True}, [{"a": number} for number in range(20_000)]
    ),
    "schema-any-of": lambda: schema(
        {"type": "array", "items": {"anyOf": [{"const": number} for number in range(300)]}}, list(range(1_000, 3_000))
    ),
    "schema-deep": lambda: schema(json.loads('{"properties":{"a":' * 200 + "{}" + "}}" * 200), {}),
    "schema-wide": lambda: schema(
        {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(5_000)}}, {}
    ),
    "redaction-mails": lambda: redaction("a@b.cc " * 140_000),
    "redaction-ats": lambda: redaction("a@" * 500_000),
    "redaction-secrets": lambda: redaction("a" * MEGABYTE),
    "redaction-digits": lambda: redaction("4111 " * 100_000),
    "redaction-keys": lambda: redaction("-----BEGIN PRIVATE KEY-----" * 37_000),
    "display-large": lambda: lambda: len(render_request(b'{"a":"' + b"\\u202e\\n" * 120_000 + b'"}').text),
    "display-many": lambda: lambda: len(render_request(b"[" + b'"\\u200b",' * 90_000 + b"1]").text),
}


def measure(name: str) -> dict[str, Any]:
    """Run one bomb in a child and return its figures; one that the system ended has a signal instead of an answer."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _explode(name, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    return json.loads(told) if told else {"seconds": CPU_SECONDS_CUT, "megabytes": 0, "answer": f"ended: {status}"}


def _explode(name: str, writing: int) -> None:
    """Measure one bomb in this process, and end it."""
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_CUT, CPU_SECONDS_CUT))
        bomb = BOMBS[name]()
        _warm(name)
        used = _resident_bytes()
        resource.setrlimit(resource.RLIMIT_AS, (_virtual_bytes() + MEMORY_BYTES_CUT,) * 2)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        began = time.process_time()
        answer = _answer(bomb)
        seconds = time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        # What was at its highest before the bomb is not the bomb's.
        megabytes = 0.0 if peak <= before else (peak - used) / 1e6
        told = json.dumps({"seconds": round(seconds, 3), "megabytes": round(megabytes, 1), "answer": answer})
        os.write(writing, told.encode())
    except BaseException:  # whatever it is, the parent must hear of it
        os.write(writing, json.dumps({"seconds": 0, "megabytes": 0, "answer": traceback.format_exc()}).encode())
    os._exit(0)


def _warm(name: str) -> None:
    """Compile what is compiled once in a process, as a service has when a bomb arrives."""
    kind = name.partition("-")[0]
    if kind in {"expression", "template"}:
        compile_expression("input.a + 'x'", roots=ROOTS).evaluate({"input": {"a": "b"}})
    elif kind == "schema":
        Schema({"type": "object"}).matches({})


def _answer(bomb: Callable[[], object]) -> str:
    try:
        return f"answered: {str(bomb())[:60]}"
    except RemitError as error:
        return f"{error.code}: {error.message[:100]}"


def _resident_bytes() -> int:
    return _pages()[1] * resource.getpagesize()


def _virtual_bytes() -> int:
    return _pages()[0] * resource.getpagesize()


def _pages() -> list[int]:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - no detours while memory is measured
        return [int(number) for number in file.read().split()]


if __name__ == "__main__":
    sys.stdout.write(json.dumps({name: measure(name) for name in sys.argv[1:] or BOMBS}))
