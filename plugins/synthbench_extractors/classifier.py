"""`classifier`: the last hidden layer of a classifier trained on the real training images."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from synthbench import Context, Embed, Extractor, Features, Images, Pixels
from synthbench_torchkit.recipe import Recipe, check_side, defaults

__all__ = ["TrainedClassifier"]


class TrainedClassifier(Extractor):
    """What the last layer of a classifier sees that was trained on the real training images; VGG16 32, cnn 128.

    It is trained once, as `tstr` trains its own, from a seed of its own; neither test nor synthetic images are
    ever shown to it before they are measured. Grey levels go in as x / 255, at the images' own size.
    """

    name: ClassVar[str] = "classifier"
    learns: ClassVar[bool] = True

    backbone: Literal["vgg16", "cnn"] = Field("vgg16", description="vgg16 (the paper's) or cnn (small, quick)")
    epochs: int | None = Field(None, ge=1, description="at most this many; unset: vgg16 60, cnn 20")
    seed: int = Field(0, ge=0, description="of its training; the same in every trial and benchmark")

    @property
    def preprocessing(self) -> str:
        return f"{self.backbone} trained on the real training images from seed {self.seed}, x / 255, no resize"

    def check_shape(self, shape: tuple[int, int, int]) -> None:
        check_side(self.backbone, shape)

    @property
    def recipe(self) -> Recipe:
        """As `tstr` has it for this backbone."""
        own = defaults(self.backbone)
        patience = 5 if self.backbone == "cnn" else 2
        common: dict[str, Any] = {"weights": "none", "patience": patience, "validation": 0.2, "dropout": 0.4}
        return Recipe(self.backbone, **common, **{**own, "epochs": self.epochs or own["epochs"]})

    def load(self, train: Images, ctx: Context) -> Embed:
        """Train it, or take it from the store. Raises DataError where a class has too few images."""
        import numpy as np
        import torch

        from synthbench_torchkit.classifier import cached_classifier
        from synthbench_torchkit.device import torch_device
        from synthbench_torchkit.tensors import to_float

        model = cached_classifier(train, self.recipe, ctx.child("classifier", self.seed)).model
        device = torch_device(ctx)

        def embed(pixels: Pixels, /) -> Features:
            with torch.inference_mode():
                features = model.embed(to_float(pixels, device))
            return np.ascontiguousarray(features.float().cpu().numpy())

        return embed
