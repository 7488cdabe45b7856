"""Cutting a share off a set of images: the classes in proportion, relatives together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthbench.errors import DataError
from synthbench.types import Images

__all__ = ["families", "hold_out"]

Index = npt.NDArray[np.int64]


def hold_out(images: Images, share: float, rng: np.random.Generator) -> tuple[Index, Index]:
    """Positions of the rest and of the held-out `share`, each ascending.

    Images of one group, and copies of one image, stay on one side; each class gives its share as nearly as
    that allows. Families are met in random order, and each is held out where that brings the counts by
    class nearer to what is wanted (squared distance).
    Raises DataError where a class has no images on one side.
    """
    family = families(images)
    counts = np.zeros((int(family.max(initial=-1)) + 1, len(images.classes)), dtype=np.int64)
    np.add.at(counts, (family, images.labels), 1)
    wanting = share * counts.sum(0)  # images of each class that the held-out part still lacks
    held = np.zeros(len(counts), dtype=bool)
    for unit in rng.permutation(len(counts)):
        size = counts[unit]
        if size @ size < 2 * (size @ wanting):
            held[unit] = True
            wanting = wanting - size
    _check_sides(images, counts, held, share)
    out = held[family]
    return np.flatnonzero(~out), np.flatnonzero(out)


def families(images: Images) -> Index:
    """A number for each image; the same for images that share a group or an id, directly or through others."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    _, group = np.unique(images.groups, return_inverse=True)
    _, name = np.unique(images.ids, return_inverse=True)
    n_groups, n_names = int(group.max(initial=-1)) + 1, int(name.max(initial=-1)) + 1
    size = n_groups + n_names
    links = coo_matrix((np.ones(len(images)), (group, n_groups + name)), shape=(size, size))
    component = connected_components(links, directed=False)[1]
    _, family = np.unique(component[group], return_inverse=True)
    return family.astype(np.int64)


def _check_sides(images: Images, counts: Index, held: npt.NDArray[np.bool_], share: float) -> None:
    for k, name in enumerate(images.classes):
        inside, outside = counts[held, k].sum(), counts[~held, k].sum()
        if not inside or not outside:
            n_families = int((counts[:, k] > 0).sum())
            raise DataError(
                f"class {name!r} has {inside + outside} images of {n_families} patients or originals: too few "
                f"to hold out {share:.0%} of them and train on the rest; give more images"
            )
