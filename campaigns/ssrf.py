"""No URL reaches the inside: the whole corpus at every door several times over, and every guard taken out once."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from campaigns.planting import Bug, plant
from campaigns.record import ROOT, Figure, Options, at_least, exactly
from tests.attacks.ssrf import (
    CONTROL,
    DOORS,
    REDIRECTED,
    is_simulator,
    knock_through_redirects,
    knock_with_urls,
    proxied,
    read_corpus,
)

PROMISE: Final = "No URL given by a document, a person or a model reaches a private address."
ROUNDS: Final = 5
GUARDED: Final = "remit/tools/guarded_http.py"
EGRESS: Final = "remit/governance/egress.py"
BUGS: Final = (
    (
        "names",
        Bug(
            name="name-resolved-again",
            file=GUARDED,
            old="return await self._send(target, await self._addresses(target), request)",
            new="await self._addresses(target)\n"
            "                again = await self._resolve(target.host, target.port)\n"
            "                return await self._send(target, again, request)",
        ),
    ),
    (
        "redirects",
        Bug(
            name="redirects-followed",
            file=GUARDED,
            old="follow_redirects=False, trust_env=False",
            new="follow_redirects=True, trust_env=False",
        ),
    ),
    (
        "names",
        Bug(
            name="mapped-addresses-unjudged",
            file=EGRESS,
            old="return _inner_meaning(str(IPv4Address(int(address) & 0xFFFF_FFFF)))",
            new="return None",
        ),
    ),
    (
        "endpoints",
        Bug(
            name="localhost-anywhere",
            file=EGRESS,
            old="        if is_loopback(address):\n            return None\n        return Blocked(",
            new="        if address:\n            return None\n        return Blocked(",
        ),
    ),
    (
        "proxies",
        Bug(
            name="proxies-of-the-environment",
            file=GUARDED,
            old="transport=transport, timeout=timeout, follow_redirects=False, trust_env=False",
            new="timeout=timeout, follow_redirects=False, trust_env=True",
        ),
    ),
    (
        "names",
        Bug(
            name="first-address-judged-only",
            file=GUARDED,
            old="        for address in addresses:\n            blocked",
            new="        for address in addresses[:1]:\n            blocked",
        ),
    ),
    (
        "names",
        Bug(name="loopback-forgotten", file=EGRESS, old='        ("127.0.0.0/8", "loopback"),\n', new=""),
    ),
)
"""The part of the corpus that finds a bug, and the bug. The suite plants the first four."""


def run(options: Options) -> list[Figure]:
    """Knock, with and without guards."""
    urls, redirects = read_corpus()
    knocks = inside = followed = sent_on = 0
    for _ in range(options.count(ROUNDS)):
        for door in DOORS:
            visits = asyncio.run(knock_with_urls((door,)))
            knocks += visits.knocks.total()
            accepted = visits.of(door.name)
            inside += sum(not (door.is_for_simulators and is_simulator(*one)) for one in accepted)
        redirected = asyncio.run(knock_through_redirects(REDIRECTED))
        followed += redirected.knocks.total()
        sent_on += len(redirected.accepted)
    through_proxies = sum(asyncio.run(proxied(door)) for door in REDIRECTED)
    control = asyncio.run(knock_with_urls((CONTROL,)))
    return [
        at_least("URLs and names in the corpus", len(urls), 200),
        at_least("redirects in the corpus", len(redirects), 25),
        at_least("places that open connections", len(DOORS), 9),
        at_least("knocks", knocks, len(urls) * len(DOORS)),
        at_least("answers that redirect", followed, len(redirects) * len(REDIRECTED)),
        exactly("connections that canaries accepted", inside),
        exactly("connections after a redirect", sent_on),
        exactly("connections through a proxy of the environment", through_proxies),
        at_least("URLs that reach a canary without a guard", len({url for _, url in control.of(CONTROL.name)}), 80),
        exactly("planted bugs not found", sum(not _is_found(part, bug) for part, bug in BUGS)),
        at_least("planted bugs", len(BUGS), 7),
    ]


def _is_found(part: str, bug: Bug) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        return accepted_with(bug, part=part, folder=Path(folder)) > 0


def accepted_with(bug: Bug, *, part: str, folder: Path) -> int:
    """Return how many connections a part of the corpus gets in a process that has a bug."""
    command = [sys.executable, "-m", "tests.attacks.ssrf", part]
    environment = plant(folder, bug)
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=120, check=True)
    accepted: int = json.loads(ran.stdout)
    return accepted
