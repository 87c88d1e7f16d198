"""Remit files compile to business configs."""

import pytest

from remit.core.definition import Bounds
from remit.diagnostics import render_excerpts
from remit.governance.breaker import BreakerConfig
from remit.governance.contracts import ToolContract
from remit.governance.policy import ApprovalRule, BusinessConfig, Scope, Subscription, decode_policy, encode_policy
from remit.plans.business import compile_business
from tests.unit.plans.reading import lines

FULL = """\
business: shop-eu
version: 1.0.0
description: All that can be said.
bounds: {steps_max: 50, cost_usd_max: 2}
scopes:
  - tool: pay.*
    principals: [support-agent]
    operations: [call]
    network: ["*.pay.example"]
    data_cap: 64KB
  - {tool: shop.order.get}
approval_rules:
  - id: large-refund
    tool: pay.refund
    when: ${{ input.amount > 5000 }}
    reason: more than 50 EUR
    timeout: 15m
    on_timeout: escalate
    approvers_required: 2
    escalation_chain: [ops-lead, owner]
breakers:
  pay: {failure_threshold: 3, failure_window: 30s, open: 1m, half_open_calls_max: 2, success_threshold: 1}
endpoints: {pay: "https://api.pay.example/v1", local: "http://127.0.0.1:8080"}
credentials: {pay: PAY_RESTRICTED_KEY, shop: vault/shop-eu/shop_admin_token, mail: "env:MAIL_TOKEN_2026"}
subscriptions:
  - {id: warehouse, topic: orders.*, url: "https://hooks.example:8443/in?source=remit", secret: WAREHOUSE_WEBHOOK}
  - {topic: orders.paid, url: "http://localhost:9000", secret: LOCAL_WEBHOOK, allow_private: true}
"""


def test_every_field_arrives_in_the_config(contracts: dict[str, ToolContract]) -> None:
    """
    Durations become seconds, sizes bytes, and what is not said gets its default.
    """
    result = compile_business(FULL.encode(), path="remit.yaml", contracts=contracts)
    expected = BusinessConfig(
        name="shop-eu",
        version="1.0.0",
        description="All that can be said.",
        bounds=Bounds(steps_max=50, cost_usd_micros_max=2_000_000),
        scopes=(
            Scope(
                tool="pay.*",
                principals=("support-agent",),
                operations=("call",),
                network=("*.pay.example",),
                data_cap_bytes=65_536,
            ),
            Scope(tool="shop.order.get"),
        ),
        approval_rules=(
            ApprovalRule(
                id="large-refund",
                tool="pay.refund",
                condition="input.amount > 5000",
                reason="more than 50 EUR",
                timeout_seconds=900,
                on_timeout="escalate",
                approvers_required=2,
                escalation_chain=("ops-lead", "owner"),
            ),
        ),
        breakers={
            "pay": BreakerConfig(
                failure_threshold=3,
                failure_window_seconds=30,
                open_seconds=60,
                half_open_calls_max=2,
                success_threshold=1,
            )
        },
        endpoints={"pay": "https://api.pay.example/v1", "local": "http://127.0.0.1:8080"},
        credentials={
            "pay": "PAY_RESTRICTED_KEY",
            "shop": "vault/shop-eu/shop_admin_token",
            "mail": "env:MAIL_TOKEN_2026",
        },
        subscriptions=(
            Subscription(
                id="warehouse",
                topic="orders.*",
                url="https://hooks.example:8443/in?source=remit",
                secret="WAREHOUSE_WEBHOOK",
            ),
            Subscription(
                id="localhost-907431b3",
                topic="orders.paid",
                url="http://localhost:9000",
                secret="LOCAL_WEBHOOK",
                allow_private=True,
            ),
        ),
    )

    assert [] == lines(result.diagnostics)
    assert expected == result.config
    assert expected == decode_policy(encode_policy(expected))


