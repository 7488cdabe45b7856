"""`vendi`: how many different images a set is worth, against as many real ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from synthbench_fidelity.arrays import Features
from synthbench_fidelity.evaluators.feature_evaluator import FeatureEvaluator
from synthbench_fidelity.evaluators.metric import Figure, Metric, undefined
from synthbench_fidelity.evaluators.parts import Pair

__all__ = ["Vendi"]


class Vendi(FeatureEvaluator):
    """Vendi score of synthetic images, and (variant "real") of as many training images.

    Both sets are cut by a random draw to the size of the smaller one: the score grows with it.
    """

    name: ClassVar[str] = "vendi"

    @property
    def feature_metrics(self) -> Sequence[Metric]:
        return [
            Metric("vendi", "higher", lambda pair: _score(pair, pair.synthetic)),
            Metric("vendi", "higher", lambda pair: _score(pair, pair.real), variant="real"),
        ]


def _score(pair: Pair, features: Features) -> Figure:
    from synthbench_fidelity.vendi import vendi_score

    n = min(len(pair.real), len(pair.synthetic))
    cut = features[pair.rng.choice(len(features), n, replace=False)]
    try:
        return Figure(vendi_score(features=cut), note=f"of {n} images each")
    except ValueError as error:  # an image without any feature has no direction
        return undefined(str(error))
