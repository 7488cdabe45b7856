"""`vendi`: how many different images a set is worth, against as many real ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from synthbench import Direction, Score
from synthbench_fidelity.arrays import Features
from synthbench_fidelity.evaluators.base import Case, Figure, Part, PartEvaluator

__all__ = ["Vendi"]


class Vendi(PartEvaluator):
    """Vendi score of synthetic images, and (variant "real") of as many training images.

    Both sets are cut by a random draw to the size of the smaller one: the score grows with it.
    """

    name: ClassVar[str] = "vendi"
    kinds: ClassVar[Mapping[str, Direction]] = {"vendi": "higher"}

    def scores_of(self, part: Part, case: Case) -> list[Score]:
        found = self.figures_of(part, case.ctx)
        variants = {part.name: found["vendi"], _real(part.name): found.get("real", found["vendi"])}
        return [self.score("vendi", figure, variant, part) for variant, figure in variants.items()]

    def measure(self, real: Features, synthetic: Features, rng: np.random.Generator) -> Mapping[str, Figure]:
        """ "vendi", and "real" beside it."""
        from synthbench_fidelity.vendi import vendi_score

        n = min(len(real), len(synthetic))
        some = {"vendi": synthetic, "real": real}
        cut = {name: features[rng.choice(len(features), n, replace=False)] for name, features in some.items()}
        return {name: Figure(vendi_score(features=f), note=f"of {n} images each") for name, f in cut.items()}


def _real(name: str) -> str:
    return f"{name}, real" if name else "real"
