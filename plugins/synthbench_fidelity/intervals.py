"""Confidence intervals from the jackknife: how much an estimate moves when some of its images are left out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from synthbench_fidelity.arrays import Floats, Integers

__all__ = ["Interval", "jackknife_interval", "student_interval"]


class Interval(NamedTuple):
    """An estimate between the ends of its confidence interval."""

    value: float
    low: float
    high: float


def jackknife_interval(
    value: float, left_out: list[Floats], confidence: float, sizes: list[Integers | None] | None = None
) -> Interval:
    """Value -+ t times the jackknife's standard error.

    left_out    of each independent sample, the estimates without each of its n parts, (n,); a part may be an image
                or a random group of equal size. Each sample adds (n - 1) / n times the sum of squares about the
                mean to the variance (Efron & Stein, 1981), which is not too small in expectation.
    sizes       of each sample how many images its parts hold (n,), where these differ: patients, say. Their
                estimates count by size (Busing, Meijer & van der Leeden, 1999, equation 6). None: all alike
    confidence  in (0, 1); t has one degree of freedom less than the smallest sample has parts

    ValueError: another confidence.
    """
    own = sizes or [None] * len(left_out)
    variances = (_variance(value, parts, size) for parts, size in zip(left_out, own, strict=True))
    return student_interval(value, float(np.sqrt(sum(variances))), min(map(len, left_out)) - 1, confidence)


def student_interval(value: float, error: float, freedom: int, confidence: float) -> Interval:
    """Value -+ t times its standard error, t of `freedom` degrees. ValueError: `confidence` not in (0, 1)."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1; it is {confidence}")
    half = float(special.stdtrit(freedom, (1 + confidence) / 2) * error)
    return Interval(value, value - half, value + half)


def _variance(value: float, left_out: Floats, sizes: Integers | None) -> float:
    if sizes is None:
        return float((len(left_out) - 1) * left_out.var())
    share = sizes.sum() / sizes
    mean = len(left_out) * value - ((1 - 1 / share) * left_out).sum()
    pseudo = share * value - (share - 1) * left_out
    return float((np.square(pseudo - mean) / (share - 1)).mean())
