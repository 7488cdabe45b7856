"""`augment`: what synthetic images add to the real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from synthbench import Context, Direction, Evaluation, Images, Predictions, Score, Splits
from synthbench_tstr.classifier_evaluator import METRICS, ClassifierEvaluator, Limit
from synthbench_tstr.training_sets import check_alike, draw, draw_again, together

__all__ = ["Augment"]

CONTROLS: Final = ("real alone", "real duplicated")
GAINS: Final = ("auroc", "balanced_accuracy_matched", "balanced_accuracy")


class Augment(ClassifierEvaluator):
    """Train a classifier on real and synthetic images together, and on two controls; test all on real images.

    The controls, trained once for all generators: the real training images alone, and as many copies of real
    images in place of the synthetic ones, the classes alike ("real duplicated"), so that neither balance nor
    the number of steps counts as a gain.
    """

    name: ClassVar[str] = "augment"
    metrics: ClassVar[Mapping[str, Direction]] = {**METRICS, **{f"{metric}_gain": "higher" for metric in GAINS}}
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {
        **ClassifierEvaluator.bounds,
        **{f"{metric}_gain": (-1.0, 1.0) for metric in GAINS},
    }

    images: Limit = None

    def evaluate(self, real: Splits, synthetic: Images, ctx: Context) -> Evaluation:
        """All metrics of each training set, and the gains over each control, on all real images that none saw."""
        from synthbench_tstr.scoring import unseen_sets
        from synthbench_tstr.train_and_test import joined, train_and_test

        check_alike(real.train, synthetic)
        added = draw(synthetic, self.images, ctx.rng("images"))
        alone, duplicated = CONTROLS
        training = {
            "": together(real.train, added),
            alone: real.train,
            duplicated: draw_again(real.train, added.counts(), ctx.rng("duplicates")),
        }
        evaluation = joined(
            [
                train_and_test(images, unseen_sets(real), self, ctx, variant=name)
                for name, images in training.items()
            ]
        )
        return replace(evaluation, scores=[*evaluation.scores, *_gains(evaluation.scores)])

    def resample(
        self, predictions: Mapping[str, Predictions], weights: npt.NDArray[np.integer]
    ) -> Mapping[tuple[str, str], npt.NDArray[np.floating]]:
        """Every metric of every training set, and the gains: differences on the same resampled images."""
        replicates = dict(super().resample(predictions, weights))
        for metric in GAINS:
            for control in CONTROLS:
                if {(metric, ""), (metric, control)} <= replicates.keys():
                    gain = replicates[metric, ""] - replicates[metric, control]
                    replicates[f"{metric}_gain", f"over {control}"] = gain
        return replicates


def _gains(scores: Sequence[Score]) -> list[Score]:
    """With synthetic images less without, on each test set and for each classifier seed; NaN as its terms are."""
    values = {(s.metric, s.variant, s.test_set, s.classifier_seed): s.value for s in scores}
    return [
        replace(
            score,
            metric=f"{score.metric}_gain",
            value=score.value - values[score.metric, control, score.test_set, score.classifier_seed],
            variant=f"over {control}",
        )
        for score in scores
        if score.metric in GAINS and score.variant == ""
        for control in CONTROLS
    ]
