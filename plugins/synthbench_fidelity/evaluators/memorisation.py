"""`memorisation`: does the generator copy? Its images are sought among all real ones, and held against a hold-out.

Two gates. The first names pictures: which synthetic images show one of the training images, of the hold-out or of
a test set (`pictures.py`). The second, of features, is for what is alike and not the same: more near copies than
new real images have. No list of metrics for the `FeatureEvaluator`: all of them follow from what each class shows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from synthbench import (
    Context,
    Direction,
    Evaluation,
    Evaluator,
    Extractor,
    ExtractorField,
    Images,
    Score,
    Splits,
    extractor_field,
)
from synthbench_fidelity.arrays import Array, Integers, numbered
from synthbench_fidelity.evaluators.metric import Figure, bracketed, score, too_few, undefined
from synthbench_fidelity.evaluators.parts import Part, drawn, gather, parts, without_only_class
from synthbench_fidelity.evaluators.pictures import CopyTest, copied, named, originals
from synthbench_fidelity.evaluators.signature import write_signature
from synthbench_fidelity.gallery import save_closest

if TYPE_CHECKING:
    from synthbench_fidelity.memorisation import Copies

__all__ = ["Memorisation", "one_of_each", "with_holdout"]

DIRECTIONS: Mapping[str, Direction] = {
    "copying": "lower",
    "verified_copies": "lower",
    "exact_copies": "lower",
    "near_copies": "lower",
    "nearest_ratio": "higher",
    "ct": "higher",
}
PLAIN = ("copying", "verified_copies", "exact_copies")
"""The verdict, and what needs no features: named without the extractor."""
SHARES = (*PLAIN, "near_copies")
NO_HOLDOUT = undefined("no hold-out")


@dataclass(frozen=True)
class Near:
    """The near copies among so many different synthetic images of a class."""

    copies: Copies
    images: int


class Memorisation(Evaluator):
    """Whether synthetic images show pictures of real ones, or lie nearer to training images than new ones do.

    `copying` is 1 where more of the different images, in all or of a class, are verified copies of one part of the
    data set or another (`CopyTest`) than chance allows; or where a class has near copies of more training patients
    than new real images would have: each but for a probability of `false_alarm` (Bonferroni over classes).

    A near copy is nearer to a training image than all but a share `near` of the hold-out is, one image of each of
    its patients: that needs `holdout:` in the benchmark file.
    """

    name: ClassVar[str] = "memorisation"
    gates: ClassVar[frozenset[str]] = frozenset({"copying"})
    extractor: ExtractorField = extractor_field("efficientnet-lite0")
    at_most: int = Field(5000, ge=2, description="synthetic images compared; of more, that many are drawn")
    near: float = Field(0.02, gt=0, lt=1, description="share of new real images that is called near copies")
    false_alarm: float = Field(0.01, gt=0, lt=1, description="probability that new real images are called copying")

    @property
    def metrics(self) -> Mapping[str, Direction]:
        return {self._named(metric): direction for metric, direction in DIRECTIONS.items()}

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        return {self._named(metric): (0.0, 1.0) for metric in SHARES}

    def _named(self, metric: str) -> str:
        return metric if metric in PLAIN else bracketed(metric, self.extractor)

    def evaluate(self, real: Splits, synthetic: Images, ctx: Context) -> Evaluation:
        compared = drawn(synthetic, self.at_most)
        evidence = with_holdout(real, compared, self.extractor, ctx)
        save_closest(ctx.workdir, real.train, compared, evidence["real"], evidence["synthetic"])
        evidence |= copied(originals(real, ctx), compared, ctx)
        write_signature(ctx.workdir, self, real.train, len(compared), self.extractor.signature())
        return Evaluation(self.restate(evidence, ctx), evidence=evidence)

    def restate(self, evidence: Mapping[str, Array], ctx: Context) -> Sequence[Score]:
        whole, *classes = parts(evidence, ctx, self.name)
        near = self._near_copies(classes, evidence, ctx)
        verdicts = self._verdicts([whole, *classes], near, evidence)
        scores: list[Score] = []
        for part in without_only_class([whole, *classes]):
            n, copying = len(part.synthetic), verdicts[part.name]
            scores.append(Score("copying", copying.value, "", n, note=copying.note, variant=part.variant))
            figures = {
                "near_copies": _near_share([near[part.name]] if part.name else list(near.values())),
                **_copy_shares(part, evidence),
                **_distances(part, evidence),
            }
            scores += [score(part, self._named(metric), figure) for metric, figure in figures.items()]
        return scores

    def copying(self, evidence: Mapping[str, Array], ctx: Context) -> Figure:
        """The verdict on all images alone, from the evidence: 1 copies, 0 does not, NaN with the reason."""
        whole, *classes = parts(evidence, ctx, self.name)
        return self._verdicts([whole, *classes], self._near_copies(classes, evidence, ctx), evidence)[whole.name]

    def _near_copies(
        self, classes: Sequence[Part], evidence: Mapping[str, Array], ctx: Context
    ) -> Mapping[str, Near | Figure]:
        return {part.name: self._near(part, evidence, ctx) for part in classes}

    def _verdicts(
        self, every: Sequence[Part], near: Mapping[str, Near | Figure], evidence: Mapping[str, Array]
    ) -> Mapping[str, Figure]:
        """On all images and on each class."""
        tests = {part.name: CopyTest.of(evidence, part.columns) for part in every}
        known = {name: self._verdict([tests[name]], [near[name]], len(near)) for name in near}
        return {"": self._verdict(list(tests.values()), list(near.values()), len(near)), **known}

    def _near(self, part: Part, evidence: Mapping[str, Array], ctx: Context) -> Near | Figure:
        """The near copies in a class, or why they cannot be counted."""
        from synthbench_fidelity.memorisation import copies

        if "holdout" not in evidence:
            return NO_HOLDOUT
        if not len(part.synthetic):
            return too_few(0, 1, f"synthetic images of {part.name}")
        held_out = np.flatnonzero(_held_out(part, evidence))
        patients = held_out[one_of_each(evidence["holdout_groups"][held_out], ctx.rng("hold-out", part.name))]
        needed = math.ceil(1 / self.near - 1 - 1e-9)
        if len(patients) < needed:
            return too_few(len(patients), needed, f"hold-out patients of {part.name}")
        # An image given out twice is one draw: repeats of an innocent neighbour of a training image prove nothing.
        _, first = np.unique(part.synthetic, axis=0, return_index=True)
        distinct = part.synthetic[np.sort(first)]
        # All training images, not the class's alone: a copy under the wrong label is a copy.
        sets = {"train": evidence["real"], "holdout": evidence["holdout"][patients], "synthetic": distinct}
        return Near(copies(**sets, false_alarm=self.near, groups=evidence["real_groups"]), len(distinct))

    def _verdict(self, tests: Sequence[CopyTest], counted: Sequence[Near | Figure], classes: int) -> Figure:
        """1 where either gate fires, else 0; NaN where neither does and one is not known."""
        first = min(tests, key=lambda test: test.p_value)
        if first.p_value * (1 + classes) <= self.false_alarm:
            return Figure(1.0, note=str(tests[0] if tests[0].sources else first))
        unknown = [near for near in counted if isinstance(near, Figure)]
        p_values = [min(1.0, near.copies.p_value * classes) for near in counted if isinstance(near, Near)]
        p = min(p_values, default=1.0)
        # One class that copies is enough, whatever is unknown of the others.
        if p > self.false_alarm and unknown:
            return unknown[0]
        near_copies = f"near copies of the training images, p = {p:.2g} of so many among new real images"
        return Figure(float(p <= self.false_alarm), note=near_copies)


def with_holdout(real: Splits, synthetic: Images, extractor: Extractor, ctx: Context) -> dict[str, Array]:
    """The evidence of `gather`; and of the hold-out, where there is one, features, labels, patients' numbers."""
    evidence = gather(real, synthetic, extractor, ctx)
    if real.holdout is not None:
        evidence["holdout"] = np.asarray(ctx.features(real.holdout, extractor, train=real.train))
        evidence["holdout_labels"] = real.holdout.labels
        evidence["holdout_groups"] = numbered(real.holdout.groups)
    return evidence


