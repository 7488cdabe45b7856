"""Generators compared by a metric, every two of them at once: a thousand make half a million pairs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench.stats.bootstrap import ROUNDING, width
from synthbench.stats.seeds import TAIL, SeedMean, Side, defined, kept_draws, seed_mean

__all__ = ["Difference", "Differences", "difference", "differences"]

SMALLEST_P = 1e-100
"""Below it p is 0."""

CANCELS = 1e-4
"""Below this share of the sum of two variances, that of their difference is summed up by itself: less the
covariance it would have lost digits."""

Floats = npt.NDArray[np.floating[Any]]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Difference:
    """Mean of a less mean of b, its interval at LEVEL, and the two-sided p of no difference.

    The interval leaves 0 out where p < 1 - LEVEL. NaN where nothing is known.
    """

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Differences:
    """`Difference` of every two of R generators, the earlier less the later: arrays (R (R - 1) / 2,).

    first, second        the pair's places, in the order of `itertools.combinations`
    value, low, high, p  as in `Difference`
    """

    first: Places
    second: Places
    value: Floats
    low: Floats
    high: Floats
    p: Floats

    def within(self, margin: Floats) -> npt.NDArray[np.bool_]:
        """Whether the whole interval lies within +-margin (of each pair): the two may be called equal up to it.

        Stricter than two one-sided tests at 5 % (Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15, 1987),
        which would ask that of the 90 % interval. That no difference was found is not enough.
        """
        return np.asarray((-margin < self.low) & (self.high < margin))


def difference(
    values_a: Floats,
    replicates_a: Floats | None,
    values_b: Floats,
    replicates_b: Floats | None,
    *,
    bounds: tuple[float, float] | None = (0.0, 1.0),
    groups: int | None = None,
) -> Difference:
    """Compare two generators by the means of a metric over their seeds: `differences` of one pair."""
    pair = differences([(values_a, replicates_a), (values_b, replicates_b)], [groups, groups], bounds)
    return Difference(*(float(column[0]) for column in (pair.value, pair.low, pair.high, pair.p)))


def differences(
    sides: Sequence[Side], groups: Sequence[int | None], bounds: tuple[float, float] | None = (0.0, 1.0)
) -> Differences:
    """Compare every two generators by the means of a metric over their seeds.

    sides   of each generator the values float (r,), the metric by seed, whose number may differ, and replicates
            float (r, B), the same in B resamples of the test images, the same resamples for all: what makes an
            image hard for both cancels out. None: the seeds only
    groups  patients behind each one's metric, None for many; the fewer of a pair count, and p is at least that of
            a sign test on which all of them agree
    bounds  the metric's range

    The margin's square is the sum of squares of the sampling margin (normal, from the standard deviation of the
    difference over resamples) and of each side's seeds (t): see docs/statistics.md for why. A side with one seed
    adds nothing to it: the comparison is then of these models, not of their generators. Where no resample moves
    the difference (both always right, say), `alike_reach` stands for the sampling margin. NaN where nothing was
    resampled and the seeds of both are all alike: nothing says how the difference would vary.
    """
    pairs = np.triu_indices(len(sides), 1)
    of_each = np.array([math.inf if g is None else g for g in groups])
    patients = np.minimum(of_each[pairs[0]], of_each[pairs[1]])  # whoever is named first
    sources = patients, *_sources(sides, pairs, width(bounds))
    means = np.array([np.mean(values, dtype=np.float64) for values, _ in sides])
    value = means[pairs[0]] - means[pairs[1]]
    half = _margin(np.full(len(value), TAIL), *sources)
    p = np.maximum(_two_sided_p(np.abs(value), *sources), 2.0 ** (1 - patients))  # NaN stays
    return Differences(*pairs, value, value - half, value + half, p)


def _sources(
    sides: Sequence[Side], pairs: tuple[Places, Places], span: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Of each pair the standard error by sampling, how far a difference that no resample moves may be off (0 for
    others), the standard error by seeds, and its degrees of freedom.

    Those by Welch and Satterthwaite, as in `seed_quantile`.
    """
    n = len(sides)
    sampled, errors = np.full((n, n), math.nan), np.zeros((n, n))  # errors[i, j]: of i's seeds, beside j
    resampled = np.array([replicates is not None for _, replicates in sides], dtype=np.bool_)
    size = np.array([abs(np.mean(values, dtype=np.float64)) for values, _ in sides], dtype=np.float64)
    for rows, columns, kept in _alike(sides):
        a, b = ([seed_mean(sides[i], kept) for i in places] for places in (rows, columns))
        errors[np.ix_(rows, columns)] = np.array([[mean.error] for mean in a])
        errors[np.ix_(columns, rows)] = np.array([[mean.error] for mean in b])
        spread = _spread(a, b)
        sampled[np.ix_(rows, columns)], sampled[np.ix_(columns, rows)] = spread, spread.T
    own = np.square([errors[pairs], errors.T[pairs]])  # (2, P)
    degrees = np.array([max(len(values) - 1, 1) for values, _ in sides])
    total = own.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        df = np.where(total == 0, 1.0, total**2 / (own**2 / degrees[np.array(pairs)]).sum(0))
    by_images = resampled[pairs[0]] & resampled[pairs[1]]
    still = sampled[pairs] <= ROUNDING * np.maximum(1.0, np.maximum(size[pairs[0]], size[pairs[1]]))
    known = np.where(~by_images & (total == 0), math.nan, np.where(still, 0.0, sampled[pairs]))
    return known, np.where(by_images & still, span, 0.0), np.sqrt(total), df


