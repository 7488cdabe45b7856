"""Pictures that only the run can make, for it has the pixels: real images, samples and their neighbours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from synthbench.data.audit.thumbnails import BLOCK, SIZE, thumbnails
from synthbench.storage.cells import write_csv
from synthbench.types import Images, Labels, Pixels

__all__ = ["COLUMNS", "class_grid", "nearest", "save_class_grid", "save_nearest", "save_real"]

COLUMNS = 8
"""Images of each class that a grid shows."""

Indices = npt.NDArray[np.intp]
Floats = npt.NDArray[np.floating]


def class_grid(images: Images, columns: int = COLUMNS) -> Pixels:
    """The first `columns` images of each class, uint8 (classes * H, columns * W, C); black where none is left."""
    height, width, channels = images.shape
    grid = np.zeros((len(images.classes) * height, columns * width, channels), dtype=np.uint8)
    for row in range(len(images.classes)):
        for column, index in enumerate(np.flatnonzero(images.labels == row)[:columns]):
            top, left = row * height, column * width
            grid[top : top + height, left : left + width] = images.pixels[index]
    return grid


def save_class_grid(path: Path, images: Images, columns: int = COLUMNS) -> None:
    """Write `class_grid` as PNG."""
    grid = class_grid(images, columns)
    Image.fromarray(grid[:, :, 0] if grid.shape[2] == 1 else grid).save(path)


def save_real(out: Path, train: Images) -> None:
    """data/real.png in a run's folder: the first training images of each class, laid out as samples.png."""
    path = out / "data" / "real.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_class_grid(path, train)


def save_nearest(folder: Path, synthetic: Images, train: Images) -> None:
    """nearest.png and nearest.csv: the samples of samples.png, each above the training image nearest to it.

    The CSV has a row a sample: its id and class, the training image's id and class, and their `distance`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    of_class = [np.flatnonzero(synthetic.labels == k)[:COLUMNS] for k in range(len(synthetic.classes))]
    shown = synthetic.subset(np.concatenate(of_class))
    index, distance = nearest(shown, train)
    neighbours = train.subset(index)
    save_class_grid(folder / "nearest.png", _paired(shown, neighbours))
    rows = [["sample", "class", "nearest", "nearest_class", "distance"]]
    for k in range(len(shown)):
        classes = [shown.classes[images.labels[k]] for images in (shown, neighbours)]
        rows.append([shown.ids[k], classes[0], neighbours.ids[k], classes[1], f"{distance[k]:.3f}"])
    write_csv(folder / "nearest.csv", rows)


def nearest(samples: Images, train: Images) -> tuple[Indices, Floats]:
    """For each sample the nearest training image of any class, (n,), and the distance to it, (n,).

    Distance is the root mean square difference in grey levels (0-255) of grey copies of 32 x 32 pixels. It tells
    a copy, also one with a little noise, from a new image; how alike two patients look it does not tell.
    """
    vectors = _vectors(samples)
    best = np.full(len(samples), np.inf)
    index = np.zeros(len(samples), dtype=np.intp)
    for start in range(0, len(train), BLOCK):
        block = _vectors(train.subset(np.arange(start, min(start + BLOCK, len(train)))))
        squares = np.stack([((block - one) ** 2).mean(1) for one in vectors]) if len(vectors) else np.zeros((0, 1))
        nearer = squares.min(1) < best
        index[nearer] = start + squares.argmin(1)[nearer]
        best = np.minimum(best, squares.min(1))
    return index, np.sqrt(best)


def _vectors(images: Images) -> npt.NDArray[np.float32]:
    return thumbnails(images.pixels).reshape(len(images), SIZE * SIZE)


def _paired(shown: Images, neighbours: Images) -> Images:
    """Two rows a class: the samples, and below each what is nearest to it."""
    labels: Labels = np.concatenate([2 * shown.labels, 2 * shown.labels + 1])
    rows = tuple(str(k) for k in range(2 * len(shown.classes)))
    return Images(np.concatenate([shown.pixels, neighbours.pixels]), labels, rows)
