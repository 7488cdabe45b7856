"""Cutting a share of images off: relatives stay together, each class gives its share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthbench.errors import DataError
from synthbench.types import Images, Strings

__all__ = ["grouped_split", "related"]

Mask = npt.NDArray[np.bool_]
Index = npt.NDArray[np.int64]


def grouped_split(images: Images, share: float, rng: np.random.Generator, copies: Index | None = None) -> Mask:
    """Which images go, bool (N,): `share` of each class as nearly as whole families allow.

    copies  (2, pairs), places of images known to be one picture

    Families come in random order; each goes where that brings the numbers by class nearer to what is wanted, by
    the sum of squares. Raises DataError where a class has no image on one side.
    """
    family = related(images, copies)
    sizes = np.zeros((family.max(initial=-1) + 1, len(images.classes)), dtype=np.int64)
    np.add.at(sizes, (family, images.labels), 1)
    missing = share * sizes.sum(0)
    gone = np.zeros(len(sizes), dtype=np.bool_)
    for member in rng.permutation(len(sizes)):
        if ((missing - sizes[member]) ** 2).sum() < (missing**2).sum():
            gone[member] = True
            missing = missing - sizes[member]
    _check(images, sizes, gone, share)
    mask: Mask = gone[family]
    return mask


def related(images: Images, copies: Index | None = None) -> Index:
    """A number for each image, (N,): the same for relatives, also through others.

    Relatives share a group or an id, or are `copies`, places (2, pairs).
    """
    links = [_to_first(images.groups), _to_first(images.ids), *([] if copies is None else [copies])]
    one, other = np.concatenate(links, axis=1)
    first = np.arange(len(images))  # of its relatives, as far as known
    # By hand: scipy.sparse.csgraph takes longer to load than a run that finds everything in the store takes else.
    while (first[one] != first[other]).any():
        nearer = np.minimum(first[one], first[other])
        np.minimum.at(first, first[one], nearer)
        np.minimum.at(first, first[other], nearer)
        first = first[first]
    return np.unique(first, return_inverse=True)[1].astype(np.int64)


def _to_first(names: Strings) -> Index:
    """(2, N): each image, and the first one of that name."""
    _, first, inverse = np.unique(names, return_index=True, return_inverse=True)
    return np.stack([np.arange(len(names)), first[inverse]])


def _check(images: Images, sizes: Index, gone: Mask, share: float) -> None:
    for k, name in enumerate(images.classes):
        there, here = sizes[gone, k].sum(), sizes[~gone, k].sum()
        if not there or not here:
            raise DataError(
                f"class {name!r} has {here + there} images of {(sizes[:, k] > 0).sum()} patients or originals: "
                f"too few to hold out {share:.0%} of them and train on the rest; give more, or another share"
            )
