"""The Vendi score: how many different images a set is worth."""

from __future__ import annotations

import numpy as np
from scipy import linalg, special

from synthbench_fidelity.arrays import Features, Floats, feature_sets

__all__ = ["vendi_score", "vendi_score_from_kernel"]

TOLERANCE = 1e-6
"""How far a kernel may be from symmetric, from 1 on its diagonal, and from positive semi-definite."""


def vendi_score(*, features: Features) -> float:
    """The Vendi score of Friedman & Dieng (2023) under cosine similarity: 1 (all alike) to N (all orthogonal).

    features  (N, D), no row all zero

    The exponential of the entropy of the eigenvalues of K / N, K the matrix of cosines between rows. Where D < N
    they are taken from the D x D matrix of the same eigenvalues. Features that are never negative (after a ReLU)
    make all cosines positive and the score small: compare it with that of real images of equal N, not with N.
    ValueError: shapes, NaN, a row of zeros, whose cosine is undefined.
    """
    (features,) = feature_sets(features=features)
    rows = features.astype(np.float64)
    rows /= np.abs(rows).max() or 1.0
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not lengths.all():
        raise ValueError(f"row {int(lengths.argmin())} of features is all zero: it has no direction")
    rows /= lengths
    gram = rows.T @ rows if rows.shape[1] < len(rows) else rows @ rows.T
    return _effective_number(np.asarray(linalg.eigvalsh(gram / len(rows)), dtype=np.float64))


def vendi_score_from_kernel(*, kernel: Floats) -> float:
    """As `vendi_score`, from any similarity (N, N): symmetric, positive semi-definite, 1 on the diagonal.

    ValueError: a matrix that is none of these, or holds NaN.
    """
    kernel = np.asarray(kernel, dtype=np.float64)
    if kernel.ndim != 2 or not len(kernel) or kernel.shape != kernel.T.shape or not np.isfinite(kernel).all():
        raise ValueError(f"kernel must be a finite square matrix; its shape is {kernel.shape}")
    if np.abs(kernel - kernel.T).max() > TOLERANCE or np.abs(np.diagonal(kernel) - 1).max() > TOLERANCE:
        raise ValueError("kernel must be symmetric with 1 on its diagonal")
    values = np.asarray(linalg.eigvalsh(kernel / len(kernel)), dtype=np.float64)
    if values.min() < -TOLERANCE:
        raise ValueError(f"kernel must be positive semi-definite; it has the eigenvalue {values.min():.3g} N")
    return _effective_number(values)


def _effective_number(eigenvalues: Floats) -> float:
    """exp of the entropy of shares that sum to 1; rounding error below 0 counts as 0."""
    return float(np.exp(special.entr(eigenvalues.clip(0)).sum()))
