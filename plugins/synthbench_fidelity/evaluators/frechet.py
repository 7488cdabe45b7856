"""`fd` and `fid`: the Frechet distance, in the space of any extractor, and in Inception's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import field_validator

from synthbench import Direction, Extractor, ExtractorField, extractor_field
from synthbench_fidelity.arrays import Features
from synthbench_fidelity.evaluators.base import Figure, undefined
from synthbench_fidelity.evaluators.calibrated import CalibratedEvaluator

__all__ = ["Fd", "Fid"]


class Fd(CalibratedEvaluator):
    """Frechet distance to the training images, and its value extrapolated to infinitely many synthetic ones."""

    name: ClassVar[str] = "fd"
    kinds: ClassVar[Mapping[str, Direction]] = {"fd": "lower", "fd_infinity": "lower"}
    calibrated: ClassVar[Mapping[str, Direction]] = {"fd": "lower"}

    def compare(self, real: Features, synthetic: Features) -> Mapping[str, Figure]:
        from synthbench_fidelity.frechet import frechet_distance

        n, d = min(len(real), len(synthetic)), real.shape[1]
        warning = f"N = {n} <= d = {d}: the covariance is singular; read kid beside it" if n <= d else ""
        return {"fd": Figure(frechet_distance(real=real, synthetic=synthetic), note=warning)}

    def measure(self, real: Features, synthetic: Features, rng: np.random.Generator) -> Mapping[str, Figure]:
        return {**self.compare(real, synthetic), "fd_infinity": _infinity(real, synthetic, rng)}


def _infinity(real: Features, synthetic: Features, rng: np.random.Generator) -> Figure:
    """NaN where half the images, from which the line is fitted, are no more than the features."""
    from synthbench_fidelity.frechet import frechet_distance_infinity

    needed = 2 * real.shape[1] + 2
    if len(synthetic) < needed:
        return undefined(f"N = {len(synthetic)}: FD is linear in 1/N from 2 d images on ({needed} needed)")
    return Figure(frechet_distance_infinity(real=real, synthetic=synthetic, rng=rng))


class Fid(Fd):
    """The Frechet Inception distance to the training images, and its value at infinitely many synthetic ones."""

    name: ClassVar[str] = "fid"
    extractor: ExtractorField = extractor_field("inception")

    @field_validator("extractor")
    @classmethod
    def _is_inception(cls, extractor: Extractor) -> Extractor:
        if extractor.name != "inception":
            raise ValueError(f"FID is Inception's alone; with {extractor.label} use `fd`")
        return extractor

    def named(self, kind: str) -> str:
        """The one metric whose name says the extractor."""
        return kind.replace("fd", "fid")
