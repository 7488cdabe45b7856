"""From a classifier's predictions on a test set to scores, and to scores under resampling."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from synthbench import Context, Images, Predictions, Score, Splits
from synthbench_tstr.metrics import needed_classes, summary, undefined_for
from synthbench_tstr.weighted import weighted_summary

if TYPE_CHECKING:
    from synthbench_torchkit.classifier import Classifier

__all__ = ["EvaluationSet", "no_scores", "predict", "resampled", "scores_of", "shortage", "unseen_sets"]

Seen = Literal["", "generator", "validation"]
Resampled = dict[tuple[str, str], npt.NDArray[np.floating]]

LEAST = 5
"""With fewer images a share moves in steps of more than .2, and no interval means anything."""


@dataclass(frozen=True, eq=False)
class EvaluationSet:
    """Images a classifier is asked about; `positive` as in `Predictions`, `test_set` and `seen` as in `Score`."""

    test_set: str
    images: Images
    positive: int | None
    seen: Seen = ""


def unseen_sets(real: Splits) -> list[EvaluationSet]:
    """The real images that nobody learns from: every test set, and the hold-out where there is one.

    The hold-out costs no training and is drawn at random from the patients of `train`: beside it, `test` shows
    what another draw of patients, or another hospital, does to a classifier.
    """
    holdout = {} if real.holdout is None else {"holdout": real.holdout}
    return [EvaluationSet(name, images, real.positive_index) for name, images in {**real.tests, **holdout}.items()]


def predict(
    classifier: Classifier, evaluation_set: EvaluationSet, seed_number: int, ctx: Context, variant: str = ""
) -> Predictions:
    """The classifier's prediction for every image of the test set."""
    images = evaluation_set.images
    probabilities = classifier.predict(images, ctx)
    return Predictions(
        evaluation_set.test_set,
        images.ids,
        images.groups,
        images.labels,
        probabilities,
        seed_number,
        variant,
        evaluation_set.positive,
    )


def scores_of(predictions: Predictions, evaluation_set: EvaluationSet) -> list[Score]:
    """All metrics; NaN with a note where the test set has too few images for one, or too many classes."""
    scores = []
    for metric, value in summary(predictions.labels, predictions.probabilities, predictions.positive).items():
        note = shortage(metric, evaluation_set.images.counts(), predictions.positive)
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


def shortage(metric: str, counts: Mapping[str, int], positive: int | None) -> str:
    """Why a test set with these counts by class gets no figure of `metric`; "" where it gets one."""
    names = list(counts)
    if wrong := undefined_for(metric, len(names)):
        return wrong
    needed = {f" of {names[k]}": counts[names[k]] for k in needed_classes(metric, len(names), positive)}
    short = {of_class: n for of_class, n in (needed or {"": sum(counts.values())}).items() if n < LEAST}
    images = ", ".join(f"{n} image{'' if n == 1 else 's'}{of_class}" for of_class, n in short.items())
    return f"too few: {images} ({LEAST} needed)" if short else ""


def resampled(predictions: Mapping[str, Predictions], weights: npt.NDArray[np.integer]) -> Resampled:
    """Every metric of each variant under weights (B, N), without those that `scores_of` gives no value."""
    replicates: Resampled = {}
    for variant, of_variant in predictions.items():
        labels, probabilities, positive = of_variant.labels, of_variant.probabilities, of_variant.positive
        by_class = np.bincount(labels, minlength=probabilities.shape[1])
        counts = {str(k): int(n) for k, n in enumerate(by_class)}
        for metric, values in weighted_summary(labels, probabilities, weights, positive).items():
            if not shortage(metric, counts, positive):
                replicates[metric, variant] = values
    return replicates
