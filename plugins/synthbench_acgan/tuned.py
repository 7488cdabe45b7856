"""A step of `acgan-tuned`'s training. Its randomness follows from (seed, step), so a resume is exact.

The losses are the logistic ones of the first GAN, the generator's the non-saturating (Goodfellow et al., 2014).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from synthbench import Context, Images, derive_seed
from synthbench_acgan.augment import augmented
from synthbench_acgan.compact import CompactDiscriminator, CompactGenerator
from synthbench_acgan.loop import train
from synthbench_acgan.model import Network
from synthbench_acgan.options import TunedOptions
from synthbench_torchkit.averaging import average_of, update_average
from synthbench_torchkit.batches import Members, balanced_draw, members_of
from synthbench_torchkit.device import layout, torch_device
from synthbench_torchkit.precision import autocast, warn_if_slow
from synthbench_torchkit.state import join, load_moments, moments, select
from synthbench_torchkit.tensors import to_float

__all__ = ["TunedPlayers", "draw_batch", "fit", "train_step"]

BETAS = (0.0, 0.99)
"""Adam's. Without momentum: the other network moves on, and the gradients of before with it."""

COLUMNS = ("d_tag", "d_label", "r1", "g_tag", "g_label")
"""Of losses.csv. `r1` is the squared gradient, 0 where it was not taken; label losses are 0 with projection."""

R1_EVERY = 16
"""Steps between two of the penalty, which then weighs as many times as much (Karras et al., 2020)."""


@dataclass(frozen=True, eq=False)
class Batch:
    """What one step draws."""

    real: Tensor  # (N, C, H, W) in 0..1
    real_labels: Tensor  # int64 (N,)
    fake_labels: Tensor  # int64 (N,)
    noise: Tensor  # (N, latent) in -1..1, of the fakes, from which both networks learn


