"""From attenuation to a grey film: blur, scatter, quantum noise, auto-exposure and the film's curve."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthbench_phantom.geometry import Field, Film, single
from synthbench_phantom.patient import Exam

__all__ = ["develop"]

BRIGHT = 0.25
"""Transmission above which light scatters no more: bare film beside the patient would drown the rest."""


def develop(exam: Exam, film: Film, body: Field, lead: Field, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Line integrals of attenuation, 0 in air -> uint8 (rows, cols), bright where little light arrives.

    `lead` lies on the film itself: no scattered light gets behind it, and auto-exposure takes no notice.
    """
    return _expose(exam, film, _measure(exam, film, body, rng), lead)


def _measure(exam: Exam, film: Film, body: Field, rng: np.random.Generator) -> Field:
    """Optical density: Beer and Lambert's law, scattered light and photon noise added, logarithm taken."""
    from scipy.ndimage import gaussian_filter

    primary = gaussian_filter(np.exp(-body), max(exam.blur / film.pitch, 0.5), truncate=3.0)
    light = primary + exam.scatter * _spread(np.minimum(primary, BRIGHT))
    photons = 1000 * exam.dose * film.pitch**2 * light
    noise = rng.standard_normal(body.shape, dtype=np.float32) / np.sqrt(photons)
    return single(-np.log(light * np.maximum(1 + noise, 0.05)))


def _spread(light: Field) -> Field:
    """Light scattered over several cm; so smooth that a coarse grid does."""
    from scipy.ndimage import gaussian_filter, zoom

    step = max(1, len(light) // 24)
    coarse = gaussian_filter(light[::step, ::step], 3.0, truncate=2.5)
    return single(zoom(coarse, [n / m for n, m in zip(light.shape, coarse.shape, strict=True)], order=1))


def _expose(exam: Exam, film: Film, density: Field, lead: Field) -> npt.NDArray[np.uint8]:
    """Auto-exposure and a sigmoid: mean and spread of the film are set, so they say nothing of the lungs."""
    rows, cols = film.rows // 16, film.cols // 16
    metered = density[rows:-rows, cols:-cols]
    normal = (density + lead - metered.mean()) / metered.std()
    curve = 1 / (1 + np.exp(-1.25 * exam.contrast * normal - exam.level))
    grey = 255 * curve**exam.gamma * _fall_off(exam, film)
    return np.asarray(np.round(grey), np.uint8)


def _fall_off(exam: Exam, film: Film) -> Field:
    """Share of brightness left by vignetting, and none under the collimator's blades."""
    x, y = film.axes()
    corner = 1 - exam.vignette * (np.square(x / 18)[None, :] + np.square(y / 15)[:, None]) / 2
    open_x, open_y = (np.clip((axis[-1] - exam.collimated - np.abs(axis)) / 0.2 + 0.5, 0, 1) for axis in (x, y))
    return single(corner * open_x[None, :] * open_y[:, None])
