"""ROC and calibration curves from the evaluators' stored answers, generators beside each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from synthbench.leaderboard.score_key import ScoreKey
from synthbench.report.album import Album, Plot
from synthbench.report.theme import in_plot, legend_below, styles
from synthbench.results.folder import RunFolder, dig
from synthbench.storage.predictions import PREDICTIONS, load_predictions
from synthbench.types import Predictions

__all__ = ["Answers", "Roc", "answer_plots", "calibration", "roc"]

Floats = npt.NDArray[np.float64]
RATES = np.linspace(0, 1, 101)
"""False positive rates at which curves are averaged."""
BINS = 10
NAMELESS = "the positive class"


@dataclass(frozen=True)
class Answers:
    """All answers of one generator's classifiers on one test set."""

    generator: str
    predictions: Sequence[Predictions]


@dataclass(frozen=True)
class Roc:
    """A mean ROC curve: true positive rates (101,) at RATES, and the mean area under the curves it is made of."""

    rates: Floats
    area: float


def roc(predictions: Sequence[Predictions]) -> Roc | None:
    """The mean over classifiers at each false positive rate; None where a class has no images.

    (Vertical averaging: Fawcett, Pattern Recognition Letters 27, 2006.) Of the positive one of two classes, else
    the mean of each class against the rest; so the area is the board's AUROC.
    """
    from sklearn.metrics import auc, roc_curve

    curves, areas = [], []
    for p in predictions:
        n_classes = p.probabilities.shape[1]
        if len(np.unique(p.labels)) < n_classes:
            return None
        for k in [_positive(p)] if n_classes == 2 else range(n_classes):
            false, true, _ = roc_curve(p.labels == k, p.probabilities[:, k])
            curves.append(_at_rates(false, true))
            areas.append(auc(false, true))
    return Roc(np.mean(curves, axis=0), float(np.mean(areas)))


def _positive(p: Predictions) -> int:
    """The positive one of two classes; by default the last, as in scikit-learn."""
    return 1 if p.positive is None else p.positive


def _at_rates(false: Floats, true: Floats) -> Floats:
    """The curve at RATES: the upper end of a vertical step, but the origin where it starts."""
    curve = np.interp(RATES, false, true)
    curve[0] = 0.0
    return curve


def calibration(predictions: Sequence[Predictions]) -> tuple[Floats, Floats]:
    """Mean predicted probability and observed share in up to 10 bins with equally many answers, (bins,) each.

    Of the positive one of two classes; of more, the predicted class's probability against the share of right
    answers (Guo et al., ICML 2017). All classifiers' answers count together.
    """
    from sklearn.calibration import calibration_curve

    if predictions[0].probabilities.shape[1] == 2:
        claimed = [p.probabilities[:, _positive(p)] for p in predictions]
        true = [p.labels == _positive(p) for p in predictions]
    else:
        claimed = [p.probabilities.max(1) for p in predictions]
        true = [p.probabilities.argmax(1) == p.labels for p in predictions]
    result = np.concatenate(true).astype(np.int64)
    forecast = np.clip(np.concatenate(claimed), 0, 1)
    observed, predicted = calibration_curve(result, forecast, n_bins=BINS, strategy="quantile", pos_label=1)
    return predicted, observed


def answer_plots(run: RunFolder, album: Album) -> list[tuple[str, str, list[Plot]]]:
    """For each evaluator with answers and each unseen test set of two or more classes: title, leak, its plots."""
    groups: list[tuple[str, str, list[Plot]]] = []
    for evaluator in run.evaluators:
        by_set = _answers(run, evaluator)
        for test_set in run.test_sets:
            answered = by_set.get(test_set, [])
            if any(len(np.unique(p.labels)) > 1 for a in answered for p in a.predictions):
                plots = _plots(evaluator, test_set, answered, run, album)
                groups.append((f"{evaluator} on {test_set}", run.leaked(test_set), plots))
    return groups


