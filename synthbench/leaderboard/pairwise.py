"""Which generators differ: every pair of candidates on the same test images, and the ranks that follow."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from synthbench.benchmark.definition import Ranking
from synthbench.leaderboard.estimates import Estimate
from synthbench.stats import delong, difference, holm, mcnemar, rank_groups
from synthbench.types import Direction, Predictions

__all__ = ["Comparison", "compare", "ranks"]


@dataclass(frozen=True)
class Comparison:
    """Candidate `a` against `b` in the headline: a minus b, its interval, p before and after Holm's correction.

    better  the one that the data prefer, "" where they do not decide
    equal   "yes" where the whole interval lies within +-margin: no more than that can lie between them
    margin  NaN where none is stated

    NaN: nothing to tell it by.
    """

    a: str
    b: str
    test: str
    difference: float
    low: float
    high: float
    p: float
    p_holm: float = math.nan
    better: str = ""
    equal: str = ""
    margin: float = math.nan


def compare(
    estimates: Mapping[str, Estimate],
    ranking: Ranking,
    direction: Direction,
    predictions: Mapping[str, Predictions],
) -> list[Comparison]:
    """All pairs of candidates whose headline is a number.

    estimates    the headline of each
    predictions  for mcnemar and delong: those behind it
    """
    pairs = list(itertools.combinations([label for label, estimate in estimates.items() if not estimate.text], 2))
    comparisons = [_pair(a, b, estimates, ranking, predictions) for a, b in pairs]
    adjusted = holm([c.p for c in comparisons])
    return [_decided(c, p, ranking.alpha, direction) for c, p in zip(comparisons, adjusted, strict=True)]


def _pair(
    a: str, b: str, estimates: Mapping[str, Estimate], ranking: Ranking, predictions: Mapping[str, Predictions]
) -> Comparison:
    one, other = estimates[a], estimates[b]
    d = difference(one.values, one.replicates, other.values, other.replicates, groups=one.patients)
    p = d.p if ranking.test == "bootstrap" else _named(ranking.test, predictions[a], predictions[b])
    margin = _margin(ranking, one)
    equal = "yes" if d.within(margin) else ""
    return Comparison(a, b, ranking.test, d.value, d.low, d.high, p, equal=equal, margin=margin)


def _margin(ranking: Ranking, estimate: Estimate) -> float:
    """The stated one, else a hundredth of the metric's range; NaN for a metric without one."""
    if ranking.margin is not None:
        return ranking.margin
    return 0.01 * (estimate.bounds[1] - estimate.bounds[0]) if estimate.bounds else math.nan


def _named(test: str, a: Predictions, b: Predictions) -> float:
    if not np.array_equal(a.ids, b.ids):
        raise ValueError(f"{test}: the two were not asked about the same images")
    if test == "mcnemar":
        return mcnemar(a.probabilities.argmax(1) == a.labels, b.probabilities.argmax(1) == b.labels)
    return delong(a.labels, a.probabilities[:, 1], b.probabilities[:, 1]).p


def _decided(c: Comparison, p: float, alpha: float, direction: Direction) -> Comparison:
    ahead = c.a if (c.difference > 0) == (direction == "higher") else c.b
    return replace(c, p_holm=p, better=ahead if p < alpha else "")


def ranks(labels: Sequence[str], comparisons: Sequence[Comparison]) -> dict[str, tuple[int, int]]:
    """(rank_low, rank_high) of each: 1 + those significantly better, n - those significantly worse."""
    better = {}
    for c in comparisons:
        better[c.a, c.b] = c.better == c.a
        better[c.b, c.a] = c.better == c.b
    return rank_groups(labels, better)
