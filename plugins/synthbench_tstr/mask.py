"""One mask over the lung fields, the same for every image: a mask for each would tell the class by its shape."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from synthbench import Images

__all__ = ["LUNGS", "Oval", "blacked_out", "lung_mask"]

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Oval:
    """A tilted superellipse, |u|^2.5 + |v|^2.5 <= 1, in shares of the image's width and height.

    x, y                     the centre, from the left and from the top
    half_width, half_height  its half-axes
    tilt                     radians, clockwise as seen: the lower end goes left
    """

    x: float
    y: float
    half_width: float
    half_height: float
    tilt: float

    def covers(self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Mask:
        """Whether each point lies inside."""
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        u = ((x - self.x) * cos + (y - self.y) * sin) / self.half_width
        v = ((y - self.y) * cos - (x - self.x) * sin) / self.half_height
        inside: Mask = np.abs(u) ** 2.5 + np.abs(v) ** 2.5 <= 1
        return inside


LUNGS: Final = (Oval(0.28, 0.49, 0.175, 0.42, 0.18), Oval(0.725, 0.51, 0.175, 0.43, -0.22))
"""Drawn on the mean image of the training X-rays of `chest-xray`, squashed to a square; generous, since
children stand and breathe as they like. docs/metrics.md shows it and says how much of the lungs it covers."""


def lung_mask(height: int, width: int) -> Mask:
    """(height, width), true where images are blacked out."""
    y, x = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
    grid = np.meshgrid(x, y)
    mask: Mask = np.any([oval.covers(*grid) for oval in LUNGS], axis=0)
    return mask


def blacked_out(images: Images) -> Images:
    """The same images with 0 under the mask."""
    height, width, _ = images.shape
    pixels = np.array(images.pixels)
    pixels[:, lung_mask(height, width)] = 0
    return replace(images, pixels=pixels)
