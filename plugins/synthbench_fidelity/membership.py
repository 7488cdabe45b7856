"""Membership inference: do synthetic images give away which real images their generator was trained on?"""

from __future__ import annotations

from synthbench_fidelity.arrays import Features, Integers, feature_sets
from synthbench_fidelity.auroc import auroc_interval
from synthbench_fidelity.intervals import Interval
from synthbench_fidelity.neighbours import nearest

__all__ = ["membership_auroc"]


def membership_auroc(
    *,
    train: Features,
    holdout: Features,
    synthetic: Features,
    train_groups: Integers | None = None,
    holdout_groups: Integers | None = None,
    confidence: float = 0.95,
) -> Interval:
    """The probability that a training image is nearer to the synthetic images than a held-out one; ties one half.

    train, holdout                (N, D), (H, D): exchangeable but for the training, cut at random from one set
    synthetic                     (M, D), all that the attacker has
    train_groups, holdout_groups  (N,), (H,) whom each real image shows; without, each image another patient
    confidence                    of the interval, in (0, 1)

    0-1: .5 gives nothing away, 1 names every training image; lower is better. The full black-box attack of
    GAN-Leaks (Chen et al., CCS 2020): an image is the likelier a training image, the smaller the Euclidean
    distance to its nearest synthetic image. The interval holds other patients, for these synthetic images: their
    number is part of the attack, and more of them give away more. ValueError: shapes, NaN, a side of one patient.
    """
    train, holdout, synthetic = feature_sets(train=train, holdout=holdout, synthetic=synthetic)
    distances = (nearest(queries=real, points=synthetic)[0] for real in (train, holdout))
    near_train, near_holdout = (-distance for distance in distances)
    return auroc_interval(
        positive=near_train,
        negative=near_holdout,
        positive_groups=train_groups,
        negative_groups=holdout_groups,
        confidence=confidence,
    )
