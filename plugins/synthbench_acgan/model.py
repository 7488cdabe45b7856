"""The paper's two networks. Nothing here knows how they are trained.

Both keep Keras' conventions, so that weights could be carried over by a transpose alone: "same" padding is
Keras' (asymmetric where the stride is 2), and where a map becomes a vector or a vector a map, the order
is (height, width, channel). They run fastest in channels-last memory.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = [
    "ChannelNorm",
    "Discriminator",
    "Generator",
    "Network",
    "SameConv",
    "SameConvTranspose",
    "eighth",
    "one_hot",
]

Filters = tuple[int, int, int, int]
STRIDES = 8
"""Three layers of stride 2: the generator starts, and the discriminator ends, at an eighth of the size."""


class Network(nn.Module):
    """A generator, z (N, latent) in -1..1 and labels int64 (N,) -> images in 0..1, or a discriminator.

    config  what it was made with; a generator's has image_size, channels, n_classes and latent
    """

    config: dict[str, Any]


class Generator(Network):
    """Noise and a label -> an image. Made without arguments it is the paper's: 19,616,963 parameters.

    z (N, latent) in -1..1, labels int64 (N,) -> images (N, channels, image_size, image_size) in 0..1
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        n_classes: int = 2,
        *,
        latent: int = 100,
        dense: int = 1024,
        filters: Filters = (256, 128, 64, 32),
        kernel: int = 5,
    ) -> None:
        super().__init__()
        self.config = {
            "image_size": image_size,
            "channels": channels,
            "n_classes": n_classes,
            "latent": latent,
            "dense": dense,
            "filters": tuple(filters),
            "kernel": kernel,
        }
        self.start = eighth(image_size)
        self.widen = nn.Linear(latent + n_classes, dense)
        self.spread = nn.Linear(dense, self.start * self.start * filters[0])
        widths = (filters[0], *filters)
        self.norms = nn.ModuleList(ChannelNorm(width) for width in widths[:4])
        self.convs = nn.ModuleList(
            SameConvTranspose(inside, outside, kernel, stride)
            for inside, outside, stride in zip(widths[:4], filters, (2, 2, 2, 1), strict=True)
        )
        self.paint = SameConvTranspose(filters[3], channels, kernel, 1)
        _initialise(self)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        x = torch.cat([z, one_hot(labels, self.config["n_classes"], z.dtype)], dim=1)  # (N, latent + classes)
        x = self.spread(self.widen(x))  # (N, s * s * filters[0]), s = image_size / 8
        x = x.view(len(z), self.start, self.start, -1).permute(0, 3, 1, 2)  # (N, filters[0], s, s)
        for norm, conv in zip(self.norms, self.convs, strict=True):
            x = conv(F.relu(norm(x)))  # (N, filters[i], 2s | 4s | 8s | 8s, the same)
        return torch.sigmoid(self.paint(x))  # (N, channels, image_size, image_size)

    def regularised(self) -> list[Tensor]:
        """The kernels that carry the L2 penalty."""
        return [self.spread.weight]


class Discriminator(Network):
    """An image -> how real, and of which class. Made without arguments it is the paper's: 5,289,539 parameters.

    images (N, channels, image_size, image_size) in 0..1
    -> tag (N,), trained to 1 real and 0 fake, unbounded; probabilities (N, n_classes), rows sum to 1
    """

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        n_classes: int = 2,
        *,
        dense: int = 256,
        filters: Filters = (32, 64, 128, 256),
        kernel: int = 5,
        slope: float = 0.2,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.config = {
            "image_size": image_size,
            "channels": channels,
            "n_classes": n_classes,
            "dense": dense,
            "filters": tuple(filters),
            "kernel": kernel,
            "slope": slope,
            "dropout": dropout,
        }
        self.slope = slope
        widths = (channels, *filters)
        self.convs = nn.ModuleList(
            SameConv(inside, outside, kernel, stride)
            for inside, outside, stride in zip(widths[:4], filters, (2, 2, 2, 1), strict=True)
        )
        features = filters[3] * eighth(image_size) ** 2
        self.tag = nn.Linear(features, 1)
        self.hidden = nn.Linear(features, dense)
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(dense, n_classes)
        _initialise(self)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        tag, logits = self.logits(images)
        return tag, logits.softmax(dim=1)

    def logits(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The tag, and what the softmax is taken of, (N, n_classes): what label losses start from."""
        x = images
        for conv in self.convs:
            x = F.leaky_relu(conv(x), self.slope)  # (N, filters[i], 4s | 2s | s | s, the same), s = image_size / 8
        x = x.permute(0, 2, 3, 1).flatten(1)  # (N, s * s * filters[3])
        labels = self.classify(self.dropout(self.hidden(x)))  # (N, n_classes); both layers are linear
        return self.tag(x).squeeze(1), labels

    def regularised(self) -> list[Tensor]:
        """The kernels that carry the L2 penalty."""
        return [*(conv.weight for conv in self.convs), self.hidden.weight]  # type: ignore[list-item]


class SameConv(nn.Conv2d):
    """Keras' Conv2D(padding="same") on sizes the stride divides: kernel 5, stride 2 pads 1 and 2."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int) -> None:
        super().__init__(inside, outside, kernel, stride)
        self.before, self.after = _same(kernel, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inside, H, W) -> (N, outside, H / stride, W / stride)"""
        if self.before == self.after:
            return F.conv2d(x, self.weight, self.bias, self.stride, self.before)
        x = F.pad(x, (self.before, self.after, self.before, self.after))
        return F.conv2d(x, self.weight, self.bias, self.stride)


class SameConvTranspose(nn.ConvTranspose2d):
    """Keras' Conv2DTranspose(padding="same"): the transpose of `SameConv`, cropped by 1 and 2."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int) -> None:
        super().__init__(inside, outside, kernel, stride)
        self.before, self.after = _same(kernel, stride)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]  # no output size to choose
        """(N, inside, H, W) -> (N, outside, H * stride, W * stride)"""
        x = F.conv_transpose2d(x, self.weight, self.bias, self.stride, self.before)
        extra = self.after - self.before
        return x[:, :, : x.shape[2] - extra, : x.shape[3] - extra] if extra else x


class ChannelNorm(nn.LayerNorm):
    """Keras' LayerNormalization on a map: over the channels of each pixel alone, variance + 1e-3, affine."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same"""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def one_hot(labels: Tensor, n_classes: int, dtype: torch.dtype) -> Tensor:
    """int64 (N,) -> (N, n_classes) of zeros and ones"""
    return torch.eye(n_classes, dtype=dtype, device=labels.device)[labels]


def _same(kernel: int, stride: int) -> tuple[int, int]:
    """Rows added before and after a map whose size the stride divides, for kernel >= stride."""
    total = kernel - stride
    return total // 2, total - total // 2


def eighth(image_size: int) -> int:
    """The side of a map after three halvings. Raises ValueError where they do not go through."""
    if image_size <= 0 or image_size % STRIDES:
        raise ValueError(f"image_size must be a multiple of {STRIDES}, found {image_size}")
    return image_size // STRIDES


def _initialise(module: nn.Module) -> None:
    """Keras' defaults: Glorot-uniform kernels, zero biases (norms start as the identity in both)."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
