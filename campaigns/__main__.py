"""``make campaign-NAME``: run one campaign at its full numbers, print its figures and record them.

    python -m campaigns NAME [--seed N] [--scale F] [--dry]

A campaign is a module of this package with ``PROMISE``, one sentence that its figures prove, and
``run(options) -> list[Figure]``. The exit code is 1 when a figure does not hold.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from campaigns.record import Options, render, write_record

TOOLS = frozenset({"__init__", "__main__", "record", "planting"})
"""Modules of this package that are no campaigns; those whose name begins with an underscore are none either."""


def names() -> list[str]:
    """Return the names of all campaigns."""
    modules = (path.stem for path in Path(__file__).parent.glob("*.py"))
    return sorted(name.replace("_", "-") for name in modules if name not in TOOLS and not name.startswith("_"))


def main() -> int:
    """Run one campaign."""
    parser = argparse.ArgumentParser(prog="python -m campaigns", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("name", choices=names())
    parser.add_argument("--seed", type=int, default=None, help="drawn when not given, and always printed")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the full numbers")
    parser.add_argument("--dry", action="store_true", help="record nothing")
    arguments = parser.parse_args()
    seed = secrets.randbelow(2**32) if arguments.seed is None else arguments.seed
    options = Options(seed=seed, scale=arguments.scale)
    sys.stdout.write(f"campaign {arguments.name}, seed {options.seed}, scale {options.scale:g}\n")
    sys.stdout.flush()
    campaign = import_module(f"campaigns.{arguments.name.replace('-', '_')}")
    started = datetime.now(UTC)
    figures = campaign.run(options)
    duration = datetime.now(UTC) - started
    sys.stdout.write(f"{render(figures)}\n{duration.total_seconds():.0f} s\n")
    if not arguments.dry:
        path = write_record(
            arguments.name,
            promise=campaign.PROMISE,
            options=options,
            started=started,
            duration=duration,
            figures=figures,
        )
        sys.stdout.write(f"recorded in {path}\n")
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
