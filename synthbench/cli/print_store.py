"""What `synthbench store` prints."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from synthbench.cli.console import clean, make_console
from synthbench.cli.surroundings import say
from synthbench.commands.store import Checked, Freed
from synthbench.storage.upkeep import DAY_S, StoredEntry

__all__ = ["print_checked", "print_freed", "print_store"]


def print_store(root: Path, entries: Sequence[StoredEntry]) -> None:
    """Kinds by size, with the number of their entries and when they were used."""
    from rich.table import Table

    table = Table(title=f"{clean(str(root))}: {_size(entries)} in {len(entries)} entries")
    for heading in ("kind", "entries", "size", "used last", "longest unused"):
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    by_kind: dict[str, list[StoredEntry]] = {}
    for entry in entries:
        by_kind.setdefault(entry.kind, []).append(entry)
    for kind, ones in sorted(by_kind.items(), key=lambda item: -sum(entry.size for entry in item[1])):
        used = [entry.used for entry in ones]
        table.add_row(clean(kind), str(len(ones)), _size(ones), _age(max(used)), _age(min(used)))
    make_console().print(table)


def print_checked(checked: Checked) -> None:
    """Each damaged entry and what is wrong with it, then how many there are."""
    for path, why in checked.damaged.items():
        say(f"{path} is damaged: {why}")
    say(f"{checked.entries} entries, {len(checked.damaged)} damaged")
    if checked.damaged:
        say("the next run that needs one makes it again")


def print_freed(freed: Freed) -> None:
    """Every entry that was removed, then the sum."""
    for entry in freed.entries:
        say(f"removed {entry.path}: {_size([entry])}, used {_age(entry.used)} ago")
    say(f"{len(freed.entries)} entries removed, {_size(freed.entries)} freed; {freed.remains} half-built ones")


def _size(entries: Sequence[StoredEntry]) -> str:
    return f"{sum(entry.size for entry in entries) / 1e6:,.1f} MB"


def _age(used: float) -> str:
    seconds = time.time() - used
    return f"{seconds / DAY_S:.0f} days" if seconds >= 2 * DAY_S else f"{max(0.0, seconds) / 3600:.1f} h"
