"""A gallery: images described once, in which the pictures of others are looked for."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from synthbench.data.audit.candidates import Candidates, candidates
from synthbench.data.audit.descriptors import Described, Descriptor, describe
from synthbench.data.audit.likeness import compare
from synthbench.data.audit.thumbnails import Floats
from synthbench.data.audit.windows import POSES, Pose, Window, content_windows, cut, posed, posed_windows
from synthbench.types import Pixels, Strings

__all__ = ["Gallery", "Pairs", "one_thread"]

BLOCK = 256
"""Queries that one thread works on at a time."""

TOGETHER = 64
"""Pairs laid over each other at a time: what they need stays in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of images that may show one picture, with their distances.

    query, reference  int (P,), places in the two sets
    distance          float32 (P,), 0 (one picture) to 1 (unrelated); see `likeness.compare`
    view              str (P,), what was done to the query to lay it over the reference: a pose's name, and
                      ", inverted" where the one is a negative of the other
    """

    query: npt.NDArray[np.intp]
    reference: npt.NDArray[np.intp]
    distance: Floats
    view: Strings

    def subset(self, index: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Pairs:
        return Pairs(*(values[index] for values in vars(self).values()))


@dataclass(frozen=True, eq=False)
class Gallery:
    """Images (N, H, W, C) and the descriptors of their windows."""

    pixels: Pixels
    descriptor: Descriptor
    described: Described

    @classmethod
    def of(cls, pixels: Pixels, descriptor: Descriptor) -> Self:
        with one_thread():
            return cls(pixels, descriptor, describe(pixels, descriptor))

    def pairs(self, queries: Pixels) -> Pairs:
        """Each query (M, h, w, c) with its nearest images of the gallery, laid over each other."""
        return self._pairs(queries, within=False)

    def pairs_within(self) -> Pairs:
        """Each image of the gallery with the nearest before it: a pair comes once, the later one first."""
        return self._pairs(self.pixels, within=True)

    def _pairs(self, queries: Pixels, *, within: bool) -> Pairs:
        starts = range(0, len(queries), BLOCK)
        with one_thread(), ThreadPoolExecutor(os.cpu_count()) as pool:
            blocks = [_no_pairs(), *pool.map(partial(self._block, queries, within), starts)]
        return Pairs(*(np.concatenate([getattr(block, name) for block in blocks]) for name in vars(blocks[0])))

    def _block(self, queries: Pixels, within: bool, start: int) -> Pairs:
        asked = describe(queries[start : start + BLOCK], self.descriptor, poses=len(POSES), first=start)
        likely = candidates(asked, self.described, near=self.descriptor.near, within=within)
        return self._compared(queries, asked, likely)

    def _compared(self, queries: Pixels, asked: Described, likely: Candidates) -> Pairs:
        query, reference = asked.image[likely.query], self.described.image[likely.reference]
        sought, seen = asked.edges[likely.query], self.described.edges[likely.reference]
        distance, view = np.ones(len(likely), np.float32), np.empty(len(likely), "U60")
        order = np.argsort(likely.pose, kind="stable")  # pairs of one pose are laid over each other together
        for number in np.unique(likely.pose):
            of_pose = order[likely.pose[order] == number]
            pose = POSES[number]
            for start in range(0, len(of_pose), TOGETHER):
                i = of_pose[start : start + TOGETHER]
                distance[i], negative = _compare(
                    self.pixels[reference[i]], queries[query[i]], seen[i], sought[i], pose
                )
                view[i] = np.where(negative, f"{pose.name}, inverted", pose.name)
        return Pairs(query, reference, distance, view)


def one_thread() -> threadpool_limits:
    """One thread a matrix product: of many small ones the threads only wait for each other."""
    return threadpool_limits(1, "blas")


def _no_pairs() -> Pairs:
    nothing = np.empty(0, dtype=np.intp)
    return Pairs(nothing, nothing, np.empty(0, dtype=np.float32), np.empty(0, dtype=np.str_))


def _compare(
    references: Pixels, queries: Pixels, seen: Window, sought: Window, pose: Pose
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """`compare` what lies within the borders, the window `sought` of a query in that pose lying over `seen`."""
    content, inner = content_windows(references), content_windows(queries)
    first, second = cut(references, content), posed(cut(queries, inner), pose)
    start = _start(content, seen, posed_windows(sought, pose), posed_windows(inner, pose))
    return compare(first, np.ascontiguousarray(second), start)


def _start(content: Window, seen: Window, sought: Window, inner: Window) -> Floats:
    """The map (P, 2, 3) from the coordinates of `content` to those of `inner`, `sought` lying over `seen`."""
    (c, c0), (s, s0), (q, q0), (i, i0) = (_affine(window) for window in (content, seen, sought, inner))
    scale, shift = c * q / (s * i), ((c0 - s0) / s * q + q0 - i0) / i
    maps = np.zeros((len(content), 2, 3), dtype=np.float32)
    maps[:, 0, 0], maps[:, 1, 1] = scale.T
    maps[:, :, 2] = shift
    return maps


def _affine(window: Window) -> tuple[Window, Window]:
    """Half height and width, and centre, each (P, 2), in coordinates of the image from -1 to 1."""
    return window[:, 1::2] - window[:, ::2], window[:, 1::2] + window[:, ::2] - 1
