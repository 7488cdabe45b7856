"""`trts`: train on real images, test on synthetic ones. Do the images show what their labels say?"""

from __future__ import annotations

from typing import ClassVar

from synthbench import Context, Evaluation, Images, Splits
from synthbench_tstr.classifier_evaluator import ClassifierEvaluator
from synthbench_tstr.training_sets import check_alike

__all__ = ["Trts"]


class Trts(ClassifierEvaluator):
    """Train a classifier on the real training images and test it on all synthetic ones.

    It says whether the images show their labels, not whether they show all there is: one good image a class,
    over and over, gives 1. The classifier is trained once for all generators.
    """

    name: ClassVar[str] = "trts"

    def evaluate(self, real: Splits, synthetic: Images, ctx: Context) -> Evaluation:
        """All metrics on the synthetic images (test set ""), each of `seeds` times."""
        from synthbench_tstr.scoring import EvaluationSet
        from synthbench_tstr.train_and_test import train_and_test

        check_alike(real.train, synthetic)
        return train_and_test(real.train, [EvaluationSet("", synthetic, real.positive_index)], self, ctx)
