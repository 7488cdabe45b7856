"""Bones. All but the spine are clouds of points with a volume, projected onto the film: so a rib is brighter
where it runs along the ray, at the side of the chest, than where it lies across."""

from __future__ import annotations

import math

import numpy as np

from synthbench_phantom.geometry import Field, Film, single, splat
from synthbench_phantom.patient import Exam, Patient
from synthbench_phantom.tissue import chest_half_width, midline

__all__ = ["bones", "spine"]

SIDES = np.array([[-1.0], [1.0]], np.float32)
RIBS = np.tile(np.arange(1, 11, dtype=np.float32), 2)[:, None]
RIB_SIDES = np.repeat(SIDES, 10, axis=0)
RIB_END = 2.45  # angle at which bone turns to cartilage; 0 is the spine, pi the breastbone


def bones(patient: Patient, exam: Exam, film: Film) -> Field:
    """Centimetres of bone over each pixel: ribs, clavicles and shoulder blades."""
    total = _ribs(patient, exam, film) + _clavicles(patient, exam, film) + _shoulder_blades(patient, exam, film)
    return total * patient.bone


def _ribs(patient: Patient, exam: Exam, film: Film) -> Field:
    """Ten pairs of hoops from the spine to the cartilage, each in a plane that falls to the front."""
    angle = np.linspace(0.12, RIB_END, math.ceil(24 / film.pitch), dtype=np.float32)[None, :]
    start = RIBS * patient.rib_spacing - 3.1
    fall = patient.rib_slope * (0.55 + 0.45 * np.minimum(RIBS / 5, 1))
    width = chest_half_width(patient, start + 0.5 * fall) + 0.25
    arch = 0.07 * width * np.sin(2 * np.minimum(angle, 1.5))
    x = RIB_SIDES * width * np.sin(angle)
    y = start + fall * (1 - np.cos(angle)) / 2 - arch
    z = -width * (patient.half_depth / patient.half_width) * np.cos(angle)
    length = np.sqrt(_steps(x) ** 2 + _steps(y) ** 2 + _steps(z) ** 2)
    strength = np.clip((RIB_END - angle) / 0.25, 0, 1) * np.clip(angle / 0.2, 0.5, 1)
    height = patient.rib_height * (0.8 + 0.2 * np.sin(angle))
    x = x + midline(patient, y) + exam.turn / patient.half_depth * z
    return _flat_bones(exam, film, x, y, length * strength * height, height, 0.34 * np.sin(angle))


def _clavicles(patient: Patient, exam: Exam, film: Film) -> Field:
    """S-shaped, from the breastbone to the shoulders."""
    t = np.linspace(0, 1, math.ceil(36 / film.pitch), dtype=np.float32)[None, :]
    reach = patient.half_width + patient.wall - 0.4
    x = SIDES * (1.6 + reach * t) + 0.8 * exam.turn
    y = patient.clavicle_y + 0.8 - 2.6 * t + 0.6 * np.sin(2 * math.pi * t) + 0 * x
    length = np.hypot(_steps(x), _steps(y))
    return _flat_bones(exam, film, x, y, 1.7 * length, np.full_like(x, 1.15), np.zeros_like(x))


def _shoulder_blades(patient: Patient, exam: Exam, film: Film) -> Field:
    """Only their inner borders, which run down beside the lungs."""
    t = np.linspace(0, 1, math.ceil(30 / film.pitch), dtype=np.float32)[None, :]
    x = SIDES * (patient.half_width - 2.8 + 2.5 * t + np.sin(math.pi * t)) - 0.8 * exam.turn
    y = 1.2 + 12.0 * t + 0 * x
    length = np.hypot(_steps(x), _steps(y))
    return _flat_bones(exam, film, x, y, 0.25 * length, np.full_like(x, 0.1), np.full_like(x, 0.5))


def _steps(axis: Field) -> Field:
    """Change from point to point along each bone."""
    return np.diff(axis, axis=1, prepend=2 * axis[:, :1] - axis[:, 1:2])


def _flat_bones(exam: Exam, film: Film, x: Field, y: Field, area: Field, height: Field, spread: Field) -> Field:
    """Project bones along (x, y), each (bones, points): `height` cm in y, `spread` in x, dense at the rim.

    `area` is the face, in cm2, that each point stands for.
    """
    n = math.ceil(1.4 / film.pitch) + 2
    across = np.repeat(np.linspace(-1, 1, n, dtype=np.float32), 2)[:, None, None]
    aside = np.tile(np.array([-0.5, 0.5], np.float32), n)[:, None, None]
    rim = np.sqrt(1 - 0.96 * across**2) - 0.55 * np.sqrt(np.maximum(1 - (across / 0.72) ** 2, 0))
    volume = rim * area * (0.57 / n)
    return splat(film, exam.pose, x + aside * spread, y + across * height / 2, single(volume))


def spine(patient: Patient, x: Field, y: Field) -> Field:
    """Centimetres of bone in the vertebrae, less in the discs between them."""
    middle = x - midline(patient, y)
    phase = np.cos(2 * math.pi / (1.02 * patient.rib_spacing) * y)
    half = 1.45 * (1 + 0.012 * y) * (1 + 0.08 * phase)
    block = np.sqrt(np.maximum(1 - np.square(np.square(middle / half)), 0))
    bone = 1 / (1 + np.exp(-(phase + 0.55) * 7))
    return single(0.9 * patient.bone * block * (0.55 + 0.45 * bone))
