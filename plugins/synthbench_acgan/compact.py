"""The pair of `acgan-tuned`: residual blocks of 3x3 convolutions. Nothing here knows how they are trained.

A fifth of the paper's operations: no kernel of 25 weights, and few channels where maps are large.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from synthbench_acgan.model import ChannelNorm, Network, eighth, one_hot
from synthbench_torchkit.tensors import doubled

__all__ = ["CompactDiscriminator", "CompactGenerator"]

SLOPE = 0.2
"""Of the discriminator's leaky ReLU, as in the paper's."""


class CompactGenerator(Network):
    """Noise and a label -> an image.

    z (N, latent) in -1..1, labels int64 (N,) -> images (N, channels, image_size, image_size) in 0..1
    """

    def __init__(self, image_size: int, channels: int, n_classes: int, *, latent: int, width: int) -> None:
        super().__init__()
        self.config = {
            "image_size": image_size,
            "channels": channels,
            "n_classes": n_classes,
            "latent": latent,
            "width": width,
        }
        self.start, known = eighth(image_size), latent + n_classes
        self.spread = nn.Linear(known, self.start * self.start * 4 * width)
        self.blocks = nn.ModuleList(
            UpBlock(inside, outside, known)
            for inside, outside in ((4 * width, 2 * width), (2 * width, width), (width, width // 2))
        )
        self.norm = ChannelNorm(width // 2)
        self.paint = nn.Conv2d(width // 2, channels, 3, padding=1)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        known = torch.cat([z, one_hot(labels, self.config["n_classes"], z.dtype)], dim=1)  # (N, latent + classes)
        x = self.spread(known).view(len(z), self.start, self.start, -1).permute(0, 3, 1, 2)  # (N, 4 width, s, s)
        for block in self.blocks:
            x = block(x, known)  # (N, 2 width | width | width / 2, 2s | 4s | 8s, the same), s = image_size / 8
        return torch.sigmoid(self.paint(F.relu(self.norm(x))))


class UpBlock(nn.Module):
    """(N, inside, H, W) -> (N, outside, 2H, 2W): two convolutions beside a shortcut.

    Noise and label scale and shift what goes into the convolutions, channel by channel.
    """

    def __init__(self, inside: int, outside: int, known: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(ChannelNorm(width) for width in (inside, outside))
        self.modulate = nn.ModuleList(nn.Linear(known, 2 * width) for width in (inside, outside))
        self.convs = nn.ModuleList(nn.Conv2d(width, outside, 3, padding=1) for width in (inside, outside))
        self.shortcut = nn.Conv2d(inside, outside, 1)

    def forward(self, x: Tensor, known: Tensor) -> Tensor:
        hidden = self.convs[0](doubled(self._modulated(x, known, 0)))
        hidden = self.convs[1](self._modulated(hidden, known, 1))
        wider: Tensor = doubled(self.shortcut(x)) + hidden
        return wider

    def _modulated(self, x: Tensor, known: Tensor, which: int) -> Tensor:
        scale, shift = self.modulate[which](known)[:, :, None, None].chunk(2, dim=1)
        return F.relu(self.norms[which](x) * (1 + scale) + shift)


class CompactDiscriminator(Network):
    """An image and a label -> how real. Class logits beside it where it has any (`heads`).

    images (N, channels, image_size, image_size) in -1..1, labels int64 (N,)
    -> tag (N,), unbounded, and logits (N, heads)

    projection  whether the tag rests on the label: with the features' product with what is learnt of the class
    heads       length of the logits, 0 for none
    """

    def __init__(
        self,
        image_size: int,
        channels: int,
        n_classes: int,
        *,
        width: int,
        projection: bool,
        heads: int,
        spectral: bool,
    ) -> None:
        super().__init__()
        self.config = {
            "image_size": image_size,
            "channels": channels,
            "n_classes": n_classes,
            "width": width,
            "projection": projection,
            "heads": heads,
            "spectral": spectral,
        }
        features = 8 * width
        self.enter = nn.Conv2d(channels, width, 4, stride=2, padding=1)
        self.blocks = nn.ModuleList(
            DownBlock(inside, outside, stride)
            for inside, outside, stride in (
                (width, 2 * width, 2),
                (2 * width, 4 * width, 2),
                (4 * width, 4 * width, 1),
            )
        )
        self.gather = nn.Linear(4 * width * eighth(image_size) ** 2, features)
        self.tag = nn.Linear(features, 1)
        self.classes = nn.Linear(n_classes, features, bias=False) if projection else None
        self.heads = nn.Linear(features, heads) if heads else None
        if spectral:
            for layer in [m for m in self.modules() if isinstance(m, nn.Conv2d | nn.Linear)]:
                spectral_norm(layer)

    def forward(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor | None]:
        x = self.enter(images)  # (N, width, 4s, 4s), s = image_size / 8
        for block in self.blocks:
            x = block(x)  # (N, 2 width | 4 width | 4 width, 2s | s | s, the same)
        x = F.leaky_relu(self.gather(F.leaky_relu(x, SLOPE).flatten(1)), SLOPE)  # (N, 8 width)
        tag = self.tag(x).squeeze(1)
        if self.classes is not None:
            tag = tag + (self.classes(one_hot(labels, self.config["n_classes"], x.dtype)) * x).sum(dim=1)
        return tag, None if self.heads is None else self.heads(x)


class DownBlock(nn.Module):
    """(N, inside, H, W) -> (N, outside, H / stride, W / stride): two convolutions beside a shortcut."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            [nn.Conv2d(inside, inside, 3, padding=1), nn.Conv2d(inside, outside, 3, stride, padding=1)]
        )
        self.shortcut, self.stride = nn.Conv2d(inside, outside, 1), stride

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.convs[0](F.leaky_relu(x, SLOPE))
        hidden = self.convs[1](F.leaky_relu(hidden, SLOPE))
        narrower: Tensor = self.shortcut(F.avg_pool2d(x, self.stride)) + hidden
        return narrower