def _answers(run: RunFolder, evaluator: str) -> dict[str, list[Answers]]:
    """The evaluator's own answers (no variants) by test set, in the board's order of generators."""
    by_set: dict[str, list[Answers]] = {}
    for generator in run.roles:
        by_name: dict[str, list[Predictions]] = {}
        for trial in run.trials_of(generator):
            path = trial.evaluator(evaluator) / PREDICTIONS
            try:
                for p in load_predictions(path):
                    if p.variant == "" and p.test_set in run.test_sets and np.isfinite(p.probabilities).all():
                        by_name.setdefault(p.test_set, []).append(p)
            except (OSError, ValueError, KeyError) as error:
                run.note(path, error)
        for test_set, predictions in by_name.items():
            by_set.setdefault(test_set, []).append(Answers(generator, predictions))
    return by_set


def _plots(evaluator: str, test_set: str, series: Sequence[Answers], run: RunFolder, album: Album) -> list[Plot]:
    bins = {a.generator: calibration(a.predictions) for a in series}
    off = ", ".join(f"{label} {np.abs(x - y).mean():.3f}" for label, (x, y) in bins.items())
    many = len(run.classes) > 2
    return [
        *_roc_plot(evaluator, test_set, series, run, album),
        album.plot(
            ["calibration", evaluator, test_set],
            partial(_draw_calibration, bins=bins, roles=run.roles, many=many),
            alt=f"Calibration of {evaluator} on {test_set}; mean distance from the diagonal: {off}",
            caption=f"Calibration in {BINS} bins of equally many answers; on the diagonal they are true.",
            size=_size(series),
        ),
    ]


def _roc_plot(
    evaluator: str, test_set: str, series: Sequence[Answers], run: RunFolder, album: Album
) -> list[Plot]:
    """None where the board has a text in place of every AUROC: a class without images, a seed that is missing."""
    refused = {
        label
        for label, known in run.estimates.get(ScoreKey(evaluator, "auroc", test_set), {}).items()
        if math.isnan(known.value)
    }
    drawn = [a for a in series if a.generator not in refused]
    curves = {a.generator: curve for a in drawn if (curve := roc(a.predictions)) is not None}
    if not curves:
        return []
    said = ", ".join(f"{label} {curve.area:.3f}" for label, curve in curves.items())
    positive = dig(run.record, "data", "positive", default="")
    of_two = f"class {positive}" if positive else NAMELESS
    whose = "the mean of each class against the rest" if len(run.classes) > 2 else of_two
    return [
        album.plot(
            ["roc", evaluator, test_set],
            partial(_draw_roc, curves=curves, look=styles(run.roles)),
            alt=f"ROC curves of {evaluator} on {test_set}, {whose}; areas: {said}",
            caption=f"ROC of {whose}, mean over classifiers; areas in the legend.",
            size=_size(series),
        )
    ]


def _size(series: Sequence[Answers]) -> tuple[float, float]:
    """Of a plot with a legend of all series below it."""
    return 4.6, 3.9 + 0.09 * len(series)


def _draw_roc(figure: Figure, curves: Mapping[str, Roc], look: Mapping[str, dict[str, Any]]) -> None:
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.5", linewidth=0.8)
    for label, curve in curves.items():
        line = look[label] | {"marker": ""}
        axes.plot(RATES, curve.rates, label=f"{in_plot(label)} {curve.area:.3f}", **line)
    axes.set(xlabel="false positive rate", ylabel="true positive rate", aspect="equal")
    legend_below(figure)


def _draw_calibration(
    figure: Figure,
    bins: Mapping[str, tuple[Floats, Floats]],
    roles: Mapping[str, str],
    many: bool,
) -> None:
    axes, look = figure.subplots(), styles(roles)
    axes.plot([0, 1], [0, 1], color="0.5", linewidth=0.8)
    for label, (predicted, observed) in bins.items():
        line = look[label] if roles[label] == "candidate" else look[label] | {"marker": ""}
        axes.plot(predicted, observed, label=in_plot(label), markersize=4, **line)
    names = ("mean confidence", "share right") if many else ("mean predicted probability", "observed share")
    axes.set(xlabel=names[0], ylabel=names[1], xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    legend_below(figure)
