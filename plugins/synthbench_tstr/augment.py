"""`augment`: what synthetic images add to the real ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator, model_validator

from synthbench import Context, Direction, Evaluation, Images, Predictions, Score, Splits
from synthbench_tstr.classifier_evaluator import METRICS, ClassifierEvaluator, Limit
from synthbench_tstr.training_sets import altered, check_alike, draw, draw_again, noted, together

if TYPE_CHECKING:
    from synthbench_tstr.scoring import EvaluationSet

__all__ = ["Augment"]

ALONE, DUPLICATED, CLASSICAL = "real alone", "real duplicated", "real augmented"
CONTROLS: Final = (ALONE, DUPLICATED, CLASSICAL)
GAINS: Final = ("auroc", "balanced_accuracy_matched", "balanced_accuracy")


class Point(NamedTuple):
    """A place on the curve: so many synthetic images beside the real ones, and how its variants are called.

    `at` is "" of the last one, whose variants are the evaluator's own figures, else " at ratio 0.5".
    """

    n: int
    at: str

    @property
    def mixed(self) -> str:
        """The variant of real and synthetic images: "" or "ratio 0.5"."""
        return self.at.removeprefix(" at ")

    def control(self, name: str) -> str:
        """A control's variant: real images alone are the same beside every number of synthetic ones."""
        return name if name == ALONE else f"{name}{self.at}"

    def gain(self, control: str) -> str:
        """The variant of a gain over a control."""
        return f"over {control}{self.at}"


