"""What opens connections, reads foreign text and compiles patterns: every place is known, with what watches over it.

A new place fails here until it is entered: as a door of the attacks (`tests/attacks/ssrf.py`), as a parser
(`tests/attacks/parsers.py`), or with the reason why it needs neither.
"""

import ast

import pytest

from tests.style.sources import ROOT, dotted_name, imported_names, modules

CONNECTING = (
    "httpx2", "socket", "asyncpg", "urllib.request", "http.client", "stripe", "smtplib", "ftplib", "telnetlib",
    "requests", "aiohttp", "httpx", "websockets", "ssl", "paramiko", "grpc", "uvicorn",
)  # fmt: skip
OPENING = frozenset(
    {
        "asyncio.open_connection",
        "asyncio.open_unix_connection",
        "loop.create_connection",
        "urlopen",
        "create_connection",
    }
)
CONNECTIONS = {
    "src/remit/tools/guarded_http.py": "the guard: doors guarded-client, webhook-notifier, subscription, provider-wire",
    "src/remit_commerce/providers/stripe.py": "Stripe's SDK on our exchange: door endpoint-stripe",
    "src/remit_commerce/tools/stripe.py": "names of Stripe's SDK, no transport of its own",
    "src/remit_commerce/simulators/client.py": "to the simulators' process, at the address that it printed",
    "src/remit_commerce/simulators/process.py": "listens on loopback",
    "src/remit_commerce/simulators/spoiled.py": "resets connections that the simulators accepted",
    "src/remit/cli/demo_shop.py": "to the simulators' process of the demo, at the address that it printed",
    "src/remit/cli/doctor.py": "binds the server's own port to see whether it is free",
    "src/remit/api/server.py": "listens where the operator says",
    "src/remit/api/protocol.py": "serves what was accepted",
    "src/remit/store/postmaster.py": "to the embedded server's socket in its own folder",
}
"""Modules that can open a connection. The store's go to the operator's own DATABASE_URL, or to the embedded server."""

STORE = "src/remit/store/"

DECODERS = frozenset(
    {
        "json.loads", "orjson.loads", "msgspec.json.decode", "msgspec.json.Decoder", "msgspec.convert", "parse",
        "strict_json.parse", "datetime.fromisoformat", "datetime.fromtimestamp", "base64.b64decode",
        "bytes.fromhex", "urlsplit", "parse_qsl", "CParser", "unquote", "yaml.parse", "yaml.load", "uuid.UUID",
        "email.utils.parsedate_to_datetime", "ipaddress.ip_address", "IPv4Address", "IPv6Address", "graphql.parse",
        "pickle.loads", "marshal.loads", "eval", "exec",
    }
)  # fmt: skip
FORBIDDEN = frozenset({"pickle.loads", "marshal.loads", "eval", "exec", "yaml.load"})
READERS = {
    "src/remit/api/bodies.py": "parser request-body",
    "src/remit/api/records.py": "stored values, written by us as canonical JSON",
    "src/remit/cli/approval_card.py": "stored values; parser display has the arguments",
    "src/remit/cli/definitions.py": "stored values",
    "src/remit/cli/demo_shop.py": "the demo's own processes",
    "src/remit/cli/demo_stage.py": "the demo's own processes",
    "src/remit/cli/demo_story.py": "the demo's own processes",
    "src/remit/cli/inputs.py": "parser command-input",
    "src/remit/cli/pidfile.py": "our own file in the user's folder",
    "src/remit/cli/run_tree.py": "stored values",
    "src/remit/cli/simulate.py": "parser json, for a simulation's own payloads",
    "src/remit/core/definition.py": "parser stored-definition",
    "src/remit/core/facts.py": "parser facts",
    "src/remit/core/strict_json.py": "parser json",
    "src/remit/governance/display.py": "parser display",
    "src/remit/governance/egress.py": "parser url",
    "src/remit/governance/policy.py": "parser stored-policy",
    "src/remit/governance/schemas.py": "parser schema",
    "src/remit/governance/scopes.py": "parser host",
    "src/remit/plans/business/reading.py": "parser remit-file",
    "src/remit/plans/business/subscriptions.py": "parser remit-file",
    "src/remit/plans/documents/yaml_reader.py": "parser yaml-document",
    "src/remit/runtime/first_event.py": "stored values",
    "src/remit/runtime/messages.py": "parser inbox-message",
    "src/remit/runtime/pipeline.py": "stored values",
    "src/remit/runtime/replay.py": "stored values; damage is a finding",
    "src/remit/runtime/secret_store.py": "parser secrets-file",
    "src/remit/runtime/submissions.py": "parser json",
    "src/remit/runtime/trace.py": "stored values",
    "src/remit/runtime/worker.py": "stored values",
    "src/remit/store/cluster.py": "our own file in the server's folder",
    "src/remit/store/migrate.py": "the operator's DATABASE_URL",
    "src/remit/store/reservation.py": "stored values",
    "src/remit/tools/inference.py": "arguments that the contract accepted",
    "src/remit/tools/webhook_notifier.py": "parsers retry-after and signing-secret",
    "src/remit_commerce/ingress/printful.py": "parser webhook-printful",
    "src/remit_commerce/ingress/shopify.py": "parser webhook-shopify",
    "src/remit_commerce/ingress/signatures.py": "parsers webhook-shopify, webhook-printful and webhook-stripe",
    "src/remit_commerce/ingress/signers.py": "the simulators' own secrets",
    "src/remit_commerce/ingress/stripe.py": "parser webhook-stripe",
    "src/remit_commerce/providers/shopify_orders.py": "replies read by strict_json, into records",
    "src/remit_commerce/providers/wire.py": "parsers json and retry-after",
    "src/remit_commerce/tools/printful.py": "replies read by strict_json, into records",
    "src/remit_commerce/tools/stripe.py": "replies read by strict_json, into records",
}
"""Modules that read text from outside or from the database, and which parser of the attacks has them."""

