"""Rules for all suites: a required suite never skips, and random tests print how to repeat them."""

from collections.abc import Generator, Iterator
from typing import TypeVar

import pytest
import structlog
from hypothesis import HealthCheck, settings

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

REQUIRED_SUITES = (
    "tests/attacks/",
    "tests/conformance/",
    "tests/golden/",
    "tests/integration/",
    "tests/crash/",
    "tests/acceptance/",
    "tests/assurance/",
)

settings.register_profile("remit", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("remit")


@pytest.fixture(autouse=True)
def logs_end_with_their_test() -> Iterator[None]:
    """Put logging back as it was: commands that run in a test's own process configure it for the process."""
    yield
    structlog.reset_defaults()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Refuse skips of single tests."""
    return refuse_skip((yield), item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Refuse skips of whole modules."""
    return refuse_skip((yield), collector.nodeid)


def refuse_skip(report: Report, node_id: str) -> Report:
    """Turn a skip into a failure where it would hide a missing dependency."""
    if report.skipped and not hasattr(report, "wasxfail") and node_id.startswith(REQUIRED_SUITES):
        report.outcome = "failed"
        report.longrepr = f"a required suite must not skip: {report.longrepr}"
    return report