def test_names_of_the_seed_documents_are_accepted() -> None:
    """
    Scopes, rules and breakers may be called as they were.
    """
    text = """\
name: seed
version: 1.0.0
bounds: {max_steps_per_run: 5}
scopes: [{tool_name: pay.refund, allowed_operations: [call], network_allowlist: [a.example], data_cap_bytes: 5}]
hitl_rules: [{id: a, trigger: pay.refund, condition: "true", timeout_seconds: 60, timeout_action: FAIL,
              required_approvers: 2}]
breakers: {pay: {half_open_max_calls: 4, open_duration: 9s, failure_window_seconds: 8}}
"""
    result = compile_business(text.encode(), path="remit.yaml")
    assert result.config is not None

    assert (Scope(tool="pay.refund", operations=("call",), network=("a.example",), data_cap_bytes=5),) == (
        result.config.scopes
    )
    assert (ApprovalRule(id="a", tool="pay.refund", condition="true", timeout_seconds=60, approvers_required=2),) == (
        result.config.approval_rules
    )
    assert {"pay": BreakerConfig(half_open_calls_max=4, open_seconds=9, failure_window_seconds=8)} == (
        result.config.breakers
    )


def test_money_in_scope_needs_a_rule(contracts: dict[str, ToolContract]) -> None:
    """
    A tool that moves money and may be used must have a rule (CC-04), unless tools are not known.
    """
    text = b"business: b\nversion: 1.0.0\nbounds: {}\nscopes:\n  - {tool: pay.*, network: [api.pay.example]}\n"

    assert ["1:1 APPROVAL_MISSING"] == lines(compile_business(text, path="r.yaml", contracts=contracts).diagnostics)
    assert compile_business(text, path="r.yaml").config is not None


@pytest.mark.parametrize(
    "value",
    [
        "sk_test_abcdefghijkl", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "8f14e45fceea167a5a36dedd4bea2543",
        "SG.abcdefghij.klmnopqrst", "xoxb-123456789012-abcdef", "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMIK7MDENGbPxRfiCYzKEY42",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
        "QmFzZTY0IGVuY29kZWQgc2VjcmV0IDEyMzQ1Njc4OTA=",
    ],
)  # fmt: skip
def test_secret_instead_of_its_name_is_refused_unseen(value: str) -> None:
    """
    Values of known kinds and random characters are refused, and no output shows them.
    """
    text = f"business: b\nversion: 1.0.0\nbounds: {{}}\ncredentials: {{pay: '{value}'}}\n"
    result = compile_business(text.encode(), path="r.yaml")
    assert result.document is not None
    shown = render_excerpts(result.diagnostics, {"r.yaml": result.document.source}) + str(result.diagnostics.to_json())

    assert 1 == len(result.diagnostics)
    assert result.config is None
    assert value not in shown


@pytest.mark.parametrize(
    "name",
    [
        "STRIPE_KEY", "vault/shop-eu/stripe", "prod:stripe#key", "kv/data/team-a/payments.stripe", "key1", "a",
        "SHOP_EU_STRIPE_RESTRICTED_API_KEY_2026_Q1", "projects/shop-eu/secrets/stripe-key/versions/12",
        "smtp-password-v2",
    ],
)  # fmt: skip
def test_names_of_secrets_are_accepted(name: str) -> None:
    """
    Names as secret stores have them are not taken for secrets.
    """
    text = f"business: b\nversion: 1.0.0\nbounds: {{}}\ncredentials: {{pay: '{name}'}}\n"
    result = compile_business(text.encode(), path="r.yaml")

    assert [] == lines(result.diagnostics)


@pytest.mark.parametrize(
    "url",
    ["api.example.com", "https://", "ftp://x", "https://x?y=1", "https://x#y", "https://x:99999", "https://[::1", "//x",
     "javascript:alert(1)", "https://x y", "https:///path"],
)  # fmt: skip
def test_endpoint_is_a_base_url(url: str) -> None:
    """
    Whatever is no scheme, host and path is refused.
    """
    text = f"business: b\nversion: 1.0.0\nbounds: {{}}\nendpoints: {{pay: '{url}'}}\n"

    assert ["4:18 VALUE_INVALID"] == lines(compile_business(text.encode(), path="r.yaml").diagnostics)


def test_secret_elsewhere_in_the_file_is_found() -> None:
    """
    A secret is refused wherever it stands, also as a key, and other findings do not quote it.
    """
    text = """\
business: sk_test_abcdefghijkl
version: ghp_16C7e42F292c6912E7710c838347Ae178B4a
bounds: {}
sk_live_abcdefghijkl: 1
"""
    result = compile_business(text.encode(), path="r.yaml")

    assert ["1:11 SECRET_LITERAL", "2:10 SECRET_LITERAL", "4:1 SECRET_LITERAL"] == lines(result.diagnostics)
    assert "abcdefghijkl" not in str(result.diagnostics.to_json())
