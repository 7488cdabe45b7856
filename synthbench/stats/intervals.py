"""The interval of one number of the board."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench.stats.bootstrap import alike_reach, all_alike, percentiles
from synthbench.stats.pooling import Pool, pooled_margin
from synthbench.stats.seeds import TAIL, SeedMean, Side, seed_means

__all__ = ["FEW_SEEDS", "Interval", "interval", "seed_variance"]

FEW_SEEDS = 10
"""Below this many seeds, how much they vary is itself hardly known: the interval is marked as weak."""

WIDEST = 0.25
"""Share of a metric's range: where the seeds' margin exceeds it, values are worth more than an interval."""

Floats = npt.NDArray[np.floating[Any]]
Bounds = tuple[float, float]
UNKNOWN = (math.nan, math.nan)


@dataclass(frozen=True)
class Interval:
    """A mean over seeds and its interval at LEVEL; NaN where nothing is known.

    low, high                    for other images, patients and seeds
    sampling_low, sampling_high  for other images and patients, under these very seeds
    seed_sd                      standard deviation over the seeds, NaN for one
    weak                         fewer than FEW_SEEDS seeds
    wide                         the seeds' margin exceeds a quarter of the metric's range: practically unknown
    basis                        what it rests on, for a reader of the board
    """

    value: float
    low: float
    high: float
    sampling_low: float
    sampling_high: float
    seed_sd: float
    weak: bool
    wide: bool
    basis: str


def interval(
    values: Floats,
    replicates: Floats | None,
    *,
    bounds: Bounds | None = (0.0, 1.0),
    groups: int | None,
    images: int | None = None,
    pool: Pool | None = None,
) -> Interval:
    """The interval of the mean of `values`.

    values      float (R,), a metric by seed
    replicates  float (R, B), the same in B resamples of the test images, shared by all seeds; NaN where undefined.
                None: not resampled, the interval knows the seeds only
    bounds      the metric's range; the joint interval is cut there
    groups      patients behind the metric, None where unknown
    images      their images, for `basis`: as many as patients where nobody knows who is who
    pool        how much the seeds of other rows vary, from `pools`; None: this row's own seeds alone

    Sampling and seeds' half-widths, each side by itself, are added as squares: MOVER (Zou & Donner, Statistics
    in Medicine 27, 2008). One seed shows no variation of seeds; `basis` then says that it is missing.
    """
    (mean,) = seed_means((values, replicates))
    sampling, source = _sampling(mean, bounds, groups, _unit(groups, images))
    margin = pooled_margin(mean, pool)
    low, high = _joined(mean, sampling, margin, bounds or (-math.inf, math.inf))
    wide = bounds is not None and margin > WIDEST * (bounds[1] - bounds[0])
    basis = f"{source}; {_seeds(mean.seeds, pool)}"
    return Interval(mean.value, low, high, *sampling, mean.sd, mean.seeds < FEW_SEEDS, wide, basis)


def seed_variance(side: Side) -> float:
    """The variance that seeds bring to a metric beyond what the tested images do to each: what a row lends."""
    return seed_means(side)[0].variance


def _joined(mean: SeedMean, sampling: Bounds, margin: float, bounds: Bounds) -> Bounds:
    """The sampling interval widened by the seeds' margin; where nothing was resampled, that margin alone."""
    if mean.draws is None and margin > 0:  # at 0 nobody knows how the number would vary
        sampling = (mean.value, mean.value)
    low = mean.value - math.hypot(mean.value - sampling[0], margin)
    high = mean.value + math.hypot(sampling[1] - mean.value, margin)
    return float(np.maximum(low, bounds[0])), float(np.minimum(high, bounds[1]))  # NaN stays NaN


def _unit(groups: int | None, images: int | None) -> str:
    """What was drawn again."""
    if groups is None:
        return "images"
    if groups == images:
        return f"{images} images, one a patient as far as known"
    return f"images of {groups} patient{'s' * (groups != 1)}"


def _sampling(mean: SeedMean, bounds: Bounds | None, groups: int | None, patients: str) -> tuple[Bounds, str]:
    """The interval for other images under these seeds, and what it rests on."""
    if mean.draws is None:
        return UNKNOWN, "images not resampled"
    if math.isnan(mean.value) or np.isnan(mean.draws).any():
        return UNKNOWN, f"{patients}, undefined in most resamples"
    if not all_alike(mean.draws, mean.value):
        if groups is not None and groups < 2:
            return UNKNOWN, f"{patients}, who tells nothing of others"
        return percentiles(mean.draws, groups), patients
    if groups is None or bounds is None:
        return UNKNOWN, f"{patients}, the same in all resamples"
    reach = alike_reach(TAIL, groups, bounds[1] - bounds[0])
    ends = max(mean.value - reach, bounds[0]), min(mean.value + reach, bounds[1])
    return ends, f"{patients}, all alike: exact binomial bound"


def _seeds(n: int, pool: Pool | None) -> str:
    if n == 1:
        return "1 seed: its variation is unknown (weak)"
    others = "" if pool is None else f" and those of {pool.rows} other row{'s' * (pool.rows != 1)}"
    return f"{n} seeds{others}{' (weak)' * (n < FEW_SEEDS)}"
