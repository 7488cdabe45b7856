"""What classifiers are trained on: draws from a set of images, and sets put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from synthbench import DataError, Images

__all__ = ["check_alike", "draw", "draw_again", "together"]


def check_alike(real: Images, synthetic: Images) -> None:
    """Raise DataError unless classes and shape agree."""
    for facet in ("classes", "shape"):
        of_real, of_synthetic = getattr(real, facet), getattr(synthetic, facet)
        if of_real != of_synthetic:
            raise DataError(
                f"the synthetic images have {facet} {of_synthetic}, the real ones {of_real}: they must agree"
            )


def draw(images: Images, limit: int | None, rng: np.random.Generator) -> Images:
    """At most `limit` images, in their order: a random draw, the classes in proportion, a larger draw
    containing the smaller one."""
    if limit is None or limit >= len(images):
        return images
    # Each class is spread evenly over 0-1, so that any head of the order has the classes in proportion, and a
    # curve over sizes differs by more images alone, not by other ones.
    place = np.empty(len(images))
    for k in range(len(images.classes)):
        members = rng.permutation(np.flatnonzero(images.labels == k))
        place[members] = (np.arange(len(members)) + 0.5) / max(1, len(members))
    return images.subset(np.sort(np.argsort(place, kind="stable")[:limit]))


def together(first: Images, second: Images) -> Images:
    """All images of both, each under its own id."""
    return replace(
        first,
        pixels=np.concatenate([first.pixels, second.pixels]),
        labels=np.concatenate([first.labels, second.labels]),
        ids=np.concatenate([first.ids, second.ids]),
        groups=np.concatenate([first.groups, second.groups]),
    )


def draw_again(images: Images, counts: Mapping[str, int], rng: np.random.Generator) -> Images:
    """`images`, then copies of them: `counts` of each class, of random ones, none much more often than another.

    Raises DataError where a class has no images to copy.
    """
    copies = []
    for k, (name, wanted) in enumerate(counts.items()):
        members = np.flatnonzero(images.labels == k)
        if wanted and not len(members):
            raise DataError(f"there are no real training images of {name} to draw again")
        copies.append(np.resize(rng.permutation(members), wanted))
    return images.subset(np.concatenate([np.arange(len(images)), *copies]))
