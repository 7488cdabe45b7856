"""`ms-ssim`: how alike the images of a class are, synthetic and real."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from synthbench.context import Context
from synthbench.interfaces import Evaluator
from synthbench.types import Direction, Evaluation, Images, Score, Splits
from synthbench_fidelity.arrays import Integers
from synthbench_fidelity.evaluators.base import drawn
from synthbench_fidelity.evaluators.signature import write_signature

__all__ = ["MsSsim"]


class MsSsim(Evaluator):
    """Mean MS-SSIM over pairs of images of one class: of synthetic ones, and (variant "real") of training images.

    Over all: the mean of the classes.
    """

    name: ClassVar[str] = "ms-ssim"
    metrics: ClassVar[Mapping[str, Direction]] = {"ms_ssim": "lower"}
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {"ms_ssim": (0.0, 1.0)}
    at_most: int = Field(5000, ge=2, description="synthetic images compared; of more, that many are drawn")
    pairs: int = Field(1000, ge=1, description="drawn in each class")

    def evaluate(self, real: Splits, synthetic: Images, ctx: Context) -> Evaluation:
        from synthbench_fidelity.msssim import scales_for

        how = f"{scales_for(*synthetic.shape[:2])} scales, pixels as given"
        some = drawn(synthetic, self.at_most, ctx)
        write_signature(ctx.workdir, self, real.train, len(some), how)
        both = {"": some, "real": real.train}
        return Evaluation(
            [score for name, images in both.items() for score in self._scores(images, name, how, ctx)]
        )

    def _scores(self, images: Images, name: str, how: str, ctx: Context) -> Iterator[Score]:
        values = {}
        for label, class_name in enumerate(images.classes):
            index = np.flatnonzero(images.labels == label)
            values[class_name] = self._value(images, index, ctx.rng(name, class_name))
            note = _note(values[class_name], f"{how}, {self.pairs} pairs", f"{len(index)} images of {class_name}")
            variant = f"{class_name}, {name}" if name else class_name
            yield Score("ms_ssim", values[class_name], "", len(index), note=note, variant=variant)
        mean = math.fsum(values.values()) / len(values)
        note = _note(mean, f"{how}, mean of the classes", "images in a class")
        yield Score("ms_ssim", mean, "", len(images), note=note, variant=name)

    def _value(self, images: Images, index: Integers, rng: np.random.Generator) -> float:
        from synthbench_fidelity.msssim import ms_ssim

        return ms_ssim(images=images.pixels[index], rng=rng, pairs=self.pairs) if len(index) > 1 else math.nan


def _note(value: float, how: str, what: str) -> str:
    return f"too few: {what} (2 needed)" if math.isnan(value) else how
