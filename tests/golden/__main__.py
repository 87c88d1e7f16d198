"""``python -m tests.golden record``: record histories anew; ``replay`` or ``digest``: what today's code makes of them.

``replay N`` and ``digest N`` take every n-th history.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter

from tests.golden.history import differences, digest_of, histories


def main(arguments: list[str]) -> int:
    """Run a command."""
    command, every = (arguments or [""])[0], int(arguments[1]) if len(arguments) > 1 else 1
    match command:
        case "record":
            from tests.golden.record import record

            path = asyncio.run(record())
            sys.stdout.write(f"{path}: {path.stat().st_size} bytes\n")
            return 0
        case "replay":
            found = [difference for history in histories(every) for difference in differences(history)]
            sys.stdout.writelines(f"{difference}\n" for difference in found[:20])
            counts = Counter(history.source for history in histories(every))
            sys.stdout.write(f"{dict(counts)}: {len(found)} differences\n")
            return 1 if found else 0
        case "digest":
            sys.stdout.write(f"{digest_of(every)}\n")
            return 0
        case _:
            sys.stdout.write(f"{__doc__}\n")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
