"""No URL that a document, a person or a model gives makes Remit connect to where only the inside should be.

Canaries listen on every address of this machine and count what they accept, so that a connection is noticed however it
came about.
"""

from collections import Counter
from pathlib import Path

import pytest

from campaigns.planting import Bug
from campaigns.ssrf import BUGS, accepted_with
from tests.attacks.ssrf import (
    CONTROL,
    DOORS,
    REDIRECTED,
    Door,
    is_simulator,
    knock_through_redirects,
    knock_with_urls,
    proxied,
    read_corpus,
)

URLS_MIN = 200
CONTROL_MIN = 80
"""So many URLs reach the canaries when nobody guards; what resolvers make of odd numbers differs between systems."""


def test_corpus_is_large_and_without_repetition() -> None:
    """
    At least two hundred URLs in each of many ways, every one once.
    """
    urls, redirects = read_corpus()
    texts = [(url.text, url.answers) for url in urls]
    categories = Counter(url.category for url in urls)

    assert len(urls) >= URLS_MIN
    assert len(categories) >= 12
    assert min(categories.values()) >= 5
    assert len(set(texts)) == len(texts)
    assert {301, 302, 303, 307, 308} <= {redirect.status for redirect in redirects}


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
async def test_no_url_reaches_a_canary(door: Door) -> None:
    """
    Every way from a URL to a connection, with every URL of the corpus: nothing is accepted, except that a provider's
    endpoint may be a simulator, which is this machine, plainly named.
    """
    visits = await knock_with_urls((door,))

    accepted = visits.of(door.name)
    assert visits.asked_max <= 1
    assert len(read_corpus()[0]) == visits.knocks[door.name]
    assert [] == [one for one in accepted if not (door.is_for_simulators and is_simulator(*one))]
    assert bool(accepted) == door.is_for_simulators


@pytest.mark.parametrize("door", REDIRECTED, ids=lambda door: door.name)
async def test_no_redirect_reaches_a_canary(door: Door) -> None:
    """
    A server that may be reached cannot send anybody on, whatever the status and the form of the location.
    """
    visits = await knock_through_redirects((door,))

    assert [] == visits.accepted
    assert len(read_corpus()[1]) == visits.knocks[door.name]


@pytest.mark.parametrize("door", REDIRECTED, ids=lambda door: door.name)
async def test_no_proxy_of_the_environment_is_used(door: Door) -> None:
    """
    A proxy would resolve and connect by itself, past every judgement.
    """
    assert 0 == await proxied(door)


async def test_canaries_see_what_nobody_guards() -> None:
    """
    The same corpus reaches the canaries when a client without a guard uses it, by URL, redirect and proxy.
    """
    visits = await knock_with_urls((CONTROL,))
    redirected = await knock_through_redirects((CONTROL,), whither="here")

    assert len({url for _, url in visits.of(CONTROL.name)}) >= CONTROL_MIN
    assert len(redirected.accepted) >= 10


@pytest.mark.parametrize(("part", "bug"), BUGS[:4], ids=lambda value: value.name if isinstance(value, Bug) else value)
def test_planted_bug_reaches_a_canary(part: str, bug: Bug, tmp_path: Path) -> None:
    """
    Each guard that is taken out lets something of the corpus through; the campaign takes out all of them.
    """
    assert accepted_with(bug, part=part, folder=tmp_path) > 0
