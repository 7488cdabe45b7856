"""The paper's generator: an auxiliary-classifier GAN for 64x64 chest X-rays.

Singh, Lala, Macwan, Chaurasia: "Evaluating Auxiliary GANs for Realistic Chest X-ray Synthesis" (IJCA, 2023).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from synthbench import Context, DataError, Generator, Images, Sampler, hookimpl
from synthbench_acgan.options import Options

__all__ = ["ACGAN"]


class ACGAN(Options):
    """The paper's ACGAN with the details of its Keras notebook; every default is the paper's."""

    name: ClassVar[str] = "acgan"

    def fit(self, train: Images, ctx: Context) -> Sampler:
        """Train both networks. Raises DataError where the images do not fit three halvings of their size."""
        self._check(train)
        from synthbench_acgan import sample
        from synthbench_acgan.train import fit

        return sample.Sampler(fit(self, train, ctx), ctx.device, self.sample_batch)

    @staticmethod
    def _check(train: Images) -> None:
        height, width, _ = train.shape
        if height != width or height % 8:
            raise DataError(
                f"acgan needs square images of a side divisible by 8, found {height}x{width}; "
                "set the data set's image_size to 32, 64, 128, ..."
            )
        if not len(train):
            raise DataError("acgan got no training images; check the data set's train split")


@hookimpl
def register_generators() -> Iterable[type[Generator]]:
    """The one generator of this module."""
    return [ACGAN]
