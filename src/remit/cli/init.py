"""``remit init``: a starter folder, the same files as in ``examples/first_tool``."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

import typer

from remit.cli.options import options_of, single
from remit.cli.output import print_json
from remit.errors import InputInvalidError

STARTER: Final = ("remit.yaml", "hello.yaml", "tools.py", "README.md")
SUFFIX: Final = ".txt"
"""The files are data of this package: nothing here imports or checks them."""

app, command = single(
    "Write a starter folder: what may be done (remit.yaml), a tool, an orchestration, and how to go on."
)


@command
def init(
    context: typer.Context, folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write.")] = Path()
) -> None:
    """Write the files; existing ones are never changed."""
    options = options_of(context)
    taken = [name for name in STARTER if (folder / name).exists()]
    if taken:
        raise InputInvalidError(f"expected a folder without {', '.join(taken)}, got {folder}; nothing was written")
    folder.mkdir(parents=True, exist_ok=True)
    starter = files("remit.cli") / "starter"
    for name in STARTER:
        (folder / name).write_text((starter / f"{name}{SUFFIX}").read_text(encoding="utf-8"), encoding="utf-8")
    if options.is_json:
        print_json({"folder": str(folder), "files": list(STARTER)})
        return
    print(f"wrote {', '.join(STARTER)} to {folder}; read README.md there, or try at once:")
    place = "" if folder == Path() else f"cd {folder} && "
    print(f"  {place}python tools.py")
