"""`tstr`: train on synthetic images, test on real ones (Ravuri & Vinyals 2019 call it classification accuracy
score). The paper's VGG16 and recipe are the defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import Field, ValidationInfo, field_validator, model_validator

from synthbench.context import Context
from synthbench.errors import DataError
from synthbench.hookspecs import hookimpl
from synthbench.interfaces import Evaluator
from synthbench.types import Direction, Evaluation, Images, Predictions, Score, Splits
from synthbench_torchkit.recipe import Recipe, check_backbone, check_weights, defaults

if TYPE_CHECKING:
    from synthbench_tstr.outcome import Exam

__all__ = ["Tstr", "draw"]


class Tstr(Evaluator):
    """Train a classifier on synthetic images alone and test it on every real test set.

    Further test sets: `train`, the images that the generator saw (the paper's protocol), and `synthetic`, the
    held-out synthetic images, which chose the classifier's epoch and so are a little too kind.
    """

    name: ClassVar[str] = "tstr"
    metrics: ClassVar[Mapping[str, Direction]] = {
        "accuracy": "higher",
        "balanced_accuracy": "higher",
        "auroc": "higher",
        "f1": "higher",
    }

    backbone: str = Field("vgg16", description="vgg16 (the paper's), cnn (small, quick) or timm:<name>")
    weights: str = Field(
        "none",
        description="the backbone's start: none, imagenet (a download), or a safetensors or torch file; "
        "with any but none the images are normalised as for ImageNet",
    )
    images: int | None = Field(
        None, ge=1, description="train on this many of the synthetic images, classes in proportion; all if unset"
    )
    epochs: int | None = Field(
        None, ge=1, description="at most this many; unset: vgg16 60 (the paper's), cnn 20, timm 30"
    )
    learning_rate: float | None = Field(
        None, gt=0, le=1, description="Adam's; unset: vgg16 1e-5 (the paper's), cnn 1e-3, timm 1e-4"
    )
    batch_size: int | None = Field(
        None, ge=2, description="images a step; unset: vgg16 64 (the paper's), cnn 32, timm 64"
    )
    patience: int | None = Field(
        None,
        ge=1,
        description="stop after this many epochs without a lower validation loss; unset: 2 (the paper's), cnn 5",
    )
    validation: float = Field(
        0.2, gt=0, lt=1, description="share of the synthetic images held out to choose the epoch"
    )
    dropout: float = Field(0.4, ge=0, lt=1, description="in the classifier's head")
    bn_momentum: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="share of the old running statistics that batch norm keeps at each step (Keras' "
        "convention); unset: vgg16 0.99 (the paper's; lags in runs of a few hundred steps), timm 0.9; "
        "cnn has no batch norm",
    )
    seeds: int = Field(1, ge=1, le=100, description="train this many classifiers, each from its own seed")

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any) -> Any:
        """Put the backbone's own values where none are set, so that they stand in the resolved configuration."""
        if not isinstance(given, dict):
            return given
        backbone = given.get("backbone", cls.model_fields["backbone"].default)
        # The small CNN may sit on a plateau for some epochs before it learns anything: 2 would end it there.
        own = {"patience": 5 if backbone == "cnn" else 2, **defaults(backbone)}
        return {**given, **{name: value for name, value in own.items() if given.get(name) is None}}

    @field_validator("backbone")
    @classmethod
    def _known_backbone(cls, backbone: str) -> str:
        return check_backbone(backbone)

    @field_validator("weights")
    @classmethod
    def _possible_weights(cls, weights: str, info: ValidationInfo) -> str:
        return check_weights(weights, info.data.get("backbone", ""))

    @property
    def recipe(self) -> Recipe:
        """How each classifier is trained."""
        return Recipe(**self.model_dump(exclude={"images", "seeds"}))

    def inputs(self) -> Mapping[str, str]:
        """A file of weights counts by its content."""
        return {"weights": str(self.recipe.key()["weights"])}

    def evaluate(self, real: Splits, synthetic: Images, ctx: Context) -> Evaluation:
        """Four metrics on every test set, each of `seeds` times; files by classifier in `ctx.workdir`."""
        from synthbench_torchkit.classifier import cached_classifier
        from synthbench_tstr.outcome import Exam, ask, scores_of, write_files

        _check_alike(real.train, synthetic)
        chosen = draw(synthetic, self.images, ctx.rng("images"))
        scores: list[Score] = []
        predictions: list[Predictions] = []
        for number in range(self.seeds):
            classifier = cached_classifier(chosen, self.recipe, ctx.child("classifier", number))
            held_out = Exam("synthetic", chosen.subset(classifier.validation), "validation")
            exams = [*_real_exams(real), held_out]
            answers = [ask(classifier, exam, number, ctx) for exam in exams]
            write_files(classifier, answers, ctx.workdir / f"classifier-{number}")
            predictions += answers
            for answer, exam in zip(answers, exams, strict=True):
                scores += scores_of(answer, exam)
        return Evaluation(scores, predictions)


def _real_exams(real: Splits) -> list[Exam]:
    from synthbench_tstr.outcome import Exam

    if clash := {"train", "synthetic"} & set(real.tests):
        raise DataError(f"tstr gives the names train and synthetic itself; rename the test set {clash.pop()!r}")
    tests = [Exam(name, images, "") for name, images in real.tests.items()]
    return [*tests, Exam("train", real.train, "generator")]


def _check_alike(real: Images, synthetic: Images) -> None:
    for what in ("classes", "shape"):
        there, here = getattr(real, what), getattr(synthetic, what)
        if there != here:
            raise DataError(f"the synthetic images have {what} {here}, the real ones {there}: they must agree")


def draw(images: Images, limit: int | None, rng: np.random.Generator) -> Images:
    """At most `limit` images, in their order: a random draw, the classes in proportion, a larger draw
    containing the smaller one."""
    if limit is None or limit >= len(images):
        return images
    place = np.empty(len(images))  # 0-1, evenly spread over each class
    for k in range(len(images.classes)):
        members = rng.permutation(np.flatnonzero(images.labels == k))
        place[members] = (np.arange(len(members)) + 0.5) / max(1, len(members))
    return images.subset(np.sort(np.argsort(place, kind="stable")[:limit]))


@hookimpl
def register_evaluators() -> Iterable[type[Evaluator]]:
    return [Tstr]
