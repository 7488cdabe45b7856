"""The windows of an image that are compared: all of it, its middle, and what a border leaves; and its eight poses.

A copy that was cropped is alike to the middle of its original, one that got a border is alike once that is
trimmed, and one that was mirrored or turned by a right angle is alike in one of the eight poses.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synthbench.data.audit.thumbnails import Floats, grey, has_content, line_areas
from synthbench.types import Pixels

__all__ = ["MIDDLE", "POSES", "WHOLE", "Pose", "Window", "content_windows", "posed", "posed_windows", "windows"]

Window = npt.NDArray[np.float64]
"""(N, 4): top, bottom, left and right edge, as shares of the side from its upper or left end."""

CUT = 0.08
WHOLE = np.array([0.0, 1, 0, 1])
MIDDLE = np.array([CUT, 1 - CUT, CUT, 1 - CUT])
"""8 % off every side: between an original and a copy that lost 10 % a side, the smaller one's match."""

FLAT_LINE = 3.0
"""Standard deviation in grey levels of a line of pixels that belongs to a border of one colour."""

SAME_LINE = 1.0
"""Mean difference in grey levels of two neighbouring lines that are one line repeated, as a shift may leave."""

MOST_TRIMMED = 0.34
"""Share of a side; more than that is no border but an image that shows little."""


class Pose(NamedTuple):
    """One of the eight ways to lay a square: transposed first, then flipped top to bottom and left to right."""

    transposed: bool
    flip_y: bool
    flip_x: bool

    @property
    def name(self) -> str:
        """What was done to an image to lay it like the other one."""
        return NAMES[self]


POSES = tuple(Pose(*how) for how in product((False, True), repeat=3))
NAMES = {
    Pose(False, False, False): "as it is",
    Pose(False, False, True): "mirrored",
    Pose(False, True, False): "upside down",
    Pose(False, True, True): "turned by 180 degrees",
    Pose(True, False, False): "mirrored and turned by 270 degrees",
    Pose(True, False, True): "turned by 90 degrees",
    Pose(True, True, False): "turned by 270 degrees",
    Pose(True, True, True): "mirrored and turned by 90 degrees",
}
"""Turned clockwise."""


def posed(images: Floats, pose: Pose) -> Floats:
    """Images (..., n, n) in that pose; a view."""
    if pose.transposed:
        images = images.swapaxes(-1, -2)
    return images[..., :: -1 if pose.flip_y else 1, :: -1 if pose.flip_x else 1]


def posed_windows(window: Window, pose: Pose) -> Window:
    """Where the windows (N, 4) lie in an image that was laid in that pose."""
    top, bottom, left, right = window.T
    if pose.transposed:
        top, bottom, left, right = left, right, top, bottom
    if pose.flip_y:
        top, bottom = 1 - bottom, 1 - top
    if pose.flip_x:
        left, right = 1 - right, 1 - left
    return np.stack([top, bottom, left, right], axis=1)


def content_windows(pixels: Pixels) -> Window:
    """(N, 4): each image without the borders and letterboxes of any colour at its sides."""
    images = grey(pixels)
    sides = (images, images[:, ::-1], images.swapaxes(1, 2), images[:, :, ::-1].swapaxes(1, 2))
    trimmed = np.stack([_border(side) / side.shape[1] for side in sides], axis=1)  # top, bottom, left, right
    trimmed[:, 1::2] = 1 - trimmed[:, 1::2]
    return trimmed


def _border(images: Floats) -> npt.NDArray[np.intp]:
    """Number of first lines of each image (N, H, W) that are of one colour or repeat the next line."""
    uniform = images.std(axis=2) < FLAT_LINE
    uniform[:, :-1] |= np.abs(np.diff(images, axis=1)).mean(axis=2) < SAME_LINE
    lines = np.cumprod(uniform, axis=1).sum(axis=1)
    return np.where(lines <= MOST_TRIMMED * images.shape[1], lines, 0)


def windows(pixels: Pixels) -> Iterator[tuple[npt.NDArray[np.intp], Window, Floats]]:
    """Of images (N, H, W, C) all, the middle and the trimmed ones: which images, where, thumbnails (M, 32, 32).

    Only windows that show anything.
    """
    content = content_windows(pixels)
    every, bordered = np.arange(len(pixels)), np.flatnonzero((content != WHOLE).any(axis=1))
    for which, where in ((every, WHOLE), (every, MIDDLE), (bordered, content[bordered])):
        edges = np.broadcast_to(where, (len(which), 4))
        small = cut(pixels[which], edges)
        shown = has_content(small)
        yield which[shown], edges[shown], small[shown]


def cut(pixels: Pixels, window: Window) -> Floats:
    """Thumbnails (N, 32, 32) of one window of each image (N, H, W, C)."""
    images = grey(pixels)
    _, height, width = images.shape
    rows = line_areas(height, window[:, 0], window[:, 1])
    columns = line_areas(width, window[:, 2], window[:, 3])
    return np.asarray(rows @ images @ columns.swapaxes(1, 2), dtype=np.float32)
