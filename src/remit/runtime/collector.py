"""The garbage collector of a process of ours.

Owns: how often it looks, and at what.
Does not know: kernels. It is a choice for a whole process, so whoever owns the process makes it: the command line
does, a library does not.
"""

from __future__ import annotations

import gc
from typing import Final

THRESHOLDS: Final = (10_000, 20, 20)
"""New objects between two looks at the youngest: about a megabyte, where Python's own choice is 700 objects."""


def look_less_often() -> None:
    """Tell the collector to look less often at what is young: for a process that runs one command and ends.

    Records of documents make no cycles, and looking at those of 5 MB again and again takes a quarter of reading them.
    """
    gc.set_threshold(*THRESHOLDS)


def spare_collector() -> None:
    """Tell the collector that what was loaded so far stays, and to look less often at what is young.

    A look at everything walks through all modules and programs and takes tens of milliseconds in the middle of other
    people's runs; the kernel's own records make no cycles.
    """
    gc.collect()
    gc.freeze()
    look_less_often()
