"""The bootstrap clustered by patient: which images and patients happened to be tested."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "LEVEL",
    "RESAMPLES",
    "alike_reach",
    "all_alike",
    "cluster_weights",
    "percentiles",
    "sampling_quantile",
    "width",
]

RESAMPLES = 10_000
"""Bootstrap resamples of a test set."""

LEVEL = 0.95
"""Confidence level of every interval."""

ROUNDING = 1e-9
"""Of a number's size: draws that differ by less are the same."""

BLOCK_DRAWS = 1 << 21
"""Draws in memory at once: 16 MiB of them."""

Floats = npt.NDArray[np.floating[Any]]


def cluster_weights(
    groups: npt.NDArray[np.str_], resamples: int, rng: np.random.Generator
) -> npt.NDArray[np.uint16]:
    """How often each image counts in each resample, uint16 (B, N).

    groups     str (N,), whom an image shows
    resamples  B

    A resample draws as many groups as there are, with replacement, each with all its images (Davison & Hinkley,
    Bootstrap Methods and their Application, 1997, section 3.8). The same groups and `rng` give the same weights.
    Raises ValueError where there are no images.
    """
    names, member = np.unique(groups, return_inverse=True)  # sorted: the order of the images changes nothing
    if not len(names):
        raise ValueError("no images to resample")
    weights = np.empty((resamples, len(groups)), dtype=np.uint16)
    block = max(1, BLOCK_DRAWS // len(names))
    for start in range(0, resamples, block):
        times = _times_drawn(len(names), min(block, resamples - start), rng)
        weights[start : start + block] = np.take(times, member, axis=1)
    return weights


def _times_drawn(n: int, resamples: int, rng: np.random.Generator) -> npt.NDArray[np.uint16]:
    """(B, n): how often each of n groups is among n drawn; one count over all resamples at once."""
    cells = rng.integers(n, size=(resamples, n)) + n * np.arange(resamples)[:, None]
    return np.bincount(cells.ravel(), minlength=resamples * n).reshape(resamples, n).astype(np.uint16)


def sampling_quantile(tail: float, groups: int | None) -> float:
    """How many bootstrap standard errors leave `tail` (0-1, one side) outside.

    The normal quantile; where the number of groups G is known, Student's with G - 1 degrees of freedom times
    sqrt(G / (G - 1)), because resampling divides squares by G and not by G - 1. Infinite for one group.
    """
    from scipy.stats import norm, t

    if groups is None:
        return float(norm.isf(tail))
    if groups < 2:
        return math.inf
    return float(t.isf(tail, groups - 1)) * math.sqrt(groups / (groups - 1))


def all_alike(draws: Floats, scale: float) -> bool:
    """Whether no resample moves a number of the size `scale`: its draws (B,) differ by rounding at most."""
    return bool(np.ptp(draws) <= ROUNDING * max(1.0, abs(scale)))


def width(bounds: tuple[float, float] | None) -> float:
    """Of a metric's range; infinite where it has none."""
    return bounds[1] - bounds[0] if bounds else math.inf


def alike_reach(tail: float, groups: int | None, span: float) -> float:
    """How far the truth may lie from a number that no resample moves, `tail` (0-1) left outside on each side.

    Where all answers are right, say, the bootstrap would give an interval of width 0. That none of G groups
    differs bounds the share that would: Clopper & Pearson's upper limit for 0 of G (Biometrika 26, 1934), which is
    1 - tail^(1/G). If that share differed as much as can be, the number would move by that much of its range,
    `span`. 0 where G is many (None).
    """
    return 0.0 if groups is None else (1 - tail ** (1 / groups)) * span


def percentiles(draws: Floats, groups: int | None) -> tuple[float, float]:
    """The expanded, accelerated percentile interval of `draws` (B,), at LEVEL.

    Expanded (Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 69, 2015):
    the percentiles lie as far out as `sampling_quantile` says, not the normal quantile. Accelerated (the a of
    BCa: Efron, "Better Bootstrap Confidence Intervals", JASA 82, 1987): where an accuracy is near 1, draws lean
    to lower values, and plain percentiles correct for half of that only. For a mean, a is a sixth of their
    skewness. BCa's other constant, for bias, is left out: metrics here have next to none.
    """
    from scipy.stats import norm, skew

    q = sampling_quantile((1 - LEVEL) / 2, groups)
    a = float(skew(draws)) / 6
    low, high = (float(norm.cdf(z / max(1 - a * z, 1e-9))) for z in (-q, q))
    return float(np.quantile(draws, low)), float(np.quantile(draws, high))
