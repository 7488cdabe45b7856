"""`authenticity`: the share of synthetic images that are no closer to a training image than the real ones are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from synthbench_fidelity.evaluators.feature_evaluator import FeatureEvaluator
from synthbench_fidelity.evaluators.metric import Figure, Metric
from synthbench_fidelity.evaluators.parts import Pair

__all__ = ["Authenticity"]


class Authenticity(FeatureEvaluator):
    """Share of synthetic images farther from their nearest training image than that one is from the next."""

    name: ClassVar[str] = "authenticity"

    @property
    def feature_metrics(self) -> Sequence[Metric]:
        return [Metric("authenticity", "higher", _share, bounds=(0.0, 1.0))]


def _share(pair: Pair) -> Figure:
    from synthbench_fidelity.memorisation import authenticity

    return Figure(authenticity(train=pair.real, synthetic=pair.synthetic))
