"""Precision, recall, density and coverage: four answers from the balls around two sets of images.

Around each image lies the ball that reaches to its k-th nearest neighbour of the same set, the image itself not
counted. Images on the surface are outside (`<`), as in the package `prdc`; torch-fidelity counts them in (`<=`).
"""

from __future__ import annotations

import numpy as np

from synthbench_fidelity.arrays import Features, feature_sets
from synthbench_fidelity.clouds import clouds, tiles, within
from synthbench_fidelity.neighbours import radii

__all__ = ["density_coverage", "prdc", "precision_recall"]


def prdc(*, real: Features, synthetic: Features, k: int) -> dict[str, float]:
    """Precision and recall of Kynkaanniemi et al. (2019), density and coverage of Naeem et al. (2020).

    real, synthetic  (N, D) and (M, D) with more than k rows each, any order of magnitude
    k                which neighbour the radius reaches; 1 or more

    precision  share of synthetic images inside the ball of any real one, 0-1
    recall     share of real images inside the ball of any synthetic one, 0-1
    density    real balls that hold a synthetic image, mean over synthetic images, divided by k; 0 and up, near 1
               where the two sets come from one distribution
    coverage   share of real images whose ball holds any synthetic one, 0-1; .969 expected for one distribution,
               N = M, k = 5

    Equal to `prdc.compute_prdc` on float64 features; distances are compared as `clouds` describes. One pass over
    the N x M distances, in blocks, after one over each set's own. ValueError: shapes, NaN, too few rows for k.
    """
    if k < 1:
        raise ValueError(f"k must be 1 or more; it is {k}")
    reals, synthetics = clouds(*feature_sets(k + 1, real=real, synthetic=synthetic))
    real_radii, synthetic_radii = radii(reals, k), radii(synthetics, k)
    precise, recalled, covered = (
        np.zeros(len(synthetics), bool),
        np.zeros(len(reals), bool),
        np.zeros(len(reals), bool),
    )
    balls = 0
    for tile in tiles(reals, synthetics):
        centres, members = within(reals, synthetics, tile, real_radii[tile.rows, None])
        covered[centres] = precise[members] = True
        # A cloud holds each point once; density counts every image in every ball, its copies as well.
        balls += int(reals.counts[centres] @ synthetics.counts[members])
        recalled[within(reals, synthetics, tile, synthetic_radii[tile.columns])[0]] = True
    n, m = len(real), len(synthetic)
    return {
        "precision": float(synthetics.counts[precise].sum() / m),
        "recall": float(reals.counts[recalled].sum() / n),
        "density": float(balls / (k * m)),
        "coverage": float(reals.counts[covered].sum() / n),
    }


def precision_recall(*, real: Features, synthetic: Features, k: int = 3) -> dict[str, float]:
    """ "precision" and "recall" of `prdc`, with the k of Kynkaanniemi et al. (2019)."""
    values = prdc(real=real, synthetic=synthetic, k=k)
    return {name: values[name] for name in ("precision", "recall")}


def density_coverage(*, real: Features, synthetic: Features, k: int = 5) -> dict[str, float]:
    """ "density" and "coverage" of `prdc`, with the k of Naeem et al. (2020)."""
    values = prdc(real=real, synthetic=synthetic, k=k)
    return {name: values[name] for name in ("density", "coverage")}
