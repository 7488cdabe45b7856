"""Which images a step sees: every class as often as another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from synthbench import DataError, Images

__all__ = ["Index", "Members", "balanced_draw", "members_of"]

Index = npt.NDArray[np.int64]
Members = Mapping[int, Index]
"""Places of the images of each class that has any, by label."""


def members_of(images: Images, generator: str) -> Members:
    """Raises DataError, naming the generator, where there are no images, and for a class of one."""
    if not len(images):
        raise DataError(f"{generator} got no training images; check the data set's train split")
    members = {label: np.flatnonzero(images.labels == label) for label in np.unique(images.labels).tolist()}
    for label, places in members.items():
        if len(places) == 1:
            name = images.classes[label]
            raise DataError(f"class {name!r} has 1 training image; {generator} needs two of each class")
    return members


def balanced_draw(members: Members, n: int, rng: np.random.Generator) -> Index:
    """n places, with replacement: each class is as likely as another, and within it each image."""
    pools = list(members.values())
    sizes = np.array([len(pool) for pool in pools])
    starts, which = np.cumsum(sizes) - sizes, rng.integers(len(pools), size=n)
    drawn: Index = np.concatenate(pools)[starts[which] + rng.integers(sizes[which])]
    return drawn
