"""Who is X-rayed and how: a patient's anatomy, and one exam's pose, breath and exposure.

All of it is drawn alike for both classes; the disease is in `opacities`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synthbench_phantom.geometry import Pose

__all__ = ["Exam", "Patient", "around", "draw_exam", "draw_patient", "sometimes"]


@dataclass(frozen=True)
class Patient:
    """One body. Lengths in cm; where 1 is said to be average, the number scales the organ."""

    vessel_seed: int  # fixes the branching of the vessels
    half_width: float  # of the rib cage, inside, where it is widest
    half_depth: float
    widest: float  # height (y) at which it is
    taper: float  # exponent of its outline: 2 is an ellipse, more is boxier
    wall: float  # muscle and fat outside the ribs
    dome_right: float  # y of the diaphragm's tops
    dome_left: float
    dome_curve: float  # 1 is average
    heart_size: float  # 1 is average
    heart_tilt: float  # radians
    heart_x: float
    mediastinum: float  # half-width of the great vessels
    knob: float  # aortic arch, 1 is average
    scoliosis: float  # sideways bend of the spine
    rib_spacing: float
    rib_slope: float  # how far a rib falls from back to front
    rib_height: float
    bone: float  # mineral content, 1 is average
    clavicle_y: float
    breast: float  # thickness, 0 is none
    breast_x: float
    breast_y: float
    stomach_gas: float  # thickness, 0 is none
    lung_density: float  # of healthy lung, as a fraction of water's
    vessels: float  # calibre, 1 is average
    texture: float  # interstitial markings, 1 is average
    arm_angle: float  # radians from hanging straight


@dataclass(frozen=True)
class Exam:
    """One exposure of a patient, on one day."""

    pose: Pose
    turn: float  # rotation about the long axis, as cm of shift between front and middle
    breath: float  # cm that the diaphragm stands lower than usual
    course: float  # how dense the opacities are on that day, 1 is average; no matter to the healthy
    contrast: float  # of the film, 1 is average
    level: float  # of the film, in logits
    gamma: float
    dose: float  # thousands of photons per cm2 without a patient
    blur: float  # focal spot and motion, cm
    scatter: float  # of the light that the lungs let pass
    vignette: float  # brightness lost towards the corners
    marker_x: float  # of the letter R, from the film's centre
    marker_y: float
    cable_seed: int  # course of a cable across the chest, 0 is none
    collimated: float  # cm of film covered at each side
    chin: float  # cm that the head reaches into the film


def around(rng: np.random.Generator, mean: float, sd: float) -> float:
    """A normal draw, clipped at two standard deviations: nobody has a negative heart."""
    return float(mean + sd * np.clip(rng.standard_normal(), -2, 2))


def sometimes(rng: np.random.Generator, chance: float, low: float, high: float) -> float:
    """A uniform draw from low..high with probability `chance`, else 0."""
    drawn = rng.uniform(low, high)
    return drawn if rng.random() < chance else 0.0


def draw_patient(rng: np.random.Generator) -> Patient:
    """An anatomy from the common distribution."""
    width, dome = around(rng, 12.9, 0.75), around(rng, 18.6, 0.9)
    return Patient(
        vessel_seed=int(rng.integers(2**32)),
        half_width=width,
        half_depth=around(rng, 0.66, 0.04) * width,
        widest=around(rng, 17.5, 1.0),
        taper=around(rng, 2.1, 0.12),
        wall=1.2 + rng.gamma(3.0, 0.45),
        dome_right=dome,
        dome_left=dome + around(rng, 0.9, 0.5),
        dome_curve=around(rng, 1.0, 0.18),
        heart_size=around(rng, 1.0, 0.09),
        heart_tilt=around(rng, 0.72, 0.12),
        heart_x=around(rng, 2.2, 0.45),
        mediastinum=around(rng, 3.3, 0.3),
        knob=around(rng, 1.0, 0.2),
        scoliosis=around(rng, 0.0, 0.5),
        rib_spacing=around(rng, 2.15, 0.11),
        rib_slope=around(rng, 7.6, 1.0),
        rib_height=around(rng, 1.05, 0.1),
        bone=around(rng, 1.0, 0.15),
        clavicle_y=around(rng, 1.0, 0.8),
        breast=sometimes(rng, 0.5, 0.8, 3.2),
        breast_x=around(rng, 7.6, 0.6),
        breast_y=around(rng, 16.5, 1.2),
        stomach_gas=sometimes(rng, 0.5, 1.0, 5.0),
        lung_density=around(rng, 0.27, 0.055),
        vessels=around(rng, 1.0, 0.15),
        texture=around(rng, 1.0, 0.25),
        arm_angle=around(rng, 0.2, 0.1),
    )


def draw_exam(rng: np.random.Generator) -> Exam:
    """A pose and an exposure from the common distribution."""
    return Exam(
        pose=Pose(around(rng, 0, 0.035), around(rng, 1, 0.05), around(rng, 0, 0.8), around(rng, 0, 0.9)),
        turn=around(rng, 0, 0.5),
        breath=around(rng, 0, 0.7),
        course=around(rng, 1.0, 0.1),
        contrast=around(rng, 1.0, 0.12),
        level=around(rng, 0.25, 0.25),
        gamma=around(rng, 1.0, 0.1),
        dose=math.exp(around(rng, 5.6, 0.5)),
        blur=around(rng, 0.07, 0.02),
        scatter=around(rng, 0.27, 0.06),
        vignette=around(rng, 0.12, 0.06),
        marker_x=around(rng, -13.0, 1.2),
        marker_y=around(rng, -11.0, 1.0),
        cable_seed=int(sometimes(rng, 0.25, 1, 2**32)),
        collimated=sometimes(rng, 0.3, 0.2, 1.5),
        chin=sometimes(rng, 0.5, 0.5, 3.0),
    )
