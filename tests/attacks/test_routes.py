"""Every route of the HTTP API under generated requests: no failure of ours, problems as documented, keys required."""

from remit.api.app import create_app, routes_of
from remit.bootstrap import Kernel
from tests.attacks.routes import attack
from tests.integration.isolation.houses import House

REQUESTS = 120
"""For each route; the campaign sends more."""


async def test_no_request_makes_us_fail(kernel: Kernel, house: House) -> None:
    """
    Whatever path, query, headers and body: no 5xx, every refusal a problem, nothing without a key, no secret told.
    """
    tally = await attack(create_app(kernel), routes_of(kernel), house, seed="suite", count=REQUESTS)

    statuses = {status for _, status in tally.statuses}
    assert [] == tally.wrong[:5]
    assert {200, 201, 202, 400, 401, 403, 404, 405, 413, 415, 422} <= statuses
    for route in routes_of(kernel):
        assert len({status for path, status in tally.statuses if path == route.path}) >= 2
