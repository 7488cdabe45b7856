"""Fitting and sampling of `pca-flow`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from synthbench import Context, DataError, Images, Labels, Pixels, derive_seed
from synthbench_flow.basis import Basis, ResidualNoise
from synthbench_flow.flow import integrate, matching_loss
from synthbench_flow.mlp import ResidualMlp
from synthbench_flow.options import PcaFlowOptions
from synthbench_flow.training import Plan, train
from synthbench_torchkit.device import torch_device
from synthbench_torchkit.state import save_tensors

__all__ = ["PcaFlowSampler", "balanced_draw", "fit_pca_flow"]

Floats = npt.NDArray[np.float32]
Index = npt.NDArray[np.int64]
Members = Mapping[int, Index]
"""Places of the images of each class that has any, by label."""

RESIDUALS = 500
"""Images of a class, evenly spaced, that tell what its residuals are like."""


@dataclass(frozen=True, eq=False)
class PcaFlowSampler:
    """Draws images. Pickles: the weights lie in main memory, `device` does the work.

    bases   by label; the same one for all where it is shared
    noises  by label; none where the residual is left out
    """

    network: ResidualMlp
    bases: Mapping[int, Basis]
    noises: Mapping[int, ResidualNoise]
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    device: str
    steps: int
    batch: int

    def __call__(self, labels: Labels, rng: np.random.Generator) -> Pixels:
        for label in np.unique(labels):
            if label not in self.bases:
                raise DataError(f"no training images of class {self.classes[label]!r}: pca-flow cannot draw any")
        pixels = np.empty((len(labels), *self.shape), dtype=np.uint8)
        self.network.to(self.device)
        try:
            for start in range(0, len(labels), self.batch):
                batch = slice(start, start + self.batch)
                coordinates = self._flow(labels[batch], rng)
                pixels[batch] = self._decode(coordinates, labels[batch], rng)
        finally:
            self.network.cpu()
        return pixels

    def _flow(self, labels: Labels, rng: np.random.Generator) -> Floats:
        """Whitened coordinates (N, k)."""
        size = self.network.leave.out_features
        noise = torch.from_numpy(rng.standard_normal((len(labels), size), dtype=np.float32)).to(self.device)
        classes = torch.tensor(labels, device=self.device)
        data = integrate(lambda x, t: self.network(x, t, classes), noise, self.steps)
        return data.cpu().numpy()

    def _decode(self, coordinates: Floats, labels: Labels, rng: np.random.Generator) -> Pixels:
        values = np.empty((len(labels), *self.shape), dtype=np.float32)
        for label in np.unique(labels):
            places = np.flatnonzero(labels == label)
            values[places] = self.bases[label].decode(coordinates[places]).reshape(-1, *self.shape)
            if label in self.noises:
                values[places] += self.noises[label].draw(len(places), rng)
        return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def fit_pca_flow(options: PcaFlowOptions, images: Images, ctx: Context) -> PcaFlowSampler:
    """Components, residuals, then the flow, going on from `ctx.resume`. Losses and weights go to `ctx.workdir`."""
    device, members = torch_device(ctx), _members(images)
    bases = _fit_bases(options, images, members, ctx)
    codes, noises = _encode(images, members, bases, residual=options.residual)
    torch.manual_seed(derive_seed(ctx.seed, "weights"))  # layers draw their start from torch's global state
    shape = (codes.shape[1], len(images.classes), options.width, options.depth)
    network = ResidualMlp(*shape, options.dropout).to(device)
    coordinates, labels = torch.from_numpy(codes).to(device), torch.tensor(images.labels, device=device)

    def loss(step: int) -> Tensor:
        rng = ctx.rng("step", step)
        chosen = torch.from_numpy(balanced_draw(members, options.batch_size, rng)).to(device)
        noise = rng.standard_normal((options.batch_size, codes.shape[1]), dtype=np.float32)
        times = torch.from_numpy(rng.random(options.batch_size, dtype=np.float32)).to(device)
        asked = labels[chosen]
        return matching_loss(
            lambda x, t: network(x, t, asked), coordinates[chosen], torch.from_numpy(noise).to(device), times
        )

    plan = Plan(**options.model_dump(include=set(Plan.__dataclass_fields__)))
    trained = train(network, loss, plan, ctx, "flow", "losses.csv").cpu()
    save_tensors(ctx.workdir / "flow.safetensors", trained.state_dict(), {"shape": shape})
    drawing = (images.classes, images.shape, ctx.device, options.sampling_steps, options.sample_batch)
    return PcaFlowSampler(trained, bases, noises, *drawing)


def balanced_draw(members: Members, n: int, rng: np.random.Generator) -> Index:
    """n places, with replacement: each class is as likely as another, and within it each image."""
    pools = list(members.values())
    sizes = np.array([len(pool) for pool in pools])
    starts, which = np.cumsum(sizes) - sizes, rng.integers(len(pools), size=n)
    drawn: Index = np.concatenate(pools)[starts[which] + rng.integers(sizes[which])]
    return drawn


def _members(images: Images) -> Members:
    """Raises DataError where there are no images, and for a class of one."""
    if not len(images):
        raise DataError("pca-flow got no training images; check the data set's train split")
    members = {label: np.flatnonzero(images.labels == label) for label in np.unique(images.labels).tolist()}
    for label, places in members.items():
        if len(places) == 1:
            name = images.classes[label]
            raise DataError(f"class {name!r} has 1 training image; pca-flow needs two of each class")
    return members


def _fit_bases(options: PcaFlowOptions, images: Images, members: Members, ctx: Context) -> dict[int, Basis]:
    """One basis for each label; one network serves all, so that all have as many components."""
    flat = images.pixels.reshape(len(images), -1)
    with ctx.progress.bar("components", total=len(images)) as bar:
        if options.basis == "shared":
            basis = Basis.fit(flat, options.components, ctx.child("basis").seed)
            return dict.fromkeys(members, basis)
        most = min(options.components, flat.shape[1], *(len(places) - 1 for places in members.values()))
        bases = {}
        for label, places in members.items():
            bases[label] = Basis.fit(flat[places], most, ctx.child("basis", images.classes[label]).seed)
            bar.advance(len(places), note=images.classes[label])
        return bases


def _encode(
    images: Images, members: Members, bases: Mapping[int, Basis], *, residual: bool
) -> tuple[Floats, dict[int, ResidualNoise]]:
    """Whitened coordinates of all images (N, k), and by label what they leave out."""
    flat = images.pixels.reshape(len(images), -1)
    codes = np.empty((len(images), len(next(iter(bases.values())).deviations)), dtype=np.float32)
    noises = {}
    for label, places in members.items():
        codes[places] = bases[label].encode(flat[places])
        if residual:
            some = places[:: 1 + len(places) // RESIDUALS]
            left = flat[some] - bases[label].decode(codes[some])
            noises[label] = ResidualNoise.fit(left.reshape(-1, *images.shape))
    return codes, noises
