"""Fitting and sampling of `pca-flow`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from synthbench import Context, Images, Labels, derive_seed
from synthbench_flow.basis import Basis, ResidualNoise
from synthbench_flow.flow import integrate, matching_loss
from synthbench_flow.mlp import ResidualMlp
from synthbench_flow.options import PcaFlowOptions
from synthbench_flow.sampler import Drawing, FlowSampler
from synthbench_flow.training import Plan, train
from synthbench_torchkit.batches import Members, balanced_draw, members_of
from synthbench_torchkit.device import torch_device
from synthbench_torchkit.state import save_tensors

__all__ = ["PcaFlowSampler", "fit_pca_flow"]

Floats = npt.NDArray[np.float32]

RESIDUALS = 500
"""Images of a class, evenly spaced, that tell what its residuals are like."""


@dataclass(frozen=True, eq=False)
class PcaFlowSampler(FlowSampler):
    """`bases` by label; the same one for all where it is shared."""

    network: ResidualMlp
    bases: Mapping[int, Basis]

    @property
    def networks(self) -> Sequence[nn.Module]:
        return [self.network]

    def draw(self, labels: Labels, rng: np.random.Generator) -> Floats:
        noise, classes = self.start(labels, (self.network.leave.out_features,), rng)
        data = integrate(lambda x, t: self.network(x, t, classes), noise, self.drawing.steps)
        coordinates = data.cpu().numpy()  # (N, k), whitened
        values = np.empty((len(labels), *self.drawing.shape), dtype=np.float32)
        for label in np.unique(labels):
            places = np.flatnonzero(labels == label)
            values[places] = self.bases[label].decode(coordinates[places]).reshape(-1, *self.drawing.shape)
        return values


def fit_pca_flow(options: PcaFlowOptions, images: Images, ctx: Context) -> PcaFlowSampler:
    """Components, residuals, then the flow, going on from `ctx.resume`. Losses and weights go to `ctx.workdir`."""
    device, members = torch_device(ctx), members_of(images, options.name)
    bases = _fit_bases(options, images, members, ctx)
    codes, noises = _encode(images, members, bases, residual=options.residual)
    torch.manual_seed(derive_seed(ctx.seed, "weights"))  # layers draw their start from torch's global state
    shape = (codes.shape[1], len(images.classes), options.width, options.depth)
    network = ResidualMlp(*shape, options.dropout).to(device)
    coordinates, labels = torch.from_numpy(codes).to(device), torch.tensor(images.labels, device=device)

    def loss(step: int) -> Tensor:
        rng = ctx.rng("step", step)
        chosen = torch.from_numpy(balanced_draw(members, options.batch_size, rng)).to(device)
        noise = torch.from_numpy(rng.standard_normal((len(chosen), codes.shape[1]), dtype=np.float32)).to(device)
        times = torch.from_numpy(rng.random(len(chosen), dtype=np.float32)).to(device)
        asked = labels[chosen]
        return matching_loss(lambda x, t: network(x, t, asked), coordinates[chosen], noise, times)

    trained = train(network, loss, Plan.of(options), ctx, "flow", "losses.csv").cpu()
    save_tensors(ctx.workdir / "flow.safetensors", trained.state_dict(), {"shape": shape})
    about = (options.name, images.classes, tuple(members), images.shape)
    drawing = Drawing(*about, ctx.device, options.sampling_steps, options.sample_batch)
    return PcaFlowSampler(drawing, noises, trained, bases)


def _fit_bases(options: PcaFlowOptions, images: Images, members: Members, ctx: Context) -> dict[int, Basis]:
    """One basis for each label; one network serves all, so that all have as many components."""
    flat = images.pixels.reshape(len(images), -1)
    if options.basis == "shared":
        return dict.fromkeys(members, Basis.fit(flat, options.components, ctx.child("basis").seed))
    most = min(options.components, flat.shape[1], *(len(places) - 1 for places in members.values()))
    seeds = {label: ctx.child("basis", images.classes[label]).seed for label in members}
    return {label: Basis.fit(flat[places], most, seeds[label]) for label, places in members.items()}


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
