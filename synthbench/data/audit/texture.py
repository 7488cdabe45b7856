"""What is where in a picture: the strength of edges and lines, by scale and direction, on a coarse grid.

In the manner of GIST (Oliva & Torralba, IJCV 42(3), 2001), on a picture whose local contrast was evened out: a
negative, another contrast or a local equalisation leave it all but as it was, a small shift or turn changes it
little, and to mirror a picture or turn it by a right angle only moves its numbers about.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from scipy.ndimage import gaussian_filter1d

from synthbench.data.audit.thumbnails import SIZE, Floats
from synthbench.data.audit.windows import Pose

__all__ = ["blur", "even_contrast", "texture", "turned"]

FILTERS = ((0.7, 1), (1.0, 2), (1.5, 1), (2.5, 1))
"""Standard deviation in thumbnail pixels, and order, of the derivatives of a Gaussian."""

DIRECTIONS = 4
CELLS = 7
CELL = 2.5
"""Standard deviation of a cell's Gaussian weight, in thumbnail pixels; cells lie 4.6 apart."""

EVEN = 2.0
"""Standard deviation of the surroundings over which a contrast is evened out, for the texture."""

NOISE = 4.0
"""Grey levels of contrast that are taken for noise: no flat region is blown up beyond it."""


@cache
def _kernel(sigma: float, order: int) -> Floats:
    """(32, 32): filters a line by a Gaussian's derivative of that order."""
    matrix = gaussian_filter1d(np.eye(SIZE), sigma, axis=0, order=order, mode="nearest").astype(np.float32)
    matrix.flags.writeable = False
    return matrix


def _filtered(images: Floats, sigma: float, down: int, across: int) -> Floats:
    return np.asarray(_kernel(sigma, down) @ images @ _kernel(sigma, across).T)


def blur(images: Floats, sigma: float) -> Floats:
    """(N, 32, 32), by a Gaussian."""
    return _filtered(images, sigma, 0, 0)


def even_contrast(small: Floats, sigma: float = EVEN) -> Floats:
    """Each pixel less the mean of its surroundings, over their standard deviation: (N, 32, 32)."""
    mean = blur(small, sigma)
    variance = blur(small * small, sigma) - mean * mean
    return np.asarray((small - mean) / np.sqrt(np.maximum(variance, 0) + NOISE**2))


def texture(small: Floats) -> Floats:
    """Thumbnails (N, 32, 32) -> float32 (N, 4 filters, 4 directions, 7, 7), 0 and more."""
    even = even_contrast(small)
    pool = _cells()
    maps = [pool @ np.abs(response) @ pool.T for response in _responses(even)]
    return np.stack(maps, axis=1).reshape(len(small), len(FILTERS), DIRECTIONS, CELLS, CELLS)


def _responses(images: Floats) -> Iterator[Floats]:
    angles = np.pi * np.arange(DIRECTIONS, dtype=np.float32) / DIRECTIONS
    for sigma, order in FILTERS:
        if order == 1:
            down, across = _filtered(images, sigma, 1, 0), _filtered(images, sigma, 0, 1)
            yield from (np.cos(angle) * across + np.sin(angle) * down for angle in angles)
        else:
            down, across = _filtered(images, sigma, 2, 0), _filtered(images, sigma, 0, 2)
            both = _filtered(images, sigma, 1, 1)
            for c, s in zip(np.cos(angles), np.sin(angles), strict=True):
                yield c * c * across + 2 * c * s * both + s * s * down


@cache
def _cells() -> Floats:
    """(7, 32): the weight of each pixel of a line in each cell."""
    centres = (np.arange(CELLS) + 0.5) * SIZE / CELLS - 0.5
    weight = np.exp(-0.5 * ((np.arange(SIZE) - centres[:, None]) / CELL) ** 2)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), dtype=np.float32)


def turned(textures: Floats, pose: Pose) -> Floats:
    """The textures that the pictures would have in that pose: places move, and directions with them."""
    direction = np.arange(DIRECTIONS)
    if pose.transposed:  # an angle a becomes 90 degrees - a
        textures = textures.swapaxes(-1, -2)[:, :, (DIRECTIONS // 2 - direction) % DIRECTIONS]
    if pose.flip_y:
        textures = textures[:, :, -direction % DIRECTIONS, ::-1]
    if pose.flip_x:
        textures = textures[:, :, -direction % DIRECTIONS, :, ::-1]
    return textures
