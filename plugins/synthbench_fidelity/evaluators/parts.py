"""What is compared: features gathered as evidence, and the parts that are read from it.

The real side is the training set, as is usual for these metrics: the test set is small, and of other patients.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from synthbench import Context, Extractor, Images, Splits, derive_seed
from synthbench_fidelity.arrays import Array, Features, Integers, numbered

__all__ = [
    "COPY",
    "HELD_OUT",
    "NOISE",
    "REAL",
    "Pair",
    "Part",
    "class_variant",
    "drawn",
    "gather",
    "parts",
    "without_only_class",
]

REAL, NOISE, COPY, HELD_OUT = "real against real", "noise", "copy of train", "held-out reals"
"""Variants that are no class's: references of a metric; "real" is one, too."""

AMBIGUOUS = re.compile(rf"(.*, )?({'|'.join(('real', REAL, NOISE, COPY, HELD_OUT))})( \(class\))*", re.DOTALL)

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False, kw_only=True)
class Pair:
    """Two sets of images as features: all that a metric may look at."""

    real: Features
    """(N, D)"""
    synthetic: Features
    """(M, D)"""
    rng: np.random.Generator
    """One for all metrics of the pair, in the order in which they stand."""
    patients: Integers
    """(N,) whom each real image shows, by number"""
    _results: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def once(self, function: Callable[..., Result], **options: Hashable) -> Result:
        """`function(real=, synthetic=, **options)`, computed once however many metrics of the pair ask."""
        key = (function, *sorted(options.items()))
        if key not in self._results:
            self._results[key] = function(real=self.real, synthetic=self.synthetic, **options)
        result: Result = self._results[key]
        return result


@dataclass(frozen=True, eq=False, kw_only=True)
class Part(Pair):
    """All images, or those of one class, on both sides."""

    name: str
    """The class; "" for all."""
    rows: Integers
    """Which training images"""
    columns: Integers
    """Which synthetic images"""
    of: int
    """Training images that there are: more than `real` holds where that is a draw of them"""

    @property
    def variant(self) -> str:
        """Of its scores."""
        return class_variant(self.name)


def class_variant(name: str) -> str:
    """What a class's scores have as their variant: its name; "noise (class)" where a reference is called so.

    No two classes have the same, and none that of a reference ("noise") or of a class's ("NORMAL, real").
    """
    return f"{name} (class)" if AMBIGUOUS.fullmatch(name) else name


def gather(
    real: Splits, synthetic: Images, extractor: Extractor, ctx: Context, train_at_most: int | None = None
) -> dict[str, Array]:
    """The evidence that scores follow from, so that they can be recomputed without images.

    "classes" (K,) names; "real" (N, D) and "synthetic" (M, D) features of the training and the synthetic images;
    "real_labels" (N,), "labels" (M,); "real_groups" (N,), a number for each patient: names are not needed. Where
    N is a draw of `train_at_most` training images, "real_counts" (K,) says how many there are of each class.
    """
    train = real.train if train_at_most is None else drawn(real.train, train_at_most)
    counts = np.bincount(real.train.labels, minlength=len(real.train.classes))
    return {
        "classes": np.array(real.train.classes, dtype=np.str_),
        "real": np.asarray(ctx.features(train, extractor, train=real.train)),
        "real_labels": train.labels,
        "real_groups": numbered(train.groups),
        **({} if train is real.train else {"real_counts": counts}),
        "synthetic": np.asarray(ctx.features(synthetic, extractor, train=real.train)),
        "labels": synthetic.labels,
    }


def parts(evidence: Mapping[str, Array], ctx: Context, who: str) -> Iterator[Part]:
    """Everything, then each class; the random numbers of each are those of `who`."""
    for label, name in enumerate(["", *map(str, evidence["classes"])], start=-1):
        sides = (evidence["real_labels"], evidence["labels"])
        rows, columns = (np.flatnonzero((labels == label) | (label < 0)) for labels in sides)  # -1 is all of them
        counts = evidence.get("real_counts")
        yield Part(
            name=name,
            rows=rows,
            columns=columns,
            of=len(rows) if counts is None else int(counts.sum() if label < 0 else counts[label]),
            real=evidence["real"] if len(rows) == len(evidence["real"]) else evidence["real"][rows],
            patients=evidence["real_groups"][rows],
            synthetic=evidence["synthetic"][columns],
            rng=ctx.rng(who, name),
        )


def without_only_class(every: Sequence[Part]) -> Sequence[Part]:
    """`every` part, but not the one class of a set that has no other: it would say all again."""
    return every[:1] if len(every) == 2 else every


def drawn(images: Images, at_most: int) -> Images:
    """`at_most` of the images, in their order: the same places for all generators and evaluators.

    One draw for all, so that each image goes through an extractor once; no seed has a part in it.
    """
    if len(images) <= at_most:
        return images
    rng = np.random.default_rng(derive_seed("draw"))
    return images.subset(np.sort(rng.choice(len(images), at_most, replace=False)))