def _alike(sides: Sequence[Side]) -> Iterator[tuple[list[int], list[int], npt.NDArray[np.bool_] | None]]:
    """Places of sides, twice, and the resamples that pairs across them keep; None where they have none in common.

    Sides that are undefined in the same resamples are taken together: mostly all are defined in all.
    """
    known = [None if replicates is None else defined(replicates) for _, replicates in sides]
    places: dict[bytes | None, list[int]] = {}
    for place, one in enumerate(known):
        places.setdefault(None if one is None else one.tobytes(), []).append(place)
    for rows, columns in itertools.combinations_with_replacement(places.values(), 2):
        a, b = known[rows[0]], known[columns[0]]
        yield rows, columns, None if a is None or b is None else kept_draws(a & b)


def _spread(a: Sequence[SeedMean], b: Sequence[SeedMean]) -> Floats:
    """Standard deviation over resamples of each of `a` less each of `b`, (len(a), len(b)).

    0 where nothing was resampled, for seeds show all then; NaN where one of the two has only one.
    """
    if a[0].draws is None or b[0].draws is None:
        alone = np.add.outer([mean.seeds == 1 for mean in a], [mean.seeds == 1 for mean in b])
        return np.where(alone, math.nan, 0.0)
    rows, columns = (_centred(means) for means in (a, b))
    own = np.add.outer(*(np.einsum("ib,ib->i", part, part) for part in (rows, columns)))
    squares = own - 2 * rows @ columns.T
    for i, near in enumerate(squares < CANCELS * own):
        if near.any():
            squares[i, near] = np.square(rows[i] - columns[near]).sum(1)
    spread: Floats = np.sqrt(squares / (rows.shape[1] - 1))
    return spread


def _centred(means: Sequence[SeedMean]) -> Floats:
    """(n, B): the draws less their mean."""
    draws = np.stack([mean.draws for mean in means if mean.draws is not None])
    draws -= draws.mean(1, keepdims=True)
    return draws


def _margin(tail: Floats, patients: Floats, sampled: Floats, span: Floats, seeds: Floats, df: Floats) -> Floats:
    """Half-widths with `tail` (0 to .5) left outside on each side; the rest by pair, as `_sources` gives it."""
    from scipy.special import stdtrit

    with np.errstate(divide="ignore", invalid="ignore"):  # as `sampling_quantile`, infinite for one patient
        quantile = -stdtrit(patients - 1, tail) * np.where(
            np.isinf(patients), 1, np.sqrt(patients / (patients - 1))
        )
        reach = np.where(
            (span == 0) | np.isinf(patients), 0.0, (1 - tail ** (1 / patients)) * span
        )  # `alike_reach`
        by_images = np.where(sampled == 0, reach, np.where(patients < 2, math.inf, quantile) * sampled)
    half: Floats = np.hypot(by_images, -stdtrit(df, tail) * seeds)
    return half


def _two_sided_p(distance: Floats, *sources: Floats) -> Floats:
    """The p at which each margin is just as wide as the distance."""
    from scipy.optimize.elementwise import find_root

    def gap(log_p: Floats, distance: Floats, *sources: Floats) -> Floats:
        return _margin(np.exp(log_p) / 2, *sources) - distance

    least = np.full(len(distance), math.log(SMALLEST_P))
    widest, none = gap(least, distance, *sources), np.zeros(len(distance))
    p = np.where(np.isnan(widest), math.nan, np.where(gap(none, distance, *sources) >= 0, 1.0, 0.0))
    between = (widest > 0) & (p == 0)
    if between.any():
        args = [column[between] for column in (distance, *sources)]
        p[between] = np.exp(find_root(gap, (least[between], none[between]), args=tuple(args)).x)
    return p