class Augment(ClassifierEvaluator):
    """Train a classifier on real and synthetic images together, and on three controls; test all on real images.

    The controls, trained once for all generators: the real training images alone; with as many copies of real
    images in place of the synthetic ones, the classes alike ("real duplicated"), so that neither balance nor the
    number of steps counts as a gain; and with these copies turned, shifted, scaled and changed in tone ("real
    augmented"), which costs no generator.
    """

    name: ClassVar[str] = "augment"
    metrics: ClassVar[Mapping[str, Direction]] = {**METRICS, **{f"{metric}_gain": "higher" for metric in GAINS}}
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {
        **ClassifierEvaluator.bounds,
        **{f"{metric}_gain": (-1.0, 1.0) for metric in GAINS},
    }

    images: Limit = None
    ratios: tuple[Annotated[float, Field(gt=0)], ...] | None = Field(
        None,
        min_length=1,
        description="in place of `images`: a curve, with so many synthetic images for each real one each time, "
        "the smaller draws within the larger; ascending, the last one gives the headline figures. One training, "
        "and three for each ratio",
    )

    @field_validator("ratios", mode="before")
    @classmethod
    def _from_a_list(cls, ratios: Any) -> Any:
        """YAML and JSON have no tuples, and strict pydantic wants one once a validator has seen the whole."""
        return tuple(ratios) if isinstance(ratios, list) else ratios

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        if self.ratios is not None:
            if self.images is not None:
                raise ValueError("give either images or ratios")
            if list(self.ratios) != sorted(set(self.ratios)):
                raise ValueError(f"ratios must ascend, each once; found {list(self.ratios)}")
        return self

    def evaluate(self, real: Splits, synthetic: Images, ctx: Context) -> Evaluation:
        """All metrics of each training set, and the gains over each control, on all real images that none saw."""
        from synthbench_tstr.scoring import unseen_sets
        from synthbench_tstr.train_and_test import joined, train_and_test

        check_alike(real.train, synthetic)
        sets, points = unseen_sets(real), self._points(len(real.train), len(synthetic))
        alone = train_and_test(real.train, sets, self, ctx, variant=ALONE)
        beside = [self._beside(point, real.train, synthetic, sets, ctx) for point in points]
        if self.ratios is not None:
            self._write_curve(points, beside, sets, ctx)
        evaluation = joined([*beside, alone])
        return replace(evaluation, scores=[*evaluation.scores, *self._gains(evaluation.scores)])

    def _points(self, n_real: int, n_synthetic: int) -> list[Point]:
        if self.ratios is None:
            return [Point(n_synthetic if self.images is None else min(self.images, n_synthetic), "")]
        last = self.ratios[-1]
        return [
            Point(max(1, round(ratio * n_real)), "" if ratio == last else f" at ratio {ratio:g}")
            for ratio in self.ratios
        ]

    def _beside(
        self, point: Point, real: Images, synthetic: Images, sets: Sequence[EvaluationSet], ctx: Context
    ) -> Evaluation:
        """Real images beside synthetic ones, beside copies, and beside altered copies, as many of each."""
        from synthbench_tstr.train_and_test import joined, train_and_test

        if point.n > len(synthetic):
            return self._missing(point, f"only {len(synthetic)} synthetic images, {point.n} needed", sets)
        added = draw(synthetic, point.n, ctx.rng("images"))
        duplicated = draw_again(real, added.counts(), ctx.rng("duplicates"))
        copies = altered(duplicated.subset(np.arange(len(real), len(duplicated))), ctx.child("altered").seed)
        training = {
            point.mixed: together(real, added),
            point.control(DUPLICATED): duplicated,
            point.control(CLASSICAL): together(real, copies),
        }
        parts = [train_and_test(images, sets, self, ctx, variant=variant) for variant, images in training.items()]
        return noted(joined(parts), self.images, len(synthetic))

    def _missing(self, point: Point, note: str, sets: Sequence[EvaluationSet]) -> Evaluation:
        """No scores, and why: the controls are not trained where there is nothing to compare them with."""
        from synthbench_tstr.scoring import no_scores

        variants = (point.mixed, point.control(DUPLICATED), point.control(CLASSICAL))
        missing = [
            no_scores(METRICS, on, note, number, variant)
            for variant in variants
            for number in range(self.seeds)
            for on in sets
        ]
        return Evaluation(list(chain.from_iterable(missing)))

    def resample(
        self, predictions: Mapping[str, Predictions], weights: npt.NDArray[np.integer]
    ) -> Mapping[tuple[str, str], npt.NDArray[np.floating]]:
        """Every metric of every training set, and the gains: differences on the same resampled images."""
        replicates = dict(super().resample(predictions, weights))
        for metric in GAINS:
            for mixed, control, gain in self._comparisons():
                if {(metric, mixed), (metric, control)} <= replicates.keys():
                    difference = replicates[metric, mixed] - replicates[metric, control]
                    replicates[f"{metric}_gain", gain] = difference
        return replicates

    def _comparisons(self) -> Iterator[tuple[str, str, str]]:
        """Variants: of real and synthetic images, of a control beside as many, of the gain."""
        for point in self._points(0, 0):
            for control in CONTROLS:
                yield point.mixed, point.control(control), point.gain(control)

    def _gains(self, scores: Sequence[Score]) -> list[Score]:
        """With synthetic images less without, on each test set for each classifier seed; NaN as its terms are."""
        values = {(s.metric, s.variant, s.test_set, s.classifier_seed): s.value for s in scores}
        return [
            replace(
                score,
                metric=f"{score.metric}_gain",
                value=score.value - values[score.metric, control, score.test_set, score.classifier_seed],
                variant=gain,
            )
            for mixed, control, gain in self._comparisons()
            for score in scores
            if score.metric in GAINS and score.variant == mixed
        ]

    def _write_curve(
        self, points: Sequence[Point], beside: Sequence[Evaluation], sets: Sequence[EvaluationSet], ctx: Context
    ) -> None:
        """Over the number of synthetic images, the scores of those trained on them."""
        from synthbench_tstr.artifacts import write_curve

        by_size = [
            (point.n, [s for s in evaluation.scores if s.variant == point.mixed])
            for point, evaluation in zip(points, beside, strict=True)
        ]
        names = [on.test_set for on in sets]
        write_curve(by_size, "test" if "test" in names else names[0], ctx.workdir)
