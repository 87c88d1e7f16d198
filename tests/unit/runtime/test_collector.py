"""The garbage collector of a serving process."""

import subprocess
import sys

PROGRAM = """
import gc
from remit.runtime.collector import THRESHOLDS, spare_collector
spare_collector()
assert THRESHOLDS == gc.get_threshold()
assert gc.get_freeze_count() > 1_000
class Knot: pass
for _ in range(200_000):
    knot = Knot()
    knot.self = knot
print(sum(type(one) is Knot for one in gc.get_objects()))
"""


def test_spared_collector_still_collects() -> None:
    """
    What was loaded is set aside, and young objects that hold each other are still collected.
    """
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    assert int(done.stdout) < 50_000
