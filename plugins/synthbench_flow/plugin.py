"""The plugin `pca-flow`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from synthbench import Context, Generator, Images, Sampler, hookimpl
from synthbench_flow.options import PcaFlowOptions

__all__ = ["PcaFlow"]


class PcaFlow(PcaFlowOptions):
    """Flow matching on whitened principal components, and the spectrum of what they leave out: minutes on a CPU.

    Before its first step it draws as a Gaussian on the components; training adds what a Gaussian does not say.
    """

    name: ClassVar[str] = "pca-flow"

    def fit(self, train: Images, ctx: Context) -> Sampler:
        """Raises DataError for a class of a single image."""
        from synthbench_flow.pca_flow import fit_pca_flow

        return fit_pca_flow(self, train, ctx)


@hookimpl
def register_generators() -> Iterable[type[Generator]]:
    return [PcaFlow]
