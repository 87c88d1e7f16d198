"""The garbage collector of a process that serves.

Owns: how often it looks, and at what.
Does not know: kernels. It is a choice for a whole process, so whoever owns the process makes it: `remit worker` and
`remit up` do, a library does not.
"""

from __future__ import annotations

import gc
from typing import Final

THRESHOLDS: Final = (10_000, 20, 20)
"""New objects between two looks at the youngest: about a megabyte, where Python's own choice is 700 objects."""


def spare_collector() -> None:
    """Tell the collector that what was loaded so far stays, and to look less often at what is young.

    A look at everything walks through all modules and programs and takes tens of milliseconds in the middle of other
    people's runs; the kernel's own records make no cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
