"""Tools: declaring them, finding them, and the built-in ones."""

from remit.tools.decorator import ToolOptions, tool
from remit.tools.function import FunctionTool
from remit.tools.registry import Registry

__all__ = ["FunctionTool", "Registry", "ToolOptions", "tool"]
