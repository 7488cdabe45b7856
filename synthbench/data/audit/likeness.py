"""Whether two pictures are one: lay the one over the other, then see whether they agree place by place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthbench.data.audit.registration import register, sampled
from synthbench.data.audit.texture import blur, even_contrast
from synthbench.data.audit.thumbnails import Floats

__all__ = ["compare"]

EVEN = 3.0
"""Standard deviation of the surroundings over which contrast is evened out, in thumbnail pixels."""

DETAIL = 1.0
"""Waves longer than this blur are left out: that is the anatomy that all chests share."""

AROUND = 1.5
"""Standard deviation of the surroundings in which the two are correlated."""

FAINT = 0.005
"""Covariance of noise: below it two pictures agree in nothing."""

LEFT_OUT = 0.4
"""Share of the common area, where they agree least, that does not count: text, a marker, a corner."""


def compare(first: Floats, second: Floats, start: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """How unlike the pictures of each pair are, and whether one is a negative of the other.

    first, second  thumbnails (P, 32, 32), pair by pair
    start          (P, 2, 3): about where a place of `first` lies in `second`; see `registration`

    Returns float32 (P,), 0 (one picture) to 1 (unrelated), and bool (P,): 1 less the mean local correlation of the
    fine detail in the area that both show, without the 40 % of it where they agree least.
    """
    one, two = even_contrast(first, EVEN), even_contrast(second, EVEN)
    seen, inside = sampled(two, register(one, two, start))
    return _unlike(one, seen.reshape(one.shape), inside.reshape(one.shape))


def _unlike(one: Floats, seen: Floats, inside: npt.NDArray[np.bool_]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    weight = inside.astype(np.float32)
    near = blur(weight, DETAIL) + 1e-6
    first = one - blur(one, DETAIL)
    second = seen - blur(seen * weight, DETAIL) / near
    local = _local_correlation(first * weight, second * weight, weight)
    negative = (local * weight).sum(axis=(1, 2)) < 0
    local[negative] *= -1
    return np.clip(1 - _best(local, weight), 0, 1).astype(np.float32), negative


def _local_correlation(first: Floats, second: Floats, weight: Floats) -> Floats:
    """(P, 32, 32): of two pictures in a Gaussian's surroundings of each pixel, where `weight` is 1."""
    total = blur(weight, AROUND) + 1e-6

    def mean(values: Floats) -> Floats:
        return np.asarray(blur(values, AROUND) / total)

    a, b = mean(first), mean(second)
    variances = [np.maximum(mean(x * x) - m * m, 0) for x, m in ((first, a), (second, b))]
    return np.asarray((mean(first * second) - a * b) / np.sqrt(variances[0] * variances[1] + FAINT**2))


def _best(local: Floats, weight: Floats) -> Floats:
    """Mean over the area, less its worst part and the outermost pixels, whose surroundings are half unknown."""
    inner = np.zeros_like(weight)
    inner[:, 1:-1, 1:-1] = weight[:, 1:-1, 1:-1]
    area = inner.reshape(len(local), -1) > 0
    n = area.sum(axis=1)
    descending = -np.sort(-np.where(area, local.reshape(len(local), -1), -2), axis=1)
    kept = np.maximum(n - (LEFT_OUT * n).astype(int), 1)
    return np.asarray(np.cumsum(descending, axis=1)[np.arange(len(local)), kept - 1] / kept)
