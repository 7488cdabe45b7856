"""The console, and cells of leaderboard.csv as people read them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from synthbench.results.folder import estimate
from synthbench.storage.layout import Column, by_judge

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["basis_of", "make_console", "rank_of", "warnings_of", "with_interval"]

WIDE = 200
"""Columns of a table that goes into a file or a pipe, where nothing has to fit a window."""


def make_console() -> Console:
    """rich's console: as wide as the window, or WIDE where the output goes into a file or a pipe."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else WIDE)


def rank_of(row: Mapping[str, str], judge: str = "") -> str:
    """Of a row of leaderboard.csv, by one judge alone: "1-2", "copies" for who is flagged, "" for who has none.

    "1-2*" where `basis_of` says more.
    """
    if row.get(Column.COPYING) == "yes":
        return "copies"
    ends = [row[by_judge(end, judge) if judge else end] for end in (Column.RANK_LOW, Column.RANK_HIGH)]
    return "-".join(dict.fromkeys(ends)) + "*" * bool(row.get(Column.RANK_BASIS))


def warnings_of(rows: Iterable[Mapping[str, str]]) -> list[str]:
    """Floors that do differ from chance, and who may have seen the test images, by name."""
    doubts = ("differs from chance", "may have been seen")
    doubtful = [row for row in rows if any(doubt in row.get("reason", "") for doubt in doubts)]
    return [f"warning: {row['generator']}: {row['reason']}" for row in doubtful]


def with_interval(row: Mapping[str, str], column: str) -> str:
    """ "0.802 (0.770 to 0.833)" and what else `StoredEstimate` shows, * of one model; or the text in its place."""
    stored = estimate(row, column)
    of_model = "*" * bool(stored and stored.ends and "of this model" in row.get("interval_basis", ""))
    return f"{stored}{of_model}" if stored else row[column]


def basis_of(rows: Iterable[Mapping[str, str]]) -> str | None:
    """What to say below a board whose ranks or intervals are of models, not of generators."""
    return "; ".join(dict.fromkeys(f"* {row['rank_basis']}" for row in rows if row.get("rank_basis"))) or None
