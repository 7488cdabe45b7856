"""How a classifier is trained, as plain data. No torch here: a plugin shows and checks it before any work."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from synthbench import DataError

__all__ = ["Precision", "Recipe", "check_backbone", "check_side", "check_weights", "defaults"]

TIMM: Final = "timm:"

Precision = Literal["float32", "bf16"]

_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "vgg16": {"epochs": 60, "learning_rate": 1e-5, "batch_size": 64, "bn_momentum": 0.99},  # the paper's
    "cnn": {"epochs": 20, "learning_rate": 1e-3, "batch_size": 32, "bn_momentum": 0.99},
    TIMM: {"epochs": 30, "learning_rate": 1e-4, "batch_size": 64, "bn_momentum": 0.9},
}


@dataclass(frozen=True)
class Recipe:
    """All that decides a classifier beside its images and its seed.

    backbone       "vgg16", "cnn" or "timm:<name>"
    weights        "none", "imagenet" or the path of a file with the backbone's weights
    epochs         at most this many passes over the training part
    batch_size     images a step
    learning_rate  Adam's
    patience       stop after this many epochs without a lower validation loss
    validation     share of the images held out to choose the epoch, 0-1
    dropout        in the head, 0-1
    bn_momentum    share of the old value that a batch normalisation's running statistics keep at each step
                   (Keras' convention; torch's momentum is 1 minus it; the small CNN has no batch norm)
    precision      of convolutions and matrix products
    """

    backbone: str
    weights: str
    epochs: int
    batch_size: int
    learning_rate: float
    patience: int
    validation: float
    dropout: float
    bn_momentum: float
    precision: Precision = "float32"

    def key(self) -> dict[str, Any]:
        """The recipe as JSON; a file of weights counts by its content."""
        key = asdict(self)
        if self.weights not in ("none", "imagenet"):
            key["weights"] = hashlib.sha256(Path(self.weights).read_bytes()).hexdigest()
        return key


def defaults(backbone: object) -> dict[str, Any]:
    """What depends on the backbone: the numbers of its recipe; nothing for an unknown one."""
    family = TIMM if str(backbone).startswith(TIMM) else str(backbone)
    return dict(_DEFAULTS.get(family, {}))


def check_backbone(backbone: str) -> str:
    """`backbone`, or ValueError where its name cannot be one; whether timm knows its name is seen later."""
    if backbone in ("vgg16", "cnn") or (backbone.startswith(TIMM) and backbone != TIMM):
        return backbone
    raise ValueError(f"unknown backbone {backbone!r}: write vgg16, cnn or timm:<name>, e.g. timm:resnet18")


def check_side(backbone: str, shape: tuple[int, int, int]) -> None:
    """Raise DataError where images (H, W, C) are too small for as many halvings. timm's are tried out later."""
    least = 2 ** {"vgg16": 5, "cnn": 4}.get(backbone, 0)
    if min(shape[:2]) < least:
        raise DataError(
            f"{backbone} needs images of at least {least}x{least} pixels, found {shape[0]}x{shape[1]}; set the "
            "data set's image_size" + (", or take `backbone: cnn`" if backbone == "vgg16" else "")
        )


def check_weights(weights: str, backbone: str) -> str:
    """`weights`, or ValueError where that backbone cannot have them."""
    if weights != "none" and backbone == "cnn":
        raise ValueError("the small CNN is trained from scratch; it takes weights: none")
    if weights not in ("none", "imagenet") and not Path(weights).is_file():
        raise ValueError(f"no such file: {weights!r}; weights are none, imagenet or the path of a file")
    return weights
