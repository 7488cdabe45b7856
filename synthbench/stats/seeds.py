"""A metric's mean over seeds, and how much of its error the seeds bring that the tested images do not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench.stats.bootstrap import LEVEL

__all__ = [
    "SeedMean",
    "Side",
    "defined",
    "kept_draws",
    "seed_margin",
    "seed_mean",
    "seed_means",
    "seed_quantile",
]

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]
Side = tuple[Floats, Floats | None]
"""A metric's values (R,) by seed, and its replicates (R, B), None where it cannot be resampled."""

TAIL = (1 - LEVEL) / 2


@dataclass(frozen=True)
class SeedMean:
    """The mean of R seeds.

    value  the mean
    draws  (B,), the mean in each resample: its spread is the sampling error; None where nothing was resampled
    error  standard error that the seeds add to it
    sd     standard deviation of the seeds' values, NaN for one seed
    seeds  R
    """

    value: float
    draws: Floats | None
    error: float
    sd: float
    seeds: int

    @property
    def variance(self) -> float:
        """What the seeds bring to the variance of one seed's value; NaN for one seed."""
        return self.error**2 * self.seeds if self.seeds > 1 else math.nan


def seed_margin(tail: float, *means: SeedMean) -> float:
    """Half-width that the seeds add to a sum or difference of means, `tail` (0-1) left outside on each side."""
    return seed_quantile(tail, means, [1.0] * len(means)) * math.hypot(*(mean.error for mean in means))


def seed_quantile(tail: float, means: Sequence[SeedMean], weights: Sequence[float]) -> float:
    """Student's quantile for the seeds' error of a weighted sum of means; 0 where seeds add none.

    Degrees of freedom by Welch and Satterthwaite (Satterthwaite, Biometrics Bulletin 2, 1946): R - 1 for one mean.
    """
    from scipy.stats import t

    variances = np.square([weight * mean.error for mean, weight in zip(means, weights, strict=True)])
    if not variances.any():
        return 0.0
    df = variances.sum() ** 2 / sum(
        v**2 / max(mean.seeds - 1, 1) for v, mean in zip(variances, means, strict=True)
    )
    return float(t.isf(tail, df))


def seed_means(*sides: Side) -> list[SeedMean]:
    """The mean of each side, all over the same resamples.

    A resample in which any metric is undefined (NaN) is left out of all; where that leaves less than half, NaN
    stays in `draws` and so in whatever is computed from them. Where one side has no replicates, none is used.
    """
    known = [defined(replicates) for _, replicates in sides if replicates is not None]
    kept = kept_draws(np.logical_and.reduce(known)) if len(known) == len(sides) else None
    return [seed_mean(side, kept) for side in sides]


def defined(replicates: Floats) -> Bools:
    """(B,): the resamples in which every seed's metric is a number."""
    return np.asarray(np.isfinite(replicates).all(axis=0))


def kept_draws(defined: Bools) -> Bools:
    """The resamples to compute with: the defined ones, or all (and so NaN) where those are less than half."""
    return defined if defined.mean() >= 0.5 else np.ones_like(defined)


def seed_mean(side: Side, kept: Bools | None) -> SeedMean:
    """One mean, and its two sources of error told apart by the replicates.

    Seeds tested on the same images share the images' part of the error. Where V is the covariance (R, R) of the
    replicates, the mean off its diagonal, c, is that part, and the mean on it less c, w, is what the images do
    to each seed by itself. The variance s2 of the values holds w as well, so max(s2 - w, 0) is left for the seeds:
    a component of variance by the method of moments, cut off at 0.

    kept  the resamples to look at; None: the seeds alone
    """
    values = side[0]
    replicates = None if side[1] is None or kept is None else np.asarray(side[1][:, kept], dtype=np.float64)
    n = len(values)
    variance = float(np.var(values, ddof=1, dtype=np.float64)) if n > 1 else math.nan
    beyond = max(variance - _alone(replicates), 0.0) if n > 1 else 0.0
    draws = None if replicates is None else replicates.mean(axis=0)
    mean = float(np.mean(values, dtype=np.float64))
    return SeedMean(mean, draws, math.sqrt(beyond / n), math.sqrt(variance), n)


def _alone(replicates: Floats | None) -> float:
    """w: the variance over resamples that seeds do not share. They are exchangeable: c below 0 is noise."""
    if replicates is None:
        return 0.0
    covariance = np.cov(replicates)
    n = len(replicates)
    own = np.trace(covariance) / n
    shared = (covariance.sum() - n * own) / (n * (n - 1))
    return float(own - max(shared, 0.0))
