"""A step of the paper's training. Its randomness follows from (seed, step), so a resume is exact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from synthbench import Context, Images, derive_seed
from synthbench_acgan.loop import train
from synthbench_acgan.model import Discriminator, Generator, one_hot
from synthbench_acgan.optim import RMSprop
from synthbench_acgan.options import Options
from synthbench_torchkit.device import torch_device
from synthbench_torchkit.precision import autocast, warn_if_slow
from synthbench_torchkit.state import join, select
from synthbench_torchkit.tensors import to_float

__all__ = ["Batch", "Losses", "Players", "fit", "train_step"]

CLIP = 1e-7
"""Keras' epsilon: probabilities are clipped to CLIP..1 - CLIP before their logarithm."""


class Losses(NamedTuple):
    """Of one step, without the L2 terms, as the notebook prints them."""

    d_tag: float
    d_label: float
    g_tag: float
    g_label: float


@dataclass(frozen=True, eq=False)
class Batch:
    """What one step draws."""

    real: Tensor  # (N, C, H, W) in 0..1
    real_labels: Tensor  # int64 (N,)
    fake_labels: Tensor  # int64 (N,), of the discriminator's fakes and of the generator's
    d_noise: Tensor  # (N, latent) in -1..1, of the fakes that the discriminator learns from
    g_noise: Tensor  # (N, latent) in -1..1, of those that the generator learns from


