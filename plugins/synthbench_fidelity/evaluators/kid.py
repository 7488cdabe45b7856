"""`kid`: the kernel distance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from synthbench import Influence
from synthbench_fidelity.evaluators.feature_evaluator import FeatureEvaluator
from synthbench_fidelity.evaluators.metric import Figure, Metric
from synthbench_fidelity.evaluators.parts import Pair

__all__ = ["Kid"]


class Kid(FeatureEvaluator):
    """Kernel distance (unbiased MMD^2, cubic kernel) to the training images, interval and tests by patients."""

    name: ClassVar[str] = "kid"

    @property
    def feature_metrics(self) -> Sequence[Metric]:
        return [Metric("kid", "lower", _distance, calibrated=True)]


def _distance(pair: Pair) -> Figure:
    from synthbench_fidelity.kernel import kernel_distance_influences

    patients = np.unique(pair.patients)
    if len(patients) == 1:  # each image by itself, as the interval has it
        patients = np.arange(len(pair.real))
    made = kernel_distance_influences(real=pair.real, synthetic=pair.synthetic, groups=pair.patients)
    influence = Influence(patients.astype(np.str_), made.real, made.synthetic)
    return Figure(*made.interval, influence=influence)
