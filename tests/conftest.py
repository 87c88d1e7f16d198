"""Rules for all suites: a required suite never skips, and random tests print how to repeat them."""

from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

REQUIRED_SUITES = ("tests/conformance/", "tests/integration/", "tests/crash/", "tests/acceptance/")

settings.register_profile("remit", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("remit")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where a skip would hide a missing dependency."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.nodeid.startswith(REQUIRED_SUITES):
        report.outcome = "failed"
        report.longrepr = f"a required suite must not skip: {report.longrepr}"
    return report
