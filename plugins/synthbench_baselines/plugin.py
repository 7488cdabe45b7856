"""The plugins `noise`, `shuffled-labels`, `resample`, `balanced-resample`, `pca-gaussian` and `smote`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from synthbench import Context, Generator, Images, hookimpl
from synthbench_baselines.pca import PcaSampler, fit_classes
from synthbench_baselines.samplers import Noise, Redraw
from synthbench_baselines.smote import Blender, fit_neighbours

__all__ = ["BalancedResample", "NoiseImages", "PcaGaussian", "Resample", "ShuffledLabels", "Smote"]


class NoiseImages(Generator):
    """Uniform noise with the asked labels: nothing to learn, neither from the images nor from the labels."""

    name: ClassVar[str] = "noise"
    role: ClassVar[Literal["candidate", "floor", "ceiling"]] = "floor"

    def fit(self, train: Images, ctx: Context) -> Noise:  # noqa: ARG002 - nothing to learn
        return Noise(train.shape)


class ShuffledLabels(Generator):
    """Real training images, their labels permuted: realistic pictures that say nothing about the classes.

    One permutation of all training labels a seed, so that class frequencies stay and the copies of an image
    agree on its wrong label; each asked label is then served from the images that were given it.
    """

    name: ClassVar[str] = "shuffled-labels"
    role: ClassVar[Literal["candidate", "floor", "ceiling"]] = "floor"

    def fit(self, train: Images, ctx: Context) -> Redraw:
        return Redraw(train, ctx.rng("permuted labels").permutation(train.labels))


class Resample(Generator):
    """Real training images in the training prior: the real-on-real ceiling, and the perfect copier.

    Up to the size of the training set a subset without repeats, beyond it whole rounds of copies. Images keep
    their ids and groups, so that a classifier can hold copies and patients on one side of its validation split.
    """

    name: ClassVar[str] = "resample"
    role: ClassVar[Literal["candidate", "floor", "ceiling"]] = "ceiling"
    prior: ClassVar[Literal["balanced", "train"]] = "train"
    quick: ClassVar[bool] = True

    def fit(self, train: Images, ctx: Context) -> Redraw:  # noqa: ARG002 - the images are all there is to know
        return Redraw(train, train.labels)


class BalancedResample(Resample):
    """Real training images, equally many of each class: the ceiling for balanced synthetic sets."""

    name: ClassVar[str] = "balanced-resample"
    prior: ClassVar[Literal["balanced", "train"]] = "balanced"


class PcaGaussian(Generator):
    """A Gaussian in the space of each class's first principal components: the linear baseline."""

    name: ClassVar[str] = "pca-gaussian"
    quick: ClassVar[bool] = True

    components: int = Field(
        200, ge=1, description="principal components of each class; at most its number of images less one"
    )

    def fit(self, train: Images, ctx: Context) -> PcaSampler:
        return fit_classes(train, self.components, ctx)


class Smote(Generator):
    """A training image blended with a neighbour of its class and of another patient: interpolation, no model."""

    name: ClassVar[str] = "smote"
    quick: ClassVar[bool] = True

    neighbours: int = Field(5, ge=1, description="nearest images of other patients that one is blended with")
    components: int = Field(50, ge=1, description="principal components of the class in which they are sought")

    def fit(self, train: Images, ctx: Context) -> Blender:
        return fit_neighbours(train, self.neighbours, self.components, ctx)


@hookimpl
def register_generators() -> list[type[Generator]]:
    return [NoiseImages, ShuffledLabels, Resample, BalancedResample, PcaGaussian, Smote]
