"""`density-coverage`: fidelity and diversity by nearest neighbours, less swayed by outliers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from pydantic import Field

from synthbench_fidelity.evaluators.feature_evaluator import FeatureEvaluator
from synthbench_fidelity.evaluators.metric import Figure, Metric
from synthbench_fidelity.evaluators.parts import Pair

__all__ = ["DensityCoverage"]


class DensityCoverage(FeatureEvaluator):
    """Real neighbourhoods around each synthetic image, and share of training images with one in theirs."""

    name: ClassVar[str] = "density-coverage"
    k: int = Field(5, ge=1, description="the neighbour that a radius reaches; the paper's")

    @property
    def feature_metrics(self) -> Sequence[Metric]:
        density, coverage = (partial(_figure, name=name, k=self.k) for name in ("density", "coverage"))
        least = self.k + 1
        return [
            Metric("density", "higher", density, least=least, calibrated=True),
            Metric("coverage", "higher", coverage, bounds=(0.0, 1.0), least=least, calibrated=True),
        ]


def _figure(pair: Pair, name: str, k: int) -> Figure:
    from synthbench_fidelity.prdc import density_coverage

    return Figure(pair.once(density_coverage, k=k)[name])
