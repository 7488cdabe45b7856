"""Where things are: the film, the patient's pose before it, and the shapes that cast shadows.

Lengths are centimetres. Patient coordinates: x grows to the patient's left (the right of the image),
y grows towards the feet from the top of the lungs, z grows from the back to the breastbone; rays run along z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["CENTRE_Y", "Ellipsoid", "Field", "Film", "Pose", "overlap", "single", "smooth_noise", "splat"]

Field = npt.NDArray[np.floating[Any]]
"""One value for each pixel, (rows, cols); for points of a bone or vessel, (bones, points). float32 where made."""

FIELD_HEIGHT, ASPECT = 27.5, 1.2
CENTRE_Y = 10.8  # the patient's y at the middle of the film


def single(values: npt.ArrayLike) -> Field:
    """As float32; no copy where it is already."""
    return np.asarray(values, np.float32)


@dataclass(frozen=True)
class Film:
    """A detector 27.5 cm high and 1.2 times as wide, sampled by `rows` lines of square pixels."""

    rows: int

    @property
    def cols(self) -> int:
        return round(self.rows * ASPECT)

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.cols

    @property
    def pitch(self) -> float:
        """Centimetres from pixel to pixel."""
        return FIELD_HEIGHT / self.rows

    def axes(self) -> tuple[Field, Field]:
        """Film coordinates from its centre: x (cols,) and y (rows,)."""
        x = (np.arange(self.cols) + 0.5 - self.cols / 2) * self.pitch
        y = (np.arange(self.rows) + 0.5 - self.rows / 2) * self.pitch
        return single(x), single(y)


@dataclass(frozen=True)
class Pose:
    """How the patient stands before the film: tilt in radians, magnification, shift in cm."""

    tilt: float = 0.0
    zoom: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0

    def to_patient(self, film: Film) -> tuple[Field, Field]:
        """Patient coordinates x, y of each pixel, each (rows, cols)."""
        x, y = film.axes()
        u, v = (x - self.shift_x)[None, :] / self.zoom, (y - self.shift_y)[:, None] / self.zoom
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        return cos * u + sin * v, cos * v - sin * u + CENTRE_Y

    def to_film(self, x: Field, y: Field) -> tuple[Field, Field]:
        """Film coordinates of points of the patient: the inverse of `to_patient`."""
        cos, sin, v = math.cos(self.tilt) * self.zoom, math.sin(self.tilt) * self.zoom, y - CENTRE_Y
        return cos * x - sin * v + self.shift_x, cos * v + sin * x + self.shift_y


@dataclass(frozen=True)
class Ellipsoid:
    """A solid at (x, y) with half-axes `a` (along `tilt`, radians from +x to +y), `b`, and `depth` along z."""

    x: float
    y: float
    a: float
    b: float
    depth: float
    tilt: float = 0.0

    def radius2(self, x: Field, y: Field) -> Field:
        """Squared distance from the centre in units of the half-axes."""
        cos, sin, u, v = math.cos(self.tilt), math.sin(self.tilt), x - self.x, y - self.y
        return single(np.square((cos * u + sin * v) / self.a) + np.square((cos * v - sin * u) / self.b))

    def thickness(self, x: Field, y: Field) -> Field:
        """Length of the ray through the solid."""
        return single(2 * self.depth * np.sqrt(np.maximum(1 - self.radius2(x, y), 0)))


def overlap(low: Field, high: Field, other_low: Field, other_high: Field) -> Field:
    """Common length of two intervals, 0 where they are apart."""
    return single(np.maximum(np.minimum(high, other_high) - np.maximum(low, other_low), 0))


def splat(film: Film, pose: Pose, x: Field, y: Field, volume: Field) -> Field:
    """Thickness in cm that points of the patient, of the given volumes in cm3, add to each pixel.

    x, y and volume have one shape. Points beyond the film are dropped.
    """
    u, v = pose.to_film(x, y)
    col = np.floor(u / film.pitch + film.cols / 2).astype(np.int32)
    row = np.floor(v / film.pitch + film.rows / 2).astype(np.int32)
    inside = (col >= 0) & (col < film.cols) & (row >= 0) & (row < film.rows)
    index = (row * film.cols + col)[inside]
    total = np.bincount(index, weights=volume[inside], minlength=film.rows * film.cols)
    return single(total / film.pitch**2).reshape(film.shape)


def smooth_noise(rng: np.random.Generator, film: Film, cell: float, octaves: int = 1) -> Field:
    """Random bumps of about `cell` cm and unit variance; each octave halves cell and amplitude.

    The lattice is laid out in cm, so that one generator gives the same bumps at any resolution.
    """
    total = np.zeros(film.shape, np.float32)
    for octave in range(octaves):
        down, across = _lattice_weights(film, cell / 2**octave)
        lattice = rng.standard_normal((down.shape[1], across.shape[1]), dtype=np.float32)
        total += down @ lattice @ across.T / 2**octave
    mean_square = 0.479**2  # of the spline's weights, over all positions between knots
    return total / math.sqrt(mean_square * sum(0.25**octave for octave in range(octaves)))


@cache
def _lattice_weights(film: Film, step: float) -> tuple[Field, Field]:
    x, y = film.axes()
    return _spline(y, FIELD_HEIGHT, step), _spline(x, FIELD_HEIGHT * ASPECT, step)


def _spline(at: Field, extent: float, step: float) -> Field:
    """Cubic B-spline weights (len(at), knots) of positions in -extent/2 .. extent/2."""
    knots = (np.arange(math.ceil(extent / step) + 3) - 1) * step - extent / 2
    d = np.abs(at[:, None] - knots[None, :]) / step
    near, far = 2 / 3 - d**2 + d**3 / 2, (2 - d) ** 3 / 6
    return single(np.where(d < 1, near, np.where(d < 2, far, 0)))
