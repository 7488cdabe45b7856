"""Sets of images made to be copies of many kinds, and honest ones beside them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from synthbench import Context, Features, Images, Splits, read_picture
from synthbench_baselines.pca import fit_classes

__all__ = ["SIZES", "World", "adversaries", "together"]

SIZES = (200, 1000)
Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


def each(change: Callable[[Floats], Floats]) -> Callable[[Pixels], Pixels]:
    """A change of one image (H, W), cut to 0-255, for all of (N, H, W, 1)."""

    def changed(pixels: Pixels) -> Pixels:
        images = [np.clip(np.rint(change(image[..., 0].astype(np.float64))), 0, 255) for image in pixels]
        return np.stack(images).astype(np.uint8)[..., None]

    return changed


def jpeg(image: Floats) -> Floats:
    file = io.BytesIO()
    Image.fromarray(image.astype(np.uint8)).save(file, "JPEG", quality=50)
    return np.asarray(read_picture(file), dtype=np.float64)


def treatments(rng: np.random.Generator) -> dict[str, Callable[[Pixels], Pixels]]:
    """What is done to copies."""
    side = 64
    return {
        "copied": lambda pixels: pixels,
        "noise, sd 5": each(lambda x: x + rng.normal(0, 5, x.shape)),
        "mirrored": each(lambda x: x[:, ::-1]),
        "shifted by 5 %": each(lambda x: ndimage.shift(x, (0.05 * side, -0.05 * side), order=1, mode="nearest")),
        "turned by 5 degrees": each(lambda x: ndimage.rotate(x, 5, reshape=False, order=1, mode="nearest")),
        "contrast x 1.3": each(lambda x: (x - 128) * 1.3 + 128),
        "JPEG 50": each(jpeg),
        "blur, sd 1": each(lambda x: ndimage.gaussian_filter(x, 1)),
        "inverted": each(lambda x: 255 - x),
    }


@dataclass(frozen=True, eq=False)
class World:
    """One split, and all that adversaries draw from."""

    real: Splits
    fresh: Images
    """Of other patients: real images that are neither in the parts nor copied"""
    rng: np.random.Generator
    ctx: Context

    @cached_property
    def drawn(self) -> Images:
        """pca-gaussian's, fitted on train."""
        train = self.real.train
        labels = np.arange(max(SIZES), dtype=np.int64) % len(train.classes)
        return Images(fit_classes(train, 200, self.ctx)(labels, self.rng), labels, train.classes)

    def some(self, images: Images, n: int) -> Images:
        """n of them in random order; of fewer, all over again."""
        order = np.concatenate([self.rng.permutation(len(images)) for _ in range(-(-n // len(images)))])
        return images.subset(order[:n])

    def mixed(self, n: int, copied: int) -> Images:
        """pca-gaussian's images, some of them replaced by training images with noise."""
        copies = self.some(self.real.train, copied)
        noisy = replace(copies, pixels=treatments(self.rng)["noise, sd 5"](copies.pixels))
        return self.some(together(noisy, self.some(self.drawn, n - copied)), n)


def together(*parts: Images) -> Images:
    pixels, labels = (np.concatenate([getattr(p, name) for p in parts]) for name in ("pixels", "labels"))
    return Images(pixels, labels, parts[0].classes)


def blended(world: World, n: int, weight: float) -> Images:
    """Weighted means of two training images of a class."""
    train = world.real.train
    first = world.some(train, n)
    pools = [np.flatnonzero(train.labels == k) for k in range(len(train.classes))]
    other = train.pixels[[world.rng.choice(pools[label]) for label in first.labels]]
    mean = np.rint(weight * first.pixels.astype(float) + (1 - weight) * other)
    return replace(first, pixels=mean.astype(np.uint8))


def patchwork(world: World, n: int) -> Images:
    """The four quarters of four training images of a class."""
    train = world.real.train
    labels = np.arange(n, dtype=np.int64) % len(train.classes)
    pools = [np.flatnonzero(train.labels == k) for k in range(len(train.classes))]
    sources = np.stack([world.rng.choice(pools[label], 4) for label in labels])
    pixels, half = np.empty((n, *train.shape), dtype=np.uint8), train.shape[0] // 2
    for quarter in range(4):
        rows, columns = (slice(half * k, half * k + half) for k in divmod(quarter, 2))
        pixels[:, rows, columns] = train.pixels[sources[:, quarter], rows, columns]
    return Images(pixels, labels, train.classes)


def one_class(world: World, n: int) -> Images:
    """NORMAL images are training images with noise, PNEUMONIA ones are pca-gaussian's."""
    train, drawn = world.real.train, world.drawn
    copies = world.some(train.subset(train.labels == 0), n // 2)
    noisy = replace(copies, pixels=treatments(world.rng)["noise, sd 5"](copies.pixels))
    return world.some(together(noisy, world.some(drawn.subset(drawn.labels == 1), n - n // 2)), n)


def collapsed(world: World, n: int, images: Images, sd: float) -> Images:
    """One image over and over, with noise of so many grey levels."""
    always = images.subset(np.full(n, world.rng.integers(len(images))))
    pixels = np.clip(np.rint(always.pixels + world.rng.normal(0, sd, always.pixels.shape)), 0, 255)
    return replace(always, pixels=pixels.astype(np.uint8), labels=np.arange(n, dtype=np.int64) % 2)


def nearest_stranger(world: World, features: Callable[[Images], Features]) -> Images:
    """Of the real images that nobody holds, the one whose features lie nearest to a training image's."""
    fresh, train = features(world.fresh), features(world.real.train)
    apart = (fresh**2).sum(1)[:, None] + (train**2).sum(1) - 2 * fresh @ train.T
    return world.fresh.subset(apart.min(1).argsort()[:1])


def adversaries(world: World, n: int, features: Callable[[Images], Features]) -> Iterator[tuple[str, Images]]:
    """(kind, n images) of each."""
    train, held, test = world.real.train, world.real.holdout, world.real.tests["test"]
    assert held is not None
    for name, change in treatments(world.rng).items():
        copies = world.some(train, n)
        yield f"training images, {name}", replace(copies, pixels=change(copies.pixels))
    yield "one training image n times", collapsed(world, n, train, 0)
    yield "one training image n times, noise sd 5", collapsed(world, n, train, 5)
    yield "means of two training images, .9 and .1", blended(world, n, 0.9)
    yield "means of two training images, .5 and .5", blended(world, n, 0.5)
    yield "patchworks of four training images", patchwork(world, n)
    yield "10 % noisy copies, else pca-gaussian", world.mixed(n, n // 10)
    yield "5 % noisy copies, else pca-gaussian", world.mixed(n, n // 20)
    yield "noisy copies of one class only", one_class(world, n)
    for kind, part in {"hold-out": held, "test": test}.items():
        copies = world.some(part, n)
        for name in ("noise, sd 5", "mirrored"):
            yield f"{kind} images, {name}", replace(copies, pixels=treatments(world.rng)[name](copies.pixels))
    yield (
        "honest: a stranger near a training image n times, noise sd 5",
        collapsed(world, n, nearest_stranger(world, features), 5),
    )
    yield "honest: pca-gaussian", world.some(world.drawn, n)
    yield "honest: new real images", world.some(world.fresh, min(n, len(world.fresh)))
