"""Train, predict, score: what every evaluator here does with a set of training images."""

from __future__ import annotations

from collections.abc import Sequence

from synthbench import Context, DataError, Evaluation, Images, Predictions, Score, Splits
from synthbench_torchkit.classifier import cached_classifier
from synthbench_tstr.artifacts import write_classifier
from synthbench_tstr.classifier_evaluator import ClassifierEvaluator
from synthbench_tstr.scoring import EvaluationSet, predict, scores_of

__all__ = ["joined", "real_sets", "train_and_test"]


def train_and_test(
    training: Images,
    evaluation_sets: Sequence[EvaluationSet],
    how: ClassifierEvaluator,
    ctx: Context,
    *,
    variant: str = "",
    held_out: str = "",
) -> Evaluation:
    """Train `how.seeds` classifiers on `training`, from the store where they were trained before, and score them.

    variant   marks scores and predictions, and the folders of `ctx.workdir` that the files go to
    held_out  name of a further test set: the images held out of `training` to choose the epoch
    """
    parts = []
    for number in range(how.seeds):
        classifier = cached_classifier(training, how.recipe, ctx.child("classifier", number))
        asked = list(evaluation_sets)
        if held_out:
            asked.append(EvaluationSet(held_out, training.subset(classifier.validation), "validation"))
        answers = [predict(classifier, evaluation_set, number, ctx, variant) for evaluation_set in asked]
        folder = "-".join(["classifier", str(number), *variant.split()])
        write_classifier(classifier, answers, ctx.workdir / folder)
        scores = [
            s
            for answer, evaluation_set in zip(answers, asked, strict=True)
            for s in scores_of(answer, evaluation_set)
        ]
        parts.append(Evaluation(scores, answers))
    return joined(parts)


def joined(parts: Sequence[Evaluation]) -> Evaluation:
    """All scores and all predictions."""
    scores: list[Score] = [score for part in parts for score in part.scores]
    predictions: list[Predictions] = [answers for part in parts for answers in part.predictions]
    return Evaluation(scores, predictions)


def real_sets(real: Splits) -> list[EvaluationSet]:
    """Every test set, and `train` as the generator's own images. Raises DataError where a name is taken."""
    if clash := {"train", "synthetic"} & set(real.tests):
        raise DataError(f"tstr gives the names train and synthetic itself; rename the test set {clash.pop()!r}")
    tests = [EvaluationSet(name, images) for name, images in real.tests.items()]
    return [*tests, EvaluationSet("train", real.train, "generator")]
