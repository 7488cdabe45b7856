"""`membership`: can who has the synthetic images say which real images the generator was trained on?

Beside each figure stand two of known answer, with the training images and the hold-out of the same benchmark:

    copy of train   as many training images in place of the synthetic ones
    held-out reals  half of the hold-out's patients in their place, against the other half: nothing to find
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from pydantic import Field

from synthbench import (
    Context,
    Direction,
    Evaluation,
    Evaluator,
    ExtractorField,
    Images,
    Score,
    Splits,
    extractor_field,
)
from synthbench_fidelity.arrays import Array, Features, Integers
from synthbench_fidelity.evaluators.memorisation import with_holdout
from synthbench_fidelity.evaluators.metric import Figure, bracketed, too_few, undefined
from synthbench_fidelity.evaluators.parts import COPY, HELD_OUT, class_variant, drawn
from synthbench_fidelity.evaluators.references import some_patients
from synthbench_fidelity.evaluators.signature import write_signature

__all__ = ["Membership"]

METRIC = "membership_auroc"
PATIENTS = 2
"""That each side needs for an interval."""


@dataclass(frozen=True, eq=False)
class Attack:
    """Training and held-out images as features, whom they show, and what they are sought among."""

    train: Features
    holdout: Features
    synthetic: Features
    train_groups: Integers
    holdout_groups: Integers

    def figure(self) -> Figure:
        from synthbench_fidelity.membership import membership_auroc

        sides = {"train": self.train_groups, "hold-out": self.holdout_groups}
        for whose, groups in sides.items():
            if (there := len(np.unique(groups))) < PATIENTS:
                return too_few(there, PATIENTS, f"{whose} patients")
        if not len(self.synthetic):
            return too_few(0, 1, "synthetic images")
        sizes = f"{len(self.train)} train against {len(self.holdout)} hold-out images"
        return Figure(*membership_auroc(**vars(self)), note=f"{sizes}, among {len(self.synthetic)} images")


class Membership(Evaluator):
    """AUROC of an attack that takes real images near synthetic ones for training images; .5 is chance.

    Training images against the hold-out, each by the distance to its nearest synthetic image, of whatever class;
    overall and for each class of the real images. That needs `holdout:` in the benchmark file.
    """

    name: ClassVar[str] = "membership"
    extractor: ExtractorField = extractor_field("efficientnet-lite0")
    at_most: int = Field(5000, ge=2, description="synthetic images the attacker has; of more, that many are drawn")

    @property
    def metrics(self) -> Mapping[str, Direction]:
        return {bracketed(METRIC, self.extractor): "lower"}

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        return dict.fromkeys(self.metrics, (0.0, 1.0))

    def evaluate(self, real: Splits, synthetic: Images, ctx: Context) -> Evaluation:
        compared = drawn(synthetic, self.at_most)
        evidence = with_holdout(real, compared, self.extractor, ctx)
        write_signature(ctx.workdir, self, real.train, len(compared), self.extractor.signature())
        return Evaluation(self.restate(evidence, ctx), evidence=evidence)

    def restate(self, evidence: Mapping[str, Array], ctx: Context) -> Sequence[Score]:
        return list(self._scores(evidence, ctx))

    def _scores(self, evidence: Mapping[str, Array], ctx: Context) -> Iterator[Score]:
        """Of all real images and of each class; beside the first, the attacks of known answer."""
        n, (metric,) = len(evidence["synthetic"]), self.metrics
        for label, name in enumerate(["", *map(class_variant, map(str, evidence["classes"]))], start=-1):
            if "holdout" not in evidence:
                yield _score(metric, undefined("no hold-out"), n, name)
                continue
            yield _score(metric, _attack(evidence, label, evidence["synthetic"]).figure(), n, name)
        if "holdout" in evidence:
            for name, attack in _known(evidence, n, ctx.rng(self.name)):
                yield _score(metric, attack.figure(), len(attack.synthetic), name)


def _score(metric: str, figure: Figure, n: int, variant: str) -> Score:
    return Score(metric, figure.value, "", n, note=figure.note, variant=variant, low=figure.low, high=figure.high)


def _attack(evidence: Mapping[str, Array], label: int, synthetic: Features) -> Attack:
    """On the real images of a class, of all for -1."""
    rows, held_out = (
        np.flatnonzero((evidence[name] == label) | (label < 0)) for name in ("real_labels", "holdout_labels")
    )
    return Attack(
        train=evidence["real"][rows],
        holdout=evidence["holdout"][held_out],
        synthetic=synthetic,
        train_groups=evidence["real_groups"][rows],
        holdout_groups=evidence["holdout_groups"][held_out],
    )


def _known(evidence: Mapping[str, Array], n: int, rng: np.random.Generator) -> Iterator[tuple[str, Attack]]:
    """What the attack says of who hands out n training images, and of real images of other patients."""
    whole = _attack(evidence, -1, evidence["synthetic"])
    yield COPY, replace(whole, synthetic=np.resize(rng.permutation(whole.train), (n, whole.train.shape[1])))
    chosen = some_patients(whole.holdout_groups, min(n, len(whole.holdout) // 2), rng)
    groups = whole.holdout_groups[~chosen]
    yield (
        HELD_OUT,
        replace(whole, synthetic=whole.holdout[chosen], holdout=whole.holdout[~chosen], holdout_groups=groups),
    )