def _copy_shares(part: Part, evidence: Mapping[str, Array]) -> Mapping[str, Figure]:
    """Verified and exact copies among all images: who draws one copy over and over has a share of 1."""
    n = len(part.synthetic)
    if not n:
        return dict.fromkeys(PLAIN[1:], too_few(0, 1, f"synthetic images of {part.name}"))
    source, exact = evidence["copy_of"][part.columns], evidence["exact"][part.columns]
    counts = {str(name): int((source == place).sum()) for place, name in enumerate(evidence["parts"])}
    listed = ", ".join(f"{count} of {named(name)}" for name, count in counts.items() if count)
    shown, same = int((source >= 0).sum()), int(exact.sum())
    note = f"{shown} of {n} show a real image" + f": {listed}" * bool(listed)
    return {
        "verified_copies": Figure(shown / n, note=note),
        "exact_copies": Figure(same / n, note=f"{same} of {n} of the same pixels"),
    }


def _near_share(counted: Sequence[Near | Figure]) -> Figure:
    """Of a class, or of all together."""
    if unknown := [near for near in counted if isinstance(near, Figure)]:
        return unknown[0]
    known = [near for near in counted if isinstance(near, Near)]
    count, images = sum(near.copies.count for near in known), sum(near.images for near in known)
    expected = sum(near.copies.expected for near in known)
    note = f"{count} of {images} different images near copies, {expected:.3g} of new real images expected"
    return Figure(count / images, note=note)


