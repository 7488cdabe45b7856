"""The classifier two-sample test (C2ST): can a simple probe tell synthetic images from real ones?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synthbench_fidelity.arrays import Features, Floats, Integers, feature_sets
from synthbench_fidelity.auroc import Area, area
from synthbench_fidelity.intervals import Interval

__all__ = ["LEAST", "classifier_two_sample"]

Mask = npt.NDArray[np.bool_]

PENALTY = 0.01
"""C of the logistic regression on standardised features: with more features than images a weak penalty lets the
probe learn its half by heart."""


LEAST = 4
"""Patients or draws of each side: two in each half, for a variance."""


class _Side(NamedTuple):
    features: Features
    groups: Integers


def classifier_two_sample(
    *,
    real: Features,
    synthetic: Features,
    rng: np.random.Generator,
    real_groups: Integers | None = None,
    synthetic_groups: Integers | None = None,
    confidence: float = 0.95,
) -> Interval:
    """AUROC with which a logistic regression tells synthetic from real images of the halves that it has not seen.

    real, synthetic                (N, D), (M, D)
    rng                            cuts both sides in halves
    real_groups, synthetic_groups  (N,), (M,): images of one number stay in one half, as those of a patient must,
                                   or equal ones; without, each image by itself
    confidence                     of the interval, in (0, 1)

    0-1: .5 is indistinguishable to this probe in these features, 1 told apart without fault; below .5 by more
    than chance where synthetic images are copies of real ones, since the probe that learnt a copy as synthetic
    then meets its original. After Lopez-Paz & Oquab (ICLR 2017), who score by accuracy; AUROC needs no threshold
    and no equal numbers. Each half is scored by the probe of the other, and the value is the mean of both. Its
    standard error is the mean of theirs, as if both erred alike: where the two distributions are equal they do,
    the probe's direction in one half being the other's error. The interval holds other patients and images.
    ValueError: shapes, NaN, fewer than four groups on a side.
    """
    real, synthetic = feature_sets(real=real, synthetic=synthetic)
    given = (real, real_groups), (synthetic, synthetic_groups)
    sides = [_Side(side, np.arange(len(side)) if groups is None else groups) for side, groups in given]
    halves = [_second_half(side.groups, rng) for side in sides]
    areas = [_scored(sides, halves, learnt=half) for half in (False, True)]
    value, error = (float(np.mean([getattr(a, name) for a in areas])) for name in ("value", "error"))
    return Area(value, error, min(a.clusters for a in areas)).interval(confidence)


def _second_half(groups: Integers, rng: np.random.Generator) -> Mask:
    """Which images are of the second half, bool (N,): half of the groups, drawn at random."""
    _, number = np.unique(groups, return_inverse=True)
    count = int(number.max()) + 1
    if count < LEAST:
        raise ValueError(f"halves of two patients or draws each need {LEAST}; there are {count}")
    second: Mask = (rng.permutation(count) % 2 == 1)[number]
    return second


def _scored(sides: Sequence[_Side], halves: Sequence[Mask], *, learnt: bool) -> Area:
    """The probe learns the halves marked `learnt` and scores the others."""
    (real, synthetic), (in_real, in_synthetic) = sides, [half == learnt for half in halves]
    probe = _probe(real.features[in_real], synthetic.features[in_synthetic])
    negative, positive = (
        np.asarray(side.features[~seen] @ probe, dtype=np.float64)
        for side, seen in zip(sides, (in_real, in_synthetic), strict=True)
    )
    return area(positive, negative, synthetic.groups[~in_synthetic], real.groups[~in_real])


def _probe(real: Features, synthetic: Features) -> Floats:
    """The direction (D,) along which synthetic images lie farther than real ones; both sides weigh alike."""
    from sklearn.linear_model import LogisticRegression

    features = np.concatenate([real, synthetic])
    centre, scale = features.mean(axis=0), features.std(axis=0)
    scale[scale == 0] = 1  # a feature that never varies says nothing
    truth = np.repeat([0, 1], [len(real), len(synthetic)])
    model = LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=200)
    model.fit((features - centre) / scale, truth)
    direction: Floats = model.coef_[0] / scale
    return direction
