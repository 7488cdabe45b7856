"""`fd` and `fid`: the Frechet distance, in the space of any extractor, and in Inception's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import field_validator

from synthbench import Extractor, ExtractorField, extractor_field
from synthbench_fidelity.evaluators.feature_evaluator import FeatureEvaluator
from synthbench_fidelity.evaluators.metric import Figure, Metric, undefined
from synthbench_fidelity.evaluators.parts import Pair

__all__ = ["Fd", "Fid"]


class Fd(FeatureEvaluator):
    """Frechet distance to the training images, and its value extrapolated to infinitely many synthetic ones."""

    name: ClassVar[str] = "fd"

    @property
    def feature_metrics(self) -> Sequence[Metric]:
        return _metrics("fd")


class Fid(FeatureEvaluator):
    """The Frechet Inception distance to the training images, and its value at infinitely many synthetic ones."""

    name: ClassVar[str] = "fid"
    extractor: ExtractorField = extractor_field("inception")

    @field_validator("extractor")
    @classmethod
    def _is_inception(cls, extractor: Extractor) -> Extractor:
        if extractor.name != "inception":
            raise ValueError(f"FID is Inception's alone; with {extractor.label} use `fd`")
        return extractor

    @property
    def feature_metrics(self) -> Sequence[Metric]:
        return _metrics("fid")

    def named(self, metric: str) -> str:
        """The one metric whose name says the extractor."""
        return metric


def _metrics(name: str) -> list[Metric]:
    return [
        Metric(name, "lower", _distance, calibrated=True),
        Metric(f"{name}_infinity", "lower", _infinity),
    ]


def _distance(pair: Pair) -> Figure:
    from synthbench_fidelity.frechet import frechet_distance

    n, d = min(len(pair.real), len(pair.synthetic)), pair.real.shape[1]
    warning = f"N = {n} <= d = {d}: the covariance is singular; read kid beside it" if n <= d else ""
    return Figure(frechet_distance(real=pair.real, synthetic=pair.synthetic), note=warning)


def _infinity(pair: Pair) -> Figure:
    """NaN where half the images, from which the line is fitted, are no more than the features."""
    from synthbench_fidelity.frechet import frechet_distance_infinity

    n, needed = len(pair.synthetic), 2 * pair.real.shape[1] + 2
    if n < needed:
        return undefined(f"N = {n}: FD is linear in 1/N from 2 d images on ({needed} needed)")
    return Figure(
        *frechet_distance_infinity(real=pair.real, synthetic=pair.synthetic, groups=pair.patients, rng=pair.rng)
    )
