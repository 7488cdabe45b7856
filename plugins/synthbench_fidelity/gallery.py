"""The synthetic images that come nearest to a training image, beside it: to be looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synthbench import Images, Pixels, write_csv
from synthbench_fidelity.arrays import Features

__all__ = ["closest_grid", "save_closest"]

PAIRS, COLUMNS = 16, 8


def save_closest(folder: Path, train: Images, synthetic: Images, real: Features, features: Features) -> None:
    """closest-pairs.png and closest-pairs.csv: the nearest 16, each synthetic image above its training image.

    real, features  (N, D) of `train`, (M, D) of `synthetic`
    """
    from PIL import Image

    from synthbench_fidelity.neighbours import nearest

    distance, index = nearest(queries=features, points=real)
    chosen = np.argsort(distance, kind="stable")[:PAIRS]
    grid = closest_grid(synthetic.pixels[chosen], train.pixels[index[chosen]])
    Image.fromarray(grid[:, :, 0] if grid.shape[2] == 1 else grid).save(folder / "closest-pairs.png")
    pairs = [(synthetic.ids[i], train.ids[index[i]], f"{distance[i]:.6g}") for i in chosen]
    write_csv(folder / "closest-pairs.csv", [("synthetic", "train", "distance"), *pairs])


def closest_grid(above: Pixels, below: Pixels) -> Pixels:
    """Pairs in rows of 8, uint8 (H', W', C); a white line under each row of pairs, black where no pair is left."""
    n, height, width, channels = above.shape
    rows = -(-n // COLUMNS)
    pair = 2 * height + 2
    grid = np.zeros((rows * pair, COLUMNS * width, channels), dtype=np.uint8)
    for place in range(n):
        top, left = place // COLUMNS * pair, place % COLUMNS * width
        grid[top : top + height, left : left + width] = above[place]
        grid[top + height : top + 2 * height, left : left + width] = below[place]
    grid[pair - 2 :: pair] = grid[pair - 1 :: pair] = 255
    return grid
