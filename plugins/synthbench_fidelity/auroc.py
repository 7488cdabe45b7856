"""The area under the ROC curve with an interval that keeps together what belongs together: a patient's images."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

from synthbench_fidelity.arrays import Floats, Integers
from synthbench_fidelity.intervals import Interval, student_interval

__all__ = ["Area", "area", "auroc_interval"]

Scores = npt.NDArray[np.floating]


class Area:
    """An AUROC, its standard error over clusters, and of how many clusters the smaller side has."""

    def __init__(self, value: float, error: float, clusters: int) -> None:
        self.value, self.error, self.clusters = value, error, clusters

    def interval(self, confidence: float) -> Interval:
        """Student's, within 0-1, t with one degree of freedom less than the smaller side has clusters.

        Where the two sides do not overlap the standard error is 0, though other clusters might: of c clusters none
        of which is out of place, up to 1 - ((1 - confidence) / 2)^(1/c) of all may be (Clopper & Pearson,
        Biometrika 1934), and that much may be missing from the area.
        """
        _, low, high = student_interval(self.value, self.error, self.clusters - 1, confidence)
        if self.error == 0 and self.value in (0.0, 1.0):
            missing = 1 - ((1 - confidence) / 2) ** (1 / self.clusters)
            low, high = (1 - missing, 1.0) if self.value else (0.0, missing)
        return Interval(self.value, max(0.0, low), min(1.0, high))


def auroc_interval(
    *,
    positive: Scores,
    negative: Scores,
    positive_groups: Integers | None = None,
    negative_groups: Integers | None = None,
    confidence: float = 0.95,
) -> Interval:
    """The probability that a positive image scores higher than a negative one, ties one half; 0-1, chance .5.

    positive, negative                (N,) and (M,) scores, whatever their unit
    positive_groups, negative_groups  (N,), (M,): images of one number are drawn together, as those of a patient
                                      are; without, each image by itself
    confidence                        in (0, 1)

    The interval is DeLong's (Biometrics 44, 1988) with Obuchowski's sums over clusters (Biometrics 53, 1997), for
    sides that share no cluster. ValueError: empty sides, NaN, a side of one cluster, the confidence.
    """
    return area(positive, negative, positive_groups, negative_groups).interval(confidence)


def area(
    positive: Scores,
    negative: Scores,
    positive_groups: Integers | None = None,
    negative_groups: Integers | None = None,
) -> Area:
    """What `auroc_interval` is made of."""
    for name, scores in (("positive", positive), ("negative", negative)):
        if scores.ndim != 1 or not len(scores) or np.isnan(scores).any():
            raise ValueError(f"{name} must be scores (N,), one or more and none NaN; its shape is {scores.shape}")
    of_positive, of_negative = _placements(positive, negative)
    sides = (of_positive, positive_groups), (of_negative, negative_groups)
    variances, clusters = zip(*(_clustered(values, groups) for values, groups in sides), strict=True)
    return Area(float(of_positive.mean()), math.sqrt(sum(variances)), min(clusters))


def _placements(positive: Scores, negative: Scores) -> tuple[Floats, Floats]:
    """(N,) share of negatives below each positive, (M,) share of positives above each negative; ties one half.

    By midranks (Sun & Xu, IEEE Signal Processing Letters 21, 2014).
    """
    n, m = len(positive), len(negative)
    together = stats.rankdata(np.concatenate([positive, negative]))
    return (together[:n] - stats.rankdata(positive)) / m, 1 - (together[n:] - stats.rankdata(negative)) / n


def _clustered(placements: Floats, groups: Integers | None) -> tuple[float, int]:
    """The variance of the placements' mean where clusters are drawn, and their number."""
    deviations = placements - placements.mean()
    if groups is not None:
        deviations = np.bincount(np.unique(groups, return_inverse=True)[1], weights=deviations)
    count = len(deviations)
    if count < 2:
        raise ValueError("an interval needs two patients or more on either side")
    return float(count / (count - 1) * np.square(deviations).sum() / len(placements) ** 2), count
