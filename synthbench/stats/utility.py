"""Utility: where a score stands between a floor (0) and a ceiling (1)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench.stats.bootstrap import alike_reach, all_alike, sampling_quantile, width
from synthbench.stats.seeds import TAIL, SeedMean, seed_means, seed_quantile

__all__ = ["Utility", "utility"]

Floats = npt.NDArray[np.floating[Any]]
Resampled = tuple[Floats, Floats]


@dataclass(frozen=True)
class Utility:
    """The ratio and its interval at LEVEL; all NaN where not `defined`, and `note` says why."""

    value: float
    low: float
    high: float
    defined: bool
    note: str = ""


def utility(
    score: Resampled,
    ceiling: Resampled,
    floor: Resampled | float,
    *,
    bounds: tuple[float, float] | None = (0.0, 1.0),
    groups: int | None = None,
) -> Utility:
    """(score - floor) / (ceiling - floor); below 0 or above 1 where the score is outside the two.

    score, ceiling, floor  values (R,) by seed and their replicates (R, B) in the same B resamples of the test
                           images; a floor may be a constant
    bounds                 the metric's range
    groups                 patients behind the metric, None for many

    The interval is Fieller's (Journal of the Royal Statistical Society B 16, 1954): all u for which score - floor
    - u (ceiling - floor) does not differ from 0, its margin made as in `difference`. That margin's square is a
    quadratic in u, so the ends are its roots. They enclose the ratio where ceiling - floor is above 0 by more than
    its own margin; elsewhere no ratio is known, and the utility is undefined.
    """
    base = (np.array([floor]), np.full((1, score[1].shape[1]), floor)) if isinstance(floor, int | float) else floor
    means = seed_means(score, ceiling, base)
    candidate, top, bottom = means
    over, span = candidate.value - bottom.value, top.value - bottom.value
    var_over, var_both, var_span = _margins(means, over / span if span > 0 else 0.0, width(bounds), groups)
    if math.isnan(over + span + var_over + var_span):
        return _undefined("score, ceiling or floor is undefined in most resamples")
    if span <= math.sqrt(var_span):
        return _undefined(f"ceiling - floor is {span:.3g} ± {math.sqrt(var_span):.2g}: not clearly above 0")
    if math.isinf(var_over):
        return _undefined("score - floor has no bounded margin")
    middle = (over * span - var_both) / (span**2 - var_span)
    half = math.sqrt(max(middle**2 - (over**2 - var_over) / (span**2 - var_span), 0.0))
    return Utility(over / span, middle - half, middle + half, True)


def _margins(means: list[SeedMean], ratio: float, span: float, groups: int | None) -> tuple[float, float, float]:
    """Squared margins of score - floor and of ceiling - floor, and between them their product's part."""
    candidate, top, bottom = means
    z = sampling_quantile(TAIL, groups)
    t = seed_quantile(TAIL, means, (1.0, ratio, 1 - ratio))
    draws = np.stack([mean.draws for mean in means if mean.draws is not None])
    above_floor = draws[:2] - draws[2]
    sampled = z**2 * np.cov(above_floor)
    reach = alike_reach(TAIL, groups, span) ** 2
    for k, one in enumerate(above_floor):
        if all_alike(one, 1.0):
            sampled[k, k] = reach
    if all_alike(above_floor[0] - ratio * above_floor[1], 1.0) and not all_alike(above_floor[0], 1.0):
        sampled[0, 0] += reach  # the two move as one: at their ratio the margin would be 0
    of_score, of_ceiling, of_floor = ((t * mean.error) ** 2 for mean in (candidate, top, bottom))
    return (
        float(sampled[0, 0]) + of_score + of_floor,
        float(sampled[0, 1]) + of_floor,
        float(sampled[1, 1]) + of_ceiling + of_floor,
    )


def _undefined(note: str) -> Utility:
    return Utility(math.nan, math.nan, math.nan, False, note)
