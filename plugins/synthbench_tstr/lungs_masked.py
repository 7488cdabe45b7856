"""`lungs-masked`: how much of the score needs no lungs?"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from synthbench import Context, Evaluation, Images, Splits
from synthbench_tstr.classifier_evaluator import ClassifierEvaluator, Limit, ScoreTrain
from synthbench_tstr.mask import blacked_out, lung_mask
from synthbench_tstr.training_sets import check_alike, draw, noted

__all__ = ["LungsMasked", "show_mask"]


class LungsMasked(ClassifierEvaluator):
    """`tstr` with the lung fields blacked out by one fixed mask, in training, validation and test alike.

    What remains above chance is a shortcut: the frame, the shoulders, the belly, markers. mask.png shows the
    mask over the mean of the real training images.
    """

    name: ClassVar[str] = "lungs-masked"

    images: Limit = None
    score_train: ScoreTrain = False

    def evaluate(self, real: Splits, synthetic: Images, ctx: Context) -> Evaluation:
        """As `tstr`, on masked images."""
        from synthbench_tstr.train_and_test import real_sets, train_and_test

        check_alike(real.train, synthetic)
        show_mask(real.train, ctx)
        evaluation_sets = [
            replace(evaluation_set, images=blacked_out(evaluation_set.images))
            for evaluation_set in real_sets(real, seen=self.score_train)
        ]
        chosen = blacked_out(draw(synthetic, self.images, ctx.rng("images")))
        evaluation = train_and_test(chosen, evaluation_sets, self, ctx, held_out="synthetic")
        return noted(evaluation, self.images, len(synthetic))


def show_mask(train: Images, ctx: Context) -> None:
    """mask.png: the mask over the mean image, with how much of the lung fields it covers; also in the log."""
    from synthbench_tstr.lungfields import covered
    from synthbench_tstr.plots import plot_mask

    shares = covered(train)
    text = "no lung fields found in the training images"
    if len(shares):
        low = np.percentile(shares, 5)
        text = f"covers {shares.mean():.1%} of the lung fields (5th percentile {low:.1%}; {len(shares)} images)"
    ctx.log.info("the mask %s", text)
    mean = train.pixels.mean(axis=(0, 3))
    plot_mask(mean, lung_mask(*mean.shape), text, ctx.workdir / "mask.png")
