"""The embedded server's volume filled to its last byte and relieved, again and again."""

from __future__ import annotations

import asyncio
from typing import Final

from campaigns.record import Figure, Options, at_least, at_most, exactly
from tests.crash.full_volume import Seen
from tests.crash.test_full_volume import RECOVERY_SECONDS_MAX, play

PROMISE: Final = (
    "Before the volume is full nothing more is taken on; filled to the last byte PostgreSQL comes back on the ballast, "
    "nothing acknowledged is lost, and all is normal again within 60 s of the relief."
)
FILLS: Final = 20


def run(options: Options) -> list[Figure]:
    """Fill, relieve, and audit."""
    seen = asyncio.run(_play(options.count(FILLS)))
    for one in seen:
        for finding in one.findings:
            print(finding)
    whole = [one for one in seen if not one.findings]
    return [
        at_least("volumes filled to the last byte, servers ended by it", len(seen), options.count(FILLS)),
        exactly("findings (lost, doubled, stuck, or taken on without room)", sum(len(one.findings) for one in seen)),
        at_least("acknowledgements", sum(one.readings["acknowledged"] for one in whole), 80 * options.count(FILLS)),
        at_most(
            "seconds from the relief until all is done, at most",
            max((one.readings["normal_seconds"] + one.readings["load_done_seconds"] for one in whole), default=0),
            RECOVERY_SECONDS_MAX,
        ),
    ]


async def _play(fills: int) -> list[Seen]:
    return [await play("touch", "fill") for _ in range(fills)]
