"""Laws of reading documents: any bytes are answered by findings, and values mean the same in both syntaxes."""

import json
import string

import hypothesis.strategies as st
import yaml
from hypothesis import assume, example, given

from remit.core.canonical import canonical_bytes
from remit.core.definition import encode_definition
from remit.diagnostics import Diagnostics, Position, render_excerpts, render_plain
from remit.governance.contracts import ToolContract
from remit.plans.documents import Mapping, Node, Scalar, Sequence, plain_value, read_document
from remit.plans.kinds import Checked, check_document

CONTRACTS = {
    name: ToolContract(name=name, input_schema={"type": "object", "properties": {"to": {"type": "string"}}})
    for name in ("mail.send", "pay.refund")
}
ORCHESTRATION = b"""\
name: order-fulfilment
version: 1.0.0
parameters: [{name: order, type: string}]
bounds: {steps_max: 5, cost_usd_max: 0.5}
triggers:
  - {event: shop.paid, key: "order-${{ event.id }}", input: {order: "${{ event.id }}"}}
steps:
  - id: mail
    if: ${{ input.order != '' }}
    tool: mail.send
    input:
      to: >-
        Dear ${{ input.order }},
        all is well
    retry: {attempts_max: 3, delay_initial: 1s}
  - id: wait
    depends_on: [mail]
    wait: {event: shop.shipped, correlation: "${{ input.order }}", timeout: 14d}
output: {done: "${{ steps.wait.output }}"}
"""
BUSINESS = b"""\
business: shop
version: 1.0.0
bounds: {steps_max: 5}
scopes:
  - {tool: mail.send, network: [api.mail.example], data_cap: 64KB}
approval_rules:
  - {id: large, tool: pay.refund, when: "input.amount > 5", timeout: 1h, on_timeout: escalate, escalation_chain: [a]}
breakers: {mail: {failure_threshold: 3, open: 30s}}
endpoints: {mail: https://api.mail.example}
credentials: {mail: MAIL_KEY}
"""
PATHS = st.sampled_from(["a.yaml", "a.json", "a"])
SNIPPETS = st.sampled_from(
    [
        b"&a ", b"*a", b"!!str ", b"<<: ", b"---\n", b"\t", b"\r", b"\r\n", b"\xef\xbb\xbf", b"\x00", b"\xff",
        b"\xed\xa0\x80",
        b"[", b"]", b"{", b"}", b"'", b'"', b"|\n", b">\n", b"- ", b"? ", b": ", b"# ", b"%YAML 1.1\n", b".nan",
        b"1e999",
        b"012", b"${{", b"}}", b"${{ steps.x }}", b"\\ud800", b'"\\ud800"', b"9" * 30, b"null", b"no", b"\xe2\x80\xa8",
        b"[" * 70, b"steps:\n", b"  - id: mail\n", b"\n", b"    ", b"\xf0\x9d\x84\x9e", b"~", b"@", b"`", b"// x\n",
        b"NaN",
    ]
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid document with pieces removed, doubled, moved or put in."""
    text = draw(st.sampled_from([ORCHESTRATION, BUSINESS, as_json(ORCHESTRATION), as_json(BUSINESS)]))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        piece = draw(st.one_of(SNIPPETS, st.just(b""), st.just(text[start:end] * 2), st.binary(max_size=6)))
        text = text[:start] + piece + text[end:]
    return text


def as_json(text: bytes) -> bytes:
    """Return a document as JSON, over several lines."""
    document = read_document(text, path="a.yaml", diagnostics=Diagnostics())
    assert document is not None
    assert document.root is not None
    return json.dumps(plain_value(document.root), indent=1).encode()


def require_answer(checked: Checked) -> None:
    """Assert that findings are well-formed, can be shown, and that there is a result exactly if nothing blocks."""
    diagnostics = checked.diagnostics
    sources = {} if checked.source is None else {checked.path: checked.source}

    assert diagnostics.has_errors == (checked.compiled is None)
    assert len(render_plain(diagnostics).splitlines()) == len(diagnostics)
    assert render_excerpts(diagnostics, sources).isprintable() is (len(diagnostics) == 0)
    assert json.dumps(diagnostics.to_json())
    for finding in diagnostics:
        assert Position(1, 1) <= finding.span.start <= finding.span.end
        assert finding.message.startswith("expected ")


@given(raw=st.binary(max_size=300), path=PATHS)
@example(raw=b"\xff\xfe\x00", path="a.yaml")
def test_random_bytes_are_answered_by_findings(raw: bytes, path: str) -> None:
    """
    No bytes cause anything but findings.
    """
    require_answer(check_document(raw, path=path, contracts=CONTRACTS))


@given(text=st.text(max_size=200), path=PATHS)
def test_random_text_is_answered_by_findings(text: str, path: str) -> None:
    """
    No text causes anything but findings.
    """
    require_answer(check_document(text.encode("utf-8", "surrogatepass"), path=path, contracts=CONTRACTS))


@given(raw=st.lists(SNIPPETS, max_size=30).map(b"".join), path=PATHS)
def test_joined_syntax_is_answered_by_findings(raw: bytes, path: str) -> None:
    """
    Neither do the pieces that syntaxes are made of, in any order.
    """
    require_answer(check_document(raw, path=path, contracts=CONTRACTS))


@given(raw=mutated(), path=PATHS)
def test_mutated_documents_are_answered_by_findings(raw: bytes, path: str) -> None:
    """
    A valid document that was damaged compiles or has an error; nothing else happens.
    """
    checked = check_document(raw, path=path, contracts=CONTRACTS)

    require_answer(checked)
    assert [(finding.span, finding.code, finding.message) for finding in checked.diagnostics] == list(
        dict.fromkeys((finding.span, finding.code, finding.message) for finding in checked.diagnostics)
    )


@given(raw=mutated())
def test_same_bytes_give_the_same_answer(raw: bytes) -> None:
    """
    Compiling is a function of the bytes, the tools and the policy.
    """
    first = check_document(raw, path="a.yaml", contracts=CONTRACTS)
    second = check_document(raw, path="a.yaml", contracts=CONTRACTS)

    assert list(first.diagnostics) == list(second.diagnostics)
    assert first.compiled == second.compiled


KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=8)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda number: number == 0 or abs(number) > 1e-300
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp", "Cn", "Co"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(value=st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), indent=st.sampled_from([None, 2]))
def test_json_text_has_its_value_in_both_syntaxes(value: dict[str, object], indent: int | None) -> None:
    """
    What the standard library writes is read back, as JSON and as YAML.
    """
    raw = json.dumps(value, ensure_ascii=False, indent=indent).encode()
    for path in ("a.json", "a.yaml"):
        diagnostics = Diagnostics()
        document = read_document(raw, path=path, diagnostics=diagnostics)
        assert [] == [finding for finding in diagnostics if finding.code != "NUMBER_AMBIGUOUS"]
        assert document is not None
        assert document.root is not None
        assert canonical_bytes(value) == canonical_bytes(plain_value(document.root))  # type: ignore[arg-type]


@given(value=st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), width=st.sampled_from([20, 80]))
def test_yaml_text_has_its_value(value: dict[str, object], width: int) -> None:
    """
    What PyYAML writes, in its own styles of quoting and folding, is read back.
    """
    text = yaml.dump(value, allow_unicode=True, width=width, Dumper=Careful)
    assume(not any(sign in text for sign in ("!!", "? ")))
    diagnostics = Diagnostics()
    document = read_document(text.encode(), path="a.yaml", diagnostics=diagnostics)
    assert [] == [finding for finding in diagnostics if finding.code != "NUMBER_AMBIGUOUS"]
    assert document is not None
    assert document.root is not None

    assert canonical_bytes(value) == canonical_bytes(plain_value(document.root))  # type: ignore[arg-type]


class Careful(yaml.SafeDumper):
    """Writes repeated values out, and quotes what YAML 1.2 may take for a number where YAML 1.1 does not."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.Node:
        style = "'" if text[:1] in set("+-.0123456789NI<") else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Careful.add_representer(str, Careful.represent_text)


@given(raw=mutated(), path=PATHS)
def test_places_of_nodes_lie_in_each_other(raw: bytes, path: str) -> None:
    """
    Every node lies inside the text and inside its parent, and plain scalars stand where they say.
    """
    document = read_document(raw, path=path, diagnostics=Diagnostics())
    if document is None or document.root is None:
        return

    require_nested(document.root, 0, len(document.source.text))
    require_plain_places(document.root, document.source.text)


def require_nested(node: Node, start: int, end: int) -> None:
    assert start <= node.start <= node.end <= end
    match node:
        case Sequence(items=items):
            for item in items:
                require_nested(item, node.start, node.end)
        case Mapping(entries=entries):
            for entry in entries.values():
                require_nested(entry.key, node.start, node.end)
                require_nested(entry.value, node.start, node.end)
        case _:
            pass


def require_plain_places(node: Node, text: str) -> None:
    match node:
        case Scalar(value=str() as value, style="") if value.isalnum() and value.isascii():
            assert text[node.start : node.end] == value
        case Sequence(items=items):
            for item in items:
                require_plain_places(item, text)
        case Mapping(entries=entries):
            for entry in entries.values():
                require_plain_places(entry.value, text)
        case _:
            pass


@given(name=st.text(string.ascii_lowercase, min_size=1, max_size=8), line_end=st.sampled_from([b"\n", b"\r\n"]))
def test_line_ends_do_not_change_the_digest(name: str, line_end: bytes) -> None:
    """
    A file saved with other line ends is the same definition.
    """
    text = ORCHESTRATION.replace(b"order-fulfilment", f"'{name}'".encode())
    plain = check_document(text, path="a.yaml", contracts=CONTRACTS)
    other = check_document(text.replace(b"\n", line_end), path="a.yaml", contracts=CONTRACTS)
    assert plain.compiled is not None
    assert other.compiled is not None

    assert encode_definition(plain.compiled) == encode_definition(other.compiled)  # type: ignore[arg-type]
