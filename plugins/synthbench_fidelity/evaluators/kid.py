"""`kid`: the kernel distance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from synthbench import Direction
from synthbench_fidelity.arrays import Features
from synthbench_fidelity.evaluators.base import Figure
from synthbench_fidelity.evaluators.calibrated import CalibratedEvaluator

__all__ = ["Kid"]


class Kid(CalibratedEvaluator):
    """Kernel distance (unbiased MMD^2, cubic kernel) to the training images, from all pairs, with its interval."""

    name: ClassVar[str] = "kid"
    kinds: ClassVar[Mapping[str, Direction]] = {"kid": "lower"}
    calibrated: ClassVar[Mapping[str, Direction]] = kinds

    def compare(self, real: Features, synthetic: Features) -> Mapping[str, Figure]:
        from synthbench_fidelity.kernel import kernel_distance_interval

        return {"kid": Figure(*kernel_distance_interval(real=real, synthetic=synthetic))}
