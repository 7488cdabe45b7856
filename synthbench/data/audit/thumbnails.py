"""Small grey copies of images, on which the perceptual comparison works."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthbench.types import Pixels

__all__ = ["BLOCK", "SIZE", "Floats", "grey", "has_content", "line_areas", "thumbnails"]

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
    start, end = np.zeros(1), np.ones(1)
    return np.asarray(line_areas(height, start, end) @ grey(pixels) @ line_areas(width, start, end)[0].T)


def grey(pixels: Pixels) -> Floats:
    """uint8 (N, H, W, C) -> float32 (N, H, W): mean over the channels, range 0-255."""
    return pixels[..., 0].astype(np.float32) if pixels.shape[3] == 1 else pixels.mean(axis=3, dtype=np.float32)


def line_areas(pixels: int, start: npt.NDArray[np.float64], end: npt.NDArray[np.float64]) -> Floats:
    """(N, 32, pixels): the share of each pixel in each of 32 equal cells of a part of a line; rows sum to 1.

    The N parts lie between `start` and `end`, shares (N,) of the line, 0 <= start < end <= 1.
    """
    edges = (start[:, None] + (end - start)[:, None] * np.linspace(0, 1, SIZE + 1)) * pixels
    left, right = edges[:, :-1, None], edges[:, 1:, None]
    pixel = np.arange(pixels)
    overlap = np.clip(np.minimum(right, pixel + 1) - np.maximum(left, pixel), 0, None)
    return np.asarray(overlap / (right - left), dtype=np.float32)


def has_content(small: Floats) -> npt.NDArray[np.bool_]:
    """Whether thumbnails (N, 32, 32) show anything: an all but uniform grey looks like any other. bool (N,)."""
    return np.asarray(small.std(axis=(1, 2)) >= FLAT)
