"""`c2st`: the classifier two-sample test.

Beside the figure of all images stand two of known answer, from the same extractor and probe:

    real against real   whole patients of the training set, as many images as the generator drew or half of all,
                        against the others: nothing to find
    noise               as many images of uniform noise against the training set

They have intervals of their own and no `c2st_auroc_place`: the ends of the scale, .5 and 1, are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np

from synthbench import Context, Score, derive_seed
from synthbench_fidelity.arrays import Array, Features, Integers
from synthbench_fidelity.evaluators.feature_evaluator import FeatureEvaluator
from synthbench_fidelity.evaluators.metric import Figure, Metric, too_few
from synthbench_fidelity.evaluators.parts import NOISE, REAL, Pair
from synthbench_fidelity.evaluators.references import some_patients

__all__ = ["C2st"]


class C2st(FeatureEvaluator):
    """AUROC with which a linear probe tells synthetic from training images that it has not seen; .5 is chance."""

    name: ClassVar[str] = "c2st"

    @property
    def feature_metrics(self) -> Sequence[Metric]:
        return [Metric("c2st_auroc", "lower", _of_pair, bounds=(0.0, 1.0))]

    @property
    def _with_noise(self) -> bool:
        return True

    def restate(self, evidence: Mapping[str, Array], ctx: Context) -> Sequence[Score]:
        return [*super().restate(evidence, ctx), *self._known(evidence)]

    def _known(self, evidence: Mapping[str, Array]) -> Iterator[Score]:
        """Drawn from a seed of their own: every generator of as many images stands beside the same rows."""
        real, patients, n = evidence["real"], evidence["real_groups"], len(evidence["synthetic"])
        rng = np.random.default_rng(derive_seed("calibration", self.name))
        chosen = some_patients(patients, min(n, len(real) // 2), rng)
        rows = {
            REAL: (real[~chosen], patients[~chosen], real[chosen], patients[chosen]),
            NOISE: (real, patients, evidence["noise"], np.arange(n)),
        }
        for name, sides in rows.items():
            value, low, high, why, _ = _told_apart(*sides, rng)
            note = why or f"{len(sides[2])} against {len(sides[0])} images"
            metric, images = self.named("c2st_auroc"), len(sides[2])
            yield Score(metric, value, "", images, note=note, variant=name, low=low, high=high)


def _of_pair(pair: Pair) -> Figure:
    # An image given out twice is one draw: else the probe would know it from the other half.
    _, draws = np.unique(pair.synthetic, axis=0, return_inverse=True)
    return _told_apart(pair.real, pair.patients, pair.synthetic, draws.ravel(), pair.rng)


def _told_apart(
    real: Features, patients: Integers, synthetic: Features, draws: Integers, rng: np.random.Generator
) -> Figure:
    """`draws`: whom each image of the other side shows, or which draw it is."""
    from synthbench_fidelity.two_sample import LEAST, classifier_two_sample

    for groups, whose in ((patients, "patients"), (draws, "different synthetic images")):
        if (there := len(np.unique(groups))) < LEAST:
            return too_few(there, LEAST, whose)
    interval = classifier_two_sample(
        real=real, synthetic=synthetic, rng=rng, real_groups=patients, synthetic_groups=draws
    )
    return Figure(*interval)
