"""Does a generator copy? How near its images come to the training images, against images it has never seen.

`train` are the images that the generator was fitted on, `holdout` real images of the same population that it was
not. No number here separates copying from poor learning on its own (Stein et al., 2023): read them beside those of
a generator that hands out training images, and of held-out reals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synthbench_fidelity.arrays import Features, Floats, Integers, feature_sets
from synthbench_fidelity.intervals import Interval, jackknife_interval
from synthbench_fidelity.neighbours import k_nearest, nearest, nearest_other

__all__ = ["Copies", "authenticity", "copies", "ct_score", "nearest_distance_ratio"]

GROUPS = 20
DEPTH = 20
"""Neighbours kept for the jackknife: that all of them are of one group has the probability 20^-19."""

Mask = npt.NDArray[np.bool_]


def authenticity(*, train: Features, synthetic: Features) -> float:
    """Share of synthetic images that are authentic (Alaa et al., 2022), 0-1; a copier has 0, higher is better.

    train, synthetic  (N, D), at least 2 rows, and (M, D)

    A synthetic image is authentic if it is farther from its nearest training image than that one is from its own
    nearest other training image (`>`). New reals of the same distribution do not reach 1. Near a training image
    that stands twice in `train` all but exact copies are authentic. ValueError: shapes, NaN, 1 training row.
    """
    train, synthetic = feature_sets(train=train, synthetic=synthetic)
    distance, index = nearest(queries=synthetic, points=train)
    return float((distance > nearest_other(points=train)[index]).mean())


@dataclass(frozen=True)
class Copies:
    """Synthetic images that lie nearer to a training image than real ones that nobody trained on."""

    count: int
    share: float
    """Of the synthetic images, 0-1."""
    expected: float
    """The count expected of images that come no nearer to the training images than held-out reals do."""
    sources: int
    """Training images (or groups of them) that they are nearest to."""
    p_value: float
    """The probability of as many as `sources`, or more, under the same."""
    threshold: float
    """Images nearer to a training image than this distance are counted."""


def copies(
    *,
    train: Features,
    holdout: Features,
    synthetic: Features,
    false_alarm: float = 0.01,
    groups: Integers | None = None,
) -> Copies:
    """Count the near copies, with a threshold that held-out reals set.

    train        (N, D)
    holdout      (H, D), at least 1 / false_alarm - 1 rows: reals of the same population as `train`
    synthetic    (M, D)
    false_alarm  the probability, at most, that a further real image is called a copy; in (0, 1)
    groups       (N,), whom each training image shows; each image its own without

    The threshold is the j-th smallest distance from a hold-out image to its nearest training image, with
    j = floor(false_alarm (H + 1)): a real image exchangeable with the hold-out is below it with probability
    j / (H + 1), whatever the distribution (as in conformal prediction, Vovk et al., 2005). The number below it
    of M independent such images is beta-binomial with M, j and H + 1 - j; that gives `expected` and `p_value`.
    The p-value is that of `sources`, no more than the count, so it errs on the safe side: images of a collapsed
    generator are no independent draws, and all that lie near one training image are one piece of evidence.
    Held-out images of one patient resemble each other and are no independent draws either: the probabilities are
    then approximate. ValueError: shapes, NaN, a hold-out too small for the rate.
    """
    from scipy import stats  # 45 MB that no other metric needs

    train, holdout, synthetic = feature_sets(train=train, holdout=holdout, synthetic=synthetic)
    if not 0 < false_alarm < 1:
        raise ValueError(f"false_alarm must lie between 0 and 1; it is {false_alarm}")
    below = int(false_alarm * (len(holdout) + 1) + 1e-9)  # 0.29 * 100 is 28.999...
    if below < 1:
        raise ValueError(
            f"a false-alarm rate of {false_alarm:g} needs at least {int(np.ceil(1 / false_alarm - 1 - 1e-9))} "
            f"hold-out images; there are {len(holdout)}"
        )
    allowed = np.sort(nearest(queries=holdout, points=train)[0])
    threshold = float(allowed[below - 1])
    distance, index = nearest(queries=synthetic, points=train)
    reached = index[distance < threshold]
    count, sources = len(reached), len(np.unique(reached if groups is None else groups[reached]))
    null = stats.betabinom(len(synthetic), below, len(holdout) + 1 - below)
    p_value = min(1.0, float(null.pmf(np.arange(sources, len(synthetic) + 1)).sum()))
    return Copies(count, count / len(synthetic), float(null.mean()), sources, p_value, threshold)


def ct_score(
    *,
    train: Features,
    holdout: Features,
    synthetic: Features,
    rng: np.random.Generator,
    cells: int = 5,
    at_least: int = 20,
) -> float:
    """C_T of Meehan, Chaudhuri & Dasgupta (2020): far below 0 is copying, far above 0 underfitting.

    train, holdout, synthetic  (N, D), (H, D), (M, D)
    rng                        seeds the k-means that cuts the space into cells, fitted on `train`
    cells                      at most; no more than there are training images
    at_least                   synthetic images that a cell needs to count

    In each cell the distances of its synthetic and of its hold-out images to their nearest training image are
    compared by Mann and Whitney's U, normal approximation, corrected for ties, no continuity correction:
    z < 0 where the synthetic ones are nearer. C_T is the mean of z over cells, weighted by their hold-out images.
    Unit: standard deviations of one cell's z, so it grows with the number of images: compare at equal H and M.
    Unlike the authors' code, the nearest training image is sought in all cells. NaN where no cell has enough
    synthetic images and a hold-out image. ValueError: shapes, NaN.
    """
    from sklearn.cluster import KMeans

    train, holdout, synthetic = feature_sets(train=train, holdout=holdout, synthetic=synthetic)
    means = KMeans(min(cells, len(train)), n_init=1, random_state=int(rng.integers(2**31))).fit(train)
    near_holdout, near_synthetic = (nearest(queries=s, points=train)[0] for s in (holdout, synthetic))
    cell_holdout, cell_synthetic = means.predict(holdout), means.predict(synthetic)
    total, weight = 0.0, 0
    for cell in range(means.n_clusters):
        reals, fakes = near_holdout[cell_holdout == cell], near_synthetic[cell_synthetic == cell]
        if len(reals) and len(fakes) >= at_least:
            total += len(reals) * _mann_whitney_z(fakes, reals)
            weight += len(reals)
    return total / weight if weight else float("nan")


def _mann_whitney_z(first: Floats, second: Floats) -> float:
    """Standardised U: below 0 where `first` is smaller; 0 where all are equal."""
    from scipy import stats

    n, m = len(first), len(second)
    ranks = stats.rankdata(np.concatenate([first, second]))
    u = ranks[:n].sum() - n * (n + 1) / 2
    tied = np.unique(ranks, return_counts=True)[1]
    variance = n * m / 12 * (n + m + 1 - (tied**3 - tied).sum() / ((n + m) * (n + m - 1)))
    return float((u - n * m / 2) / np.sqrt(variance)) if variance > 0 else 0.0


def nearest_distance_ratio(
    *,
    train: Features,
    holdout: Features,
    synthetic: Features,
    rng: np.random.Generator,
    confidence: float = 0.95,
) -> Interval:
    """Median distance to the nearest training image over that to the nearest hold-out image; below 1: copying.

    train, holdout, synthetic  (N, D), (H, D), (M, D); 2 rows or more
    rng                        draws the training images that are compared, and the groups of the jackknife
    confidence                 in (0, 1); the jackknife leaves out a 20th of each of the three sets in turn

    The more images, the nearer the nearest: so as many training images as the hold-out has are drawn (as many
    hold-out images as `train` has, where that is smaller) and the rest is left aside. 1 is expected of a generator
    that treats training images as any others. Weak where H is far below N: of a generator that only copies, H / N
    of the images have their original among those drawn, which hardly moves a median below H = N / 2. `copies` and
    `ct_score` use all of `train`. (No bootstrap: resampled reference images are fewer, and so farther. More
    than 98 % of simulated 95 % jackknife intervals covered 1 where nothing was copied.)
    NaN or infinite where the median hold-out distance is 0. ValueError: shapes, NaN.
    """
    train, holdout, synthetic = feature_sets(2, train=train, holdout=holdout, synthetic=synthetic)
    size = min(len(train), len(holdout))
    sides = [s[rng.choice(len(s), size, replace=False)] for s in (train, holdout)]
    to_train, to_holdout = (_Distances.between(synthetic, side, rng) for side in sides)
    leaving = _groups(len(synthetic), rng)
    with np.errstate(divide="ignore", invalid="ignore"):
        near, far = to_train.nearest(), to_holdout.nearest()
        left_out = [
            np.array([np.median(near[kept]) / np.median(far[kept]) for kept in leaving]),
            np.array([np.median(to_train.nearest(kept)) for kept in to_train.leaving]) / np.median(far),
            np.median(near) / np.array([np.median(to_holdout.nearest(kept)) for kept in to_holdout.leaving]),
        ]
        value, low, high = jackknife_interval(float(np.median(near) / np.median(far)), left_out, confidence)
    return Interval(value, max(0.0, low), high)


class _Distances(NamedTuple):
    """From images to their nearest of a reference set, and to the next where those are left out."""

    distance: Floats
    """(M, DEPTH)"""
    neighbour: Integers
    """(M, DEPTH), places in the reference set"""
    leaving: list[Mask]
    """Which of the reference set stay when each group is left out."""

    @classmethod
    def between(cls, images: Features, references: Features, rng: np.random.Generator) -> _Distances:
        return cls(*k_nearest(queries=images, points=references, k=DEPTH), _groups(len(references), rng))

    def nearest(self, kept: Mask | None = None) -> Floats:
        """(M,), among the references `kept`."""
        if kept is None:
            return self.distance[:, 0]
        first = kept[self.neighbour].argmax(axis=1)
        return np.take_along_axis(self.distance, first[:, None], axis=1)[:, 0]


def _groups(n: int, rng: np.random.Generator) -> list[Mask]:
    """Who stays when each of some random groups of (nearly) equal size is left out."""
    group = rng.permutation(n) % min(n, GROUPS)
    return [group != k for k in range(min(n, GROUPS))]
