"""SMOTE on images: a training image blended with one of its neighbours.

x = (1 - t) a + t b, t ~ U(0, 1), b one of the k nearest neighbours of a (Chawla, Bowyer, Hall & Kegelmeyer,
"SMOTE: synthetic minority over-sampling technique", JAIR 16, 2002). Neighbours are sought in the space of the
class's first principal components, where distances are less those of noise; blending pixels is blending all of
an image's coordinates there, those of the components left out too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthbench import Context, DataError, Images, Labels, Pixels
from synthbench_baselines.samplers import draw_by_label

__all__ = ["Blender", "fit_neighbours", "neighbours_of"]

Floats = npt.NDArray[np.float32]
Index = npt.NDArray[np.int64]

BLOCK = 1024
"""Images whose distances are held at once, and images blended at once."""


@dataclass(frozen=True, eq=False)
class Blender:
    """Blends images with neighbours: `neighbours` int64 (N, k), places in `train`; -1 where an image has fewer."""

    train: Images
    neighbours: Index

    def __call__(self, labels: Labels, rng: np.random.Generator) -> Pixels:
        ones = draw_by_label(self.train.labels, labels, self.train.classes, rng)
        counts = (self.neighbours[ones] >= 0).sum(axis=1)
        others = self.neighbours[ones, rng.integers(counts)]
        shares = rng.random(len(labels), dtype=np.float32)
        blocks = [slice(start, start + BLOCK) for start in range(0, len(labels), BLOCK)]
        empty = np.empty((0, *self.train.shape), dtype=np.uint8)
        return np.concatenate([empty, *(self._blend(ones[b], others[b], shares[b]) for b in blocks)])

    def _blend(self, ones: Index, others: Index, shares: Floats) -> Pixels:
        a, b = (self.train.pixels[places].astype(np.float32) for places in (ones, others))
        mixed: Floats = a + shares[:, None, None, None] * (b - a)
        return np.rint(mixed).astype(np.uint8)


def fit_neighbours(train: Images, neighbours: int, components: int, ctx: Context) -> Blender:
    """The neighbours of every image. Raises DataError for a class whose images are all of one patient."""
    table = np.full((len(train), neighbours), -1, dtype=np.int64)
    with ctx.progress.bar("smote", total=len(train)) as bar:
        for label, name in enumerate(train.classes):
            places = np.flatnonzero(train.labels == label)
            if not len(places):
                continue
            groups = train.groups[places]
            if len(np.unique(groups)) < 2:
                raise DataError(f"class {name!r} has images of one patient only; smote needs two or more")
            coordinates = _project(train.pixels[places], components, ctx.child("smote", name).seed)
            nearest = neighbours_of(coordinates, groups, neighbours)
            table[places, : nearest.shape[1]] = np.where(nearest < 0, -1, places[nearest])
            bar.advance(len(places), note=name)
    return Blender(train, table)


def neighbours_of(coordinates: Floats, groups: npt.NDArray[np.str_], most: int) -> Index:
    """Of each row the nearest ones of other groups, nearest first: int64 (N, min(most, N)), -1 where none is left.

    coordinates  float (N, d); distances are Euclidean
    """
    from sklearn.metrics import pairwise_distances

    most = min(most, len(coordinates))
    nearest = np.empty((len(coordinates), most), dtype=np.int64)
    for start in range(0, len(coordinates), BLOCK):
        block = slice(start, start + BLOCK)
        distances = pairwise_distances(coordinates[block], coordinates)
        distances[groups[block, None] == groups[None]] = np.inf
        order = np.argsort(distances, axis=1, kind="stable")[:, :most]
        nearest[block] = np.where(np.isinf(np.take_along_axis(distances, order, axis=1)), -1, order)
    return nearest


def _project(pixels: Pixels, components: int, seed: int) -> Floats:
    """Coordinates (N, k) on the class's first components, k at most min(N, D) - 1."""
    from sklearn.decomposition import PCA

    flat = pixels.reshape(len(pixels), -1).astype(np.float32)
    pca = PCA(max(1, min(components, min(flat.shape) - 1)), svd_solver="randomized", random_state=seed, copy=False)
    coordinates: Floats = pca.fit_transform(flat)
    return coordinates
