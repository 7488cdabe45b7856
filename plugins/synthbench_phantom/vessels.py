"""The pulmonary vessels: a random tree from each hilum, the same in all exams of a patient."""

from __future__ import annotations

import math

import numpy as np

from synthbench_phantom.geometry import Field, Film, single, splat
from synthbench_phantom.patient import Exam, Patient

__all__ = ["vessels"]

STEMS, GENERATIONS = 6, 5
THICKEST = 1.2  # cm; where stems cross they make room for each other


def vessels(patient: Patient, exam: Exam, film: Film) -> Field:
    """Centimetres of blood over each pixel, not yet cut off at the lungs' edge."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(patient.vessel_seed)
    x, y, angle, length, radius = np.concatenate([_tree(rng, side) for side in (-1, 1)], axis=1)[:, :, None]
    n = math.ceil(4 / film.pitch) + 2
    t = np.linspace(0, 1, n, dtype=np.float32)
    aside = np.array([-0.6, 0.0, 0.6], np.float32)[:, None, None] * radius
    across = x + length * np.cos(angle) * t - aside * np.sin(angle) + 0.5 * exam.turn
    down = y + length * np.sin(angle) * t + aside * np.cos(angle)
    area = math.pi * np.square(radius * patient.vessels * (1 - 0.25 * t))
    volume = np.broadcast_to(area * length / (3 * n), across.shape)
    blood = gaussian_filter(splat(film, exam.pose, across, down, volume), 0.12 / film.pitch, truncate=3.0)
    return single(np.minimum(blood, THICKEST))


def _tree(rng: np.random.Generator, side: int) -> Field:
    """x, y, direction, length and radius of all branches of one lung, (5, branches)."""
    fan = np.linspace(-1.3, 1.35, STEMS) + rng.normal(0, 0.12, STEMS)
    angle = fan if side > 0 else math.pi - fan
    x = 3.2 * side + rng.normal(0, 0.3, STEMS)
    y = np.linspace(7.8, 12.0, STEMS) + rng.normal(0, 0.4, STEMS)
    length, radius = rng.uniform(2.0, 4.0, STEMS), rng.uniform(0.45, 0.72, STEMS)
    generations = [single([x, y, angle, length, radius])]
    for _ in range(GENERATIONS - 1):
        generations.append(_fork(rng, generations[-1]))
    return single(np.concatenate(generations, axis=1))


def _fork(rng: np.random.Generator, branches: Field) -> Field:
    """Two thinner branches from the end of each, (5, n) -> (5, 2 n)."""
    x, y, angle, length, radius = np.repeat(branches, 2, axis=1)
    n = len(x)
    turned = angle + np.tile([-0.3, 0.3], n // 2) + rng.normal(0, 0.25, n)
    end = x + length * np.cos(angle), y + length * np.sin(angle)
    return single([*end, turned, length * rng.uniform(0.65, 1.0, n), radius * 0.72])
