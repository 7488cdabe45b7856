"""`density-coverage`: fidelity and diversity by nearest neighbours, less swayed by outliers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from synthbench import Direction
from synthbench_fidelity.arrays import Features
from synthbench_fidelity.evaluators.base import Figure
from synthbench_fidelity.evaluators.calibrated import CalibratedEvaluator

__all__ = ["DensityCoverage"]


class DensityCoverage(CalibratedEvaluator):
    """Real neighbourhoods around each synthetic image, and share of training images with one in theirs."""

    name: ClassVar[str] = "density-coverage"
    kinds: ClassVar[Mapping[str, Direction]] = {"density": "higher", "coverage": "higher"}
    calibrated: ClassVar[Mapping[str, Direction]] = kinds
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"coverage": (0.0, 1.0)}
    k: int = Field(5, ge=1, description="the neighbour that a radius reaches; the paper's")

    @property
    def needs(self) -> int:
        return self.k + 1

    def compare(self, real: Features, synthetic: Features) -> Mapping[str, Figure]:
        from synthbench_fidelity.prdc import density_coverage

        found = density_coverage(real=real, synthetic=synthetic, k=self.k)
        return {kind: Figure(value) for kind, value in found.items()}
