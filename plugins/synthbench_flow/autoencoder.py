"""The autoencoder of `latent-flow`: images of a quarter of their side and a few channels, and back.

A variational one with a faint prior, as beneath latent diffusion (Rombach et al., "High-resolution image synthesis
with latent diffusion models", CVPR 2022), without its adversary and its perceptual loss.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synthbench_torchkit.tensors import doubled

__all__ = ["Autoencoder", "reconstruction_loss"]


class Autoencoder(nn.Module):
    """Images (N, C, H, W) in -1..1 <-> latents (N, latents, H / 4, W / 4)."""

    def __init__(self, channels: int, latents: int, width: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(2),  # (N, 4 C, H / 2, W / 2): at full size a convolution costs most
            nn.Conv2d(4 * channels, width, 3, padding=1),
            Residual(width),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),  # (N, 2 width, H / 4, W / 4)
            Residual(2 * width),
            nn.Conv2d(2 * width, 2 * latents, 3, padding=1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(latents, 2 * width, 3, padding=1),
            Residual(2 * width),
            Doubled(),
            nn.Conv2d(2 * width, width, 3, padding=1),  # (N, width, H / 2, W / 2)
            Residual(width),
            nn.GroupNorm(_groups(width), width),
            nn.SiLU(),
            nn.Conv2d(width, 4 * channels, 3, padding=1),
            nn.PixelShuffle(2),
        )

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of the latents."""
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        return mean, log_variance.clamp(-20, 10)

    def decode(self, latents: Tensor) -> Tensor:
        """Images, nominally in -1..1."""
        images: Tensor = self.decoder(latents)
        return images


class Doubled(nn.Module):
    """`doubled` as a layer."""

    def forward(self, x: Tensor) -> Tensor:
        return doubled(x)


class Residual(nn.Module):
    """Two 3x3 convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [nn.GroupNorm(_groups(width), width), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.layers(x)
        return x + change


def reconstruction_loss(model: Autoencoder, images: Tensor, noise: Tensor, prior: float) -> Tensor:
    """Mean absolute error of pixels and of their differences to the right and below, and `prior` times the mean
    Kullback-Leibler divergence of the latents from a standard normal. `noise` is standard normal, as the latents.

    The differences keep edges: an error of pixels alone is lowest where what is uncertain is blurred.
    """
    mean, log_variance = (part.float() for part in model.encode(images))  # under autocast they come in bf16
    error = model.decode(mean + (log_variance / 2).exp() * noise).float() - images
    edges = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
    divergence = (mean**2 + log_variance.exp() - 1 - log_variance).mean() / 2
    return F.l1_loss(error, torch.zeros_like(error)) + edges + prior * divergence


def _groups(width: int) -> int:
    """Of a group norm: eight, or fewer for a width that eight does not divide."""
    return next(groups for groups in (8, 4, 2, 1) if width % groups == 0)
