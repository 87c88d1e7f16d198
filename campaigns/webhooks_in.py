"""Webhooks in at full numbers: doubled, shuffled, stale, forged and changed deliveries of three providers."""

from __future__ import annotations

import asyncio

from campaigns.record import Figure, Options, at_least, exactly, reading
from remit.testing.database import ScratchServer
from tests.integration.faults.deliveries import SHARES, deliver_all, generate

PROMISE = "Webhooks are handled once, in any order, only if genuine; a second body for an id is flagged, not merged."

DELIVERIES_FULL = 100_000


def run(options: Options) -> list[Figure]:
    """Deliver everything, and count."""
    count = options.count(DELIVERIES_FULL)
    sent = generate(options.seed, count)
    with ScratchServer() as server:
        database = asyncio.run(server.create())
        counted = asyncio.run(deliver_all(database, sent))
    return [
        at_least("deliveries", len(sent), count),
        *(
            at_least(f"of them: {kind}", counted.sent[kind], round(count * share * 0.95))
            for kind, share in SHARES.items()
        ),
        exactly("forged, changed or stale ones accepted", counted.forged_accepted),
        exactly("genuine ones refused", counted.genuine_refused),
        exactly("judged otherwise than by the rule", counted.misjudged),
        exactly("events stored", counted.events_stored, counted.events_expected),
        exactly("conflicts flagged", counted.conflicts_flagged, counted.conflicts_expected),
        at_least("effects", counted.effects, counted.effects_expected),
        exactly("double effects", counted.effects_double),
        exactly("lost effects", counted.effects_lost),
        exactly("effects of forged events", counted.effects_forged),
        reading("taken as stored", counted.statuses["stored"]),
        reading("taken as duplicate", counted.statuses["duplicate"]),
        reading("taken as conflict", counted.statuses["conflict"]),
    ]
