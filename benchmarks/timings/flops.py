"""Floating-point operations of the networks, as torch counts them: convolutions and matrix products alone.

A multiplication and an addition count as two. All of them grow with the batch, so two images tell.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from synthbench_acgan.model import Generator
from synthbench_acgan.plugin import ACGAN, ACGANTuned
from synthbench_acgan.train import Batch, Players, train_step
from synthbench_acgan.tuned import Batch as TunedBatch
from synthbench_acgan.tuned import TunedPlayers
from synthbench_acgan.tuned import train_step as tuned_train_step
from synthbench_torchkit.backbones import ImageClassifier, build_classifier
from synthbench_torchkit.recipe import Recipe

__all__ = [
    "acgan_step",
    "classifier_forward",
    "classifier_step",
    "counted",
    "generator_forward",
    "matmul",
    "tuned_step",
]

FEW = 2


def counted(work: Callable[[], object]) -> float:
    """FLOPs of `work`."""
    with FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops())


def acgan_step(batch_size: int, image_size: int = 64, channels: int = 3) -> float:
    """One update of both networks from `batch_size` real images."""
    players = Players(ACGAN(), image_size, channels, 2)
    labels = torch.from_numpy(np.arange(FEW))
    batch = Batch(
        real=torch.rand(FEW, channels, image_size, image_size),
        real_labels=labels,
        fake_labels=labels,
        d_noise=torch.rand(FEW, ACGAN().latent),
        g_noise=torch.rand(FEW, ACGAN().latent),
    )
    return counted(lambda: train_step(players, batch)) / FEW * batch_size


def tuned_step(batch_size: int, image_size: int = 64, channels: int = 3) -> float:
    """The same of `acgan-tuned`, but for R1 in every 16th step: torch's counter fails at its second derivative."""
    config = ACGANTuned(r1=0)
    players, labels = TunedPlayers(config, image_size, channels, 2), torch.from_numpy(np.arange(FEW))
    real = torch.rand(FEW, channels, image_size, image_size)
    batch = TunedBatch(real=real, real_labels=labels, fake_labels=labels, noise=torch.rand(FEW, config.latent))
    rng = np.random.default_rng(0)
    return counted(lambda: tuned_train_step(players, batch, 0, rng)) / FEW * batch_size


def generator_forward(generator: Generator, n: int) -> float:
    """Drawing `n` images."""
    weight = generator.widen.weight
    noise, labels = torch.rand(FEW, generator.config["latent"]).to(weight), torch.zeros(FEW, dtype=torch.int64)
    with torch.no_grad():
        return counted(lambda: generator(noise, labels)) / FEW * n


def classifier_forward(recipe: Recipe, shape: tuple[int, int, int], n: int) -> float:
    """Classifying `n` images (H, W, C)."""
    model, images = _classifier(recipe, shape)
    with torch.no_grad():
        return counted(lambda: model(images)) / FEW * n


def classifier_step(recipe: Recipe, shape: tuple[int, int, int], n: int) -> float:
    """A forward and a backward pass of `n` images: nearly three times the forward pass."""
    model, images = _classifier(recipe, shape)
    return counted(lambda: model(images).sum().backward()) / FEW * n


def matmul(side: int) -> float:
    """The product of two square matrices."""
    return 2.0 * side**3


def _classifier(recipe: Recipe, shape: tuple[int, int, int]) -> tuple[ImageClassifier, torch.Tensor]:
    height, width, channels = shape
    return build_classifier(recipe, shape, 2).train(), torch.rand(FEW, channels, height, width)
