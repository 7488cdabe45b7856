"""The plugins `pca-flow` and `latent-flow`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from synthbench import Context, Generator, Images, Sampler, hookimpl
from synthbench_flow.options import LatentFlowOptions, PcaFlowOptions

__all__ = ["LatentFlow", "PcaFlow"]


class PcaFlow(PcaFlowOptions):
    """Flow matching on whitened principal components: minutes on a CPU.

    Before its first step it draws as a Gaussian on the components; training adds what a Gaussian does not say.
    """

    name: ClassVar[str] = "pca-flow"

    def fit(self, train: Images, ctx: Context) -> Sampler:
        """Raises DataError for a class of a single image."""
        from synthbench_flow.pca_flow import fit_pca_flow

        return fit_pca_flow(self, train, ctx)


class LatentFlow(LatentFlowOptions):
    """Flow matching by a U-Net on an autoencoder's latents: an hour of two cores, less on a GPU."""

    name: ClassVar[str] = "latent-flow"

    def fit(self, train: Images, ctx: Context) -> Sampler:
        """Raises DataError for a class of a single image, and for sides that 8 does not divide."""
        from synthbench_flow.latent_flow import fit_latent_flow

        return fit_latent_flow(self, train, ctx)


@hookimpl
def register_generators() -> Iterable[type[Generator]]:
    return [PcaFlow, LatentFlow]
