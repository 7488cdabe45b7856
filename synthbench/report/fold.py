"""A board of hundreds: its best rows in full, the others in one table that a click unfolds."""

from __future__ import annotations

from collections.abc import Collection

from synthbench.report.metrics import estimates_of
from synthbench.report.provenance_tables import Table
from synthbench.results.folder import RunFolder
from synthbench.storage.layout import Column
from synthbench.storage.layout import Table as TableName

__all__ = ["fold"]

IN_FULL = 50
"""Candidates whose pictures, plots and cells a page has room for."""


def fold(run: RunFolder) -> tuple[RunFolder, Table]:
    """The run with floors, ceilings and its best IN_FULL candidates alone, and a table of the other candidates."""
    candidates = [label for label, role in run.roles.items() if role == "candidate"]
    others = set(candidates[IN_FULL:])
    headline = zip(run.board, estimates_of(run, run.headline_key()), strict=True)
    rows = [
        [
            row["generator"],
            "–".join(dict.fromkeys(filter(None, [row.get(Column.RANK), row.get(Column.RANK_HIGH)]))),
            str(score or ""),
            *(row.get(column, "") for column in (Column.SEEDS, Column.STATUS, Column.NOTE)),
        ]
        for row, score in headline
        if row["generator"] in others
    ]
    heads = ["generator", "rank", f"{run.headline} (95 % interval)", "seeds", "status", "note"]
    caption = f"Candidates from place {IN_FULL + 1} on: {len(rows)}"
    return _without(run, others) if others else run, Table(caption, heads, rows, "leaderboard.csv", folded=True)


def _without(run: RunFolder, generators: Collection[str]) -> RunFolder:
    """The run but for the rows of these generators, and of the pairs that they are in."""
    who: dict[str, tuple[str, ...]] = {TableName.COMPARISONS: ("a", "b")}
    tables = {
        table: [
            row for row in rows if {row.get(name) for name in who.get(table, ["generator"])}.isdisjoint(generators)
        ]
        for table, rows in run.tables.items()
    }
    return RunFolder(run.out, tables, run.record, run.problems)
