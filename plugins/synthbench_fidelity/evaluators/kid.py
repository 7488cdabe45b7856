"""`kid`: the kernel distance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from synthbench_fidelity.evaluators.feature_evaluator import FeatureEvaluator
from synthbench_fidelity.evaluators.metric import Figure, Metric
from synthbench_fidelity.evaluators.parts import Pair

__all__ = ["Kid"]


class Kid(FeatureEvaluator):
    """Kernel distance (unbiased MMD^2, cubic kernel) to the training images, its interval by patients."""

    name: ClassVar[str] = "kid"

    @property
    def feature_metrics(self) -> Sequence[Metric]:
        return [Metric("kid", "lower", _distance, calibrated=True)]


def _distance(pair: Pair) -> Figure:
    from synthbench_fidelity.kernel import kernel_distance_interval

    return Figure(*kernel_distance_interval(real=pair.real, synthetic=pair.synthetic, groups=pair.patients))
