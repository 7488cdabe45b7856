"""One radiograph: the parts' line integrals, added up along Beer and Lambert's law."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthbench_phantom.detector import develop
from synthbench_phantom.fittings import cable, marker
from synthbench_phantom.geometry import Field, Film, single, smooth_noise
from synthbench_phantom.opacities import Pneumonia, consolidation
from synthbench_phantom.patient import Exam, Patient
from synthbench_phantom.skeleton import bones, spine
from synthbench_phantom.tissue import body, hollows, lungs
from synthbench_phantom.vessels import vessels

__all__ = ["radiograph"]

WATER, BONE = 0.19, 0.36
"""Attenuation per cm at an effective 65-70 keV; bone's is what it adds to the water in its place."""


def radiograph(
    patient: Patient, exam: Exam, sick: Pneumonia | None, film: Film, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """uint8 (film.rows, film.cols). `rng` draws the lung's texture and the noise."""
    x, y = exam.pose.to_patient(film)
    air = _air(patient, exam, film, x, y, rng)
    if sick:
        air = air * (1 - consolidation(sick, exam.course, film, x, y))
    water = np.maximum(body(patient, exam, x, y) - air - hollows(patient, exam, x, y), 0)
    bone = bones(patient, exam, film) + spine(patient, x, y)
    lead = marker(exam, film) + cable(exam, film)
    return develop(exam, film, WATER * water + BONE * bone, lead, rng)


def _air(patient: Patient, exam: Exam, film: Film, x: Field, y: Field, rng: np.random.Generator) -> Field:
    """Air of healthy lungs along each ray, cm: what tissue and vessels leave."""
    lung = lungs(patient, exam, x, y)
    markings = 1 + 0.05 * patient.texture * smooth_noise(rng, film, 1.6, octaves=3)
    blood = vessels(patient, exam, film) * np.minimum(lung / 3, 1)
    return single(np.maximum(lung * (1 - patient.lung_density) * markings - blood, 0))
