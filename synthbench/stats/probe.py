"""Do images show what their labels say? A linear probe on coarse pixels, trained on real images, is asked.

Coarse and linear on purpose: it costs less than a second, has no seed, and need not be good. Whether labels
were mixed up shows in *whose* labels its answers fit better, and a probe that sees nothing fits none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench.stats.paired import mcnemar

__all__ = ["LabelCheck", "check_labels", "class_probe"]

Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
Probe = Callable[[Pixels], Labels]

SIDE = 16
"""Pictures are looked at as means over SIDE x SIDE cells."""

MOST = 2000
"""Images that are looked at, of each set."""

SHRINKAGE = 100.0
"""Ridge penalty, in units of the standardised cells' squared sum: more cells than images must not matter."""

SURE = 1e-4
"""A fault is named below this p: among thousands of rows without one, none."""


def class_probe(pixels: Pixels, labels: Labels) -> Probe:
    """A ridge classifier (scikit-learn's) on standardised cell means, classes weighted alike.

    pixels  uint8 (N, H, W, C) of real images; labels int64 (N,), two classes or more among them
    Returns pixels (n, H, W, C) -> the label (n,) of the class that each picture looks most like.
    """
    from sklearn.linear_model import RidgeClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    chosen = _some(len(pixels))
    model = make_pipeline(StandardScaler(), RidgeClassifier(alpha=SHRINKAGE, class_weight="balanced"))
    model.fit(_cells(pixels[chosen]), labels[chosen])

    def predict(pictures: Pixels) -> Labels:
        predicted: Labels = model.predict(_cells(pictures))
        return predicted

    return predict


def _some(n: int) -> npt.NDArray[np.int64]:
    """At most MOST of n places, ascending; always the same, and at no even step: labels may alternate."""
    chosen: npt.NDArray[np.int64] = np.random.default_rng(0).permutation(n)[:MOST]
    return np.sort(chosen)


def _cells(pixels: Pixels) -> npt.NDArray[np.float64]:
    """uint8 (n, H, W, C) -> (n, cells): means over all channels, over cells that differ by a pixel at most."""
    rows, columns = (np.linspace(0, side, min(SIDE, side) + 1).astype(int)[:-1] for side in pixels.shape[1:3])
    sums = np.add.reduceat(np.add.reduceat(pixels.sum(3, dtype=np.float64), rows, axis=1), columns, axis=2)
    heights, widths = (
        np.diff([*edges, side]) for edges, side in zip((rows, columns), pixels.shape[1:3], strict=True)
    )
    means: npt.NDArray[np.float64] = sums / np.outer(heights, widths) / pixels.shape[3]
    return means.reshape(len(pixels), -1)


@dataclass(frozen=True)
class LabelCheck:
    """How far a probe agrees with labels.

    agreement  share of each class's images in which the probe sees that class, mean over the classes; 0-1
    by_class   the same, had the images come class by class
    p_order    two-sided p of McNemar's test that both fit alike
    p_below    one-sided p that the answers go with the labels at least as well as chance
    """

    agreement: float
    by_class: float
    p_order: float
    p_below: float

    @property
    def fault(self) -> str:
        """What is wrong with the labels, in a sentence; "" where nothing is known to be."""
        seen = f"a linear probe of the real images finds the class asked for in {self.agreement:.0%} of the images"
        if self.p_below < SURE:  # first: of swapped classes the order of the classes fits better, too
            return f"{seen}, fewer than by chance: are the classes mixed up?"
        if self.p_order < SURE and self.by_class > self.agreement:
            return (
                f"{seen}, and in {self.by_class:.0%} if they came class by class: asked for labels 0, 1, 0, 1 the "
                "sampler seems to return images of 0, 0, 1, 1"
            )
        return ""


def check_labels(probe: Probe, pixels: Pixels, labels: Labels) -> LabelCheck:
    """What the probe sees in the images (n, H, W, C) that a sampler drew for `labels` (n,), in their order."""
    chosen = _some(len(pixels))
    predicted, asked, in_order = probe(pixels[chosen]), labels[chosen], np.sort(labels)[chosen]
    right, right_in_order = predicted == asked, predicted == in_order
    return LabelCheck(
        _mean_recall(right, asked),
        _mean_recall(right_in_order, in_order),
        mcnemar(right, right_in_order),
        _p_below(right, predicted, asked),
    )


def _mean_recall(right: npt.NDArray[np.bool_], labels: Labels) -> float:
    return float(np.mean([right[labels == k].mean() for k in np.unique(labels)]))


def _p_below(right: npt.NDArray[np.bool_], predicted: Labels, labels: Labels) -> float:
    """Of so few right answers, were the answers as many of each class and independent of the labels."""
    from scipy.stats import binomtest

    shares: Any = [
        np.bincount(one, minlength=max(predicted.max(), labels.max()) + 1) for one in (predicted, labels)
    ]
    chance = float(np.prod(np.array(shares) / len(labels), axis=0).sum())
    return float(binomtest(int(right.sum()), len(labels), min(chance, 1.0), alternative="less").pvalue)
