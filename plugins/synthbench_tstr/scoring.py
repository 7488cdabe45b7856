"""From a classifier's predictions on a test set to scores, and to scores under resampling."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from synthbench import Context, Images, Predictions, Score
from synthbench_tstr.metrics import needed_classes, summary, weighted_summary

if TYPE_CHECKING:
    from synthbench_torchkit.classifier import Classifier

__all__ = ["EvaluationSet", "no_scores", "predict", "resampled", "scores_of", "shortage"]

Seen = Literal["", "generator", "validation"]
Resampled = dict[tuple[str, str], npt.NDArray[np.floating]]

LEAST = 5
"""With fewer images a share moves in steps of more than .2, and no interval means anything."""


@dataclass(frozen=True, eq=False)
class EvaluationSet:
    """Images a classifier is asked about, under their name; `seen` as in `Score`."""

    test_set: str
    images: Images
    seen: Seen = ""


def predict(
    classifier: Classifier, evaluation_set: EvaluationSet, seed_number: int, ctx: Context, variant: str = ""
) -> Predictions:
    """The classifier's prediction for every image of the test set."""
    images = evaluation_set.images
    probabilities = classifier.predict(images, ctx)
    return Predictions(
        evaluation_set.test_set, images.ids, images.groups, images.labels, probabilities, seed_number, variant
    )


def scores_of(predictions: Predictions, evaluation_set: EvaluationSet) -> list[Score]:
    """The five metrics; NaN with a note where the test set has too few images for one."""
    scores = []
    for metric, value in summary(predictions.labels, predictions.probabilities).items():
        note = shortage(metric, evaluation_set.images.counts())
        scores.append(
            Score(
                metric,
                math.nan if note else value,
                test_set=predictions.test_set,
                n=len(predictions.labels),
                classifier_seed=predictions.classifier_seed,
                seen=evaluation_set.seen,
                note=note,
                variant=predictions.variant,
            )
        )
    return scores


def no_scores(
    metrics: Iterable[str],
    evaluation_set: EvaluationSet,
    note: str,
    seed_number: int | None = None,
    variant: str = "",
) -> list[Score]:
    """NaN for each metric, and why."""
    n = len(evaluation_set.images)
    return [
        Score(m, math.nan, evaluation_set.test_set, n, seed_number, evaluation_set.seen, note, variant)
        for m in metrics
    ]


def shortage(metric: str, counts: Mapping[str, int]) -> str:
    """Why a test set with these counts by class gets no figure of `metric`; "" where there are enough."""
    names = list(counts)
    needed = {f" of {names[k]}": counts[names[k]] for k in needed_classes(metric, len(names))}
    short = {of_class: n for of_class, n in (needed or {"": sum(counts.values())}).items() if n < LEAST}
    images = ", ".join(f"{n} image{'' if n == 1 else 's'}{of_class}" for of_class, n in short.items())
    return f"too few: {images} ({LEAST} needed)" if short else ""


def resampled(predictions: Mapping[str, Predictions], weights: npt.NDArray[np.integer]) -> Resampled:
    """Every metric of each variant under weights (B, N), without those that `scores_of` gives no value."""
    replicates: Resampled = {}
    for variant, of_variant in predictions.items():
        labels, probabilities = of_variant.labels, of_variant.probabilities
        by_class = np.bincount(labels, minlength=probabilities.shape[1])
        counts = {str(k): int(n) for k, n in enumerate(by_class)}
        for metric, values in weighted_summary(labels, probabilities, weights).items():
            if not shortage(metric, counts):
                replicates[metric, variant] = values
    return replicates
