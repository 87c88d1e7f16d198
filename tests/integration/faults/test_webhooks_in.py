"""Webhooks in: handled once, in any order, only if genuine."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import msgspec
import pytest

from remit.ports.store import InboundEvent
from remit.testing.database import ScratchDatabase
from remit_commerce.ingress import signatures, stripe
from remit_commerce.ingress.shopify import ShopifyWebhooks
from tests.integration.faults.deliveries import SHARES, deliver_all, generate

COUNT = 600
SMALL = 150


@pytest.mark.slow
async def test_deliveries_in_any_order_have_each_effect_once(database: ScratchDatabase) -> None:
    """
    Doubled, shuffled, stale, forged and changed: no effect twice, none lost, nothing forged accepted; a second body
    for an id is flagged and not merged.
    """
    sent = generate(20_261_129, COUNT)

    counted = await deliver_all(database, sent)

    assert [] == counted.complaints()
    assert {kind: round(COUNT * share) for kind, share in SHARES.items() if kind != "duplicate"} == {
        kind: count for kind, count in counted.sent.items() if kind not in {"genuine", "duplicate"}
    }
    assert counted.sent["duplicate"] >= COUNT * SHARES["duplicate"]
    assert counted.conflicts_flagged > 0
    assert counted.effects == counted.effects_expected > COUNT // 2


async def test_accepted_forgery_is_found(database: ScratchDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Signatures that are not compared let everybody start runs.
    """
    monkeypatch.setattr(signatures, "require_match", lambda *_: None)

    counted = await deliver_all(database, generate(1, SMALL))

    assert counted.forged_accepted > 0
    assert counted.effects_forged > 0


async def test_old_signature_taken_for_a_new_one_is_found(
    database: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Without a window of time an old delivery is as good as a new one.
    """
    monkeypatch.setattr(stripe, "TOLERANCE_SECONDS", 1_000_000)

    counted = await deliver_all(database, generate(2, SMALL))

    assert counted.sent["stale"] == counted.forged_accepted > 0


async def test_event_without_its_own_key_is_found(database: ScratchDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An event whose copies are all taken for new ones is stored again and again, and no conflict is seen.
    """
    honest = ShopifyWebhooks.parse

    def parse(self: ShopifyWebhooks, *, headers: Mapping[str, str], body: bytes) -> InboundEvent:
        event = honest(self, headers=headers, body=body)
        return msgspec.structs.replace(event, event_key=secrets.token_hex(8))

    monkeypatch.setattr(ShopifyWebhooks, "parse", parse)

    counted = await deliver_all(database, generate(3, SMALL))

    assert counted.misjudged > 0
    assert counted.events_stored > counted.events_expected
