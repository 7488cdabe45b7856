"""Pictures of images: one row a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from synthbench.types import Images, Pixels

__all__ = ["class_grid", "save_class_grid"]


def class_grid(images: Images, columns: int = 8) -> Pixels:
    """The first `columns` images of each class, uint8 (classes * H, columns * W, C); black where none is left."""
    height, width, channels = images.shape
    grid = np.zeros((len(images.classes) * height, columns * width, channels), dtype=np.uint8)
    for row in range(len(images.classes)):
        for column, index in enumerate(np.flatnonzero(images.labels == row)[:columns]):
            top, left = row * height, column * width
            grid[top : top + height, left : left + width] = images.pixels[index]
    return grid


def save_class_grid(path: Path, images: Images, columns: int = 8) -> None:
    """Write `class_grid` as PNG."""
    grid = class_grid(images, columns)
    Image.fromarray(grid[:, :, 0] if grid.shape[2] == 1 else grid).save(path)
