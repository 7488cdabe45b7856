"""Which images of one class to keep: functions of arrays that return positions, the first choice first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["by_margin", "herd", "kernel_width", "margins"]

Floats = npt.NDArray[np.floating]
Index = npt.NDArray[np.int64]

BLOCK = 1024
"""Rows of a kernel matrix that are in memory at once."""

WIDTH_IMAGES = 1000
"""At most so many images set the kernel's width."""


def margins(probabilities: Floats, label: int) -> npt.NDArray[np.float64]:
    """How far a classifier's answer is from another one, (N, K), K >= 2 -> (N,), -1..1: p(label) - max p(others).

    Above 0 where it agrees with the label. The margin of active learning (Scheffer, Decomain and Wrobel, 2001),
    with a sign.
    """
    others = np.delete(probabilities, label, axis=1)
    return np.asarray(probabilities[:, label] - others.max(axis=1), dtype=np.float64)


def by_margin(margins: Floats, keep: int) -> Index:
    """Positions (keep,) of `margins` (N,): those above 0, the smallest first; where they do not suffice, the rest
    from the largest down. Of equal ones the earlier comes first.
    """
    wrong = margins <= 0
    order = np.lexsort((np.where(wrong, -margins, margins), wrong))
    return np.asarray(order[:keep], dtype=np.int64)


def herd(features: Floats, target: Floats, keep: int) -> Index:
    """Positions (keep,) of `features` (N, D), keep <= N, whose mean in a kernel's space follows that of `target`
    (M, D): kernel herding (Chen, Welling and Smola, UAI 2010) among given points, each taken once.

    Step t takes the x that maximises mean_y k(x, y) - sum_s k(x, x_s) / (t + 1) over the target's y and the x_s
    taken before: near to where the target is dense, away from what is taken. Each step lowers the maximum mean
    discrepancy between what is kept and the target. The kernel is Gaussian, of the target's `kernel_width`, on
    features standardised by the target.
    """
    centre, spread = target.mean(axis=0), target.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)  # what does not vary among real images says nothing
    x, y = ((of - centre) / spread for of in (features, target))
    width = kernel_width(y)
    attraction = np.concatenate(
        [_kernel(x[start : start + BLOCK], y, width).mean(axis=1) for start in range(0, len(x), BLOCK)]
    )
    repulsion, taken = np.zeros(len(x)), np.empty(keep, dtype=np.int64)
    for step in range(keep):
        gain = attraction - repulsion / (step + 1)
        gain[taken[:step]] = -np.inf
        taken[step] = gain.argmax()
        repulsion += _kernel(x, x[taken[step], None], width)[:, 0]
    return taken


def kernel_width(points: Floats) -> float:
    """The median distance between two of the points (N, D), the usual width of a Gaussian kernel; 1 where it is 0.

    Of more than WIDTH_IMAGES points those evenly spaced in their order.
    """
    chosen = points[np.linspace(0, len(points) - 1, min(len(points), WIDTH_IMAGES)).astype(np.int64)]
    squares = _squared_distances(chosen, chosen)[np.triu_indices(len(chosen), k=1)]
    return float(np.sqrt(np.median(squares))) or 1.0 if len(squares) else 1.0


def _kernel(a: Floats, b: Floats, width: float) -> npt.NDArray[np.float64]:
    """Gaussian, (N, D), (M, D) -> (N, M): exp(-|a - b|^2 / (2 width^2))."""
    return np.asarray(np.exp(_squared_distances(a, b) / (-2 * width**2)), dtype=np.float64)


def _squared_distances(a: Floats, b: Floats) -> npt.NDArray[np.float64]:
    """(N, D), (M, D) -> (N, M)."""
    squares = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1) - 2 * a @ b.T
    return np.asarray(np.maximum(squares, 0), dtype=np.float64)  # rounding may go below
