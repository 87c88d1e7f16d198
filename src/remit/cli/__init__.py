"""The command line: one file per noun."""

from remit.cli.app import main

__all__ = ["main"]
