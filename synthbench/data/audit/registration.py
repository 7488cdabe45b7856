"""Lay one picture over another: the affine map between them, by Gauss-Newton from a first guess.

Coordinates run from -1 to 1 along each axis, y before x. A map (2, 3) takes a place of the target to the place of
the source that shows the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthbench.data.audit.texture import blur
from synthbench.data.audit.thumbnails import SIZE, Floats

__all__ = ["register", "sampled"]


@dataclass(frozen=True)
class Level:
    """How finely the two are compared: blurred by `sigma` pixels, at every `stride`-th pixel, `steps` times."""

    sigma: float
    steps: int
    stride: int = 1


LEVELS = (Level(2.0, 4, 2), Level(1.0, 4, 2), Level(0.5, 3), Level(0.0, 3))

LEAST_GAIN = 0.2
"""Of contrast between the two: below it they have nothing in common, and steps would be wild."""

RIDGE = 1e-3
"""Share added to the diagonal of the least squares: a picture with stripes one way knows no shift along them."""

MOST_STEP = 0.15
LOW = np.array([[0.65, -0.2, -0.45], [-0.2, 0.65, -0.45]], dtype=np.float32)
HIGH = np.array([[1.5, 0.2, 0.45], [0.2, 1.5, 0.45]], dtype=np.float32)
"""Bounds of a map: half as large again, 11 degrees, a shift of 22 % of the width: a wild guess stays near."""


def register(target: Floats, source: Floats, start: Floats) -> Floats:
    """The maps (P, 2, 3) that lay each `source` over its `target`, both (P, 32, 32), from `start` (P, 2, 3).

    Six parameters of the map and a free gain and offset of the grey values, so that a negative is laid over as
    well; in the inverse compositional form, whose derivatives are the target's (Baker & Matthews, IJCV 56(3),
    2004). Only what lies within the source counts.
    """
    maps = start
    for level in LEVELS:
        maps = _registered(_blurred(target, level.sigma), _blurred(source, level.sigma), maps, level)
    return maps


def _blurred(images: Floats, sigma: float) -> Floats:
    return blur(images, sigma) if sigma else images


def _registered(target: Floats, source: Floats, maps: Floats, level: Level) -> Floats:
    places, columns = _columns(target, level.stride)
    for _ in range(level.steps):
        seen, inside = sampled(source, maps, places)
        weighted = columns * inside[:, None]
        normal = weighted @ columns.swapaxes(1, 2)
        normal += (RIDGE * np.einsum("pii->pi", normal) + 1e-6)[:, :, None] * np.eye(8, dtype=np.float32)
        answer = np.linalg.solve(normal, weighted @ seen[..., None])[..., 0]
        maps = _moved(maps, answer)
    return maps


def _columns(target: Floats, stride: int) -> tuple[Floats, Floats]:
    """Places (3, K), and what the picture changes there with gain, offset and each entry of the map: (P, 8, K)."""
    inner = slice(1, SIZE - 1, stride)
    down, across = (np.gradient(target, 2 / SIZE, axis=axis)[:, inner, inner] for axis in (1, 2))
    places = _places()[:, inner, inner]
    parts = (
        target[:, inner, inner],
        np.ones_like(down),
        *(d * p for d in (down, across) for p in places),
    )
    return places.reshape(3, -1), np.stack(parts, axis=1).reshape(len(target), 8, -1)


def _places() -> Floats:
    """(3, 32, 32): y, x and 1 at the pixels' centres."""
    line = ((np.arange(SIZE) + 0.5) * (2 / SIZE) - 1).astype(np.float32)
    return np.stack([*np.meshgrid(line, line, indexing="ij"), np.ones((SIZE, SIZE), np.float32)])


def _moved(maps: Floats, answer: Floats) -> Floats:
    """The maps after the inverse of the step that the least squares ask for: map o (1 + step)^-1."""
    gain = answer[:, 0]
    gain = np.where(gain >= 0, 1, -1) * np.maximum(np.abs(gain), LEAST_GAIN)
    step = np.clip(answer[:, 2:] / gain[:, None], -MOST_STEP, MOST_STEP).reshape(-1, 2, 3)
    linear = np.linalg.inv(np.eye(2, dtype=np.float32) + step[:, :, :2])
    turned = maps[:, :, :2] @ linear
    moved = np.concatenate([turned, maps[:, :, 2:] - turned @ step[:, :, 2:]], axis=2)
    return np.asarray(np.clip(moved, LOW, HIGH))


def sampled(images: Floats, maps: Floats, places: Floats | None = None) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """What images (P, 32, 32) show at the mapped places (3, K), by default all pixels; and which lie within.

    Values float32 (P, K), linearly interpolated, of the nearest pixel where a place lies without; bool (P, K).
    """
    at = maps @ (_places().reshape(3, -1) if places is None else places)
    at = (at + 1) * (SIZE / 2) - 0.5
    inside = np.asarray(((at >= 0) & (at <= SIZE - 1)).all(axis=1))
    at = np.clip(at, 0, SIZE - 1.001)
    corner = at.astype(np.int32)
    down, across = (at - corner).swapaxes(0, 1)
    first = corner[:, 0] * SIZE + corner[:, 1] + (np.arange(len(images), dtype=np.int32) * SIZE**2)[:, None]
    flat = images.reshape(-1)
    upper, lower = (
        flat.take(row) + (flat.take(row + 1) - flat.take(row)) * across for row in (first, first + SIZE)
    )
    return upper + (lower - upper) * down, inside
