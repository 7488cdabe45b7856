"""Nearest neighbours in blocks, exact: ties and duplicates as float64 coordinates decide them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from synthbench_fidelity.arrays import Features, Floats, Integers, feature_sets
from synthbench_fidelity.clouds import Cloud, Singles, Tile, clouds, places, squared_distances, tiles, widths

__all__ = ["k_nearest", "nearest", "nearest_other", "radii"]


def nearest(*, queries: Features, points: Features) -> tuple[Floats, Integers]:
    """For each query the Euclidean distance to its nearest point, and which that is.

    queries  (N, D)
    points   (M, D), at least one

    Returns distances (N,), in the features' units, 0 for equal rows, and indices (N,) into `points`; of several
    nearest points the first. Memory beyond the features: float32 copies of both, and a block of distances.
    ValueError: shapes, NaN.
    """
    distance, index = k_nearest(queries=queries, points=points, k=1)
    return distance[:, 0], index[:, 0]


def k_nearest(*, queries: Features, points: Features, k: int) -> tuple[Floats, Integers]:
    """As `nearest`, the k nearest distinct points, ascending: distances and indices (N, k).

    A point that stands in `points` more than once counts once, under its first index. With fewer than k
    distinct points there are as many columns as there are points.
    """
    queries, points = feature_sets(queries=queries, points=points)
    query_cloud, point_cloud = clouds(queries, points)
    squared, index = _search(query_cloud, point_cloud, min(k, len(point_cloud)))
    return np.sqrt(squared)[query_cloud.inverse], point_cloud.first[index][query_cloud.inverse]


def nearest_other(*, points: Features) -> Floats:
    """Distances (N,) from each point to the nearest other one; 0 where an equal one is among them."""
    (points,) = feature_sets(2, points=points)
    (cloud,) = clouds(points)
    return np.sqrt(radii(cloud, 1))[cloud.inverse]


def radii(cloud: Cloud, k: int) -> Floats:
    """Squared distance (n,) from each distinct point to the k-th nearest other of the set, duplicates counted."""
    copies = cloud.counts - 1
    if len(cloud) == 1:
        return np.zeros(1)
    squared, index = _search(cloud, cloud, min(k, len(cloud) - 1))
    reached = copies[:, None] + np.cumsum(cloud.counts[index], axis=1)
    kth = np.take_along_axis(squared, (reached >= k).argmax(axis=1)[:, None], axis=1)[:, 0]
    return np.where(copies >= k, 0.0, kth)


def _search(a: Cloud, b: Cloud, k: int) -> tuple[Floats, Integers]:
    """Of each point of `a` the k nearest of `b`, by distance, then index: squared squared, indices (len(a), k).

    Where the two are one cloud, no point is its own neighbour.
    """
    rows, columns = _candidates(a, b, k)
    squared = squared_distances(a, b, rows, columns)
    order = np.lexsort((columns, squared, rows))
    chosen = order[_starts(rows[order])[:, None] + np.arange(k)]
    return squared[chosen], columns[chosen]


def _candidates(a: Cloud, b: Cloud, k: int) -> tuple[Integers, Integers]:
    """Pairs that may be among the k nearest: those not surely farther than k others are."""
    shortlists = list(zip(*_shortlists(a, b, k), strict=True))
    rows, columns = np.concatenate(shortlists[0]), np.concatenate(shortlists[1])
    lower = np.concatenate(shortlists[2])
    upper = lower + widths(a, b, rows, columns)
    order = np.lexsort((upper, rows))
    kth = upper[order[_starts(rows[order]) + k - 1]]
    kept = lower <= kth[rows]
    return rows[kept], columns[kept]


def _shortlists(a: Cloud, b: Cloud, k: int) -> Iterator[tuple[Integers, Integers, Singles]]:
    """The same from each tile alone, with the lower bounds of the pairs."""
    reach = np.full(len(a), np.inf, dtype=np.float32)
    for tile in tiles(a, b):
        if a is b and tile.rows == tile.columns:
            np.fill_diagonal(tile.lower, np.inf)
        yield _shortlist(a, b, tile, k, reach)
        if a is b and tile.rows != tile.columns:
            yield _shortlist(b, a, tile.transposed(), k, reach)


def _shortlist(a: Cloud, b: Cloud, tile: Tile, k: int, reach: Singles) -> tuple[Integers, Integers, Singles]:
    """`reach`, within which each point of `a` is known to have k neighbours, shrinks by what this tile shows."""
    if k <= tile.lower.shape[1]:
        local = places(tile.lower <= np.partition(tile.lower, k - 1, axis=1)[:, k - 1, None])
        upper = tile.lower[local] + widths(a, b, *tile.points(local))
        np.minimum(reach[tile.rows], np.maximum.reduceat(upper, _starts(local[0])), out=reach[tile.rows])
    local = places(tile.lower <= reach[tile.rows, None])
    return *tile.points(local), tile.lower[local]


def _starts(rows: Integers) -> npt.NDArray[np.intp]:
    """Where each value of an ascending array begins."""
    return np.flatnonzero(np.diff(rows, prepend=-1))