INTERNAL = ("src/remit/testing/", "src/remit_commerce/simulators/", "src/remit/assurance/")
"""What runs beside Remit, for tests."""

COMPILING = frozenset(
    {"re.compile", "re.match", "re.search", "re.fullmatch", "re.sub", "re.split", "re.findall", "re.finditer"}
)


def test_every_module_that_can_connect_is_known() -> None:
    """
    Each module that imports what opens sockets is entered with the door that attacks it, or a reason.
    """
    found = {
        module.path
        for module in modules("src")
        for _, name in imported_names(module)
        if any(name == one or name.startswith(f"{one}.") for one in CONNECTING)
    } | {
        module.path
        for module in modules("src")
        for node in module.nodes
        if isinstance(node, ast.Call) and dotted_name(node.func) in OPENING
    }
    found = {path for path in found if not path.startswith((STORE, "src/remit/testing/"))}
    entered = {path for path in CONNECTIONS if not path.startswith(STORE)}

    assert entered == found


def test_every_module_that_reads_foreign_text_is_known() -> None:
    """
    Each module that decodes is entered with its parser, or a reason.
    """
    found = {
        module.path
        for module in modules("src")
        for node in module.nodes
        if isinstance(node, ast.Call) and dotted_name(node.func) in DECODERS
    }
    found = {path for path in found if not path.startswith(INTERNAL)}

    assert {path for path in READERS if (ROOT / path).exists()} == found


def test_no_decoder_runs_what_it_reads() -> None:
    """
    Nothing is unpickled, evaluated or loaded with constructors.
    """
    running = [
        module.at(node)
        for module in modules("src")
        for node in module.nodes
        if isinstance(node, ast.Call) and dotted_name(node.func) in FORBIDDEN
    ]

    assert [] == running


@pytest.mark.parametrize("function", sorted(COMPILING))
def test_backtracking_patterns_are_ours(function: str) -> None:
    """
    The standard library's patterns can take for ever: only those that stand in our code are given to it. Patterns of
    users go through RE2, or the schema library's linear engine.
    """
    foreign = [
        module.at(node)
        for module in modules("src")
        for node in module.nodes
        if isinstance(node, ast.Call) and dotted_name(node.func) == function and not is_ours(node)
    ]

    assert [] == foreign


def is_ours(call: ast.Call) -> bool:
    """Tell whether a pattern is written here: a text, parts of texts and constants, or escaped text in them."""
    pattern = call.args[0]
    if isinstance(pattern, ast.JoinedStr):
        return all(is_plain(part.value) for part in pattern.values if isinstance(part, ast.FormattedValue))
    return is_plain(pattern) or (isinstance(pattern, ast.BinOp) and is_plain(pattern.left) and is_plain(pattern.right))


def is_plain(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.Name(id=name):
            return name.strip("_").isupper()
        case ast.Call(func=function):
            return dotted_name(function) == "re.escape"
        case _:
            return False
