"""The metrics among leaderboard.csv's columns: where each was measured, which of them the main board shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthbench.leaderboard.estimates import Column
from synthbench.results.folder import Row, RunFolder

__all__ = ["Metric", "board_metrics", "main_metrics"]

FIRST = ("balanced_accuracy", "auroc", "f1", "accuracy", "recall")
"""Of the headline's evaluator the main board shows these before others."""

MOST = 4
"""Metrics of the headline's evaluator on the main board, the headline included."""


@dataclass(frozen=True)
class Metric:
    """A metric's column of leaderboard.csv: its name, whose it is, where and on what variant it was measured."""

    name: str
    evaluator: str
    metric: str
    place: str
    direction: str
    variant: str = ""

    @property
    def title(self) -> str:
        """As a heading says it."""
        return f"{self.evaluator}.{self.metric}"


def board_metrics(run: RunFolder) -> list[Metric]:
    """The board's metric columns: those with a standard deviation beside them, in its order."""
    known = {_column(row).name: row for row in run.tables["scores"]}
    names = set(run.board[0])
    return [_metric(name, known.get(name, {})) for name in run.board[0] if f"{name}_sd" in names]


def _metric(name: str, row: Row) -> Metric:
    evaluator, _, metric = name.partition(".")
    return Metric(
        name,
        row.get("evaluator", evaluator),
        row.get("metric", metric),
        _place(row),
        row.get("direction", "higher"),
        row.get("variant", ""),
    )


def _column(row: Row) -> Column:
    """The board's column behind a row of scores.csv, or behind none."""
    return Column(*(row.get(name, "") for name in Column._fields))


def _place(row: Row) -> str:
    return " ".join([row.get("test_set") or "test", *(f"[{mark}]" for mark in _column(row).marks)])


def main_metrics(run: RunFolder, on_test: Sequence[Metric]) -> list[Metric]:
    """The main board's: the headline and its evaluator's next ones, then one of each other evaluator."""
    by_evaluator: dict[str, list[Metric]] = {}
    for metric in on_test:
        by_evaluator.setdefault(metric.evaluator, []).append(metric)
    headline = next((metric for metric in on_test if metric.name == run.headline), None)
    chief = headline.evaluator if headline else ""
    mine = sorted(by_evaluator.get(chief, []), key=lambda metric: (metric is not headline, _rank(metric)))
    wanted = headline.metric if headline else ""
    return mine[:MOST] + [_one(found, wanted) for label, found in by_evaluator.items() if label != chief]


def _rank(metric: Metric) -> int:
    return FIRST.index(metric.metric) if metric.metric in FIRST else len(FIRST)


def _one(found: Sequence[Metric], wanted: str) -> Metric:
    """The metric that stands for an evaluator: the headline's, else its place between noise and real, else any."""
    same = [metric for metric in found if metric.metric == wanted]
    placed = [metric for metric in found if metric.metric.partition("[")[0].endswith("_place")]
    return [*same, *placed, *found][0]
