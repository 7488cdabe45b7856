"""Few seeds: how far a mean of two or three is known, told with the help of the other rows' seeds.

With two seeds Student's quantile is 12.7, and the interval says next to nothing. Rows of a board are trained alike
and mostly vary alike, so the others' variance helps; but one row may vary far more, and then it must not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from synthbench.stats.seeds import TAIL, SeedMean, seed_margin

__all__ = ["Pool", "joint_quantile", "own_tail", "pooled_margin", "pools"]


@dataclass(frozen=True)
class Pool:
    """The mean `variance` that seeds bring to `rows` other rows."""

    variance: float
    rows: int


def pools(variances: Sequence[float]) -> list[Pool | None]:
    """For each row the pool of all others; None where there is no other, or for a row that has no variance (NaN).

    variances  `SeedMean.variance` of each row: NaN for one seed, which neither lends nor borrows
    """
    known = [variance for variance in variances if not math.isnan(variance)]
    total, others = math.fsum(known), len(known) - 1
    return [
        None if others < 1 or math.isnan(variance) else Pool(max(total - variance, 0.0) / others, others)
        for variance in variances
    ]


def pooled_margin(mean: SeedMean, pool: Pool | None) -> float:
    """Half-width that the seeds add to a mean: the wider of what its own seeds say and what the others' do.

    Its own: Student's, with `own_tail` left outside on each side: whatever the others do, the interval covers at
    least that much (90 % for two seeds). The others': `joint_quantile` standard errors, made from their mean
    variance. Without a pool Student's interval at LEVEL.
    """
    if pool is None or mean.seeds < 2:
        return seed_margin(TAIL, mean)
    own = seed_margin(own_tail(mean.seeds), mean)
    return float(np.maximum(own, joint_quantile(mean.seeds) * math.sqrt(pool.variance / mean.seeds)))  # NaN stays


def own_tail(seeds: int) -> float:
    """What a row's own interval leaves out on each side: 5 % for two seeds, 2.5 % for very many."""
    return TAIL * (1 + 2 / seeds)


@cache
def joint_quantile(seeds: int) -> float:
    """c of the other rows' margin: where all rows vary alike, the wider of both margins covers exactly LEVEL.

    The mean's error is Z standard errors, the row's own standard deviation S of the true ones, (R - 1) S^2 is
    chi-squared. Both margins are too small where |Z| > c and |Z| > q S, q Student's quantile at `own_tail`:

        2 * integral from c to infinity of phi(z) P(S < z / q) dz = 1 - LEVEL.
    """
    from scipy.integrate import quad
    from scipy.optimize import brentq
    from scipy.special import chdtr
    from scipy.stats import t

    df = seeds - 1
    q = float(t.isf(own_tail(seeds), df))

    def both_too_small(z: float) -> float:
        return math.exp(-z * z / 2) / math.sqrt(2 * math.pi) * float(chdtr(df, df * (z / q) ** 2))

    def excess(c: float) -> float:
        return float(quad(both_too_small, c, 10.0)[0]) - TAIL

    return float(brentq(excess, 0.0, 5.0, xtol=1e-9))
