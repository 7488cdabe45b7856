"""Train, predict, score: what every evaluator here does with a set of training images."""

from __future__ import annotations

from collections.abc import Sequence

from synthbench import Context, DataError, Evaluation, Images, Predictions, Score, Splits
from synthbench_torchkit.classifier import cached_classifier
from synthbench_tstr.artifacts import write_classifier
from synthbench_tstr.classifier_evaluator import ClassifierEvaluator
from synthbench_tstr.scoring import EvaluationSet, predict, scores_of, unseen_sets

__all__ = ["joined", "real_sets", "train_and_test"]


def train_and_test(
    training: Images,
    evaluation_sets: Sequence[EvaluationSet],
    evaluator: ClassifierEvaluator,
    ctx: Context,
    *,
    variant: str = "",
    held_out: str = "",
) -> Evaluation:
    """Train the evaluator's classifiers on `training`, from the store where they were trained before; score them.

    variant   marks scores and predictions, and the folders of `ctx.workdir` that the files go to
    held_out  name of a further test set: the images held out of `training` to choose the epoch
    """
    parts = []
    for number in range(evaluator.seeds):
        # The seed knows no generator: all meet classifiers of the same initial weights, so that rows are paired.
        classifier = cached_classifier(training, evaluator.recipe, ctx.child("classifier", number))
        sets = list(evaluation_sets)
        if (
            held_out
        ):  # scored, though the epoch was chosen on it: beside `test` it shows what the generator's look gives
            images = training.subset(classifier.validation)
            sets.append(EvaluationSet(held_out, images, sets[0].positive, "validation"))
        predictions = [predict(classifier, evaluation_set, number, ctx, variant) for evaluation_set in sets]
        folder = "-".join(["classifier", str(number), *variant.split()])
        write_classifier(classifier, predictions, ctx.workdir / folder)
        scores = [
            s
            for on_set, evaluation_set in zip(predictions, sets, strict=True)
            for s in scores_of(on_set, evaluation_set)
        ]
        parts.append(Evaluation(scores, predictions))
    return joined(parts)


def joined(parts: Sequence[Evaluation]) -> Evaluation:
    """All scores and all predictions."""
    scores: list[Score] = [score for part in parts for score in part.scores]
    predictions: list[Predictions] = [on_set for part in parts for on_set in part.predictions]
    return Evaluation(scores, predictions)


def real_sets(real: Splits, *, seen: bool) -> list[EvaluationSet]:
    """`unseen_sets`, and where `seen` is asked for `train`, the generator's own images.

    Raises DataError where a name is taken.
    """
    if clash := {"train", "synthetic", "holdout"} & set(real.tests):
        raise DataError(
            f"tstr gives the names train, synthetic and holdout itself; rename the test set {clash.pop()!r}"
        )
    own = [EvaluationSet("train", real.train, real.positive_index, "generator")] if seen else []
    return [*unseen_sets(real), *own]
