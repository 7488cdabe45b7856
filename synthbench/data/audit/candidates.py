"""Which images may show one picture, by their descriptors: a few of many, found by matrix products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthbench.data.audit.descriptors import Described
from synthbench.data.audit.thumbnails import Floats

__all__ = ["Candidates", "candidates"]

Index = npt.NDArray[np.intp]

KEPT = 3
"""Of each image the nearest images that are looked at."""

ROWS, COLUMNS = 128, 2048
"""Windows compared at a time: their scores stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Pairs that may show one picture: places among both sides' windows, the query's pose, the cosine."""

    query: Index
    reference: Index
    pose: Index
    cosine: Floats

    def __len__(self) -> int:
        return len(self.query)

    def subset(self, index: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Candidates:
        return Candidates(self.query[index], self.reference[index], self.pose[index], self.cosine[index])


def candidates(queries: Described, references: Described, *, near: float, within: bool = False) -> Candidates:
    """Of each query image the `KEPT` nearest reference images, each by its nearest window.

    near    the least cosine of a pair
    within  both are of the same images, and an image is matched with those before it alone
    """
    parts = []
    for start in range(0, len(queries), ROWS):
        rows = slice(start, start + ROWS)
        best = _none()
        for first in range(0, len(references), COLUMNS):
            columns = slice(first, first + COLUMNS)
            if within and references.image[columns].min() >= queries.image[rows].max():
                break
            least = _least(best, queries, rows, near)
            scores = queries.vectors[rows].reshape(-1, queries.vectors.shape[2]) @ references.vectors[columns, 0].T
            cosine = scores.reshape(-1, queries.vectors.shape[1], scores.shape[1])
            highest = cosine.max(axis=1)
            if within:
                highest[queries.image[rows, None] <= references.image[columns]] = -2
            row, column = np.nonzero(highest >= least[:, None])
            pose = cosine[row, :, column].argmax(axis=1)
            new = Candidates(start + row, first + column, pose, highest[row, column])
            best = _nearest(best, new, queries, references)
        parts.append(best)
    together = parts[0] if len(parts) == 1 else _joined(parts)
    return _nearest(_none(), together, queries, references)


def _none() -> Candidates:
    nothing = np.empty(0, dtype=np.intp)
    return Candidates(nothing, nothing, nothing, np.empty(0, dtype=np.float32))


def _joined(parts: list[Candidates]) -> Candidates:
    if not parts:
        return _none()
    return Candidates(*(np.concatenate([getattr(part, name) for part in parts]) for name in vars(_none())))


def _nearest(best: Candidates, new: Candidates, queries: Described, references: Described) -> Candidates:
    """Of both the nearest: each pair of images once, of each query image the `KEPT` nearest references."""
    both = _joined([best, new])
    image, other = queries.image[both.query], references.image[both.reference]
    order = np.lexsort((-both.cosine, other, image))
    image, other = image[order], other[order]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (image[1:] != image[:-1]) | (other[1:] != other[:-1])
    once = both.subset(order[first])
    image = image[first]
    order = np.lexsort((-once.cosine, image))
    image = image[order]
    rank = np.arange(len(order)) - np.searchsorted(image, image)
    return once.subset(order[rank < KEPT])


def _least(best: Candidates, queries: Described, rows: slice, near: float) -> Floats:
    """(R,): the cosine that a window's image must reach to be among its nearest so far."""
    image = queries.image[rows]
    least = np.full(len(image), near, dtype=np.float32)
    if len(best):
        owner = queries.image[best.query]
        full = np.flatnonzero(np.diff(np.append(owner, -1)) != 0)  # last of each image: its least cosine
        full = full[np.searchsorted(owner, owner[full]) + KEPT - 1 == full]
        if len(full):
            place = np.minimum(np.searchsorted(owner[full], image), len(full) - 1)
            known = owner[full][place] == image
            least[known] = np.maximum(near, best.cosine[full][place][known])
    return least
