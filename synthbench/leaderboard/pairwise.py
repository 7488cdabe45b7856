"""Which generators differ: every pair of candidates on the same test images, and the ranks that follow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthbench.benchmark.definition import Ranking
from synthbench.leaderboard.estimates import Estimate
from synthbench.stats import delong, differences, holm, mcnemar, rank_groups
from synthbench.types import Direction, Predictions

__all__ = ["COLUMNS", "compare", "listed", "ranks"]

COLUMNS = ["a", "b", "test", "difference", "low", "high", "p", "p_holm", "better", "equal", "margin"]
"""Of comparisons.csv: `a` against `b` in the headline: a minus b, its interval, p before and after Holm's
correction.

better  the one that the data prefer, "" where they do not decide
equal   "yes" where the whole interval lies within +-margin: no more than that can lie between them
margin  NaN where none is stated

NaN: nothing to tell it by.
"""

ALL_LISTED = 100
"""Candidates up to which every pair is listed."""

TOP = 50
"""Of more, those whose pairs with each other are."""


def compare(
    estimates: Mapping[str, Estimate],
    ranking: Ranking,
    direction: Direction,
    predictions: Mapping[str, Predictions],
) -> pd.DataFrame:
    """All pairs of candidates whose headline is a number, in COLUMNS.

    estimates    the headline of each
    predictions  for mcnemar and delong: those behind it
    """
    labels = [label for label, estimate in estimates.items() if not estimate.text]
    rivals = [estimates[label] for label in labels]
    bounds = rivals[0].bounds if rivals else None  # all of one metric
    pairs = differences([one.rival for one in rivals], [one.patients for one in rivals], bounds)
    a, b = (np.array(labels, dtype=object)[places] for places in (pairs.first, pairs.second))
    p = pairs.p if ranking.test == "bootstrap" else _named(ranking.test, list(zip(a, b, strict=True)), predictions)
    adjusted = np.array(holm(p.tolist()))
    ahead = np.where((pairs.value > 0) == (direction == "higher"), a, b)
    margins = np.array([_margin(ranking, one) for one in rivals])[pairs.first]
    return pd.DataFrame(
        {
            **{"a": a, "b": b, "test": ranking.test},
            **{"difference": pairs.value, "low": pairs.low, "high": pairs.high, "p": p, "p_holm": adjusted},
            "better": np.where(adjusted < ranking.alpha, ahead, ""),
            "equal": np.where(pairs.within(margins), "yes", ""),
            "margin": margins,
        },
        columns=COLUMNS,
    )


def listed(comparisons: pd.DataFrame, estimates: Mapping[str, Estimate], direction: Direction) -> pd.DataFrame:
    """The rows that comparisons.csv has room for: all, of more than ALL_LISTED candidates those of the best.

    Those are the pairs among the TOP by headline, and of any two that stand next to each other.
    """
    if len(estimates) <= ALL_LISTED:
        return comparisons
    best = sorted(estimates, key=lambda label: estimates[label].value, reverse=direction == "higher")
    place = {label: k for k, label in enumerate(best)}
    a, b = (comparisons[side].map(place) for side in ("a", "b"))
    return comparisons[(np.maximum(a, b) < TOP) | ((a - b).abs() == 1)].reset_index(drop=True)


def _margin(ranking: Ranking, estimate: Estimate) -> float:
    """The stated one, else a hundredth of the metric's range; NaN for a metric without one."""
    if ranking.margin is not None:
        return ranking.margin
    return 0.01 * (estimate.bounds[1] - estimate.bounds[0]) if estimate.bounds else math.nan


def _named(
    test: str, pairs: Sequence[tuple[str, str]], predictions: Mapping[str, Predictions]
) -> npt.NDArray[np.float64]:
    """The p of each pair by a named test."""
    return np.array([_named_pair(test, predictions[a], predictions[b]) for a, b in pairs])


def _named_pair(test: str, a: Predictions, b: Predictions) -> float:
    """NaN where it cannot be asked: other images, or for DeLong's one image of a class."""
    if not np.array_equal(a.ids, b.ids):
        return math.nan
    if test == "mcnemar":
        return mcnemar(a.probabilities.argmax(1) == a.labels, b.probabilities.argmax(1) == b.labels)
    if np.bincount(a.labels, minlength=2).min() < 2:
        return math.nan
    return delong(a.labels, a.probabilities[:, 1], b.probabilities[:, 1]).p


def ranks(labels: Sequence[str], comparisons: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """(rank_low, rank_high) of each: 1 + those significantly better, n - those significantly worse."""
    decided = comparisons[comparisons["better"] != ""]
    worse = np.where(decided["better"] == decided["a"], decided["b"], decided["a"])
    return rank_groups(labels, list(zip(decided["better"], worse, strict=True)))
