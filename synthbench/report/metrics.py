"""The metrics among leaderboard.csv's columns: where each was measured, which of them the main board shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from synthbench.leaderboard.score_key import ScoreKey
from synthbench.results.folder import Row, RunFolder

__all__ = ["BoardMetric", "board_metrics", "main_metrics"]

FIRST = ("auroc", "balanced_accuracy_matched", "balanced_accuracy", "auprc", "accuracy", "f1", "recall")
"""Of the headline's evaluator the main board shows these before others."""

MOST = 4
"""Metrics of the headline's evaluator on the main board, the headline included."""


class BoardMetric(NamedTuple):
    """A metric's column of leaderboard.csv: its `name` there, what it shows, and which way is better."""

    name: str
    key: ScoreKey
    direction: str


def board_metrics(run: RunFolder) -> list[BoardMetric]:
    """The board's metric columns: those with a standard deviation beside them, in its order."""
    scored = {ScoreKey.of_row(row).name: row for row in run.tables["scores"]}
    columns = set(run.board[0])
    return [_metric(name, scored.get(name)) for name in run.board[0] if f"{name}_sd" in columns]


def _metric(name: str, row: Row | None) -> BoardMetric:
    """Of a column that no score stands behind, its name says what there is to know."""
    if row is None:
        evaluator, _, metric = name.partition(".")
        return BoardMetric(name, ScoreKey(evaluator, metric), "higher")
    return BoardMetric(name, ScoreKey.of_row(row), row.get("direction", "higher"))


def main_metrics(run: RunFolder, on_test: Sequence[BoardMetric]) -> list[BoardMetric]:
    """The main board's: the headline and its evaluator's next ones, then one of each other evaluator."""
    by_evaluator: dict[str, list[BoardMetric]] = {}
    for metric in on_test:
        by_evaluator.setdefault(metric.key.evaluator, []).append(metric)
    headline = next((metric for metric in on_test if metric.name == run.headline), None)
    chief = headline.key.evaluator if headline else ""
    first = sorted(by_evaluator.get(chief, []), key=lambda metric: (metric is not headline, _rank(metric)))
    wanted = headline.key.metric if headline else ""
    return first[:MOST] + [_one(metrics, wanted) for label, metrics in by_evaluator.items() if label != chief]


def _rank(metric: BoardMetric) -> int:
    return FIRST.index(metric.key.metric) if metric.key.metric in FIRST else len(FIRST)


def _one(metrics: Sequence[BoardMetric], wanted: str) -> BoardMetric:
    """The metric that stands for an evaluator: the headline's, else its place between noise and real, else any."""
    same = [metric for metric in metrics if metric.key.metric == wanted]
    placed = [metric for metric in metrics if metric.key.metric.partition("[")[0].endswith("_place")]
    return [*same, *placed, *metrics][0]
