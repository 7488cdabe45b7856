"""`precision-recall`: fidelity and diversity by nearest neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from synthbench import Direction
from synthbench_fidelity.arrays import Features
from synthbench_fidelity.evaluators.base import Figure
from synthbench_fidelity.evaluators.calibrated import CalibratedEvaluator

__all__ = ["PrecisionRecall"]


class PrecisionRecall(CalibratedEvaluator):
    """Share of synthetic images among the real ones, and of training images among the synthetic ones."""

    name: ClassVar[str] = "precision-recall"
    kinds: ClassVar[Mapping[str, Direction]] = {"precision": "higher", "recall": "higher"}
    calibrated: ClassVar[Mapping[str, Direction]] = kinds
    limits: ClassVar[Mapping[str, tuple[float, float]]] = dict.fromkeys(kinds, (0.0, 1.0))
    k: int = Field(3, ge=1, description="the neighbour that a radius reaches; the paper's")

    @property
    def needs(self) -> int:
        return self.k + 1

    def compare(self, real: Features, synthetic: Features) -> Mapping[str, Figure]:
        from synthbench_fidelity.prdc import precision_recall

        found = precision_recall(real=real, synthetic=synthetic, k=self.k)
        return {kind: Figure(value) for kind, value in found.items()}
