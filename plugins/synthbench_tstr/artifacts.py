"""What an evaluation leaves in its folder: each classifier's tables, which the report draws; the size curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from synthbench import Predictions, Score, write_csv
from synthbench_tstr.metrics import confusion, report

if TYPE_CHECKING:
    from synthbench_torchkit.classifier import Classifier

__all__ = ["write_classifier", "write_curve"]


def write_classifier(classifier: Classifier, predictions: Sequence[Predictions], folder: Path) -> None:
    """history.csv of the training; report.csv and confusion.csv of all test sets."""
    folder.mkdir(parents=True, exist_ok=True)
    classifier.write_history(folder / "history.csv")
    classes = classifier.classes
    matrices = {p.test_set: confusion(p.labels, _predicted(p), len(classes)) for p in predictions}
    counts = [
        [test_set, name, *row.tolist()]  # rows true, columns predicted
        for test_set, matrix in matrices.items()
        for name, row in zip(classes, matrix, strict=True)
    ]
    write_csv(folder / "confusion.csv", [["test_set", "true", *classes], *counts])
    header = ["test_set", "class", "precision", "recall", "f1", "support", "auroc", "auprc"]
    rows = [[p.test_set, *astuple(row)] for p in predictions for row in report(p.labels, p.probabilities, classes)]
    write_csv(folder / "report.csv", [header, *rows])


def write_curve(points: Sequence[tuple[int, Sequence[Score]]], test_set: str, folder: Path) -> None:
    """curve.csv, a row a score, and curve.png of those on `test_set`; the points are scores by training size."""
    from synthbench_tstr.plots import plot_sizes  # matplotlib: most evaluations have no curve

    header = ["images", "test_set", "classifier_seed", "metric", "value", "note"]
    rows = [
        [size, s.test_set, s.classifier_seed, s.metric, "" if math.isnan(s.value) else s.value, s.note]
        for size, scores in points
        for s in scores
    ]
    write_csv(folder / "curve.csv", [header, *rows])
    metrics = list(dict.fromkeys(score.metric for _, scores in points for score in scores))
    curves = {metric: {size: _values(scores, metric, test_set) for size, scores in points} for metric in metrics}
    plot_sizes(curves, test_set, folder / "curve.png")


def _values(scores: Sequence[Score], metric: str, test_set: str) -> list[float]:
    """The defined values of all classifiers."""
    values = [score.value for score in scores if (score.metric, score.test_set) == (metric, test_set)]
    return [value for value in values if not math.isnan(value)]


def _predicted(predictions: Predictions) -> npt.NDArray[np.int64]:
    predicted: npt.NDArray[np.int64] = predictions.probabilities.argmax(1)
    return predicted
