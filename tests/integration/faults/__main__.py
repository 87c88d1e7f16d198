"""``python -m tests.integration.faults``: the simulators with one more provider among them."""

from remit_commerce.simulators.process import main
from tests.integration.faults.provider import FakeProvider

if __name__ == "__main__":
    main(more=(FakeProvider,))
