"""What the evaluators share: features of both sets, the parts they are compared in, scores, names.

The real side is the training set, as is usual for these metrics: the test set is small, and of other patients.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

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
    derive_seed,
    extractor_field,
)
from synthbench_fidelity.arrays import Array, Features, Integers, numbered
from synthbench_fidelity.evaluators.signature import write_signature

__all__ = [
    "Case",
    "FeatureEvaluator",
    "Figure",
    "Part",
    "PartEvaluator",
    "drawn",
    "numbered",
    "too_few",
    "undefined",
]


class Figure(NamedTuple):
    """A number with the interval it may have; `note` says what a reader must know, or why it is NaN."""

    value: float
    low: float | None = None
    high: float | None = None
    note: str = ""


def undefined(why: str) -> Figure:
    """In place of a number that there is not."""
    return Figure(math.nan, note=why)


def too_few(there: int, needed: int, what: str) -> Figure:
    """In place of a number for which there are too few images."""
    return undefined(f"too few: {there} {what} ({needed} needed)")


@dataclass(frozen=True, eq=False)
class Part:
    """All images, or those of one class, on both sides."""

    name: str
    """The class; "" for all."""
    rows: Integers
    """Which training images"""
    columns: Integers
    """Which synthetic images"""
    real: Features
    synthetic: Features

    @property
    def sizes(self) -> str:
        return f"{len(self.synthetic)} against {len(self.real)} train images"


@dataclass(frozen=True, eq=False)
class Case:
    """What is compared, as arrays: all that the scores follow from, so that they can be told again without images.

    evidence  "classes" (K,) names; "real" (N, D) and "synthetic" (M, D) features of the training and the
              synthetic images; "real_labels" (N,), "labels" (M,); "real_groups" (N,), a number for each patient;
              and what else an evaluator gathers
    """

    evidence: Mapping[str, Array]
    ctx: Context

    def __getitem__(self, name: str) -> Array:
        return self.evidence[name]

    @property
    def classes(self) -> list[str]:
        return [str(name) for name in self["classes"]]

    def parts(self) -> Iterator[Part]:
        """Everything, then each class."""
        for label, name in enumerate(["", *self.classes], start=-1):
            sides = (self["real_labels"], self["labels"])
            rows, columns = (np.flatnonzero((labels == label) | (label < 0)) for labels in sides)
            yield Part(name, rows, columns, self["real"][rows], self["synthetic"][columns])


class FeatureEvaluator(Evaluator):
    """Compares synthetic with training images in the space of an extractor, overall and for each class.

    A class's scores have its name as their variant.
    """

    extractor: ExtractorField = extractor_field("efficientnet-lite0")
    at_most: int = Field(5000, ge=2, description="synthetic images compared; of more, that many are drawn")

    kinds: ClassVar[Mapping[str, Direction]]
    """Its metrics without the name of the extractor."""

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {}
    """Their bounds."""

    def named(self, kind: str) -> str:
        """`kid[efficientnet-lite0]`. Dots become underscores: `headline` has one before the metric."""
        return f"{kind}[{self.extractor.label.replace('.', '_')}]"

    @property
    def metrics(self) -> Mapping[str, Direction]:
        """Named after the extractor: figures of different ones cannot be compared."""
        return {self.named(kind): way for kind, way in self.kinds.items()}

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        return {self.named(kind): limits for kind, limits in self.limits.items()}

    def evaluate(self, real: Splits, synthetic: Images, ctx: Context) -> Evaluation:
        some = drawn(synthetic, self.at_most)
        evidence = self.gather(real, some, ctx)
        write_signature(ctx.workdir, self, real.train, len(some), self.extractor.signature())
        return Evaluation(self.restate(evidence, ctx), evidence=evidence)

    def gather(self, real: Splits, synthetic: Images, ctx: Context) -> dict[str, Array]:
        """The evidence of a `Case`. Patients become numbers: their names are not needed."""
        return {
            "classes": np.array(real.train.classes, dtype=np.str_),
            "real": self.features(real.train, real, ctx),
            "real_labels": real.train.labels,
            "real_groups": numbered(real.train.groups),
            "synthetic": self.features(synthetic, real, ctx),
            "labels": synthetic.labels,
        }

    def features(self, images: Images, real: Splits, ctx: Context) -> Features:
        """(N, D) of the images."""
        return np.asarray(ctx.features(images, self.extractor, train=real.train))

    def restate(self, evidence: Mapping[str, Array], ctx: Context) -> Sequence[Score]:
        return self.judge(Case(evidence, ctx))

    @abstractmethod
    def judge(self, case: Case) -> Sequence[Score]:
        """All scores, overall and by class."""

    def score(self, kind: str, figure: Figure, variant: str, part: Part) -> Score:
        """As the harness wants it; a number's note begins with the sizes of the two sets."""
        undefined = math.isnan(figure.value)
        note = figure.note if undefined else "; ".join(filter(None, [part.sizes, figure.note]))
        low, high = (None, None) if undefined else (figure.low, figure.high)
        return Score(
            self.named(kind), figure.value, "", len(part.synthetic), note=note, variant=variant, low=low, high=high
        )


class PartEvaluator(FeatureEvaluator):
    """One that does the same with each part: all images, then each class."""

    @property
    def needs(self) -> int:
        """Images that each side of a part must have."""
        return 3

    def judge(self, case: Case) -> Sequence[Score]:
        return [score for part in case.parts() for score in self.scores_of(part, case)]

    def scores_of(self, part: Part, case: Case) -> list[Score]:
        """Of one part."""
        figures = self.figures_of(part, case.ctx)
        return [self.score(kind, figure, part.name, part) for kind, figure in figures.items()]

    def figures_of(self, part: Part, ctx: Context) -> Mapping[str, Figure]:
        """By kind, NaN where a side has too few images."""
        for features, whose in ((part.real, "train"), (part.synthetic, "synthetic")):
            if len(features) < self.needs:
                what = " ".join([whose, "images", *(["of", part.name] if part.name else [])])
                return dict.fromkeys(self.kinds, too_few(len(features), self.needs, what))
        return self.measure(part.real, part.synthetic, ctx.rng(self.name, part.name))

    @abstractmethod
    def measure(self, real: Features, synthetic: Features, rng: np.random.Generator) -> Mapping[str, Figure]:
        """By kind. Each side has at least `needs` rows."""


def drawn(images: Images, at_most: int) -> Images:
    """`at_most` of the images, in their order: the same places for all generators and evaluators.

    One draw for all, so that each image goes through an extractor once; no seed has a part in it.
    """
    if len(images) <= at_most:
        return images
    rng = np.random.default_rng(derive_seed("draw"))
    return images.subset(np.sort(rng.choice(len(images), at_most, replace=False)))
