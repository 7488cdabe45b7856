"""Small grey copies of images, on which the perceptual comparison works."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthbench.types import Pixels

__all__ = ["Floats", "has_content", "thumbnails"]

Floats = npt.NDArray[np.float32]

SIZE = 32
"""Height and width of a thumbnail: what survives re-encoding and resizing lies below its resolution."""

BLOCK = 1024
"""Images worked on at a time: it bounds the memory beyond the images themselves."""

FLAT = 1.0
"""Standard deviation in grey levels below which a picture shows nothing that could be recognised."""


def thumbnails(pixels: Pixels) -> Floats:
    """uint8 (N, H, W, C) -> float32 (N, 32, 32): mean over the channels and over each cell's area, range 0-255."""
    _, height, width, _ = pixels.shape
    grey = pixels[..., 0].astype(np.float32) if pixels.shape[3] == 1 else pixels.mean(axis=3, dtype=np.float32)
    return np.asarray(_areas(height) @ grey @ _areas(width).T, dtype=np.float32)


def _areas(old: int) -> Floats:
    """(32, old): the share of each of `old` pixels in each of 32 equal cells of the line; rows sum to 1."""
    edges = np.linspace(0, old, SIZE + 1)
    left, right = edges[:-1, None], edges[1:, None]
    pixel = np.arange(old)
    overlap = np.clip(np.minimum(right, pixel + 1) - np.maximum(left, pixel), 0, None)
    return np.asarray(overlap * (SIZE / old), dtype=np.float32)


def has_content(small: Floats) -> npt.NDArray[np.bool_]:
    """Whether thumbnails (N, 32, 32) show anything: an all but uniform grey looks like any other. bool (N,)."""
    return np.asarray(small.std(axis=(1, 2)) >= FLAT)
