"""Packs: how tools, webhook sources and definitions of one field are plugged in.

Owns: the ``Pack`` record. A pack is found through the entry-point group ``remit.packs`` or passed to ``Kernel``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from remit.ports.tool import Tool
from remit.ports.webhook import WebhookSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """What a pack brings; ``definitions`` and ``business_configs`` are files that ``remit init`` and the demo use."""

    name: str
    description: str = ""
    tools: tuple[Tool, ...] = ()
    webhook_sources: tuple[WebhookSource, ...] = ()
    definitions: tuple[Path, ...] = ()
    business_configs: tuple[Path, ...] = ()
