"""Soft tissue and air: how many cm of each a ray crosses, in closed form.

The chest is a stack of ellipses, the diaphragm two paraboloids, heart and great vessels are ellipsoids; a ray
crosses each in an interval, so line integrals are lengths of intervals.
"""

from __future__ import annotations

import math

import numpy as np

from synthbench_phantom.geometry import Ellipsoid, Field, overlap, single
from synthbench_phantom.patient import Exam, Patient

__all__ = ["body", "chest_half_width", "hollows", "lungs", "midline"]

LUNG_TOP = -1.0
DOME_FRONT = 1.0  # z of the diaphragm's tops: they lie before the middle


def midline(patient: Patient, y: Field) -> Field:
    """Sideways shift of the spine at height y."""
    return single(patient.scoliosis * np.sin(y / 7 + 0.6))


def chest_half_width(patient: Patient, y: Field) -> Field:
    """Inner half-width of the rib cage at height y; 0 above the lungs."""
    rise = np.clip((patient.widest - y) / (patient.widest - LUNG_TOP), 0, 1)
    return single(patient.half_width * (1 - rise**patient.taper) ** (1 / patient.taper))


def body(patient: Patient, exam: Exam, x: Field, y: Field) -> Field:
    """Soft tissue of trunk, neck, arms, breasts and chin, as if the lungs were filled."""
    across = np.abs(x)
    chin = Ellipsoid(0, -6.5, 6.5, 1 + exam.chin, 6)
    trunk = np.maximum(_trunk(patient, across, y), _neck(x, y))
    outside = np.maximum(_arm(patient, across, y), chin.thickness(x, y))
    return single(np.cbrt(trunk**3 + outside**3) + _breasts(patient, across, y))


def _trunk(patient: Patient, across: Field, y: Field) -> Field:
    """Wider and flatter at the shoulders, under a slope that falls from the neck."""
    shoulder = 1 / (1 + np.exp((y - 4) / 1.4))
    half_width = patient.half_width + patient.wall + 4.0 * shoulder
    half_depth = patient.half_depth + 0.6 * patient.wall - 2.2 * shoulder
    slope = 0.28 * across - 6.5 + 3.0 * (across / 19) ** 6
    rounding = np.sqrt(np.clip((y - slope) / 3.5, 0, 1))
    return single(2 * half_depth * np.sqrt(np.maximum(1 - (across / half_width) ** 3, 0)) * rounding)


def _neck(x: Field, y: Field) -> Field:
    return single(11.0 * np.sqrt(np.maximum(1 - np.square(x / 5.2), 0)) * (y < 3))


def _arm(patient: Patient, across: Field, y: Field) -> Field:
    """A cylinder with a round top, from the shoulder outwards and down."""
    cos, sin = math.cos(patient.arm_angle), math.sin(patient.arm_angle)
    u, v = across - (patient.half_width + patient.wall + 3.2), y - 2.5
    along, aside = sin * u + cos * v, cos * u - sin * v
    distance2 = np.square(aside) + np.square(np.minimum(along, 0))
    radius = 2.6 + 0.5 * patient.wall
    return single(2 * np.sqrt(np.maximum(radius**2 - distance2, 0)))


def _breasts(patient: Patient, across: Field, y: Field) -> Field:
    """Flattened against the film, thickest near the lower edge."""
    shape = Ellipsoid(patient.breast_x, patient.breast_y, 5.6, 5.0, patient.breast / 2, 0.25)
    return single(shape.thickness(across, y) * np.clip(0.45 + (y - patient.breast_y) / 8, 0, 1))


def lungs(patient: Patient, exam: Exam, x: Field, y: Field) -> Field:
    """Length of the ray inside the lungs: the chest less the mediastinum or the belly, whichever is deeper."""
    x = x - midline(patient, y)
    width = np.maximum(chest_half_width(patient, y), 0.01)
    depth = patient.half_depth * (0.35 + 0.65 * width / patient.half_width)
    half = single(depth * np.sqrt(np.maximum(1 - (np.abs(x) / width) ** 2.4, 0)))
    solid = np.maximum(_mediastinum(patient, exam, x, y), _belly(patient, exam, x, y, half))
    return single(np.maximum(2 * half - solid, 0))


def _belly(patient: Patient, exam: Exam, x: Field, y: Field, half: Field) -> Field:
    """Length of the ray below the diaphragm and inside the chest, which reaches from -half to half."""
    right = x < 0
    top = np.where(right, patient.dome_right, patient.dome_left) + exam.breath
    fall = np.square(x - np.where(right, -5.6, 6.0)) * (0.062 * patient.dome_curve)
    reach = single(np.sqrt(np.maximum(y - top - fall, 0) * (13 / patient.dome_curve)))
    return overlap(-half, half, DOME_FRONT - reach, DOME_FRONT + reach)


def _mediastinum(patient: Patient, exam: Exam, x: Field, y: Field) -> Field:
    """Heart, great vessels and spine, which the lungs surround."""
    size = patient.heart_size
    x, y = x - exam.turn, y - 0.5 * exam.breath
    organs = (
        Ellipsoid(patient.heart_x, 15.0, 7.6 * size, 5.6 * size, 5.6 * size, patient.heart_tilt),
        Ellipsoid(-1.5, 14.2, 2.9 * size, 4.6 * size, 4.6),  # right atrium
        Ellipsoid(2.0, 6.3, 1.7 * patient.knob, 1.8 * patient.knob, 3.0),  # aortic arch
        Ellipsoid(2.3, 9.4, 2.0, 2.6, 3.5, 0.9),  # pulmonary trunk
    )
    solid = _column(patient, x, y)
    for organ in organs:
        solid = np.maximum(solid, organ.thickness(x, y))
    return solid


def _column(patient: Patient, x: Field, y: Field) -> Field:
    """What fills the middle of the chest from back to front, a little wider at the hila."""
    width = patient.mediastinum * (1 + 0.18 * np.exp(-np.square((y - 9.5) / 3.5)))
    return single(1.9 * patient.half_depth * np.maximum(1 - np.abs(x / width) ** 2.5, 0))


def hollows(patient: Patient, exam: Exam, x: Field, y: Field) -> Field:
    """Air in the windpipe, down to its fork, and in the stomach."""
    middle = x - midline(patient, y) - 0.3 * exam.turn
    above_fork = 1 / (1 + np.exp((y - 7.6) / 0.4))
    pipe = 1.5 * np.sqrt(np.maximum(1 - np.square(middle / 0.85), 0)) * above_fork
    stomach = Ellipsoid(5.6, patient.dome_left + exam.breath + 2.6, 2.6, 1.5, patient.stomach_gas / 2)
    return single(pipe + stomach.thickness(x, y))
