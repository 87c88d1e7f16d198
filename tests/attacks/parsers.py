"""The table of parsers: documents, expressions, JSON, schemas, and what is read back from the database.

Owns: for each what it may raise, and what must hold of its answer: round trips, and agreement with a second parser
where there is one. ``edge_parsers`` has those that the network and the shell reach.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any, Final

import jsonschema
import msgspec
import yaml

from remit.core import strict_json
from remit.core.canonical import JsonValue, canonical_bytes
from remit.core.definition import Bounds, encode_definition
from remit.core.evolve import evolve_many
from remit.core.expressions import compile_expression, compile_template
from remit.core.facts import decode_facts, encode_facts
from remit.core.program import load_program
from remit.core.state import RunState
from remit.diagnostics import Diagnostics, render_excerpts, render_plain
from remit.errors import (
    CanonicalizationError,
    ContractInvalidError,
    DefinitionInvalidError,
    EvaluationError,
    ExpressionError,
    InvariantViolated,
    JournalCorruptError,
    JsonSyntaxError,
    RemitError,
)
from remit.governance.breaker import BreakerConfig
from remit.governance.contracts import ToolContract
from remit.governance.display import render_narration, render_request
from remit.governance.policy import ApprovalRule, BusinessConfig, Scope, Subscription, decode_policy, encode_policy
from remit.governance.redaction import Redactor
from remit.governance.schemas import Schema, close_schema
from remit.ids import InboxId
from remit.plans.business import compile_business
from remit.plans.documents import Mapping, Node, Scalar, Sequence, plain_value, read_document
from remit.plans.kinds import check_document
from remit.plans.orchestration import compile_orchestration
from remit.ports.store import InboxMessage
from remit.runtime.messages import event_of
from tests.attacks.parsing import Parser, files, text_of

JSON_BYTES_MAX: Final = 1_100_000
NOW: Final = datetime(2026, 11, 29, tzinfo=UTC)
SCOPE: Final[dict[str, JsonValue]] = {
    "input": {"a": 1, "b": [1, 2.5, "x", None, True], "text": "tea & ümlaut", "deep": {"c": {"d": [{"e": -1}]}}},
    "steps": {"draft": {"output": {"id": "7", "items": [1, 2, 3]}, "status": "completed"}},
    "run": {"id": "r", "principal_id": "p"},
}
ROOTS: Final = frozenset(SCOPE)
CONTRACTS: Final = {
    name: ToolContract(
        name=name,
        input_schema={"type": "object", "properties": {"to": {"type": "string"}, "amount": {"type": "integer"}}},
    )
    for name in ("mail.send", "pay.refund", "hello.post")
}
EXPRESSIONS: Final = (
    b"input.a + 1 > 2 && has(input.text)",
    b"steps.draft.output.items.filter(i, i > 1).map(i, {'n': i, 's': string(i)})",
    b"steps['draft'].output.items[0]",
    b"input.?nothing.orValue('x') + input.text",
    b"input.text.matches('^(a+)+$') ? duration('1h') : timestamp('2026-01-01T00:00:00Z')",
    b"${{ double(input.a) / 0.0 }}",
    b"math.greatest(1, 2.5) == 2.5 || input.b.exists(x, x == null)",
    b"'''a}}b''' + \"\\u00fc\" + r'\\d' // comment }}",
)
TEMPLATES: Final = (
    b'{"to": "${{ input.text }}", "n": "order-${{ input.a }}", "all": "${{ steps.draft.output }}"}',
    b"\"Dear ${{ input.text }}, $${{ literal }} ${{ {'a': [1]} }}\"",
    b'["${{ input.b }}", {"x": "${{ input.missing }}"}]',
)
SCHEMAS: Final = (
    b'{"type":"object","properties":{"a":{"type":"string","pattern":"^(a+)+$","maxLength":9}},"required":["a"]}',
    b'{"$defs":{"n":{"type":"object","properties":{"next":{"$ref":"#/$defs/n"}}}},"$ref":"#/$defs/n","type":"object"}',
    b'{"type":"array","prefixItems":[{"enum":[1,"x",null]}],"items":{"anyOf":[{"type":"integer","minimum":0},{"const":{}}]}}',
    b'{"type":["object","null"],"patternProperties":{"^x-":{}},"propertyNames":{"minLength":1},"unevaluatedProperties":false}',
    b'{"type":"string","format":"date-time","not":{"pattern":"\\\\p{L}{2,}"}}',
)
INSTANCES: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    1.5,
    "aaaa",
    [],
    [1, {}],
    {},
    {"a": "aaa"},
    {"next": {"next": {}}},
    {"x-1": []},
)
STARTED: Final = (
    b'[{"fact":"run_started","definition_digest":"d","policy_digest":"p","principal_id":"x","input":{},"bounds":{}}'
)
FACTS: Final = (
    b'[{"fact":"run_started","definition_digest":"d","policy_digest":"p","principal_id":"x","input":{"x":1},"bounds":{}}]',
    STARTED
    + b',{"fact":"step_started","step":"a","arguments":{"to":"x"}},{"fact":"attempt_failed","step":"a","attempt":1,'
    b'"reason":"R","message":"m","retry_us":5,"effect":"unknown"},{"fact":"attempt_started","step":"a","attempt":2},'
    b'{"fact":"effect_parked","step":"a","attempt":2,"slot":1,"reason":"r"}]',
    STARTED
    + b',{"fact":"step_started","step":"a","arguments":{}},{"fact":"step_completed","step":"a","output":{"x":1},'
    b'"usage":{"tokens":1}},{"fact":"timer_started","step":"b","due_us":9},{"fact":"step_completed","step":"b"},'
    b'{"fact":"wait_started","step":"c","source":"event","name":"shop.paid","correlation":"x"},'
    b'{"fact":"message_received","source":"event","name":"shop.paid","message_id":"m"},'
    b'{"fact":"cancel_requested","requested_by":"me"},{"fact":"run_cancelled","requested_by":"me"}]',
)
MESSAGES: Final = (
    b'{"kind":"signal","body":{"name":"go","payload":{"a":1},"sent_by":"me"}}',
    b'{"kind":"approval","body":{"approval_id":"a","decision":"approved","digest":"00","decided_by":"b"}}',
    b'{"kind":"settle","body":{"step":"a","slot":1,"outcome":"happened","decided_by":"b","output":[1]}}',
    b'{"kind":"cancel","body":{"requested_by":"me","reason":"no"}}',
    b'{"kind":"event","body":{"name":"shop.paid","payload":[]}}',
)
DEFINITION: Final = canonical_bytes(
    {
        "name": "d",
        "version": "1.0.0",
        "input_schema": {"type": "object"},
        "steps": [
            {
                "kind": "tool", "id": "a", "tool": "hello.post", "tool_version": "1.0.0", "contract_digest": "00",
                "input": {"to": "${{ input.x }}"}, "condition": "has(input.x)", "retry": {"attempts_max": 2},
            },
            {"kind": "timer", "id": "b", "depends_on": ["a"], "duration_ms": 1000},
            {"kind": "event", "id": "c", "depends_on": ["b"], "event": "shop.paid", "correlation": "${{ input.x }}"},
        ],
        "output": {"done": "${{ steps.a.output }}"},
        "triggers": [{"event": "shop.paid", "key": "${{ event.id }}", "input": {"x": "${{ event.id }}"}}],
    }
)  # fmt: skip
POLICY: Final = encode_policy(
    BusinessConfig(
        name="shop",
        version="1.0.0",
        bounds=Bounds(steps_max=5),
        scopes=(Scope(tool="mail.*", network=("api.mail.example",), data_cap_bytes=65_536),),
        approval_rules=(ApprovalRule(id="large", tool="pay.refund", condition="input.amount > 5"),),
        breakers={"mail": BreakerConfig()},
        endpoints={"mail": "https://api.mail.example"},
        credentials={"mail": "MAIL_KEY"},
        subscriptions=(Subscription(id="s", topic="orders.*", url="https://hooks.example/x", secret="HOOK"),),
    )
)
JSON_SEEDS: Final = (
    b'{"a": [1, -2.5e3, true, null, "\\u00fc\\ud83d\\ude00"], "b": {"c": 9223372036854775807}}',
    b'[NaN, 1e999, 01, "\\ud800", {"a": 1, "a": 2}]',
    b'"\\\\\\"\\/\\b\\f\\n\\r\\t"',
    b"[[[[[[[[]]]]]]]]",
)
DOCUMENTS: Final = files("examples/**/*.yaml", "src/remit_commerce/workflows/*.yaml", "tests/unit/plans/bad/*.yaml")
JSON_DOCUMENTS: Final = tuple(
    json.dumps(plain_value(document.root), indent=1).encode()
    for text in files("examples/**/*.yaml", "src/remit_commerce/workflows/*.yaml")
    if (document := read_document(text, path="a.yaml", diagnostics=Diagnostics())) is not None and document.root
)


def read_json(data: bytes) -> object:
    """Strict JSON: what is accepted is what the standard library reads, and comes back from its canonical form."""
    value = strict_json.parse(data, bytes_max=JSON_BYTES_MAX)
    assert repr(json.loads(data)) == repr(value)
    canonical = canonical_bytes(value)
    again = strict_json.parse(canonical, bytes_max=JSON_BYTES_MAX * 8)
    assert canonical == canonical_bytes(again)
    assert value == again
    return value


def read_yaml_document(data: bytes) -> object:
    """A YAML document: findings, never an error; without findings its texts are those that PyYAML reads."""
    found = checked(data, "a.yaml")
    diagnostics = Diagnostics()
    document = read_document(data, path="a.yaml", diagnostics=diagnostics)
    if document is not None and document.root is not None and len(diagnostics) == 0:
        try:
            other = yaml.load(data, Loader=yaml.BaseLoader)
        except yaml.YAMLError:
            return found  # YAML 1.2 is read here, 1.1 there: a question mark may end a plain text
        require_same_texts(document.root, other)
    return found


def require_same_texts(node: Node, other: object) -> None:
    """Assert that two readers saw the same structure, and the same characters in every text."""
    match node:
        case Mapping(entries=entries):
            assert isinstance(other, dict)
            assert list(entries) == list(other)
            for name, entry in entries.items():
                require_same_texts(entry.value, other[name])
        case Sequence(items=items):
            assert isinstance(other, list)
            assert len(items) == len(other)
            for item, its_other in zip(items, other, strict=True):
                require_same_texts(item, its_other)
        case Scalar(value=str() as value):
            assert value == other
        case _:
            assert isinstance(other, str)


def read_json_document(data: bytes) -> object:
    """A JSON document: what the strict parser takes and no finding is about has the same value here."""
    diagnostics = Diagnostics()
    document = read_document(data, path="a.json", diagnostics=diagnostics)
    if document is not None and document.root is not None and len(diagnostics) == 0:
        assert repr(strict_json.parse(document.source.text, bytes_max=JSON_BYTES_MAX)) == repr(
            plain_value(document.root)
        )
    return checked(data, "a.json")


def checked(data: bytes, path: str) -> object:
    """Check a document of any kind, and render what was found."""
    answer = check_document(data, path=path, contracts=CONTRACTS)
    sources = {} if answer.source is None else {path: answer.source}
    assert answer.diagnostics.has_errors == (answer.compiled is None)
    excerpts = render_excerpts(answer.diagnostics, sources)
    return answer.kind, answer.compiled, render_plain(answer.diagnostics), excerpts, answer.diagnostics.to_json()


def read_orchestration(data: bytes) -> object:
    """An orchestration: what compiles is stored, read back and loaded as it was."""
    result = compile_orchestration(data, path="a.yaml", contracts=CONTRACTS)
    if result.definition is not None:
        body = encode_definition(result.definition)
        assert body == encode_definition(load_program(body).definition)
    return result.definition, render_plain(result.diagnostics)


def read_business(data: bytes) -> object:
    """A remit file: what compiles is stored and read back as it was."""
    result = compile_business(data, path="a.yaml", contracts=CONTRACTS)
    if result.config is not None:
        body = encode_policy(result.config)
        assert result.config == decode_policy(body)
    return result.config, render_plain(result.diagnostics)


def read_expression(data: bytes) -> object:
    """An expression: compiled, and evaluated over a scope."""
    expression = compile_expression(text_of(data), roots=ROOTS)
    value = expression.evaluate(SCOPE)
    require_json(value)
    return sorted(expression.references), value


def read_template(data: bytes) -> object:
    """A template: any JSON, or a text, rendered over a scope."""
    try:
        value = strict_json.parse(data, bytes_max=JSON_BYTES_MAX)
    except JsonSyntaxError:
        value = text_of(data)
    return compile_template(value, roots=ROOTS).render(SCOPE)


def require_json(value: object) -> None:
    """Assert that a value is plain JSON: no infinity, no unknown type."""
    match value:
        case float():
            assert math.isfinite(value)
        case dict():
            assert all(type(name) is str for name in value)
            for item in value.values():
                require_json(item)
        case list():
            for item in value:
                require_json(item)
        case _:
            assert value is None or isinstance(value, bool | int | str)


def read_schema(data: bytes) -> object:
    """A JSON schema: what we compile, another implementation compiles; values are judged, closed and open."""
    schema = strict_json.parse(data, bytes_max=JSON_BYTES_MAX)
    if not isinstance(schema, dict):
        raise ContractInvalidError("no object", path="$")
    compiled = Schema(schema)
    closed = Schema(close_schema(schema))
    jsonschema.Draft202012Validator.check_schema(schema, format_checker=None)
    told = []
    for instance in INSTANCES:
        assert compiled.matches(instance) == (not compiled.mismatches(instance))
        told.append((compiled.matches(instance), [str(one) for one in closed.mismatches(instance)]))
    return told


def read_definition(data: bytes) -> object:
    """A stored definition: state is hostile input."""
    return load_program(data).definition


def read_policy(data: bytes) -> object:
    """A stored business config."""
    return decode_policy(data)


def read_facts(data: bytes) -> object:
    """A journal entry's payload: decoded, written again, and folded into a state."""
    facts = decode_facts(data)
    assert facts == decode_facts(encode_facts(facts))
    state = evolve_many(RunState(PROGRAM, tenant_id="t", run_id="r"), facts)
    return encode_facts(facts), state.status


