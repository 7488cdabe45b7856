"""Ways to make a set of real images worse, each with a strength from 0 (as it was) to 1.

Every function takes images, a strength and a random generator, and returns as many images. Under the same random
generator a stronger degradation goes on where a weaker one ended: the same noise pattern grows, further images
join those that were changed already.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
from PIL import Image

from synthbench.api.pictures import read_picture
from synthbench.types import Images, Pixels

__all__ = ["Degradation", "amount", "degradations"]

Floats = npt.NDArray[np.floating]
Index = npt.NDArray[np.integer]

NOISE = 64.0
"""Standard deviation in grey levels at strength 1."""

BLUR = 1 / 16
"""Standard deviation of the Gaussian at strength 1, as a share of the shorter side."""

BEST, WORST = 95, 5
"""JPEG quality just above strength 0, and at 1."""

SHRINK = 7 / 8
"""Share of each side that is lost at strength 1."""

SHIFT = 64.0
"""Grey levels added at strength 1."""

OF_LABELS = ("label-noise", "drop-class")

MODES = 8
"""Clusters of each class; all but one are gone at strength 1."""


@dataclass(frozen=True)
class Degradation:
    """One way to make images worse."""

    name: str
    apply: Callable[[Images, float, np.random.Generator], Images]

    def __call__(self, images: Images, strength: float, seed: int) -> Images:
        """The degraded images; at strength 0 those given. Raises ValueError for a strength beyond 0-1."""
        if not 0 <= strength <= 1:
            raise ValueError(f"{self.name}: the strength must be 0 to 1, it is {strength}")
        return self.apply(images, strength, np.random.default_rng(seed)) if strength else images


def degradations(train: Images) -> list[Degradation]:
    """All that can be done to such images: those of one class have no labels to mix up and no class to lose.

    train  the images that copying copies
    """
    several = len(np.unique(train.labels)) > 1
    every = [
        Degradation("noise", noise),
        Degradation("blur", blur),
        Degradation("jpeg", jpeg),
        Degradation("down-up", down_up),
        Degradation("brightness", brightness),
        Degradation("label-noise", label_noise),
        Degradation("drop-modes", drop_modes),
        Degradation("drop-class", drop_class),
        Degradation("copy-train", partial(copy_train, train=train)),
    ]
    return [one for one in every if several or one.name not in OF_LABELS]


AMOUNTS: dict[str, Callable[[float], str]] = {
    "noise": lambda s: f"sd {NOISE * s:.0f} grey levels",
    "blur": lambda s: f"sd {100 * BLUR * s:.1f} % of the side",
    "jpeg": lambda s: f"quality {_quality(s)}",
    "down-up": lambda s: f"{100 * (1 - SHRINK * s):.0f} % of the side and back",
    "brightness": lambda s: f"{SHIFT * s:.0f} grey levels more",
    "label-noise": lambda s: f"{s:.0%} of the labels random",
    "drop-modes": lambda s: f"{s:.0%} of the modes of each class but one gone",
    "drop-class": lambda s: f"{s:.0%} of the rarest class gone",
    "copy-train": lambda s: f"{s:.0%} copied from train",
}


def amount(degradation: str, strength: float) -> str:
    """What a strength of a degradation means, in its own unit."""
    return AMOUNTS[degradation](strength)


def noise(images: Images, strength: float, rng: np.random.Generator) -> Images:
    """Independent Gaussian noise, sd 64 grey levels at strength 1."""
    return _pixels(images, lambda image: image + NOISE * strength * rng.standard_normal(images.shape))


def blur(images: Images, strength: float, _: np.random.Generator) -> Images:
    """A Gaussian filter, sd 1/16 of the shorter side at strength 1; borders are mirrored."""
    from scipy.ndimage import gaussian_filter

    sigma = BLUR * strength * min(images.shape[:2])
    return _pixels(images, lambda image: gaussian_filter(image, (sigma, sigma, 0)))


def jpeg(images: Images, strength: float, _: np.random.Generator) -> Images:
    """Through JPEG: quality 95 at a strength just above 0, 5 at 1."""
    return _pixels(images, partial(_through_jpeg, quality=_quality(strength)))


def down_up(images: Images, strength: float, _: np.random.Generator) -> Images:
    """Down to 1/8 of each side at strength 1 (means of areas) and up again (bilinear)."""
    height, width, _channels = images.shape
    small = [max(1, round(side * (1 - SHRINK * strength))) for side in (width, height)]
    return _pixels(images, partial(_there_and_back, small=(small[0], small[1])))


def brightness(images: Images, strength: float, _: np.random.Generator) -> Images:
    """64 grey levels brighter at strength 1; what would exceed 255 is cut."""
    return _pixels(images, lambda image: image + SHIFT * strength)


def label_noise(images: Images, strength: float, rng: np.random.Generator) -> Images:
    """A share `strength` of the labels drawn anew, all classes alike: at 1 labels say nothing."""
    chosen = _first(rng.permutation(len(images)), strength)
    labels = images.labels.copy()
    labels[chosen] = rng.integers(len(images.classes), size=len(images))[chosen]
    return replace(images, labels=labels)


def drop_modes(images: Images, strength: float, rng: np.random.Generator) -> Images:
    """Up to 7 of the 8 modes of each class gone, their places taken by further copies of what is left.

    Modes are clusters of the images of one class, shrunk to 8x8 pixels (k-means).
    """
    index = np.arange(len(images))
    for k in range(len(images.classes)):
        of_class = np.flatnonzero(images.labels == k)
        modes = _modes(images.pixels[of_class])
        known = np.unique(modes)  # fewer than 8 in a class of few pictures
        order, draws = rng.permutation(known), rng.random(len(of_class))
        gone = np.isin(modes, order[: round(strength * (len(known) - 1))])
        if gone.any():
            kept = of_class[~gone]
            index[of_class[gone]] = kept[(draws[gone] * len(kept)).astype(np.int64)]
    return images.subset(index)


def drop_class(images: Images, strength: float, rng: np.random.Generator) -> Images:
    """A share `strength` of the images of the rarest class replaced by copies of others: at 1 it is gone."""
    counts = np.bincount(images.labels, minlength=len(images.classes))
    rare = np.flatnonzero(images.labels == np.where(counts, counts, len(images) + 1).argmin())
    others = np.setdiff1d(np.arange(len(images)), rare)
    if not len(others):
        return images
    return _replaced(images, rng.permutation(rare), rng.choice(others, len(rare)), strength)


def copy_train(images: Images, strength: float, rng: np.random.Generator, *, train: Images) -> Images:
    """A share `strength` of the images replaced by images of `train` of the same class, under their names.

    None is copied twice before all of its class were.
    """
    order = rng.permutation(len(images))
    sources = np.empty(len(images), dtype=np.int64)
    for k in np.unique(images.labels):
        pool = rng.permutation(np.flatnonzero(train.labels == k))
        of_class = images.labels[order] == k
        sources[of_class] = np.resize(pool, of_class.sum()) if len(pool) else -1
    order, sources = order[sources >= 0], sources[sources >= 0]
    chosen = _first(order, strength)
    source = train.subset(sources[: len(chosen)])
    pixels, ids, groups = images.pixels.copy(), images.ids.astype(object), images.groups.astype(object)
    pixels[chosen], ids[chosen], groups[chosen] = source.pixels, source.ids, source.groups
    return Images(pixels, images.labels, images.classes, ids.astype(np.str_), groups.astype(np.str_))


def _first(order: Index, strength: float) -> Index:
    return order[: round(strength * len(order))]


def _replaced(images: Images, order: Index, sources: Index, strength: float) -> Images:
    """The images, a share of the places in `order` filled with those at `sources`."""
    index = np.arange(len(images))
    chosen = _first(order, strength)
    index[chosen] = sources[: len(chosen)]
    return images.subset(index)


def _pixels(images: Images, change: Callable[[Floats], Floats]) -> Images:
    """Every image, float64 (H, W, C), through `change`; rounded, cut to 0-255."""
    pixels = np.empty(images.pixels.shape, dtype=np.uint8)
    for place, image in enumerate(images.pixels):
        pixels[place] = np.clip(np.rint(change(image.astype(np.float64))), 0, 255)
    return replace(images, pixels=pixels)


def _quality(strength: float) -> int:
    return round(BEST + (WORST - BEST) * strength)


def _picture(image: Floats) -> Image.Image:
    whole = image.astype(np.uint8)
    return Image.fromarray(whole[:, :, 0] if whole.shape[2] == 1 else whole)


def _through_jpeg(image: Floats, quality: int) -> Floats:
    file = io.BytesIO()
    _picture(image).save(file, "JPEG", quality=quality)
    return np.asarray(read_picture(file), dtype=np.float64).reshape(image.shape)


def _there_and_back(image: Floats, small: tuple[int, int]) -> Floats:
    shrunk = _picture(image).resize(small, Image.Resampling.BOX)
    back = shrunk.resize((image.shape[1], image.shape[0]), Image.Resampling.BILINEAR)
    return np.asarray(back, dtype=np.float64).reshape(image.shape)


def _modes(pixels: Pixels) -> Index:
    """The cluster of each image, (N,), 0 to at most 7."""
    from sklearn.cluster import KMeans

    if len(pixels) < MODES:
        return np.arange(len(pixels))
    grey = pixels.mean(axis=3).astype(np.uint8)
    small = np.stack([np.asarray(Image.fromarray(one).resize((8, 8), Image.Resampling.BOX)) for one in grey])
    clusters = KMeans(MODES, n_init=1, random_state=0)
    return np.asarray(clusters.fit_predict(small.reshape(len(pixels), -1).astype(np.float64)))
