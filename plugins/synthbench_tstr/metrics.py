"""What a classifier's answers are worth: pure functions of arrays, computed by scikit-learn.

Everywhere the true labels come first and the predictions second. (The paper's notebook called
`classification_report` the other way round, which turns precision into recall and prints the predicted
counts as supports.) A prediction is the most probable class: for two classes, a threshold of .5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn import metrics as sk

__all__ = ["ReportRow", "confusion", "report", "summary"]

Labels = npt.NDArray[np.int64]
Probabilities = npt.NDArray[np.floating]


def summary(labels: Labels, probabilities: Probabilities) -> dict[str, float]:
    """The four metrics, each 0-1, NaN where the labels leave it undefined.

    labels         int (N,), true classes 0..K-1
    probabilities  float (N, K), rows sum to 1

    accuracy           share of right predictions
    balanced_accuracy  mean recall over all K classes; undefined where one has no images
    auroc              area under the ROC curve: of the last of two classes, else the mean of each class
                       against the rest; undefined where a class has no images
    f1                 of the last of two classes, undefined where that has no images; else the mean over
                       classes, undefined where one has none. A class never predicted counts as 0.
    """
    predicted = probabilities.argmax(1)
    present = np.bincount(labels, minlength=probabilities.shape[1]) > 0
    binary = len(present) == 2
    every = bool(present.all())
    return {
        "accuracy": float(sk.accuracy_score(labels, predicted)),
        "balanced_accuracy": float(sk.balanced_accuracy_score(labels, predicted)) if every else np.nan,
        "auroc": _auroc(labels, probabilities) if every else np.nan,
        "f1": _f1(labels, predicted, binary) if every or (binary and present[1]) else np.nan,
    }


def _auroc(labels: Labels, probabilities: Probabilities) -> float:
    if probabilities.shape[1] == 2:
        return float(sk.roc_auc_score(labels, probabilities[:, 1]))
    return float(sk.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro"))


def _f1(labels: Labels, predicted: Labels, binary: bool) -> float:
    average = "binary" if binary else "macro"
    return float(sk.f1_score(labels, predicted, average=average, pos_label=1, zero_division=0))


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
