"""The metrics of a run: where each was measured, which of them stand first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from synthbench.benchmark.declared import Declared
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.results.folder import RunFolder, StoredEstimate, dig

__all__ = ["BoardMetric", "board_metrics", "estimates_of", "main_metrics"]


class BoardMetric(NamedTuple):
    """A metric somewhere: what it is, and which way is better."""

    key: ScoreKey
    direction: str


def board_metrics(run: RunFolder) -> list[BoardMetric]:
    """All that intervals.csv has of evaluators: the headline's evaluator first, then in the file's order."""
    directions = {(row["evaluator"], row["metric"]): row.get("direction", "") for row in run.tables["scores"]}
    by_metric = {metric: direction for (_, metric), direction in directions.items()}
    headline = run.headline_key()
    keys = [key for key in run.estimates if key.evaluator]
    keys.sort(key=lambda key: (key.evaluator != headline.evaluator, key != headline))
    return [
        BoardMetric(
            key, directions.get(key[:2]) or by_metric.get(key.metric) or "higher"
        )  # a mean of judges has none
        for key in keys
    ]


def main_metrics(run: RunFolder, metrics: Sequence[BoardMetric]) -> list[BoardMetric]:
    """Of each evaluator but the headline's the metric that stands for it, as on the board."""
    headline = run.headline_key()
    declared = dig(run.record, "declared", "evaluators", default={})
    shown: dict[str, list[BoardMetric]] = {}
    for metric in metrics:
        if metric.key.of_board and metric.key.evaluator != headline.evaluator:
            shown.setdefault(metric.key.evaluator, []).append(metric)
    mains = []
    for label, of_evaluator in shown.items():
        measured = {"metrics": {metric.key.metric: metric.direction for metric in of_evaluator}}
        wanted = Declared.from_record(declared.get(label, measured)).main_metric(headline.metric)
        mains.append(next((metric for metric in of_evaluator if metric.key.metric == wanted), of_evaluator[0]))
    return mains


def estimates_of(run: RunFolder, key: ScoreKey) -> list[StoredEstimate | None]:
    """A number of every row of the board, in its order."""
    known = run.estimates.get(key, {})
    return [known.get(row["generator"]) for row in run.board]
