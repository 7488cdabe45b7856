"""The plugins `acgan`, the paper's generator, and `acgan-tuned`, what it becomes with what is known since.

Singh, Lala, Macwan, Chaurasia: "Evaluating Auxiliary GANs for Realistic Chest X-ray Synthesis" (IJCA, 2023).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from synthbench import Context, DataError, Generator, Images, Sampler, hookimpl
from synthbench_acgan.options import LoopOptions, Options, TunedOptions

__all__ = ["ACGAN", "ACGANTuned"]


class ACGAN(Options):
    """The paper's ACGAN with the details of its Keras notebook; every default is the paper's."""

    name: ClassVar[str] = "acgan"

    def check_shape(self, shape: tuple[int, int, int]) -> None:
        _check_shape(self.name, shape)

    def fit(self, train: Images, ctx: Context) -> Sampler:
        """Train both networks. Raises DataError where the images do not fit three halvings of their size."""
        _check(self, train)
        from synthbench_acgan import sample
        from synthbench_acgan import train as training

        return sample.Sampler(training.fit(self, train, ctx), ctx.device, self.sample_batch)


class ACGANTuned(TunedOptions):
    """A conditional GAN for few images: a smaller pair than the paper's, trained with what is known since.

    Spectral norm, R1, averaged weights, balanced batches, augmentation of what the discriminator sees, and labels
    that do not reward images for being easy to tell apart.
    """

    name: ClassVar[str] = "acgan-tuned"

    def check_shape(self, shape: tuple[int, int, int]) -> None:
        _check_shape(self.name, shape)

    def fit(self, train: Images, ctx: Context) -> Sampler:
        """Train both networks. Raises DataError where the images do not fit three halvings of their size, and for
        a class of fewer than two."""
        _check(self, train)
        from synthbench_acgan import sample, tuned

        return sample.Sampler(tuned.fit(self, train, ctx), ctx.device, self.sample_batch)


def _check_shape(generator: str, shape: tuple[int, int, int]) -> None:
    height, width, _ = shape
    if height != width or height % 8:
        raise DataError(
            f"{generator} needs square images of a side divisible by 8, found {height}x{width}; "
            "set the data set's image_size to 32, 64, 128, ..."
        )


def _check(config: LoopOptions, train: Images) -> None:
    _check_shape(config.name, train.shape)
    if not len(train):
        raise DataError(f"{config.name} got no training images; check the data set's train split")


@hookimpl
def register_generators() -> Iterable[type[Generator]]:
    return [ACGAN, ACGANTuned]
