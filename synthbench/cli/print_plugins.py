"""`synthbench plugins`: what is installed, and what one of them takes."""

from __future__ import annotations

import inspect

from synthbench.api.describe import facts_of, options_of
from synthbench.api.interfaces import Plugin
from synthbench.api.registry import BASES, Registry

__all__ = ["print_plugin", "print_plugins"]


def print_plugins(registry: Registry) -> None:
    """Name, kind, package with version, and first line of the docstring of each plugin."""
    packages = {cls: registry.package(cls) for kind in BASES for cls in registry.names(kind).values()}
    width = max(map(len, packages.values()), default=0)
    for kind in BASES:
        print(f"{kind}s")
        for name, cls in registry.names(kind).items():
            summary = (cls.__doc__ or "").strip().partition("\n")[0]
            print(f"  {name:<24} {packages[cls]:<{width}}  {summary}")


def print_plugin(cls: type[Plugin], package: str = "") -> None:
    """What it is and comes with, then its options with types, ranges, defaults and meanings."""
    from rich.markup import escape
    from rich.table import Table

    from synthbench.cli.console import make_console

    kind = next(kind for kind, base in BASES.items() if issubclass(cls, base))
    print(f"{cls.name} ({kind}): {inspect.getdoc(cls) or ''}".rstrip())
    if package:
        print(f"\nIt comes with {package}.")
    for fact in facts_of(cls):
        print(f"\n{_plain(fact)}")
    table = Table("option", "type and range", "default", "meaning")
    for option in options_of(cls):
        table.add_row(*(escape(_plain(cell)) for cell in option))
    print()
    if table.rows:
        make_console().print(table)
    else:
        print("No options.")


def _plain(text: str) -> str:
    """Without the backticks that Markdown wants."""
    return text.replace("`", "")
