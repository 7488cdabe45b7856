"""Fitting and sampling of `latent-flow`: an autoencoder, then a flow on its latents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from synthbench import Context, Images, Labels, derive_seed
from synthbench_flow.autoencoder import Autoencoder, reconstruction_loss
from synthbench_flow.basis import ResidualNoise
from synthbench_flow.flow import Velocity, guided, integrate, matching_loss
from synthbench_flow.options import SHRINK, LatentFlowOptions
from synthbench_flow.sampler import Drawing, FlowSampler
from synthbench_flow.training import Plan, train
from synthbench_flow.unet import Unet
from synthbench_torchkit.batches import Members, balanced_draw, members_of
from synthbench_torchkit.device import layout, torch_device
from synthbench_torchkit.precision import autocast, warn_if_slow
from synthbench_torchkit.recipe import Precision
from synthbench_torchkit.state import save_tensors
from synthbench_torchkit.tensors import to_float

__all__ = ["Codec", "LatentFlowSampler", "fit_autoencoder", "fit_latent_flow"]

Floats = npt.NDArray[np.float32]

RESIDUALS = 500
"""Images of a class, evenly spaced, that tell what its residuals are like."""


@dataclass(frozen=True, eq=False)
class Codec:
    """An autoencoder between grey levels and standardised latents.

    mean, deviation  float32 (1, latents, 1, 1), of each channel over the training images
    """

    model: Autoencoder
    mean: Tensor
    deviation: Tensor

    @torch.no_grad()
    def encode(self, images: Images, places: npt.NDArray[np.int64], device: torch.device) -> Tensor:
        """Standardised latents (N, latents, H / 4, W / 4) of the images at `places`."""
        mean, _ = self.model.encode(scaled(images, places, device))
        return (mean - self.mean.to(device)) / self.deviation.to(device)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Floats:
        """Grey levels (N, H, W, C), not rounded, not clipped."""
        levels = self.model.decode(latents * self.deviation.to(latents) + self.mean.to(latents))
        return ((levels.permute(0, 2, 3, 1) + 1) * 127.5).cpu().numpy()


@dataclass(frozen=True, eq=False)
class LatentFlowSampler(FlowSampler):
    """`size` is that of the latents of an image, `guidance` the weight of the class."""

    network: Unet
    codec: Codec
    size: tuple[int, int, int]
    guidance: float
    precision: Precision

    @property
    def networks(self) -> Sequence[nn.Module]:
        return [self.network, self.codec.model]

    def draw(self, labels: Labels, rng: np.random.Generator) -> Floats:
        noise, classes = self.start(labels, self.size, rng)
        anyone = torch.full_like(classes, len(self.drawing.classes))
        velocity = guided(
            velocity_of(self.network, classes, self.precision),
            velocity_of(self.network, anyone, self.precision),
            self.guidance,
        )
        return self.codec.decode(integrate(velocity, noise, self.drawing.steps))


def fit_latent_flow(options: LatentFlowOptions, images: Images, ctx: Context) -> LatentFlowSampler:
    """Autoencoder, then flow, each going on from `ctx.resume`. Losses and weights go to `ctx.workdir`."""
    device, members = torch_device(ctx), members_of(images, options.name)
    warn_if_slow(device, options.precision, ctx)
    options.check_shape(images.shape)
    codec = fit_autoencoder(options, images, members, ctx)
    latents = torch.cat([codec.encode(images, places, device) for places in _parts(images, options)])
    noises = _left_out(codec, images, members, device) if options.residual else {}
    network = _fit_network(options, images, latents, members, ctx)
    codec.model.cpu()
    for name, weights in {"flow": network, "autoencoder": codec.model}.items():
        save_tensors(ctx.workdir / f"{name}.safetensors", weights.state_dict(), {"generator": options.name})
    about = (options.name, images.classes, tuple(members), images.shape)
    drawing = Drawing(*about, ctx.device, options.sampling_steps, options.sample_batch)
    channels, height, width = latents.shape[1:]
    size = (channels, height, width)
    return LatentFlowSampler(drawing, noises, network, codec, size, options.guidance, options.precision)


def fit_autoencoder(options: LatentFlowOptions, images: Images, members: Members, ctx: Context) -> Codec:
    """Trained on the device, where it stays."""
    device, n = torch_device(ctx), options.batch_size
    torch.manual_seed(derive_seed(ctx.seed, "autoencoder weights"))
    height, width, channels = images.shape
    model = Autoencoder(channels, options.latents, options.autoencoder_width).to(device)
    model = model.to(memory_format=layout(device))
    size = (n, options.latents, height // SHRINK, width // SHRINK)

    def loss(step: int) -> Tensor:
        rng = ctx.rng("autoencoder", step)
        chosen = balanced_draw(members, n, rng)
        noise = torch.from_numpy(rng.standard_normal(size, dtype=np.float32)).to(device)
        with autocast(device, options.precision):
            return reconstruction_loss(model, scaled(images, chosen, device), noise, options.divergence)

    plan = Plan.of(options, steps=options.autoencoder_steps)
    trained = train(model, loss, plan, ctx, "autoencoder", "autoencoder-losses.csv")
    plain = Codec(trained, torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1, 1))
    latents = torch.cat([plain.encode(images, places, device) for places in _parts(images, options)])
    mean, deviation = (f(latents, (0, 2, 3), keepdim=True).cpu() for f in (torch.mean, torch.std))
    return Codec(trained, mean, deviation.clamp_min(1e-6))


def _fit_network(
    options: LatentFlowOptions, images: Images, latents: Tensor, members: Members, ctx: Context
) -> Unet:
    torch.manual_seed(derive_seed(ctx.seed, "weights"))
    n, n_classes, device = options.batch_size, len(images.classes), latents.device
    network = Unet(latents.shape[1], n_classes, options.width, options.depth).to(device)
    network = network.to(memory_format=layout(device))
    labels = torch.tensor(images.labels, device=device)

    def loss(step: int) -> Tensor:
        rng = ctx.rng("step", step)
        chosen = torch.from_numpy(balanced_draw(members, n, rng)).to(device)
        noise = torch.from_numpy(rng.standard_normal((n, *latents.shape[1:]), dtype=np.float32)).to(device)
        times, hidden = (torch.from_numpy(rng.random(n, dtype=np.float32)).to(device) for _ in range(2))
        asked = torch.where(hidden < options.label_dropout, n_classes, labels[chosen])
        return matching_loss(velocity_of(network, asked, options.precision), latents[chosen], noise, times)

    return train(network, loss, Plan.of(options), ctx, "flow", "losses.csv").cpu()


def velocity_of(network: Unet, labels: Tensor, precision: Precision) -> Velocity:
    """Of images of these labels."""

    def velocity(x: Tensor, times: Tensor) -> Tensor:
        with autocast(x.device, precision):
            return cast(Tensor, network(x, times, labels))  # float32: the Gaussian's part is

    return velocity


def scaled(images: Images, places: npt.NDArray[np.int64], device: torch.device) -> Tensor:
    """The pixels at `places` as float32 (N, C, H, W) in -1..1."""
    return to_float(images.pixels[places], device) * 2 - 1


def _parts(images: Images, options: LatentFlowOptions) -> list[npt.NDArray[np.int64]]:
    places = np.arange(len(images))
    return [places[start : start + options.sample_batch] for start in range(0, len(images), options.sample_batch)]


def _left_out(codec: Codec, images: Images, members: Members, device: torch.device) -> dict[int, ResidualNoise]:
    noises = {}
    for label, places in members.items():
        some = places[:: 1 + len(places) // RESIDUALS]
        levels = codec.decode(codec.encode(images, some, device))
        noises[label] = ResidualNoise.fit(images.pixels[some] - levels)
    return noises
