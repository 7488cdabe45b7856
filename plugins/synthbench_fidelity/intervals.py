"""Confidence intervals from the jackknife: how much an estimate moves when some of its images are left out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from synthbench_fidelity.arrays import Floats

__all__ = ["Interval", "jackknife_interval"]


class Interval(NamedTuple):
    """An estimate between the ends of its confidence interval."""

    value: float
    low: float
    high: float


def jackknife_interval(value: float, left_out: list[Floats], confidence: float) -> Interval:
    """Value -+ t times the jackknife's standard error.

    left_out    of each independent sample, the estimates without each of its n parts, (n,); a part may be an image
                or a random group of equal size. Each sample adds (n - 1) / n times the sum of squares about the
                mean to the variance (Efron & Stein, 1981), which is not too small in expectation.
    confidence  in (0, 1); t has one degree of freedom less than the smallest sample has parts

    ValueError: another confidence.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1; it is {confidence}")
    error = np.sqrt(sum((len(parts) - 1) * parts.var() for parts in left_out))
    half = float(special.stdtrit(min(map(len, left_out)) - 1, (1 + confidence) / 2) * error)
    return Interval(value, value - half, value + half)
