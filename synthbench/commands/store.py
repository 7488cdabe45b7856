"""`synthbench store`: what lies in the store, whether it is sound, and room in it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from synthbench.storage.store import default_root
from synthbench.storage.upkeep import StoredEntry, collect, damaged_entries, stored_entries, sweep

__all__ = ["Checked", "Freed", "check_store", "free_store", "list_store"]


class Checked(NamedTuple):
    """How many entries there are, and what is wrong with those that are damaged."""

    entries: int
    damaged: dict[Path, str]


class Freed(NamedTuple):
    """What was removed: entries, and what killed runs had left half built."""

    entries: list[StoredEntry]
    remains: int


def list_store() -> tuple[Path, list[StoredEntry]]:
    """The store's folder and all that is in it."""
    root = default_root()
    return root, stored_entries(root)


def check_store() -> Checked:
    """Every file of every entry held to its digest: the whole store is read."""
    entries = dict(damaged_entries(default_root()))
    return Checked(len(entries), {path: why for path, why in entries.items() if why})


def free_store(older_than: float | None = None, max_size: float | None = None) -> Freed:
    """Remove what killed runs left, then entries without use for `older_than` days, then down to `max_size` GB.

    The least recently used go first; what a run that goes on makes or has read stays.
    """
    root = default_root()
    remains = sweep(root)
    return Freed(collect(root, older_than, None if max_size is None else max_size * 1e9), remains)