class Players:
    """Both networks with their optimisers."""

    def __init__(self, config: Options, image_size: int, channels: int, n_classes: int) -> None:
        shape = (image_size, channels, n_classes)
        self.generator = Generator(*shape, **config.generator_options())
        self.discriminator = Discriminator(*shape, **config.discriminator_options())
        self.l2 = config.l2
        self.scale = config.generator_scale
        self.label_loss = config.label_loss
        self.precision = config.precision
        self.rate, self.decay = config.learning_rate, config.weight_decay
        self.to(torch.device("cpu"))

    def to(self, device: torch.device, dtype: torch.dtype = torch.float32) -> Players:
        """Move both networks, in channels-last memory (twice as fast here), and start new optimisers."""
        for module in (self.generator, self.discriminator):
            module.to(device, dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
        scale = self.scale
        self.g_optimiser = RMSprop(self.generator, self.rate * scale, self.decay * scale)
        self.d_optimiser = RMSprop(self.discriminator, self.rate, self.decay)
        return self

    def state(self) -> dict[str, Tensor]:
        """All that the next step depends on."""
        return join(
            {
                "generator": self.generator.state_dict(),
                "discriminator": self.discriminator.state_dict(),
                "generator_squares": self.g_optimiser.squares,
                "discriminator_squares": self.d_optimiser.squares,
            }
        )

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` returned."""
        self.generator.load_state_dict(select(state, "generator"))
        self.discriminator.load_state_dict(select(state, "discriminator"))
        self.g_optimiser.load(select(state, "generator_squares"))
        self.d_optimiser.load(select(state, "discriminator_squares"))

    def kept(self) -> Mapping[str, Generator | Discriminator]:
        """The networks by the names of their files."""
        return {"generator": self.generator, "discriminator": self.discriminator}


def fit(config: Options, images: Images, ctx: Context) -> Generator:
    """Train up to `config.steps`, going on from `ctx.resume`; losses, grids and weights go to `ctx.workdir`."""
    size, _, channels = images.shape
    device = torch_device(ctx)
    warn_if_slow(device, config.precision, ctx)
    torch.manual_seed(derive_seed(ctx.seed, "weights"))  # layers draw their start from torch's global state
    players = Players(config, size, channels, len(images.classes)).to(device)

    def step(number: int) -> Losses:
        batch = draw_batch(config, images, ctx, number)
        # Dropout draws from the global state, too: set anew each step, a resumed run has the same masks.
        torch.manual_seed(derive_seed(ctx.seed, "dropout", number))
        return train_step(players, batch)

    train(players, step, Losses._fields, config, ctx)
    return players.generator


def draw_batch(config: Options, images: Images, ctx: Context, step: int) -> Batch:
    """Reals with replacement, fake labels uniform over the classes, noise uniform in -1..1."""
    rng = ctx.rng("step", step)
    n, device = config.batch_size, ctx.device
    chosen = rng.integers(len(images), size=n)
    fake_labels = rng.integers(len(images.classes), size=n)
    noise = rng.uniform(-1, 1, size=(2, n, config.latent)).astype(np.float32)
    d_noise, g_noise = torch.from_numpy(noise).to(device)
    return Batch(
        real=to_float(images.pixels[chosen], device),
        real_labels=torch.from_numpy(images.labels[chosen]).to(device),
        fake_labels=torch.from_numpy(fake_labels).to(device),
        d_noise=d_noise,
        g_noise=g_noise,
    )


def train_step(players: Players, batch: Batch) -> Losses:
    """The discriminator once on reals and fakes together, then the generator once against the result."""
    d_tag, d_label = _discriminator_step(players, batch)
    g_tag, g_label = _generator_step(players, batch)
    return Losses(*torch.stack([d_tag, d_label, g_tag, g_label]).tolist())  # one wait for a GPU, not four


def _discriminator_step(players: Players, batch: Batch) -> tuple[Tensor, Tensor]:
    d = players.discriminator
    with torch.no_grad():  # the generator learns nothing here
        fake = _fakes(players, batch.d_noise, batch)
    both = torch.cat([batch.real, fake])  # (2N, C, H, W)
    labels = torch.cat([batch.real_labels, batch.fake_labels])  # it learns the classes from fakes as well
    target = torch.cat([torch.ones_like(batch.d_noise[:, 0]), torch.zeros_like(batch.d_noise[:, 0])])
    tag, label = _losses(players, both, target, labels)
    (tag + label).backward(inputs=list(d.parameters()))  # type: ignore[no-untyped-call]
    _add_l2(d.regularised(), players.l2)
    players.d_optimiser.step()
    return tag.detach(), label.detach()


def _generator_step(players: Players, batch: Batch) -> tuple[Tensor, Tensor]:
    g = players.generator
    fake = _fakes(players, batch.g_noise, batch)
    as_real = torch.ones_like(batch.g_noise[:, 0])  # the generator wants its images taken for real
    tag, label = _losses(players, fake, as_real, batch.fake_labels)
    (tag + label).backward(inputs=list(g.parameters()))  # type: ignore[no-untyped-call]  # not D's: saves time
    _add_l2(g.regularised(), players.l2)
    players.g_optimiser.step()
    return tag.detach(), label.detach()


def _fakes(players: Players, noise: Tensor, batch: Batch) -> Tensor:
    """(N, C, H, W) in the type of the reals."""
    with autocast(noise.device, players.precision):
        return cast(Tensor, players.generator(noise, batch.fake_labels)).to(batch.real)


def _losses(players: Players, images: Tensor, target: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Squared error of the tag; the label loss, averaged over images and outputs. Dropout is on."""
    with autocast(images.device, players.precision):
        tag, logits = players.discriminator.logits(images)
    tag, logits = tag.to(images), logits.to(images)  # a loss in bf16 would have two digits
    truth = one_hot(labels, logits.shape[1], logits.dtype)
    return F.mse_loss(tag, target), LABEL_LOSSES[players.label_loss](logits, truth)


def _softmax_crossentropy(logits: Tensor, truth: Tensor) -> Tensor:
    clipped = logits.softmax(dim=1).clamp(CLIP, 1 - CLIP)
    # by hand: F.binary_cross_entropy meets a NaN with its own error, on a GPU one that ends the process
    return -torch.where(truth > 0, clipped, 1 - clipped).log().mean()


LABEL_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "softmax": _softmax_crossentropy,
    # Keras 2 takes the logits that it remembers of a softmax for those of a sigmoid (keras-team/keras#15271).
    "keras": F.binary_cross_entropy_with_logits,
}


@torch.no_grad()
def _add_l2(kernels: list[Tensor], l2: float) -> None:
    """Keras adds l2 * sum(w^2) to the loss: here its gradient, without a pass through autograd."""
    for kernel in kernels:
        assert kernel.grad is not None
        kernel.grad.add_(kernel, alpha=2 * l2)
