"""Pictures treated at random as copies are: cropped, turned, shifted, re-contrasted, written on. To learn from."""

from __future__ import annotations

import numpy as np

from synthbench.data.audit.registration import sampled
from synthbench.data.audit.texture import even_contrast
from synthbench.data.audit.thumbnails import SIZE, Floats

__all__ = ["treated"]

CROP, SHIFT, TURN = 0.12, 0.06, np.deg2rad(5)
"""At most: off each side, as a share of it; to each side, as a share of the half width; either way."""

GAMMA = 2.0
BARS = 2
"""At most; half of the pictures get any."""


def treated(small: Floats, rng: np.random.Generator) -> Floats:
    """Thumbnails (N, 32, 32), each treated in its own way."""
    images = _written_on(_recontrasted(small, rng), rng)
    values, _ = sampled(images, _motions(len(images), rng))
    return values.reshape(images.shape)


def _motions(n: int, rng: np.random.Generator) -> Floats:
    """Affine maps (n, 2, 3) of coordinates from -1 to 1: crops, shifts and turns."""
    top, bottom, left, right = rng.uniform(0, 2 * CROP, (4, n))
    angle = rng.uniform(-TURN, TURN, n)
    shift = rng.uniform(-SHIFT, SHIFT, (2, n))
    high, wide = 1 - (top + bottom) / 2, 1 - (left + right) / 2
    rows = [high * np.cos(angle), high * np.sin(angle), (top - bottom) / 2 + shift[0]]
    columns = [-wide * np.sin(angle), wide * np.cos(angle), (left - right) / 2 + shift[1]]
    return np.stack([np.stack(rows, axis=1), np.stack(columns, axis=1)], axis=1).astype(np.float32)


def _recontrasted(small: Floats, rng: np.random.Generator) -> Floats:
    """A quarter each: as it was, by a gamma, locally evened out, equalised."""
    images, how = small.copy(), rng.integers(0, 4, len(small))
    gamma = np.exp(rng.uniform(-np.log(GAMMA), np.log(GAMMA), (len(small), 1, 1)))
    images[how == 1] = 255 * (small[how == 1] / 255) ** gamma[how == 1]
    images[how == 2] = 128 + 40 * even_contrast(small[how == 2], 4.0)
    flat = small[how == 3].reshape(-1, SIZE * SIZE)
    images[how == 3] = (flat.argsort(axis=1).argsort(axis=1) * (255 / flat.shape[1])).reshape(-1, SIZE, SIZE)
    return images


def _written_on(small: Floats, rng: np.random.Generator) -> Floats:
    """White, black or letter-like bars on half of the pictures."""
    images = small.copy()
    for image in images:
        if rng.random() < 0.5:
            continue
        for _ in range(rng.integers(1, BARS + 1)):
            width, height = rng.integers(3, 14), rng.integers(2, 4)
            top, left = rng.integers(0, SIZE - height), rng.integers(0, SIZE - width)
            bar = image[top : top + height, left : left + width]
            ink = rng.random(bar.shape) < rng.choice([0.5, 1.0])
            bar[ink] = rng.choice([0, 255, 255])
    return images
