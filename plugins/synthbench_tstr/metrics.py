"""What a classifier's predictions are worth: pure functions of arrays, computed by scikit-learn.

Everywhere the true labels come first and the predictions second. (The paper's notebook called
`classification_report` the other way round, which turns precision into recall and prints the predicted
counts as supports.) Unless a metric says otherwise, a prediction is the most probable class: for two classes, a
threshold of .5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn import metrics as sk

__all__ = [
    "SENSITIVITY",
    "ReportRow",
    "balanced_accuracy_matched",
    "confusion",
    "needed_classes",
    "report",
    "specificity_at_sensitivity",
    "summary",
    "undefined_for",
]

Labels = npt.NDArray[np.int64]
Probabilities = npt.NDArray[np.floating]
Truth = npt.NDArray[np.bool_]

SENSITIVITY = 0.9
"""That of `specificity_at_90_sensitivity`."""

OF_TWO = frozenset({"auprc_negative", "balanced_accuracy_matched", "specificity_at_90_sensitivity"})
"""Metrics that mean nothing with more classes than a positive and a negative one."""


def summary(labels: Labels, probabilities: Probabilities, positive: int | None = None) -> dict[str, float]:
    """All metrics, each 0-1, NaN where the labels leave it undefined.

    labels         int (N,), true classes 0..K-1
    probabilities  float (N, K), rows sum to 1
    positive       of two classes the index of the positive one; by default 1, scikit-learn's

    auroc              area under the ROC curve of the positive class; of more classes, the mean of each against
                       the rest; chance is .5
    auprc              average precision of the positive class: the step-wise area under the precision-recall
                       curve, ties at one threshold (`sklearn.metrics.average_precision_score`); of more classes,
                       the mean of each against the rest; chance is the class's share
    auprc_negative     the same of the other class, ranked the other way round
    balanced_accuracy_matched, specificity_at_90_sensitivity
                       as `balanced_accuracy_matched` and `specificity_at_sensitivity` say
    accuracy           share of right predictions
    balanced_accuracy  mean recall over all K classes
    f1                 of the positive class, else the mean over classes; one never predicted counts 0
    recall             of the positive class (sensitivity), else the mean over classes

    Those in OF_TWO are undefined with more classes. All but accuracy, and recall of two classes, are so where a
    class has no images (F1 too: without images of the negative class its precision is 1 whatever the classifier).
    """
    n_classes = probabilities.shape[1]
    present = np.bincount(labels, minlength=n_classes) > 0
    functions = _binary(labels, probabilities, 1 if positive is None else positive)
    if n_classes != 2:
        functions = _of_many(labels, probabilities)

    def defined(metric: str) -> bool:
        needed = needed_classes(metric, n_classes, positive)
        return len(labels) > 0 and not undefined_for(metric, n_classes) and bool(present[needed].all())

    return {metric: float(compute()) if defined(metric) else np.nan for metric, compute in functions.items()}


def _binary(labels: Labels, probabilities: Probabilities, positive: int) -> dict[str, Callable[[], float]]:
    predicted, scores, truth = probabilities.argmax(1), probabilities[:, positive], labels == positive
    return {
        "auroc": lambda: sk.roc_auc_score(truth, scores),
        "auprc": lambda: sk.average_precision_score(truth, scores),
        "auprc_negative": lambda: sk.average_precision_score(~truth, -scores),
        "balanced_accuracy_matched": lambda: balanced_accuracy_matched(truth, scores),
        "specificity_at_90_sensitivity": lambda: specificity_at_sensitivity(truth, scores, SENSITIVITY),
        "accuracy": lambda: sk.accuracy_score(labels, predicted),
        "balanced_accuracy": lambda: sk.balanced_accuracy_score(labels, predicted),
        "f1": lambda: sk.f1_score(truth, predicted == positive, zero_division=0),
        "recall": lambda: sk.recall_score(truth, predicted == positive),
    }


def _of_many(labels: Labels, probabilities: Probabilities) -> dict[str, Callable[[], float]]:
    predicted, truth = probabilities.argmax(1), np.eye(probabilities.shape[1], dtype=bool)[labels]
    return {
        "auroc": lambda: sk.roc_auc_score(truth, probabilities, average="macro"),
        "auprc": lambda: sk.average_precision_score(truth, probabilities, average="macro"),
        **dict.fromkeys(sorted(OF_TWO), lambda: np.nan),
        "accuracy": lambda: sk.accuracy_score(labels, predicted),
        "balanced_accuracy": lambda: sk.balanced_accuracy_score(labels, predicted),
        "f1": lambda: sk.f1_score(labels, predicted, average="macro", zero_division=0),
        "recall": lambda: sk.recall_score(labels, predicted, average="macro"),
    }


def balanced_accuracy_matched(truth: Truth, scores: Probabilities) -> float:
    """Balanced accuracy, 0-1, at the threshold that calls as many images positive as are: chance is .5.

    truth   bool (N,), some of each
    scores  float (N,), higher for the positive class

    The number of positives is that of *this* test set: who uses a classifier does not know it. So it says how
    well the classes are ranked at one operating point, not what the classifier would have decided. As many
    positives are missed as negatives called positive (the break-even point of precision and recall). Images tied
    at the threshold share the places that are left in equal parts, so that their order means nothing: the mean
    over all ways to break the tie.
    """
    false, true, _ = sk.roc_curve(truth, scores, drop_intermediate=False)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    called = true * positives + false * negatives  # positive by each threshold, from none to all
    recall, fall_out = np.interp(positives, called, true), np.interp(positives, called, false)
    return float((recall + 1 - fall_out) / 2)


def specificity_at_sensitivity(truth: Truth, scores: Probabilities, sensitivity: float) -> float:
    """The highest specificity, 0-1, of a threshold whose sensitivity is at least `sensitivity`.

    Arguments as in `balanced_accuracy_matched`. No interpolation between thresholds, as torchmetrics'
    `BinarySpecificityAtSensitivity` has it: images with one score are called alike, and scores that are all equal
    give 0.
    """
    false, true, _ = sk.roc_curve(truth, scores, drop_intermediate=False)
    return float(1 - false[true >= sensitivity].min())


def undefined_for(metric: str, n_classes: int) -> str:
    """Why so many classes leave `metric` without a meaning; "" where they do not."""
    return f"for two classes, not {n_classes}" if metric in OF_TWO and n_classes != 2 else ""


def needed_classes(metric: str, n_classes: int, positive: int | None = None) -> list[int]:
    """The classes without images of which `metric` is undefined; `positive` as in `summary`."""
    if metric == "accuracy":
        return []
    if metric == "recall" and n_classes == 2:
        return [1 if positive is None else positive]
    return list(range(n_classes))


def confusion(labels: Labels, predicted: Labels, n_classes: int) -> npt.NDArray[np.int64]:
    """Counts (K, K): rows are true classes, columns predicted ones."""
    counts = sk.confusion_matrix(labels, predicted, labels=np.arange(n_classes))
    return np.asarray(counts, dtype=np.int64)


@dataclass(frozen=True)
class ReportRow:
    """Figures of one class, or means over classes; NaN where nothing was predicted as it or belongs to it.

    `auroc` and `auprc` are of the class against the rest, and stand in the rows of classes alone.
    """

    name: str
    precision: float
    recall: float
    f1: float
    support: int
    auroc: float = np.nan
    auprc: float = np.nan


def report(labels: Labels, probabilities: Probabilities, classes: tuple[str, ...]) -> list[ReportRow]:
    """Each class, then "macro avg" (all classes alike) and "weighted avg" (by support)."""
    table = sk.classification_report(
        labels,
        probabilities.argmax(1),
        labels=np.arange(len(classes)),
        target_names=[str(k) for k in range(len(classes))],  # numbers: a class could be called "macro avg"
        output_dict=True,
        zero_division=np.nan,
    )
    rows = [(name, table[str(k)], _areas(labels == k, probabilities[:, k])) for k, name in enumerate(classes)]
    rows += [(name, table[name], (np.nan, np.nan)) for name in ("macro avg", "weighted avg")]
    return [
        ReportRow(name, row["precision"], row["recall"], row["f1-score"], int(row["support"]), *areas)
        for name, row, areas in rows
    ]


def _areas(truth: Truth, scores: Probabilities) -> tuple[float, float]:
    """AUROC and average precision of one class against the rest; NaN where either has no images."""
    if truth.all() or not truth.any():
        return np.nan, np.nan
    return float(sk.roc_auc_score(truth, scores)), float(sk.average_precision_score(truth, scores))
