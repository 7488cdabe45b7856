"""Distances between sets of points: bounds from single precision, the doubtful ones settled in double.

Metrics of nearest neighbours ask which of two distances is smaller. A matrix product answers for all pairs at
once, by |x - y|^2 = |x|^2 + |y|^2 - 2 x.y, but its rounding turns ties (duplicates make many) into coin tosses.
So the product, in float32, only bounds each squared distance. The rare pairs whose bounds leave a comparison
open get theirs from the differences of their coordinates in float64: 0 for equal points, and the same number for
the same two points wherever they stand.

The bound. With u = 2^-24, the product of two vectors of length D is off by at most D u |x| |y| to first order,
in whatever order it is summed (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1), and
2 |x| |y| <= |x|^2 + |y|^2. Casting the points and adding the norms costs less than 32 u (|x|^2 + |y|^2) more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synthbench_fidelity.arrays import Features, Floats, Integers

__all__ = ["Cloud", "Tile", "clouds", "places", "squared_distances", "tiles", "widths", "within"]

Singles = npt.NDArray[np.float32]

UNIT = 2.0**-24
FLOOR = 1e-24
"""Added to squared norms in the bound: covers what float32 loses to underflow."""
SIDE = 1024
"""Rows and columns of a tile of distances."""
CHUNK = 2**16
"""Numbers in a piece of work on coordinates: what a core's cache holds."""


@dataclass(frozen=True)
class Cloud:
    """The n distinct points of a set of N, and float32 versions, centred and scaled as all of one `clouds` call.

    Each point stands once: a generator that has collapsed would otherwise make every comparison a tie.
    """

    points: Features
    """(n, D), as given"""
    first: Integers
    """(n,) where each stands in the set for the first time, ascending"""
    inverse: Integers
    """(N,) which of the n each of the set is"""
    counts: Integers
    """(n,) how often each stands in the set"""
    scaled: Singles
    """(n, D), of norm 1 at most"""
    norms: Singles
    """(n,) squared norms of `scaled`"""
    unit: float
    """The squared distance that is 1 among `scaled`."""

    def __len__(self) -> int:
        return len(self.points)

    @property
    def slack(self) -> float:
        """The error of a squared distance over the sum of its two squared norms."""
        return float((1.1 * self.points.shape[1] + 32) * UNIT)


class Tile(NamedTuple):
    """Lower bounds of the scaled squared distances between some points of one cloud and some of another."""

    rows: slice
    columns: slice
    lower: Singles
    """(rows, columns)"""

    def points(self, local: tuple[Integers, Integers]) -> tuple[Integers, Integers]:
        """What places in the tile are in the two clouds."""
        return local[0] + self.rows.start, local[1] + self.columns.start

    def transposed(self) -> Tile:
        """The same seen from the other cloud."""
        return Tile(self.columns, self.rows, np.ascontiguousarray(self.lower.T))


def clouds(*sets: Features) -> list[Cloud]:
    """Each set made ready for distances to all of them."""
    centre = sets[0].mean(axis=0, dtype=np.float64)
    scale = max(_reach(features, centre) for features in sets) or 1.0
    return [_cloud(features, centre, scale) for features in sets]


def tiles(a: Cloud, b: Cloud) -> Iterator[Tile]:
    """All pairs of two clouds; of a cloud with itself only tiles on and above the diagonal."""
    above, below = (np.float32(1 - a.slack) * cloud.norms - np.float32(a.slack * FLOOR) for cloud in (a, b))
    for start in range(0, len(a), SIDE):
        rows = slice(start, min(start + SIDE, len(a)))
        left = -2 * a.scaled[rows]
        for other in range(start if a is b else 0, len(b), SIDE):
            columns = slice(other, min(other + SIDE, len(b)))
            lower = left @ b.scaled[columns].T
            lower += above[rows, None]
            lower += below[columns]
            yield Tile(rows, columns, lower)


def widths(a: Cloud, b: Cloud, rows: Integers, columns: Integers) -> Singles:
    """What leads from the lower to the upper bound of each pair's scaled squared distance."""
    return np.float32(2 * a.slack) * (a.norms[rows] + b.norms[columns] + np.float32(2 * FLOOR))


def squared_distances(a: Cloud, b: Cloud, rows: Integers, columns: Integers) -> Floats:
    """Of the pairs (a[rows], b[columns]), from the differences of coordinates in float64."""
    squared = np.empty(len(rows))
    step = max(1, CHUNK // a.points.shape[1])
    for start in range(0, len(rows), step):
        chunk = slice(start, start + step)
        difference = np.subtract(a.points[rows[chunk]], b.points[columns[chunk]], dtype=np.float64)
        squared[chunk] = np.square(difference, out=difference).sum(axis=1)
    return squared


def within(a: Cloud, b: Cloud, tile: Tile, limit: Floats) -> tuple[Integers, Integers]:
    """Pairs (points of `a`, points of `b`) of a tile whose squared distance is below a limit.

    limit  squared distances, broadcast against the tile: one for each row, or one for each column
    """
    edge = (limit / a.unit).astype(np.float32)
    local = places(tile.lower < edge)
    rows, columns = tile.points(local)
    near = tile.lower[local] + widths(a, b, rows, columns) < np.broadcast_to(edge, tile.lower.shape)[local]
    unsure = np.flatnonzero(~near)
    exact = squared_distances(a, b, rows[unsure], columns[unsure])
    near[unsure] = exact < np.broadcast_to(limit, tile.lower.shape)[local][unsure]
    return rows[near], columns[near]


def places(mask: npt.NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """`np.nonzero` of a matrix; several times as fast where little is true."""
    rows, columns = np.divmod(np.flatnonzero(mask), mask.shape[1])
    return rows, columns


def _cloud(features: Features, centre: Floats, scale: float) -> Cloud:
    first, inverse, counts = _distinct(features)
    points = features if len(first) == len(features) else features[first]
    scaled, norms = np.empty(points.shape, np.float32), np.empty(len(points), np.float32)
    for piece in _pieces(points):
        scaled[piece] = (points[piece] - centre) * (1 / scale)
        norms[piece] = np.einsum("ij,ij->i", scaled[piece], scaled[piece], dtype=np.float64)
    return Cloud(points, first, inverse, counts, scaled, norms, scale**2)


def _reach(features: Features, centre: Floats) -> float:
    """No point is farther than this from the centre."""
    largest = max(float((features.max(axis=0) - centre).max()), float((centre - features.min(axis=0)).max()))
    return largest * float(np.sqrt(features.shape[1]))


def _pieces(features: Features) -> Iterator[slice]:
    step = max(1, CHUNK // features.shape[1])
    return (slice(start, start + step) for start in range(0, len(features), step))


def _distinct(features: Features) -> tuple[Integers, Integers, Integers]:
    """`first`, `inverse` and `counts` of a `Cloud`: rows compared by a 128-bit hash of their bytes."""
    seen: dict[bytes, int] = {}
    inverse = np.array([seen.setdefault(_digest(row), len(seen)) for row in features], dtype=np.int64)
    _, first, counts = np.unique(inverse, return_index=True, return_counts=True)
    return first, inverse, counts


def _digest(row: Features) -> bytes:
    return hashlib.blake2b(row.data, digest_size=16).digest()