def read_message(data: bytes) -> object:
    """A message of the inbox: the first byte chooses the kind unless the seed's own form is kept."""
    kind, body = "signal", data
    try:
        outer = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        outer = None
    if isinstance(outer, dict) and isinstance(outer.get("kind"), str):
        kind, body = outer["kind"], msgspec.json.encode(outer.get("body"))
    return event_of(InboxMessage(inbox_id=InboxId(1), kind=kind, message_id="m", body=body, created_at=NOW))


def read_display(data: bytes) -> object:
    """What a person sees before agreeing, from any bytes."""
    shown = render_request(data)
    assert shown.text.replace("\n", "").replace("\t", "").isprintable()
    return shown, render_narration(data.decode("utf-8", "replace"))


def read_redaction(data: bytes) -> object:
    """A text and a value on their way into a trace; what was redacted needs no more redaction of secrets."""
    redactor = Redactor(["canary-secret-4711"])
    text = redactor.redact_text(text_of(data).replace("canary", "canary-secret-4711"))
    assert "canary-secret-4711" not in text
    try:
        value = strict_json.parse(data, bytes_max=JSON_BYTES_MAX)
    except JsonSyntaxError:
        value = {text_of(data): text_of(data)}
    return text, redactor.redact_value(value)


PROGRAM: Final = load_program(DEFINITION)

