"""The console, and cells of leaderboard.csv as people read them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from synthbench.storage.layout import Column, by_judge

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["make_console", "rank_of", "with_interval"]

WIDE = 200
"""Columns of a table that goes into a file or a pipe, where nothing has to fit a window."""


def make_console() -> Console:
    """rich's console: as wide as the window, or WIDE where the output goes into a file or a pipe."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else WIDE)


def rank_of(row: Mapping[str, str], judge: str = "") -> str:
    """Of a row of leaderboard.csv, by one judge alone: "1-2", "copies" for who is flagged, "" for who has none."""
    ends = [row[by_judge(end, judge) if judge else end] for end in (Column.RANK_LOW, Column.RANK_HIGH)]
    return "copies" if row.get("copying") == "yes" else "-".join(dict.fromkeys(ends))


def with_interval(row: Mapping[str, str], column: str) -> str:
    """ "0.802 (0.770 to 0.833)", or the text in its place."""
    low, high = row.get(f"{column}_low"), row.get(f"{column}_high")
    try:
        value = f"{float(row[column]):.3f}"
    except ValueError:
        return row[column]
    return f"{value} ({float(low):.3f} to {float(high):.3f})" if low and high else value
