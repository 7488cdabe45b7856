"""`ms-ssim`: how alike the images of a class are, synthetic and real."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from synthbench import Context, Direction, Evaluation, Evaluator, Images, Score, Splits
from synthbench_fidelity.arrays import Array, Floats, Integers
from synthbench_fidelity.evaluators.parts import class_variant, drawn
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

        try:
            scales = scales_for(*synthetic.shape[:2])
        except ValueError as error:  # smaller than the window
            return Evaluation([Score("ms_ssim", math.nan, "", len(synthetic), note=str(error))])
        compared = drawn(synthetic, self.at_most)
        write_signature(ctx.workdir, self, real.train, len(compared), _how(scales))
        evidence = {"classes": np.array(real.train.classes, dtype=np.str_), "scales": np.array(scales)}
        for name, images in {"": compared, "real": real.train}.items():
            evidence[_counts(name)] = np.array(list(images.counts().values()))
            for label, class_name in enumerate(images.classes):
                members = np.flatnonzero(images.labels == label)
                evidence[_pairs(name, label)] = self._similarities(images, members, ctx.rng(name, class_name))
        return Evaluation(self.restate(evidence, ctx), evidence=evidence)

    def _similarities(self, images: Images, index: Integers, rng: np.random.Generator) -> Floats:
        """Of each pair; none where there are no two images."""
        from synthbench_fidelity.msssim import ms_ssim_of_random_pairs

        if len(index) < 2:
            return np.empty(0)
        return ms_ssim_of_random_pairs(images=images.pixels[index], rng=rng, pairs=self.pairs)

    def restate(self, evidence: Mapping[str, Array], ctx: Context) -> Sequence[Score]:  # noqa: ARG002
        return [score for name in ("", "real") for score in self._scores(evidence, name)]

    def _scores(self, evidence: Mapping[str, Array], name: str) -> Iterator[Score]:
        how, values = _how(int(evidence["scales"])), []
        for label, class_name in enumerate(map(str, evidence["classes"])):
            similarities, n = evidence[_pairs(name, label)], int(evidence[_counts(name)][label])
            values.append(float(similarities.mean()) if len(similarities) else math.nan)
            note = _note(values[-1], f"{how}, {self.pairs} pairs", f"{n} images of {class_name}")
            variant = ", ".join(filter(None, [class_variant(class_name), name]))
            yield Score("ms_ssim", values[-1], "", n, note=note, variant=variant)
        mean = math.fsum(values) / len(values)
        note = _note(mean, f"{how}, mean of the classes", "images in a class")
        yield Score("ms_ssim", mean, "", int(evidence[_counts(name)].sum()), note=note, variant=name)


def _how(scales: int) -> str:
    return f"{scales} scales, pixels as given"


def _counts(name: str) -> str:
    """The evidence that holds the number of images by class."""
    return f"images {name}".strip()


def _pairs(name: str, label: int) -> str:
    """The evidence that holds the similarity of each pair of a class."""
    return f"pairs {name} {label}".replace("  ", " ")


def _note(value: float, how: str, what: str) -> str:
    return f"too few: {what} (2 needed)" if math.isnan(value) else how
