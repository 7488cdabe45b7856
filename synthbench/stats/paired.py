"""Two classifiers on the same test images: which is better, and could that be chance?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench.stats.bootstrap import sampling_quantile
from synthbench.stats.seeds import TAIL, seed_margin, seed_means

__all__ = ["DeLong", "Difference", "delong", "difference", "mcnemar"]

EXACT_BELOW = 25
"""Discordant pairs below which McNemar's test is exact."""

SMALLEST_P = 1e-100
"""Below it p is 0; further out scipy's quantiles of Student's t overflow."""

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Difference:
    """Mean of a less mean of b, its interval at LEVEL, and the two-sided p of no difference.

    The interval leaves 0 out where p < 1 - LEVEL. NaN where nothing is known.
    """

    value: float
    low: float
    high: float
    p: float

    def within(self, margin: float) -> bool:
        """Whether the whole interval lies within +-margin: the two may be called equal up to it.

        Stricter than two one-sided tests at 5 % (Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15, 1987),
        which would ask that of the 90 % interval. That no difference was found is not enough.
        """
        return -margin < self.low and self.high < margin


def difference(
    values_a: Floats,
    replicates_a: Floats | None,
    values_b: Floats,
    replicates_b: Floats | None,
    *,
    groups: int | None = None,
) -> Difference:
    """Compare two generators by the means of a metric over their seeds.

    values      float (R,), a metric by seed; the numbers of seeds may differ
    replicates  float (R, B), the same in B resamples of the test images, the same resamples for both: what makes
                an image hard for both cancels out. None: the seeds only
    groups      patients behind the metric, None for many; p is at least that of a sign test on which all agree

    The margin's square is the sum of squares of the sampling margin (normal, from the standard deviation of the
    difference over resamples) and of each side's seeds (t): see docs/statistics.md for why. A side with one seed
    adds nothing to it: the comparison is then of these models, not of their generators.
    """
    a, b = seed_means((values_a, replicates_a), (values_b, replicates_b))
    value = a.value - b.value
    if a.draws is None or b.draws is None:
        sampled = 0.0 if min(a.seeds, b.seeds) > 1 else math.nan
    else:
        sampled = float(np.std(a.draws - b.draws, ddof=1))

    def margin(tail: float) -> float:
        sampling = sampling_quantile(tail, groups) * sampled if sampled else 0.0
        return math.hypot(sampling, seed_margin(tail, a, b))

    half = margin(TAIL)
    p = _two_sided_p(abs(value), margin)
    return Difference(value, value - half, value + half, p if groups is None else max(p, 2.0 ** (1 - groups)))


def _two_sided_p(distance: float, margin: Callable[[float], float]) -> float:
    """The p at which the margin is just as wide as the distance."""
    from scipy.optimize import brentq

    def gap(log_p: float) -> float:
        return margin(math.exp(log_p) / 2) - distance

    least = math.log(SMALLEST_P)
    if math.isnan(gap(least)):
        return math.nan
    if gap(0.0) >= 0:
        return 1.0
    return math.exp(brentq(gap, least, 0.0, xtol=1e-6)) if gap(least) > 0 else 0.0


def mcnemar(right_a: Bools, right_b: Bools) -> float:
    """McNemar's test of equal accuracy: two-sided p.

    right_a, right_b  bool (N,): was the answer to an image right?

    Exact binomial below 25 images that only one has right, else chi-squared without continuity correction
    (Agresti, Categorical Data Analysis, 2nd ed. 2002, section 10.1). Takes images for independent: where patients
    have several, p is too small.
    """
    from statsmodels.stats.contingency_tables import mcnemar as test

    a, b = np.asarray(right_a, dtype=bool), np.asarray(right_b, dtype=bool)
    table = [[np.sum(a & b), np.sum(a & ~b)], [np.sum(~a & b), np.sum(~a & ~b)]]
    discordant = table[0][1] + table[1][0]
    if discordant == 0:
        return 1.0
    return float(test(table, exact=bool(discordant < EXACT_BELOW), correction=False).pvalue)


@dataclass(frozen=True)
class DeLong:
    """Two AUROCs, z of a less b, and its two-sided p."""

    auc_a: float
    auc_b: float
    z: float
    p: float


def delong(labels: npt.NDArray[np.integer[Any]], scores_a: Floats, scores_b: Floats) -> DeLong:
    """DeLong's test of two AUROCs on the same images.

    labels    (N,), 0 or 1
    scores_*  (N,), higher for class 1

    DeLong, DeLong & Clarke-Pearson, Biometrics 44, 1988; the components by midranks as in Sun & Xu, IEEE Signal
    Processing Letters 21, 2014. Takes images for independent: where patients have several, p is too small.
    Raises ValueError where a class has fewer than two images.
    """
    from scipy.stats import norm

    positive = np.asarray(labels) == 1
    if min(positive.sum(), (~positive).sum()) < 2:
        raise ValueError(f"DeLong needs two images of each class, found {(~positive).sum()} and {positive.sum()}")
    parts = [_placements(np.asarray(scores), positive) for scores in (scores_a, scores_b)]
    auc_a, auc_b = (float(above.mean()) for above, _ in parts)
    variance = sum(float(np.var(a - b, ddof=1)) / len(a) for a, b in zip(*parts, strict=True))
    if variance == 0:
        z = 0.0 if auc_a == auc_b else math.copysign(math.inf, auc_a - auc_b)
    else:
        z = (auc_a - auc_b) / math.sqrt(variance)
    return DeLong(auc_a, auc_b, z, 2 * float(norm.sf(abs(z))))


def _placements(scores: Floats, positive: Bools) -> tuple[Floats, Floats]:
    """For each positive the share of negatives below it, for each negative the share of positives above it.

    Ties count half. A midrank among all less the midrank among one's own is the number of others below.
    """
    from scipy.stats import rankdata

    among_all = rankdata(scores)
    m, n = positive.sum(), (~positive).sum()
    above = (among_all[positive] - rankdata(scores[positive])) / n
    below = 1 - (among_all[~positive] - rankdata(scores[~positive])) / m
    return above, below
