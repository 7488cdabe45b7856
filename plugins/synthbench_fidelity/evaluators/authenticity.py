"""`authenticity`: the share of synthetic images that are no closer to a training image than the real ones are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import field_validator

from synthbench_fidelity.evaluators.feature_evaluator import FeatureEvaluator
from synthbench_fidelity.evaluators.metric import Figure, Metric
from synthbench_fidelity.evaluators.parts import Pair

__all__ = ["Authenticity"]


class Authenticity(FeatureEvaluator):
    """Share of synthetic images farther from their nearest training image than that one is from the next."""

    name: ClassVar[str] = "authenticity"

    @field_validator("train_at_most")
    @classmethod
    def _is_all_of_them(cls, train_at_most: int | None) -> None:
        if train_at_most is not None:
            raise ValueError("among some of the training images nobody finds what was copied of the others")

    @property
    def feature_metrics(self) -> Sequence[Metric]:
        return [Metric("authenticity", "higher", _share, bounds=(0.0, 1.0))]


def _share(pair: Pair) -> Figure:
    from synthbench_fidelity.memorisation import authenticity

    return Figure(authenticity(train=pair.real, synthetic=pair.synthetic))
