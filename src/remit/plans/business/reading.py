"""The parts of a remit file: scopes, approval rules, breakers, endpoints, credentials.

Owns: what their fields mean, and the defaults that are filled in.
Does not know: whether they fit the tools (the compile checks do).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal
from urllib.parse import urlsplit

from remit.diagnostics import Reporter, Severity
from remit.governance.breaker import BreakerConfig
from remit.governance.contracts import HOST_PATTERN, NAME_PATTERN
from remit.governance.policy import ApprovalRule, Scope
from remit.plans.business.tables import APPROVAL_RULE, BREAKER, SCOPE
from remit.plans.documents import Entry, Invalid, Node, Scalar, describe, shorten
from remit.plans.expressions import condition_of
from remit.plans.fields import Fields, TextRule, duration_words, fields_of, mapping_of, place, text_of, wrong_type
from remit.plans.secrets import looks_like_secret, report_secret

TIMEOUT_SECONDS_MAX: Final = 90 * 86_400
APPROVERS_MAX: Final = 20
DATA_CAP_BYTES_MAX: Final = 64 * 1024 * 1024
BREAKER_COUNT_MAX: Final = 1_000_000
BREAKER_SECONDS_MAX: Final = 86_400

TOOL_PATTERN: Final = TextRule(
    pattern=re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*(?:\.\*)?"),
    words="a tool's name such as stripe.refund, or all below a prefix such as stripe.*",
)
NAME: Final = TextRule(pattern=NAME_PATTERN, words="a lower-case name such as stripe")
RULE_ID: Final = TextRule(
    pattern=re.compile(r"[a-z][a-z0-9_.-]{0,99}"),
    words="a lower-case name of up to 100 letters, digits, '.', '_' and '-', beginning with a letter",
)
HOST: Final = TextRule(pattern=HOST_PATTERN, words="a lower-case host name such as api.example.com or *.example.com")
PRINCIPAL: Final = TextRule(
    pattern=re.compile(r"\*|[A-Za-z0-9][A-Za-z0-9_.@:/-]{0,199}"), words="the name of a principal, or '*' for any"
)
OPERATION: Final = TextRule(
    pattern=re.compile(r"\*|[a-z][a-z0-9_.]{0,127}"), words="an operation's name, or '*' for any"
)
SECRET_NAME: Final = TextRule(
    pattern=re.compile(r"[A-Za-z][A-Za-z0-9_./:#-]{0,199}"),
    words="the name of a secret: letters, digits, '_', '.', '/', ':', '#' and '-', beginning with a letter",
)

_NOT_BASE: Final = re.compile(r"[?#\s\x00-\x1f\x7f\\]")
_SIZE: Final = re.compile(r"([0-9]{1,9})(B|KB|MB)")
_SIZE_UNITS: Final = {"B": 1, "KB": 1024, "MB": 1024 * 1024}
_UNREADABLE: Final = "unreadable"
_AUTOMATIC: Final = frozenset({"approve", "auto_approve", "autoapprove", "allow", "continue"})
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def read_scopes(fields: Fields) -> tuple[Scope, ...]:
    """Return the grants."""
    return tuple(_read_scope(fields.reporter, node) for node in fields.items("scopes") or ())


def _read_scope(reporter: Reporter, node: Node) -> Scope:
    """Return one scope; one that cannot be read is replaced, so that the others keep their places."""
    fields = fields_of(reporter, node, SCOPE)
    if fields is None:
        return Scope(tool=_UNREADABLE)
    fields.require("tool")
    fields.exclude("data_cap", "data_cap_bytes")
    tool = fields.text("tool", rule=TOOL_PATTERN)
    principals = _grants(fields, "principals", PRINCIPAL)
    operations = _grants(fields, "operations", OPERATION)
    cap = fields.integer("data_cap_bytes", minimum=1, maximum=DATA_CAP_BYTES_MAX)
    network = fields.texts("network", rule=HOST) or ()
    written = _read_size(fields, "data_cap")
    return Scope(
        tool=tool or _UNREADABLE,
        principals=principals,
        operations=operations,
        network=network,
        data_cap_bytes=cap if written is None else written,
    )


def _grants(fields: Fields, name: str, rule: TextRule) -> tuple[str, ...]:
    names = fields.texts(name, rule=rule)
    return ("*",) if names is None else names


def _read_size(fields: Fields, name: str) -> int | None:
    node = fields.node(name)
    if node is None or isinstance(node, Invalid):
        return None
    text = node.value if isinstance(node, Scalar) else None
    found = _SIZE.fullmatch(text) if isinstance(text, str) else None
    size = 0 if found is None else int(found[1]) * _SIZE_UNITS[found[2]]
    if 0 < size <= DATA_CAP_BYTES_MAX:
        return size
    fields.reporter.report(
        "VALUE_INVALID", f"expected a size up to 64MB such as 64KB, got {describe(node)}; write one", at=place(node)
    )
    return None


def read_approval_rules(fields: Fields) -> tuple[ApprovalRule, ...]:
    """Return the rules in document order."""
    items = fields.items("approval_rules") or ()
    return tuple(_read_rule(fields.reporter, node, number) for number, node in enumerate(items, start=1))


def _read_rule(reporter: Reporter, node: Node, number: int) -> ApprovalRule:
    """Return one rule; what cannot be read is replaced, so that the others keep their places."""
    stand_in = f"rule_{number}"
    fields = fields_of(reporter, node, APPROVAL_RULE)
    if fields is None:
        return ApprovalRule(id=stand_in, tool=_UNREADABLE)
    fields.require("id")
    fields.require("tool")
    fields.exclude("timeout", "timeout_seconds")
    rule_id = fields.text("id", rule=RULE_ID)
    tool = fields.text("tool", rule=TOOL_PATTERN)
    when = fields.node("when")
    condition = None if when is None else condition_of(fields.reporter, when)
    timeout_seconds = _seconds(fields, "timeout", "timeout_seconds", maximum=TIMEOUT_SECONDS_MAX)
    approvers = fields.integer("approvers_required", minimum=1, maximum=APPROVERS_MAX)
    chain = fields.texts("escalation_chain", rule=PRINCIPAL) or ()
    on_timeout = _on_timeout(fields)
    reason = fields.text("reason", length_max=1_000) or ""
    return ApprovalRule(
        id=rule_id or stand_in,
        tool=tool or _UNREADABLE,
        condition=condition,
        reason=reason,
        timeout_seconds=timeout_seconds or _RULE_DEFAULTS.timeout_seconds,
        on_timeout=on_timeout,
        approvers_required=approvers or 1,
        escalation_chain=chain,
    )


_RULE_DEFAULTS: Final = ApprovalRule(id="default", tool="*")


def _on_timeout(fields: Fields) -> Literal["fail", "escalate"]:
    node = fields.node("on_timeout")
    text = node.value if isinstance(node, Scalar) else None
    if node is not None and isinstance(text, str):
        word = text.lower()
        if word in _AUTOMATIC:
            fields.reporter.report(
                "APPROVAL_AUTOMATIC",
                f"expected 'fail' or 'escalate', got {shorten(text)}; nothing is approved by time running out",
                at=place(node),
            )
            return "fail"
        if word in {"fail", "escalate"}:
            return "escalate" if word == "escalate" else "fail"
    fields.choice("on_timeout", ("fail", "escalate"))
    return "fail"


def read_breakers(fields: Fields) -> dict[str, BreakerConfig]:
    """Return the breakers by dependency."""
    breakers: dict[str, BreakerConfig] = {}
    for name, entry in _named(fields, "breakers"):
        breaker = fields_of(fields.reporter, entry.value, BREAKER)
        if breaker is not None:
            breakers[name] = _read_breaker(breaker)
    return breakers


def _read_breaker(fields: Fields) -> BreakerConfig:
    fields.exclude("failure_window", "failure_window_seconds")
    fields.exclude("open", "open_seconds")
    default = BreakerConfig()
    limits = {
        name: fields.integer(name, minimum=1, maximum=BREAKER_COUNT_MAX) or getattr(default, name)
        for name in ("failure_threshold", "half_open_calls_max", "success_threshold")
    }
    window = _seconds(fields, "failure_window", "failure_window_seconds", maximum=BREAKER_SECONDS_MAX)
    opened = _seconds(fields, "open", "open_seconds", maximum=BREAKER_SECONDS_MAX)
    limits["failure_window_seconds"] = window or default.failure_window_seconds
    limits["open_seconds"] = opened or default.open_seconds
    try:
        return BreakerConfig(**limits)
    except ValueError as error:
        culprit = "success_threshold" if "success_threshold" in fields else "half_open_calls_max"
        fields.reporter.report("VALUE_INVALID", str(error), at=fields.value_place(culprit))
        return default


def read_endpoints(fields: Fields) -> dict[str, str]:
    """Return base URLs by name."""
    endpoints: dict[str, str] = {}
    for name, entry in _named(fields, "endpoints"):
        url = _read_url(fields.reporter, entry.value)
        if url is not None:
            endpoints[name] = url
    return endpoints


def _read_url(reporter: Reporter, node: Node) -> str | None:
    url = text_of(reporter, node, length_max=2_000)
    if url is None:
        return None
    assert isinstance(node, Scalar)
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.username is not None or parts.password is not None:
        report_secret(reporter, node)
        return None
    if not host or parts.scheme not in {"http", "https"} or _NOT_BASE.search(url):
        reporter.report(
            "VALUE_INVALID",
            f"expected a base URL such as https://api.example.com/v1, got {shorten(url)}; "
            "write scheme, host and path only",
            at=place(node),
        )
        return None
    if parts.scheme == "http" and host not in _LOOPBACK:
        reporter.report(
            "ENDPOINT_INSECURE",
            f"expected https, got http for {host}; credentials would travel in the open",
            at=place(node),
            severity=Severity.WARNING,
        )
    return url


def read_credentials(fields: Fields) -> dict[str, str]:
    """Return secret names by credential name. A value that looks like a secret is refused and never shown."""
    credentials: dict[str, str] = {}
    for name, entry in _named(fields, "credentials"):
        secret = secret_name_of(fields.reporter, entry.value)
        if secret is not None:
            credentials[name] = secret
    return credentials


def secret_name_of(reporter: Reporter, node: Node) -> str | None:
    """Return a node that is to be the name of a secret; one that looks like a secret itself is never shown."""
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        wrong_type(reporter, node, "the name of a secret")
        return None
    if looks_like_secret(node.value):
        report_secret(reporter, node)
        return None
    if not SECRET_NAME.pattern.fullmatch(node.value):
        # What stands here may be a secret of an unknown kind: it is not quoted.
        reporter.report(
            "SECRET_NAME_INVALID", f"expected {SECRET_NAME.words}, got another text; rename it", at=place(node)
        )
        return None
    return node.value


def _named(fields: Fields, name: str) -> Iterator[tuple[str, Entry]]:
    """Yield the entries of a mapping from names to something; an unusable name is reported."""
    node = fields.node(name)
    mapping = None if node is None else mapping_of(fields.reporter, node)
    if mapping is None:
        return
    for key, entry in mapping.entries.items():
        if text_of(fields.reporter, entry.key, rule=NAME, length_max=128) is not None:
            yield key, entry


def _seconds(fields: Fields, name: str, name_seconds: str, *, maximum: int) -> int | None:
    """Return a duration in whole seconds, written as a duration or under the seed's name as a number of seconds."""
    number = fields.integer(name_seconds, minimum=1, maximum=maximum)
    milliseconds = fields.duration_ms(name, minimum_ms=1_000, maximum_ms=maximum * 1_000)
    if milliseconds is None:
        return number
    if milliseconds % 1_000:
        fields.reporter.report(
            "DURATION_INVALID",
            f"expected whole seconds, got {duration_words(milliseconds)}; round it",
            at=fields.value_place(name),
        )
    return milliseconds // 1_000