def _distances(part: Part, evidence: Mapping[str, Array]) -> Mapping[str, Figure]:
    """Ratio of nearest distances, and C_T."""
    from synthbench_fidelity.memorisation import ct_score, nearest_distance_ratio

    if "holdout" not in evidence:
        return dict.fromkeys(("nearest_ratio", "ct"), NO_HOLDOUT)
    train, holdout, synthetic = evidence["real"], evidence["holdout"], part.synthetic
    same_class = holdout[_held_out(part, evidence)]
    if min(len(train), len(same_class), len(synthetic)) < 2:
        images = f"hold-out or synthetic images {part.name}".strip()
        figure = too_few(min(len(same_class), len(synthetic)), 2, images)
        return dict.fromkeys(("nearest_ratio", "ct"), figure)
    ratio = nearest_distance_ratio(train=train, holdout=holdout, synthetic=synthetic, rng=part.rng)
    ct = ct_score(train=train, holdout=same_class, synthetic=synthetic, rng=part.rng)
    return {
        "nearest_ratio": Figure(*ratio) if np.isfinite(ratio).all() else undefined("a median distance is 0"),
        "ct": undefined("no cell holds 20 synthetic images") if math.isnan(ct) else Figure(ct),
    }


def _held_out(part: Part, evidence: Mapping[str, Array]) -> npt.NDArray[np.bool_]:
    """Which hold-out images belong to a part, bool (H,)."""
    labels = evidence["holdout_labels"]
    if not part.name:
        return np.ones(len(labels), dtype=np.bool_)
    return np.asarray(labels == list(evidence["classes"]).index(part.name))


def one_of_each(groups: Array, rng: np.random.Generator) -> Integers:
    """The place of one image of each group, drawn at random, ascending: images of one patient are no two draws."""
    order = rng.permutation(len(groups))
    _, first = np.unique(groups[order], return_index=True)
    return np.sort(order[first])
