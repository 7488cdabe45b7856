"""How much each image moves a score: what it takes to compare two generators against the same real images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench.arrays import lock

__all__ = ["Influence"]


@dataclass(frozen=True, eq=False)
class Influence:
    """What a score owes to each image, to first order: what it would gain if that image came twice.

    Of n images k show a patient: his influence is (n - k) / n times the score less the score without him. All
    arrays are read-only.

    patients   str (G,), whom the real images show, each once; the same in every evaluation against these images
    real       float (G,), of each patient's images
    synthetic  float (M,), of each synthetic image
    """

    patients: npt.NDArray[np.str_]
    real: npt.NDArray[np.floating[Any]]
    synthetic: npt.NDArray[np.floating[Any]]

    def __post_init__(self) -> None:
        lock(self, "patients", "real", "synthetic")
        n = len(self.patients)
        if n != len(np.unique(self.patients)) or self.real.shape != (n,) or self.synthetic.ndim != 1:
            shapes = f"{n} patients, real {self.real.shape}, synthetic {self.synthetic.shape}"
            raise ValueError(f"Influence: one number for each patient, named once, and each image; found {shapes}")
