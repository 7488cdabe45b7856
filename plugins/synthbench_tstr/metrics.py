"""What a classifier's predictions are worth: pure functions of arrays, computed by scikit-learn.

Everywhere the true labels come first and the predictions second. (The paper's notebook called
`classification_report` the other way round, which turns precision into recall and prints the predicted
counts as supports.) A prediction is the most probable class: for two classes, a threshold of .5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn import metrics as sk

__all__ = ["ReportRow", "confusion", "needed_classes", "report", "summary", "weighted_summary"]

Labels = npt.NDArray[np.int64]
Probabilities = npt.NDArray[np.floating]
Weights = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]

BLOCK = 1 << 18
"""Weights looked at together: 2 MB of float64 stay in a core's cache."""


def summary(labels: Labels, probabilities: Probabilities) -> dict[str, float]:
    """The five metrics, each 0-1, NaN where the labels leave it undefined.

    labels         int (N,), true classes 0..K-1
    probabilities  float (N, K), rows sum to 1

    accuracy           share of right predictions
    balanced_accuracy  mean recall over all K classes
    auroc              area under the ROC curve: of the last of two classes, else the mean of each class
                       against the rest
    f1                 of the last of two classes, else the mean over classes; a class never predicted counts 0
    recall             of the last of two classes (sensitivity), else the mean over classes

    All but accuracy, and recall of two classes, are undefined where a class has no images (F1 too: without
    images of the first class its precision is 1 whatever the classifier).
    """
    predicted = probabilities.argmax(1)
    present = np.bincount(labels, minlength=probabilities.shape[1]) > 0
    binary = len(present) == 2
    metrics: dict[str, Callable[[], float]] = {
        "accuracy": lambda: sk.accuracy_score(labels, predicted),
        "balanced_accuracy": lambda: sk.balanced_accuracy_score(labels, predicted),
        "auroc": lambda: _auroc(labels, probabilities),
        "f1": lambda: sk.f1_score(labels, predicted, average="binary" if binary else "macro", zero_division=0),
        "recall": lambda: sk.recall_score(labels, predicted, average="binary" if binary else "macro"),
    }
    return {
        metric: float(compute()) if len(labels) and present[needed_classes(metric, len(present))].all() else np.nan
        for metric, compute in metrics.items()
    }


def needed_classes(metric: str, n_classes: int) -> list[int]:
    """The classes without images of which `metric` is undefined."""
    if metric == "accuracy":
        return []
    return [1] if metric == "recall" and n_classes == 2 else list(range(n_classes))


def _auroc(labels: Labels, probabilities: Probabilities) -> float:
    if probabilities.shape[1] == 2:
        return float(sk.roc_auc_score(labels, probabilities[:, 1]))
    return float(sk.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro"))


def weighted_summary(labels: Labels, probabilities: Probabilities, weights: Weights) -> dict[str, Floats]:
    """`summary` of many resamples of the images at once.

    weights  int (B, N) >= 0, how often each image counts in each of B resamples

    Returns float64 (B,) by metric: what `summary` gives for the images repeated so often, NaN where that is
    undefined.
    """
    n_classes = probabilities.shape[1]
    curves = [_Curve.of(labels == k, probabilities[:, k]) for k in ([1] if n_classes == 2 else range(n_classes))]
    cell = np.eye(n_classes**2)[labels * n_classes + probabilities.argmax(1)]  # (N, K^2), one-hot
    parts: list[dict[str, Floats]] = []
    for block in np.array_split(weights, max(1, weights.size // BLOCK)):
        by_image = np.ascontiguousarray(block.T, dtype=np.float64)  # (N, b): picking images picks whole rows
        counts = (cell.T @ by_image).T.reshape(-1, n_classes, n_classes)
        area = np.mean([curve.area(by_image) for curve in curves], axis=0)
        parts.append({**_from_confusions(counts), "auroc": area})
    return {metric: np.concatenate([part[metric] for part in parts]) for metric in parts[0]}


def _from_confusions(counts: Floats) -> dict[str, Floats]:
    """The metrics that follow from confusion matrices (b, K, K), rows true, columns predicted; each (b,)."""
    right, true, predicted = counts.diagonal(axis1=1, axis2=2), counts.sum(2), counts.sum(1)
    recalls = _ratio(right, true)
    f1 = np.where((true > 0).all(1, keepdims=True), _ratio(2 * right, true + predicted), np.nan)
    binary = counts.shape[1] == 2
    return {
        "accuracy": _ratio(right.sum(1), true.sum(1)),
        "balanced_accuracy": recalls.mean(1),
        "f1": f1[:, 1] if binary else f1.mean(1),
        "recall": recalls[:, 1] if binary else recalls.mean(1),
    }


def _ratio(part: Floats, whole: Floats) -> Floats:
    """NaN where the whole is 0."""
    share = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return share


@dataclass(frozen=True, eq=False)
class _Curve:
    """One class against the rest, sorted once for all resamples.

    inside       positions of the class's images
    outside      positions of the others, by ascending score
    below, upto  for each image inside, how many of `outside` score less, and less or the same
    """

    inside: Labels
    outside: Labels
    below: Labels
    upto: Labels

    @classmethod
    def of(cls, member: npt.NDArray[np.bool_], score: Probabilities) -> _Curve:
        inside, outside = np.flatnonzero(member), np.flatnonzero(~member)
        outside = outside[np.argsort(score[outside], kind="stable")]
        below, upto = (np.searchsorted(score[outside], score[inside], side) for side in ("left", "right"))
        return cls(inside, outside, below, upto)

    def area(self, weights: Floats) -> Floats:
        """Mann-Whitney's U as a share of all pairs, ties counting half; weights (N, b) -> (b,).

        Exact before the last division: sums of integers and halves.
        """
        inside = weights[self.inside]
        beaten = np.zeros((len(self.outside) + 1, weights.shape[1]))  # weight of the lowest 0, 1, 2, ... outside
        np.cumsum(weights[self.outside], axis=0, out=beaten[1:])
        wins = np.einsum("ib,ib->b", inside, beaten[self.below]) + np.einsum("ib,ib->b", inside, beaten[self.upto])
        return _ratio(wins, 2 * inside.sum(0) * beaten[-1])


def confusion(labels: Labels, predicted: Labels, n_classes: int) -> npt.NDArray[np.int64]:
    """Counts (K, K): rows are true classes, columns predicted ones."""
    counts = sk.confusion_matrix(labels, predicted, labels=np.arange(n_classes))
    return np.asarray(counts, dtype=np.int64)


@dataclass(frozen=True)
class ReportRow:
    """Figures of one class, or means over classes; NaN where nothing was predicted as it or belongs to it."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


def report(labels: Labels, predicted: Labels, classes: tuple[str, ...]) -> list[ReportRow]:
    """Each class, then "macro avg" (all classes alike) and "weighted avg" (by support)."""
    table = sk.classification_report(
        labels,
        predicted,
        labels=np.arange(len(classes)),
        target_names=[str(k) for k in range(len(classes))],  # numbers: a class could be called "macro avg"
        output_dict=True,
        zero_division=np.nan,
    )
    rows = [*((name, table[str(k)]) for k, name in enumerate(classes))]
    rows += [(name, table[name]) for name in ("macro avg", "weighted avg")]
    return [
        ReportRow(name, row["precision"], row["recall"], row["f1-score"], int(row["support"]))
        for name, row in rows
    ]
