"""The command line: it parses, calls and prints; no logic lives here."""

from synthbench.cli.commands import main

__all__ = ["main"]
