"""One simulator process for the folder, one account of its own for each test."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from remit_commerce.simulators.client import Simulators, running_simulators
from tests.integration.commerce.calling import Shop

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def simulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulators]:
    data_dir: Path = tmp_path_factory.mktemp("simulators")
    with running_simulators(data_dir) as simulators:
        yield simulators


@pytest.fixture
def simulators(simulator_process: Simulators) -> Iterator[Simulators]:
    yield simulator_process
    simulator_process.clear_faults()


@pytest.fixture
def shop(simulators: Simulators) -> Shop:
    return Shop(simulators=simulators, name=f"shop{next(_NUMBERS)}")