CORE_PARSERS: Final = (
    Parser(name="json", read=read_json, refusals=(JsonSyntaxError, CanonicalizationError), seeds=JSON_SEEDS),
    Parser(name="yaml-document", read=read_yaml_document, seeds=DOCUMENTS),
    Parser(name="json-document", read=read_json_document, seeds=(*JSON_DOCUMENTS, *JSON_SEEDS)),
    Parser(name="orchestration", read=read_orchestration, seeds=DOCUMENTS),
    Parser(name="remit-file", read=read_business, seeds=DOCUMENTS),
    Parser(name="expression", read=read_expression, refusals=(ExpressionError, EvaluationError), seeds=EXPRESSIONS),
    Parser(
        name="template",
        read=read_template,
        refusals=(ExpressionError, EvaluationError),
        seeds=(*TEMPLATES, *EXPRESSIONS),
    ),
    Parser(name="schema", read=read_schema, refusals=(ContractInvalidError, JsonSyntaxError), seeds=SCHEMAS),
    Parser(
        name="stored-definition",
        read=read_definition,
        refusals=(DefinitionInvalidError, ExpressionError),
        seeds=(DEFINITION,),
    ),
    Parser(name="stored-policy", read=read_policy, refusals=(InvariantViolated,), seeds=(POLICY,)),
    Parser(name="facts", read=read_facts, refusals=(JournalCorruptError, RemitError), seeds=FACTS),
    Parser(name="inbox-message", read=read_message, refusals=(InvariantViolated,), seeds=MESSAGES),
    Parser(name="display", read=read_display, seeds=(*JSON_SEEDS, "\u202eabc\u200b p\u0430ypal".encode())),
    Parser(
        name="redaction",
        read=read_redaction,
        seeds=(b"card 4111 1111 1111 1111, sk_live_0123456789abcdef canary", b"Bearer abcdefghijklmnop a@b.example"),
    ),
)
