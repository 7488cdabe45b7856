"""The disease: patches where fluid has replaced the lung's air, and a haze between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synthbench_phantom.geometry import Ellipsoid, Field, Film, single, smooth_noise
from synthbench_phantom.patient import Patient, around, sometimes

__all__ = ["Pneumonia", "consolidation", "draw_pneumonia"]


@dataclass(frozen=True)
class Patch:
    """A consolidation: its outline before it frays, and the share of the air lost inside, 0..1."""

    outline: Ellipsoid
    share: float


@dataclass(frozen=True)
class Pneumonia:
    """A patient's opacities; `haze` is the share of the air lost where a cloud over both lungs is densest."""

    shape_seed: int
    patches: tuple[Patch, ...]
    haze: float


def draw_pneumonia(rng: np.random.Generator, patient: Patient) -> Pneumonia:
    """One to four patches, 2-6 cm from centre to edge, half to nearly airless; half the patients have haze."""
    number = int(rng.choice([1, 2, 3, 4], p=[0.4, 0.3, 0.2, 0.1]))
    patches = tuple(_draw_patch(rng, patient) for _ in range(number))
    return Pneumonia(int(rng.integers(2**32)), patches, sometimes(rng, 0.5, 0.05, 0.2))


def _draw_patch(rng: np.random.Generator, patient: Patient) -> Patch:
    side = 1 if rng.random() < 0.5 else -1
    x = side * patient.half_width * rng.uniform(0.35, 0.75)
    a = math.exp(around(rng, 1.2, 0.3))
    outline = Ellipsoid(x, rng.uniform(4.5, 18.0), a, a * rng.uniform(0.6, 1.0), 1.0, rng.uniform(0, math.pi))
    return Patch(outline, rng.uniform(0.5, 0.95))


def consolidation(sick: Pneumonia, course: float, film: Film, x: Field, y: Field) -> Field:
    """Share of the air that is lost at each pixel, 0..1; `course` scales it for one day."""
    rng = np.random.default_rng(sick.shape_seed)
    frayed = 0.3 * smooth_noise(rng, film, 3.0, octaves=3)
    cloud = np.clip(0.5 + 0.5 * smooth_noise(rng, film, 4.0, octaves=3), 0, 1)
    left = 1 - course * sick.haze * cloud
    for patch in sick.patches:
        beyond = np.sqrt(patch.outline.radius2(x, y)) - 1 + frayed
        left = left * (1 - course * patch.share / (1 + np.exp(np.minimum(beyond / 0.25, 30))))
    return single(1 - left)
