"""Worth: how many real images train a classifier to the same score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench.stats.bootstrap import alike_reach, all_alike, sampling_quantile, width
from synthbench.stats.seeds import TAIL, seed_margin, seed_means
from synthbench.stats.utility import Resampled

__all__ = ["Worth", "worth"]

STEPS, FINE = 8, 500
"""Points of the curve between two sizes at which the score is held against it, and those to which its margin is
interpolated."""

ROUNDING = 1e-9

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Worth:
    """A number of real images and its interval at LEVEL.

    value      NaN where the score lies outside the curve; `note` says on which side
    low, high  0 where the score may lie below the curve, infinite where it may lie above
    """

    value: float
    low: float
    high: float
    note: str = ""


def worth(
    score: Resampled,
    curve: Sequence[Resampled],
    sizes: Sequence[int],
    *,
    bounds: tuple[float, float] | None = (0.0, 1.0),
    groups: int | None = None,
) -> Worth:
    """Where `score` meets the curve of real images, linear between sizes in the logarithm of their number.

    score   values (R,) by seed and their replicates (R, B), higher is better
    curve   the same of as many real images as `sizes` says, in the same B resamples of the test images; all sizes
            of the same seeds
    sizes   ascending, two or more
    bounds  the metric's range
    groups  patients behind the metric, None for many

    The number itself is read off the curve made monotone (isotonic regression), for a classifier does not learn
    less from more images. The interval is a test turned round: all numbers of images whose place on the curve does
    not differ from the score, by `difference`, from the first to the last. ValueError: fewer than two sizes, or
    not one curve point for each.
    """
    from sklearn.isotonic import isotonic_regression

    if len(sizes) < 2 or len(sizes) != len(curve):
        raise ValueError(f"two sizes or more, and a point of the curve for each; found {len(sizes)}, {len(curve)}")
    logs, value = np.log(sizes), float(np.mean(score[0]))
    means = isotonic_regression([float(np.mean(values)) for values, _ in curve])
    if math.isnan(value) or np.isnan(means).any():
        return Worth(math.nan, math.nan, math.nan, "score or curve is undefined")
    nearest = math.exp(np.interp(value, means, logs))  # an end of the curve for a score beyond it
    if np.isnan(gaps := _gaps(score, curve, width(bounds), groups)).any():
        return Worth(math.nan, math.nan, math.nan, "score or curve is undefined in most resamples")
    alike = [nearest, *_not_different(gaps, logs)]
    low, high = min(alike), max(alike)
    below, above = f"fewer than {sizes[0]} real images", f"more than {sizes[-1]} real images"
    note = below if value < means[0] else above if value > means[-1] else ""
    return Worth(
        math.nan if note else nearest,
        low if low > sizes[0] * (1 + ROUNDING) else 0.0,
        high if high < sizes[-1] * (1 - ROUNDING) else math.inf,
        note,
    )


def _gaps(score: Resampled, curve: Sequence[Resampled], span: float, groups: int | None) -> Floats:
    """The ends of the interval of the score less the curve, (places, 2), `STEPS` from one size to the next."""
    return np.array([_gap(score, _between(curve, place), span, groups) for place in _places(len(curve), STEPS)])


def _not_different(gaps: Floats, logs: Floats) -> Floats:
    """The sizes, on a fine grid, at which the interval of the difference to the score holds 0."""
    places, fine = (_places(len(logs), steps) for steps in (STEPS, FINE))
    low, high = (np.interp(fine, places, ends) for ends in gaps.T)
    alike: Floats = np.exp(np.interp(fine, np.arange(len(logs)), logs)[(low <= 0) & (high >= 0)])
    return alike


def _places(sizes: int, steps: int) -> Floats:
    """0 for the first size, 1 for the second, and `steps` from one to the next."""
    return np.linspace(0, sizes - 1, steps * (sizes - 1) + 1)


def _between(curve: Sequence[Resampled], place: float) -> Resampled:
    """The curve between two of its sizes: of 1.5 halfway from the second to the third."""
    first = min(int(place), len(curve) - 2)
    share = place - first
    (values_a, replicates_a), (values_b, replicates_b) = curve[first : first + 2]
    return (1 - share) * values_a + share * values_b, (1 - share) * replicates_a + share * replicates_b


def _gap(score: Resampled, side: Resampled, span: float, groups: int | None) -> tuple[float, float]:
    """The ends of the interval of score - side, its margin made as in `difference`."""
    one, other = seed_means(score, side)
    if one.draws is None or other.draws is None:
        return math.nan, math.nan
    apart = one.draws - other.draws
    if all_alike(apart, one.value):
        sampled = alike_reach(TAIL, groups, span)
    else:
        sampled = sampling_quantile(TAIL, groups) * float(np.std(apart, ddof=1))
    half = math.hypot(sampled, seed_margin(TAIL, one, other))
    return one.value - other.value - half, one.value - other.value + half
