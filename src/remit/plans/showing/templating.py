"""Templates of pages and drawings: everything that is put into one is escaped.

Owns: the environment, and the style sheets as they stand in files of the package.
Does not know: what is shown.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files
from typing import Any, Final

from markupsafe import Markup

from remit.plans.showing.routing import number
from remit.plans.showing.wording import counted, day_range, days, percent, shown

CHIP_LENGTH_MAX: Final = 32
"""Longer ids are broken; shorter ones in one piece make a column of a table wide enough for them."""

_PACKAGE: Final = "remit.plans.showing"


def render(name: str, **values: object) -> str:
    """Return a template with its values; all of them are escaped."""
    text: str = _environment().get_template(name).render(**values)
    return text


@cache
def style_sheet(name: str) -> str:
    """Return a style sheet of ours."""
    return (files(_PACKAGE) / "templates" / name).read_text(encoding="utf-8")


def prose(text: str) -> Markup:
    """Return a text of a plan on one line, with what stands between backticks as code."""
    parts = shown(text).split("`")
    if len(parts) % 2 == 0:
        return Markup("{}").format("`".join(parts))
    pieces = (
        Markup("<code>{}</code>").format(part) if index % 2 else Markup("{}").format(part)
        for index, part in enumerate(parts)
        if part
    )
    return Markup("").join(pieces)


def chip(text: str) -> str:
    """Return the look of an id: in one piece, unless it is longer than ids are."""
    return "chip" if len(text) <= CHIP_LENGTH_MAX else "chip long"


def path(text: str) -> Markup:
    """Return a path on one line, its folders from the left to the right, also where their names are read otherwise."""
    line = shown(text)
    if not any(unicodedata.bidirectional(character) in {"R", "AL"} for character in line):
        return Markup("{}").format(line)
    return Markup("/").join(Markup("<bdi>{}</bdi>").format(part) for part in line.split("/"))


@cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        n=number,
        shown=shown,
        prose=prose,
        path=path,
        chip=chip,
        days=days,
        counted=counted,
        percent=percent,
        day_range=day_range,
    )
    return environment
