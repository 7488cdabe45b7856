"""`authenticity`: the share of synthetic images that are no closer to a training image than the real ones are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from synthbench import Direction
from synthbench_fidelity.arrays import Features
from synthbench_fidelity.evaluators.base import Figure, PartEvaluator

__all__ = ["Authenticity"]


class Authenticity(PartEvaluator):
    """Share of synthetic images farther from their nearest training image than that one is from the next."""

    name: ClassVar[str] = "authenticity"
    kinds: ClassVar[Mapping[str, Direction]] = {"authenticity": "higher"}
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"authenticity": (0.0, 1.0)}

    def measure(self, real: Features, synthetic: Features, rng: np.random.Generator) -> Mapping[str, Figure]:  # noqa: ARG002
        from synthbench_fidelity.memorisation import authenticity

        return {"authenticity": Figure(authenticity(train=real, synthetic=synthetic))}
