"""`precision-recall`: fidelity and diversity by nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from pydantic import Field

from synthbench_fidelity.evaluators.feature_evaluator import FeatureEvaluator
from synthbench_fidelity.evaluators.metric import Figure, Metric
from synthbench_fidelity.evaluators.parts import Pair

__all__ = ["PrecisionRecall"]


class PrecisionRecall(FeatureEvaluator):
    """Share of synthetic images among the real ones, and of training images among the synthetic ones."""

    name: ClassVar[str] = "precision-recall"
    k: int = Field(3, ge=1, description="the neighbour that a radius reaches; the paper's")

    @property
    def feature_metrics(self) -> Sequence[Metric]:
        return [self._share("precision"), self._share("recall")]

    def _share(self, name: str) -> Metric:
        share = partial(_share, name=name, k=self.k)
        return Metric(name, "higher", share, bounds=(0.0, 1.0), least=self.k + 1, calibrated=True)


def _share(pair: Pair, name: str, k: int) -> Figure:
    from synthbench_fidelity.prdc import precision_recall

    return Figure(pair.once(precision_recall, k=k)[name])
