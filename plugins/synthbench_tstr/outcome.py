"""From a classifier's answers on the test sets to scores, predictions and files."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from synthbench.context import Context
from synthbench.types import Images, Predictions, Score
from synthbench_torchkit.classifier import Classifier
from synthbench_tstr.metrics import confusion, report, summary
from synthbench_tstr.plots import plot_confusions, plot_curves

__all__ = ["Exam", "ask", "scores_of", "write_files"]

Seen = Literal["", "generator", "validation"]


@dataclass(frozen=True, eq=False)
class Exam:
    """Images a classifier is asked about, under their name; `seen` as in `Score`."""

    test_set: str
    images: Images
    seen: Seen


def ask(classifier: Classifier, exam: Exam, seed_number: int, ctx: Context) -> Predictions:
    """The classifier's answer for every image of the test set."""
    images = exam.images
    probabilities = classifier.predict(images, ctx)
    return Predictions(exam.test_set, images.ids, images.groups, images.labels, probabilities, seed_number)


def scores_of(answers: Predictions, exam: Exam) -> list[Score]:
    """The four metrics; NaN with a note where the test set leaves one undefined."""
    missing = [name for name, n in exam.images.counts().items() if n == 0]
    note = f"undefined: the test set has no images of {', '.join(missing)}"
    return [
        Score(
            metric,
            value,
            test_set=answers.test_set,
            n=len(answers.labels),
            classifier_seed=answers.classifier_seed,
            seen=exam.seen,
            note=note if math.isnan(value) else "",
        )
        for metric, value in summary(answers.labels, answers.probabilities).items()
    ]


def write_files(classifier: Classifier, answers: Sequence[Predictions], folder: Path) -> None:
    """history.csv and curves.png of the training; report.csv, confusion.csv, confusion.png of all test sets."""
    folder.mkdir(parents=True, exist_ok=True)
    classifier.write_history(folder / "history.csv")
    plot_curves(classifier.history, folder / "curves.png")
    classes = classifier.classes
    matrices = {a.test_set: confusion(a.labels, _predicted(a), len(classes)) for a in answers}
    plot_confusions(matrices, classes, folder / "confusion.png")
    _write_csv(
        folder / "confusion.csv",  # rows true, columns predicted
        ["test_set", "true", *classes],
        [
            [test_set, name, *row.tolist()]
            for test_set, counts in matrices.items()
            for name, row in zip(classes, counts, strict=True)
        ],
    )
    _write_csv(
        folder / "report.csv",
        ["test_set", "class", "precision", "recall", "f1", "support"],
        [[a.test_set, *astuple(row)] for a in answers for row in report(a.labels, _predicted(a), classes)],
    )


def _predicted(answers: Predictions) -> npt.NDArray[np.int64]:
    predicted: npt.NDArray[np.int64] = answers.probabilities.argmax(1)
    return predicted


def _write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