class TunedPlayers:
    """Both networks with their optimisers, and the average of the generator."""

    def __init__(self, config: TunedOptions, image_size: int, channels: int, n_classes: int) -> None:
        shape = (image_size, channels, n_classes)
        self.config, self.n_classes = config, n_classes
        self.generator = CompactGenerator(*shape, latent=config.latent, width=config.width)
        heads = {"projection": 0, "auxiliary": n_classes, "discriminative": 2 * n_classes}[config.conditioning]
        self.discriminator = CompactDiscriminator(
            *shape,
            width=config.width,
            projection=config.conditioning == "projection",
            heads=heads,
            spectral=config.spectral_norm,
        )
        self.to(torch.device("cpu"))

    def to(self, device: torch.device) -> TunedPlayers:
        """Move both networks and start a new average and new optimisers."""
        for module in (self.generator, self.discriminator):
            module.to(device).to(memory_format=layout(device))
        self.average = average_of(self.generator)
        self.g_optimiser, self.d_optimiser = (
            torch.optim.Adam(module.parameters(), self.config.learning_rate, BETAS)
            for module in (self.generator, self.discriminator)
        )
        return self

    def state(self) -> Mapping[str, Tensor]:
        """All that the next step depends on."""
        return join(
            {
                "generator": self.generator.state_dict(),
                "average": self.average.state_dict(),
                "discriminator": self.discriminator.state_dict(),
                "generator_adam": moments(self.generator, self.g_optimiser),
                "discriminator_adam": moments(self.discriminator, self.d_optimiser),
            }
        )

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` returned."""
        self.generator.load_state_dict(select(state, "generator"))
        self.average.load_state_dict(select(state, "average"))
        self.discriminator.load_state_dict(select(state, "discriminator"))
        load_moments(self.generator, self.g_optimiser, select(state, "generator_adam"))
        load_moments(self.discriminator, self.d_optimiser, select(state, "discriminator_adam"))

    def kept(self) -> Mapping[str, Network]:
        """The networks by the names of their files."""
        return {"generator": self.average, "discriminator": self.discriminator}


def fit(config: TunedOptions, images: Images, ctx: Context) -> CompactGenerator:
    """Train up to `config.steps`, going on from `ctx.resume`; losses, grids and weights go to `ctx.workdir`."""
    size, _, channels = images.shape
    device, members = torch_device(ctx), members_of(images, config.name)
    warn_if_slow(device, config.precision, ctx)
    torch.manual_seed(derive_seed(ctx.seed, "weights"))  # layers draw their start from torch's global state
    players = TunedPlayers(config, size, channels, len(images.classes)).to(device)

    def step(number: int) -> Sequence[float]:
        rng = ctx.rng("step", number)
        batch = draw_batch(config, images, members, device, rng)
        losses = train_step(players, batch, number, rng)
        return cast(list[float], torch.stack(losses).tolist())  # one wait for a GPU, not five

    train(players, step, COLUMNS, config, ctx)
    return players.average


def draw_batch(
    config: TunedOptions, images: Images, members: Members, device: torch.device, rng: np.random.Generator
) -> Batch:
    """Reals with replacement, fake labels uniform over the classes, noise uniform in -1..1."""
    n = config.batch_size
    chosen = balanced_draw(members, n, rng) if config.balanced else rng.integers(len(images), size=n)
    fake_labels = rng.choice(list(members), n)
    noise = rng.uniform(-1, 1, (n, config.latent)).astype(np.float32)
    return Batch(
        real=to_float(images.pixels[chosen], device),
        real_labels=torch.from_numpy(images.labels[chosen]).to(device),
        fake_labels=torch.from_numpy(fake_labels).to(device),
        noise=torch.from_numpy(noise).to(device),
    )


def train_step(players: TunedPlayers, batch: Batch, number: int, rng: np.random.Generator) -> tuple[Tensor, ...]:
    """The discriminator once on reals and fakes together, then the generator once, by the same fakes, against the
    result; its average follows. Returns the losses of `COLUMNS`; `rng` decides the augmentation."""
    with autocast(batch.noise.device, players.config.precision):
        fake = cast(Tensor, players.generator(batch.noise, batch.fake_labels)).float()
    d_losses = _discriminator_step(players, batch, fake.detach(), number, rng)
    g_losses = _generator_step(players, batch, fake, rng)
    update_average(players.average, players.generator, players.config.ema, number)
    return tuple(loss.detach() for loss in (*d_losses, *g_losses))


def _discriminator_step(
    players: TunedPlayers, batch: Batch, fake: Tensor, number: int, rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    config, n = players.config, len(fake)
    labels = torch.cat([batch.real_labels, batch.fake_labels])
    seen = augmented(torch.cat([batch.real, fake]) * 2 - 1, config.augment, rng)  # (2N, C, H, W)
    tag, logits = _judged(players, seen, labels)
    tag_loss = F.softplus(-tag[:n]).mean() + F.softplus(tag[n:]).mean()
    targets = labels.clone()
    if config.conditioning == "discriminative":
        targets[n:] += players.n_classes  # a fake of a class is another class than a real one of it
    label_loss = torch.zeros_like(tag_loss) if logits is None else F.cross_entropy(logits, targets)
    penalty = torch.zeros_like(tag_loss)
    if config.r1 and number % R1_EVERY == 0:
        penalty = _squared_gradient(players, seen[:n], batch.real_labels)
    loss = tag_loss + label_loss + R1_EVERY * config.r1 / 2 * penalty
    loss.backward(inputs=list(players.discriminator.parameters()))  # type: ignore[no-untyped-call]
    _update(players.d_optimiser)
    return tag_loss, label_loss, penalty


def _generator_step(
    players: TunedPlayers, batch: Batch, fake: Tensor, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    labels = batch.fake_labels
    tag, logits = _judged(players, augmented(fake * 2 - 1, players.config.augment, rng), labels)
    tag_loss = F.softplus(-tag).mean()  # the generator wants its images taken for real
    match players.config.conditioning:
        case "auxiliary" if logits is not None:
            label_loss = F.cross_entropy(logits, labels)
        case "discriminative" if logits is not None:  # log p(fake of the class) - log p(real of the class)
            own = torch.arange(len(labels), device=labels.device)
            label_loss = (logits[own, labels + players.n_classes] - logits[own, labels]).mean()
        case _:
            label_loss = torch.zeros_like(tag_loss)
    loss = tag_loss + label_loss
    loss.backward(inputs=list(players.generator.parameters()))  # type: ignore[no-untyped-call]  # not D's: saves time
    _update(players.g_optimiser)
    return tag_loss, label_loss


def _judged(players: TunedPlayers, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor | None]:
    """Tag and logits, in float32: a loss in bf16 would have two digits."""
    with autocast(images.device, players.config.precision):
        tag, logits = players.discriminator(images, labels)
    return tag.float(), None if logits is None else logits.float()


def _squared_gradient(players: TunedPlayers, images: Tensor, labels: Tensor) -> Tensor:
    """Of the tag at real images, mean over them (R1: Mescheder, Geiger & Nowozin, ICML 2018). In float32."""
    images = images.detach().requires_grad_()
    tag, _ = players.discriminator(images, labels)
    (gradient,) = torch.autograd.grad(tag.sum(), images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()


def _update(optimiser: torch.optim.Optimizer) -> None:
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
