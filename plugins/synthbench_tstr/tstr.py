"""`tstr`: train on synthetic images, test on real ones (Ravuri & Vinyals 2019 call it classification accuracy
score)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from synthbench import Context, Evaluation, Images, Splits
from synthbench_tstr.classifier_evaluator import METRICS, ClassifierEvaluator, Limit, ScoreTrain
from synthbench_tstr.training_sets import check_alike, draw, noted

if TYPE_CHECKING:
    from synthbench_tstr.scoring import EvaluationSet

__all__ = ["Tstr"]


class Tstr(ClassifierEvaluator):
    """Train a classifier on synthetic images alone and test it on every real test set.

    Further test sets: `holdout`, where a benchmark keeps one from all who learn; `synthetic`, the held-out
    synthetic images, which chose the classifier's epoch and so are a little too kind; and with `score_train` the
    images that the generator saw, `train` (the paper's protocol).
    """

    name: ClassVar[str] = "tstr"

    images: Limit = None
    score_train: ScoreTrain = False
    sizes: tuple[Annotated[int, Field(ge=1)], ...] | None = Field(
        None,
        min_length=1,
        description="in place of `images`: a curve, trained on so many of them each time, the smaller draws "
        "within the larger; ascending, the last one gives the headline figures",
    )

    @field_validator("sizes", mode="before")
    @classmethod
    def _from_a_list(cls, sizes: Any) -> Any:
        """YAML and JSON have no tuples, and strict pydantic wants one once a validator has seen the whole."""
        return tuple(sizes) if isinstance(sizes, list) else sizes

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        if self.sizes is not None:
            if self.images is not None:
                raise ValueError("give either images or sizes")
            if list(self.sizes) != sorted(set(self.sizes)):
                raise ValueError(f"sizes must ascend, each once; found {list(self.sizes)}")
        return self

    def evaluate(self, real: Splits, synthetic: Images, ctx: Context) -> Evaluation:
        """All metrics on every test set, each of `seeds` times; files by classifier in `ctx.workdir`."""
        from synthbench_tstr.train_and_test import joined, real_sets, train_and_test

        check_alike(real.train, synthetic)
        evaluation_sets = real_sets(real, seen=self.score_train)
        if self.sizes is None:
            chosen = draw(synthetic, self.images, ctx.rng("images"))
            evaluation = train_and_test(chosen, evaluation_sets, self, ctx, held_out="synthetic")
            return noted(evaluation, self.images, len(synthetic))
        points = [self._point(size, evaluation_sets, synthetic, ctx) for size in self.sizes]
        self._write_curve(points, evaluation_sets, ctx)
        return joined(points)

    def _point(
        self, size: int, evaluation_sets: Sequence[EvaluationSet], synthetic: Images, ctx: Context
    ) -> Evaluation:
        """Of the curve: the last is the headline, and the only one to be asked about its held-out images."""
        from synthbench_tstr.scoring import no_scores
        from synthbench_tstr.train_and_test import train_and_test

        last = size == (self.sizes or ())[-1]
        variant = "" if last else f"{size} images"
        if size > len(synthetic):
            note = f"only {len(synthetic)} synthetic images"
            numbers = range(self.seeds)
            missing = [
                no_scores(METRICS, evaluation_set, note, number, variant)
                for number in numbers
                for evaluation_set in evaluation_sets
            ]
            return Evaluation(list(chain.from_iterable(missing)))
        chosen = draw(synthetic, size, ctx.rng("images"))
        return train_and_test(
            chosen, evaluation_sets, self, ctx, variant=variant, held_out="synthetic" if last else ""
        )

    def _write_curve(
        self, points: Sequence[Evaluation], evaluation_sets: Sequence[EvaluationSet], ctx: Context
    ) -> None:
        from synthbench_tstr.artifacts import write_curve

        by_size = zip(self.sizes or (), [point.scores for point in points], strict=True)
        names = [evaluation_set.test_set for evaluation_set in evaluation_sets]
        write_curve(list(by_size), "test" if "test" in names else names[0], ctx.workdir)
