"""The options of every evaluator that trains the image classifier: which one, how, and how often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationInfo, field_validator, model_validator

from synthbench import Direction, Evaluator, Predictions, WeightFile
from synthbench_torchkit.available import check_available
from synthbench_torchkit.recipe import Precision, Recipe, check_backbone, check_side, check_weights, defaults

__all__ = ["METRICS", "ClassifierEvaluator", "Limit", "ScoreTrain"]

METRICS: Final[Mapping[str, Direction]] = dict.fromkeys(
    (
        # First what needs no threshold of the classifier's own: it tells generators apart best (docs/metrics.md).
        *("auroc", "balanced_accuracy_matched", "auprc", "auprc_negative", "specificity_at_90_sensitivity"),
        *("accuracy", "balanced_accuracy", "f1", "recall"),
    ),
    "higher",
)

Limit = Annotated[
    int | None,
    Field(ge=1, description="train on this many of the synthetic images, classes in proportion; all if unset"),
]

ScoreTrain = Annotated[
    bool,
    Field(description="score what the generator learned from, too (test set `train`): the paper's protocol"),
]


class ClassifierEvaluator(Evaluator):
    """Its fields say how; the paper's VGG16 and recipe are the defaults. `evaluate` says on what."""

    metrics: ClassVar[Mapping[str, Direction]] = METRICS
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = dict.fromkeys(METRICS, (0.0, 1.0))

    backbone: str = Field("vgg16", description="vgg16 (the paper's), cnn (small, quick) or timm:<name>")
    weights: Literal["none", "imagenet"] | Path = Field(
        "none",
        description="the backbone's start: none, imagenet (a download), or a safetensors or torch file; "
        "with any but none the images are normalised as for ImageNet",
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
        0.2, gt=0, lt=1, description="share of the training images held out to choose the epoch"
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
    precision: Precision = Field(
        "float32",
        description="of convolutions and matrix products: float32 (the paper's), or bf16, two to three times as "
        "fast where the processor has units for it, else slower",
    )
    seeds: int = Field(1, ge=1, le=100, description="train this many classifiers, each from its own seed")

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, options: Any) -> Any:
        """Put the backbone's own values where none are set, so that they stand in the resolved configuration."""
        if not isinstance(options, dict):
            return options
        backbone = options.get("backbone", cls.model_fields["backbone"].default)
        # The small CNN may sit on a plateau for some epochs before it learns anything: 2 would end it there.
        unset = {"patience": 5 if backbone == "cnn" else 2, **defaults(backbone)}
        return {**options, **{name: value for name, value in unset.items() if options.get(name) is None}}

    @field_validator("backbone")
    @classmethod
    def _known_backbone(cls, backbone: str) -> str:
        return check_backbone(backbone)

    @field_validator("weights")
    @classmethod
    def _possible_weights(cls, weights: str | Path, info: ValidationInfo) -> str | Path:
        check_weights(str(weights), info.data.get("backbone", ""))
        return weights

    def check_shape(self, shape: tuple[int, int, int]) -> None:
        check_side(self.backbone, shape)

    @property
    def recipe(self) -> Recipe:
        """How each classifier is trained."""
        return Recipe(**self.model_dump(mode="json", include={field.name for field in fields(Recipe)}))

    def inputs(self) -> Mapping[str, str]:
        """A file of weights counts by its content."""
        return {"weights": str(self.recipe.key()["weights"])}

    @property
    def trainings(self) -> int:
        """Classifiers."""
        return self.seeds

    def files(self) -> Sequence[WeightFile]:
        """None of the store's; raises ConfigError or DataError where backbone or weights cannot be had."""
        check_available(self.recipe)
        return ()

    def once(self) -> Self:
        """With one classifier."""
        return self.model_copy(update={"seeds": 1})

    def resample(
        self, predictions: Mapping[str, Predictions], weights: npt.NDArray[np.integer]
    ) -> Mapping[tuple[str, str], npt.NDArray[np.floating]]:
        """Every metric of every variant; left out where the test set has too few images for it."""
        from synthbench_tstr.scoring import resampled

        return resampled(predictions, weights)
