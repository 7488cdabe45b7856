"""`memorisation`: does the generator copy? Synthetic images against the training images and against a hold-out."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from synthbench import Context, Direction, Images, Score, Splits
from synthbench_fidelity.arrays import Array, Integers, numbered
from synthbench_fidelity.evaluators.base import Case, FeatureEvaluator, Figure, Part, too_few, undefined
from synthbench_fidelity.evaluators.gallery import save_closest

if TYPE_CHECKING:
    from synthbench_fidelity.memorisation import Copies

__all__ = ["Memorisation", "exact_copies", "one_of_each"]

NO_HOLDOUT = undefined("no hold-out")
PLAIN = ("copying", "exact_copies")
SHARES = ("copying", "exact_copies", "near_copies")


class Memorisation(FeatureEvaluator):
    """How near synthetic images come to training images, against real ones that nobody trained on.

    Needs `holdout:` in the benchmark file; without one only exact copies are counted.

    A near copy is nearer to a training image than all but a share `near` of the hold-out is, one image of each of
    its patients. `copying` is 1 where a class has more near copies than new real images would have, but for a
    probability of `false_alarm` for all classes together (Bonferroni).
    """

    name: ClassVar[str] = "memorisation"
    kinds: ClassVar[Mapping[str, Direction]] = {
        "copying": "lower",
        "exact_copies": "lower",
        "near_copies": "lower",
        "nearest_ratio": "higher",
        "ct": "higher",
    }
    gates: ClassVar[frozenset[str]] = frozenset({"copying"})
    limits: ClassVar[Mapping[str, tuple[float, float]]] = dict.fromkeys(SHARES, (0.0, 1.0))
    near: float = Field(0.02, gt=0, lt=1, description="share of new real images that is called near copies")
    false_alarm: float = Field(0.01, gt=0, lt=1, description="probability that new real images are called copying")

    def named(self, kind: str) -> str:
        """The verdict, and what needs no features, without the extractor."""
        return kind if kind in PLAIN else super().named(kind)

    def gather(self, real: Splits, synthetic: Images, ctx: Context) -> dict[str, Array]:
        evidence = super().gather(real, synthetic, ctx)
        save_closest(ctx.workdir, real.train, synthetic, evidence["real"], evidence["synthetic"])
        evidence["exact"] = exact_copies(real.train, synthetic)
        if real.holdout is not None:
            evidence["holdout"] = self.features(real.holdout, real, ctx)
            evidence["holdout_labels"] = real.holdout.labels
            evidence["holdout_groups"] = numbered(real.holdout.groups)
        return evidence

    def judge(self, case: Case) -> Sequence[Score]:
        parts = list(case.parts())
        near = {part.name: self._near(part, case) for part in parts if part.name}
        return [
            self.score(kind, figure, part.name, part)
            for part in parts
            for kind, figure in {
                "copying": self._verdict(part, near),
                "exact_copies": _share(int(case["exact"][part.columns].sum()), part, "of the same pixels"),
                "near_copies": _near_share(part, near),
                **self._distances(part, case),
            }.items()
        ]

    def _near(self, part: Part, case: Case) -> Near | Figure:
        """The near copies in a class, or why they cannot be counted."""
        from synthbench_fidelity.memorisation import copies

        if "holdout" not in case.evidence:
            return NO_HOLDOUT
        if not len(part.synthetic):
            return too_few(0, 1, f"synthetic images of {part.name}")
        mine = np.flatnonzero(_held(part, case))
        mine = mine[one_of_each(case["holdout_groups"][mine], case.ctx.rng("hold-out", part.name))]
        needed = math.ceil(1 / self.near - 1 - 1e-9)
        if len(mine) < needed:
            return too_few(len(mine), needed, f"hold-out patients of {part.name}")
        # An image given out twice is one draw: repeats of an innocent neighbour of a training image prove nothing.
        _, first = np.unique(part.synthetic, axis=0, return_index=True)
        distinct = part.synthetic[np.sort(first)]
        sides = {"train": case["real"], "holdout": case["holdout"][mine], "synthetic": distinct}
        return Near(copies(**sides, false_alarm=self.near), len(distinct))

    def _verdict(self, part: Part, near: Mapping[str, Near | Figure]) -> Figure:
        """1 where a class is beyond its share of the false alarms, else 0; NaN where one is not known."""
        asked = [near[part.name]] if part.name else list(near.values())
        unknown = [found for found in asked if isinstance(found, Figure)]
        p = min(
            (min(1.0, found.copies.p_value * len(near)) for found in asked if not isinstance(found, Figure)),
            default=1.0,
        )
        if p > self.false_alarm and unknown:
            return unknown[0]
        return Figure(
            float(p <= self.false_alarm), note=f"p = {p:.2g} of so many near copies among new real images"
        )

    def _distances(self, part: Part, case: Case) -> Mapping[str, Figure]:
        """Ratio of nearest distances, and C_T."""
        from synthbench_fidelity.memorisation import ct_score, nearest_distance_ratio

        if "holdout" not in case.evidence:
            return dict.fromkeys(("nearest_ratio", "ct"), NO_HOLDOUT)
        train, holdout = case["real"], case["holdout"]
        mine = holdout[_held(part, case)]
        if min(len(train), len(mine), len(part.synthetic)) < 2:
            found = too_few(
                min(len(mine), len(part.synthetic)), 2, f"hold-out or synthetic images {part.name}".strip()
            )
            return dict.fromkeys(("nearest_ratio", "ct"), found)
        rng = case.ctx.rng(self.name, part.name)
        ratio = nearest_distance_ratio(train=train, holdout=holdout, synthetic=part.synthetic, rng=rng)
        ct = ct_score(train=train, holdout=mine, synthetic=part.synthetic, rng=rng)
        return {
            "nearest_ratio": Figure(*ratio) if np.isfinite(ratio).all() else undefined("a median distance is 0"),
            "ct": undefined("no cell holds 20 synthetic images") if math.isnan(ct) else Figure(ct),
        }


def _held(part: Part, case: Case) -> npt.NDArray[np.bool_]:
    """Which hold-out images belong to a part, bool (H,)."""
    labels = case["holdout_labels"]
    return (labels == case.classes.index(part.name)) if part.name else np.ones(len(labels), dtype=np.bool_)


@dataclass(frozen=True)
class Near:
    """The near copies among so many different synthetic images of a class."""

    copies: Copies
    images: int


def _share(count: int, part: Part, what: str) -> Figure:
    if not len(part.synthetic):
        return too_few(0, 1, f"synthetic images of {part.name}")
    return Figure(count / len(part.synthetic), note=f"{count} of {len(part.synthetic)} {what}")


def _near_share(part: Part, near: Mapping[str, Near | Figure]) -> Figure:
    """Of a class, or of all together."""
    asked = [near[part.name]] if part.name else list(near.values())
    if unknown := [found for found in asked if isinstance(found, Figure)]:
        return unknown[0]
    known = [found for found in asked if not isinstance(found, Figure)]
    count, of = sum(found.copies.count for found in known), sum(found.images for found in known)
    expected = sum(found.copies.expected for found in known)
    note = f"{count} of {of} different images near copies, {expected:.3g} of new real images expected"
    return Figure(count / of, note=note)


def exact_copies(train: Images, synthetic: Images) -> npt.NDArray[np.bool_]:
    """Which synthetic images (M,) have the pixels of a training image."""
    known = {_digest(pixels) for pixels in train.pixels}
    return np.array([_digest(pixels) in known for pixels in synthetic.pixels], dtype=np.bool_)


def _digest(pixels: npt.NDArray[Any]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=16).digest()


def one_of_each(groups: Array, rng: np.random.Generator) -> Integers:
    """The place of one image of each group, drawn at random, ascending: images of one patient are no two draws."""
    order = rng.permutation(len(groups))
    _, first = np.unique(groups[order], return_index=True)
    return np.sort(order[first])
