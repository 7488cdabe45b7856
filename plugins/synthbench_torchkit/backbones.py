"""The classifiers' networks: the paper's VGG16, a small CNN for quick runs, and anything timm has.

Each takes float images (N, C, H, W), 0-1; grey ones are repeated to three channels. A classifier tells two
classes with one logit (of the last class), more with one each.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from synthbench import ConfigError
from synthbench_torchkit.available import check_model
from synthbench_torchkit.recipe import TIMM, Recipe

__all__ = ["ImageClassifier", "build_classifier", "keras_init", "small_cnn", "vgg_head"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class ImageClassifier(nn.Module):
    """Backbone, then head. Images go in as they are, or normalised by `mean` and `std` of each channel."""

    mean: Tensor
    std: Tensor

    def __init__(
        self, backbone: nn.Module, head: nn.Sequential, mean: tuple[float, ...], std: tuple[float, ...]
    ) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def embed(self, images: Tensor) -> Tensor:
        """(N, C, H, W), 0-1 -> (N, D), what the last layer sees."""
        rgb = (images.expand(-1, 3, -1, -1) - self.mean) / self.std
        return cast(Tensor, self.head[:-1](self.backbone(rgb)))

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W), 0-1 -> logits (N, 1) for two classes, (N, K) for more."""
        return cast(Tensor, self.head[-1](self.embed(images)))


def build_classifier(recipe: Recipe, shape: tuple[int, int, int], n_classes: int) -> ImageClassifier:
    """An untrained classifier of images (H, W, C), drawn from torch's global random state.

    Kernels are Glorot-uniform and biases zero, as in Keras; a timm backbone keeps timm's own start. With
    any weights but `none` the images are normalised as the ImageNet weights expect.
    Raises ConfigError where timm has no such model or the backbone takes no images of that size.
    """
    backbone = _backbone(recipe.backbone)
    width = _feature_width(backbone, shape, recipe.backbone)
    outputs = 1 if n_classes == 2 else n_classes
    if recipe.backbone == "vgg16":
        head = vgg_head(width, outputs, recipe.dropout)
    else:
        head = nn.Sequential(nn.Dropout(recipe.dropout), nn.Linear(width, outputs))
    keras_init(head)
    mean, std = _normalisation(backbone) if recipe.weights != "none" else ((0.0,) * 3, (1.0,) * 3)
    model = ImageClassifier(backbone, head, mean, std)
    _set_momentum(model, recipe.bn_momentum)
    return model


def vgg_head(width: int, outputs: int, dropout: float) -> nn.Sequential:
    """The paper's: (N, width) -> 128 -> 32 -> logits (N, outputs)."""
    layers: list[nn.Module] = []
    for wide, narrow in ((width, 128), (128, 32)):
        layers += [nn.Dropout(dropout), nn.Linear(wide, narrow), nn.BatchNorm1d(narrow, eps=1e-3)]
        layers += [nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(32, outputs))


def small_cnn(widths: tuple[int, ...] = (16, 32, 64, 128)) -> nn.Sequential:
    """Four blocks of convolution, norm, pooling and ReLU, then a global max: (N, 3, H, W) -> (N, 128).

    Group norm, since in runs of a few hundred steps batch norm's running statistics lag behind, and the
    validation loss that chooses the epoch swings. ReLU after pooling gives the same numbers as before it, from a
    quarter of the values.
    """
    layers: list[nn.Module] = []
    for channels, width in zip((3, *widths), widths, strict=False):
        layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.GroupNorm(4, width)]
        layers += [nn.MaxPool2d(2), nn.ReLU()]
    model = nn.Sequential(*layers, GlobalMax())
    keras_init(model)
    return model


class GlobalMax(nn.Module):
    """(N, D, H, W) -> (N, D). Equal maxima share the gradient, as in Keras."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps.amax((2, 3))


class Vgg16(nn.Module):
    """torchvision's VGG16 without its top, then a global max: (N, 3, H, W) -> (N, 512). Keys as torchvision's."""

    def __init__(self) -> None:
        super().__init__()
        from torchvision.models import vgg16

        with torch.device("meta"):  # the top alone has 120 million parameters: never made
            self.features = vgg16(weights=None, init_weights=False).features
        self.features.to_empty(device="cpu")
        self.pool = GlobalMax()
        keras_init(self)

    def forward(self, images: Tensor) -> Tensor:
        return cast(Tensor, self.pool(self.features(images)))


def keras_init(module: nn.Module) -> None:
    """Keras' start: Glorot-uniform kernels, zero biases, for every convolution and dense layer."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _backbone(name: str) -> nn.Module:
    if name == "vgg16":
        return Vgg16()
    if name == "cnn":
        return small_cnn()
    import timm

    model = name.removeprefix(TIMM)
    check_model(model)
    return timm.create_model(model, pretrained=False, num_classes=0)


def _feature_width(backbone: nn.Module, shape: tuple[int, int, int], name: str) -> int:
    """Tried out, since timm's own figure is not always the size of what comes out."""
    height, width, _ = shape
    backbone.eval()
    try:
        with torch.inference_mode():
            features: Tensor = backbone(torch.zeros(1, 3, height, width))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise ConfigError(f"backbone {name} takes no images of {width}x{height} pixels ({error})") from error
    return features.shape[1]


def _normalisation(backbone: nn.Module) -> tuple[tuple[float, ...], tuple[float, ...]]:
    config = getattr(backbone, "pretrained_cfg", {})  # timm's; torchvision's VGG16 takes the usual figures
    return config.get("mean", IMAGENET_MEAN), config.get("std", IMAGENET_STD)


def _set_momentum(model: nn.Module, keras_momentum: float) -> None:
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.momentum = 1 - keras_momentum
