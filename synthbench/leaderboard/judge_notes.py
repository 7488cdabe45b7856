"""What a reader of the board is told about its judges, from leaderboard.csv and judges.csv as they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["by_judge", "judge_notes"]

Row = Mapping[str, str]


def judge_notes(board: Iterable[Row], pairs: Iterable[Row]) -> list[str]:
    """A line for each rank that depends on the judge, then one for each pair of judges."""
    turning = [row for row in board if row.get("judges", "").startswith("depends")]
    notes = [f"The rank of {row['generator']} {row['judges']}." for row in turning]
    return notes + [f"{row['a']} and {row['b']}: {_agreement(row)}." for row in pairs]


def by_judge(row: Row) -> str:
    """A row's ranks by each judge, short: "agree: 1-2", "1 by vgg, 2 by cnn"; "" where there are none."""
    return row.get("judges", "").removeprefix("depends on the judge: ")


def _agreement(pair: Row) -> str:
    if not pair["kendall_tau"]:
        return pair["note"]
    tau, p = float(pair["kendall_tau"]), float(pair["p"])
    return f"Kendall's tau {tau:.2f} (p = {p:.2g}) over {pair['candidates']} candidates"
