"""The whole tree gets no worse."""

import pytest

from tests.style.ratchet import measured, recorded


@pytest.mark.parametrize("measure", sorted(measured()))
def test_measure_is_no_worse_than_recorded(measure: str) -> None:
    """
    What ratchet.toml records may be improved, never exceeded.
    """
    assert measured()[measure] <= recorded()[measure]


def test_record_names_every_measure() -> None:
    """
    No measure is without a record, and no record without a measure.
    """
    assert set(measured()) == set(recorded())
