"""Subgroups of a test set by an attribute of its images: scored from the predictions there are, without training.

A subgroup is a further test set, `test/sex=F`, in scores.csv, intervals.csv and predictions.csv; no column of the
board, and nobody is ranked on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from synthbench.leaderboard.bootstrap import Resample, predictions_by_variant
from synthbench.types import Evaluation, Labels, Predictions, Splits, Strings

__all__ = ["unsplit", "with_subgroups"]

MOST_VALUES, LEAST_IMAGES = 12, 3
"""An attribute of more values, or with fewer images a value on average, is a number or a name."""

Attributes = Mapping[str, Mapping[str, Strings]]
"""`Splits.attributes`."""
Places = npt.NDArray[np.intp]


def unsplit(attributes: Attributes) -> list[str]:
    """Which attributes have too many values for subgroups, to be said."""
    remarks = []
    tests = {part: columns for part, columns in attributes.items() if part not in ("train", "val", "holdout")}
    for part, columns in tests.items():
        for name, column in columns.items():
            n, most = len(np.unique(column)), _most_values(len(column))
            if n > max(1, most):
                why = f"attribute {name} has {n} values in the {len(column)} images of {part}, more than {most}"
                remarks.append(f"{why}: no subgroups by it; put numbers into bands")
    return remarks


def _most_values(images: int) -> int:
    return min(MOST_VALUES, images // LEAST_IMAGES)


def with_subgroups(evaluation: Evaluation, resample: Resample, real: Splits) -> Evaluation:
    """The evaluation with scores and predictions on every subgroup of the test sets that it predicts.

    Scores that do not follow from predictions have no subgroups. `resample` is the evaluator's: a subgroup's
    metrics are those of its images, each counted once.
    """
    scores, predictions = list(evaluation.scores), list(evaluation.predictions)
    for variants in predictions_by_variant(evaluation.predictions):
        first = next(iter(variants.values()))
        whole = _metrics(resample, variants)
        for name, places in _subgroups(first, real):
            within = {variant: _subset(of_all, name, places) for variant, of_all in variants.items()}
            values = _metrics(resample, within)
            predictions += within.values()
            shortage = _shortage(first.labels[places], real.train.classes)
            scores += [
                replace(
                    score,
                    test_set=name,
                    value=values.get((score.metric, score.variant), math.nan),
                    n=len(places),
                    low=None,
                    high=None,
                    note="" if (score.metric, score.variant) in values else shortage,
                )
                for score in evaluation.scores
                if (score.test_set, score.classifier_seed) == (first.test_set, first.classifier_seed)
                and (score.metric, score.variant) in whole
            ]
    return replace(evaluation, scores=scores, predictions=predictions)


def _metrics(resample: Resample, variants: Mapping[str, Predictions]) -> dict[tuple[str, str], float]:
    n = len(next(iter(variants.values())).labels)
    values = resample(variants, np.ones((1, n), dtype=np.uint16))
    return {name: float(one[0]) for name, one in values.items()}


def _subgroups(predictions: Predictions, real: Splits) -> Iterator[tuple[str, Places]]:
    """Name and places of each: of images with a known value, where not all have the same one."""
    attributes = real.attributes.get(predictions.test_set, {}) if predictions.test_set in real.tests else {}
    if not attributes:
        return
    place = {image_id: i for i, image_id in enumerate(real.tests[predictions.test_set].ids.tolist())}
    rows = [place.get(image_id, -1) for image_id in predictions.ids.tolist()]
    for attribute, column in attributes.items() if min(rows, default=-1) >= 0 else ():
        values = column[rows]
        names = sorted(set(values.tolist()))
        if 2 <= len(names) <= _most_values(len(values)):
            for value in filter(None, names):
                yield f"{predictions.test_set}/{attribute}={value}", np.flatnonzero(values == value)


def _subset(predictions: Predictions, name: str, places: Places) -> Predictions:
    columns = {
        column: getattr(predictions, column)[places] for column in ("ids", "groups", "labels", "probabilities")
    }
    return replace(predictions, test_set=name, **columns)


def _shortage(labels: Labels, classes: tuple[str, ...]) -> str:
    counts = np.bincount(labels, minlength=len(classes)).tolist()
    return f"too few: {', '.join(f'{n} of {name}' for name, n in zip(classes, counts, strict=True))}"
