"""Named tests of two classifiers on the same test images: which is better, and could that be chance?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["DeLong", "delong", "mcnemar"]

EXACT_BELOW = 25
"""Discordant pairs below which McNemar's test is exact."""

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]


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
