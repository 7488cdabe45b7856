"""What lies on the film beside the patient, alike for both classes: a lead letter, a monitor's cable."""

from __future__ import annotations

import math

import numpy as np

from synthbench_phantom.geometry import CENTRE_Y, Field, Film, Pose, single, splat
from synthbench_phantom.patient import Exam

__all__ = ["cable", "marker"]

LETTER_HEIGHT = 1.3
LEAD = 3.0  # attenuation
ROWS_OF_R = ("1110", "1001", "1001", "1110", "1010", "1001", "1001")
GLYPH = np.pad(np.array([[float(dot) for dot in row] for row in ROWS_OF_R], np.float32), 1)


def marker(exam: Exam, film: Film) -> Field:
    """Attenuation of the letter R that marks the patient's right side."""
    x, y = film.axes()
    dot = LETTER_HEIGHT / len(ROWS_OF_R)
    row = np.clip(np.floor((y - exam.marker_y) / dot) + 1, 0, len(GLYPH) - 1).astype(int)
    col = np.clip(np.floor((x - exam.marker_x) / dot) + 1, 0, GLYPH.shape[1] - 1).astype(int)
    return LEAD * GLYPH[np.ix_(row, col)]


def cable(exam: Exam, film: Film) -> Field:
    """Attenuation of a thin wire across the chest, where the exam has one."""
    if not exam.cable_seed:
        return np.zeros(film.shape, np.float32)
    rng = np.random.default_rng(exam.cable_seed)
    t = np.linspace(0, 1, 4 * film.rows)
    start, end, bow = rng.uniform(-13, 13), rng.uniform(-13, 13), rng.normal(0, 4)
    x = start + (end - start) * t + bow * np.sin(math.pi * t)
    y = CENTRE_Y + rng.uniform(-14, 4) + (15 + rng.normal(0, 3)) * t
    length = np.hypot(np.gradient(x), np.gradient(y))
    wire = splat(film, Pose(), single(x), single(y), single(0.12 * length))
    return np.minimum(wire, LEAD)
