"""The one evaluator behind all metrics of features: a list of metrics, run over the parts and the references.

A new metric is a function of two feature sets and a class that lists it, then a name in `plugin.py`:

    class MeanShift(FeatureEvaluator):
        \"\"\"Distance between the mean features of synthetic and training images.\"\"\"

        name: ClassVar[str] = "mean-shift"

        @property
        def feature_metrics(self) -> Sequence[Metric]:
            return [Metric("mean_shift", "lower", _mean_shift, calibrated=True)]

    def _mean_shift(pair: Pair) -> Figure:
        return Figure(float(np.linalg.norm(pair.real.mean(axis=0) - pair.synthetic.mean(axis=0))))

That gives `mean_shift[efficientnet-lite0]` overall and of each class with notes, its place between noise and real
images, signature.txt, calibration.csv, and scores that `synthbench verify` computes again.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence

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
from synthbench_fidelity.arrays import Array
from synthbench_fidelity.evaluators.metric import Figure, Metric, bracketed, score, too_few
from synthbench_fidelity.evaluators.parts import Part, drawn, gather, parts, without_only_class
from synthbench_fidelity.evaluators.references import Reference, noise, place, references, write_table
from synthbench_fidelity.evaluators.signature import write_signature

__all__ = ["FeatureEvaluator"]


class FeatureEvaluator(Evaluator):
    """Compares synthetic with training images in the space of an extractor, overall and for each class.

    A class's scores have its name as their variant (`class_variant`).
    """

    extractor: ExtractorField = extractor_field("efficientnet-lite0")
    at_most: int = Field(5000, ge=2, description="synthetic images compared; of more, that many are drawn")
    train_at_most: int | None = Field(
        None,
        ge=2,
        description="training images that they are compared with; of more, that many are drawn; all if unset",
    )

    @property
    @abstractmethod
    def feature_metrics(self) -> Sequence[Metric]:
        """Its metrics, in the order of their scores."""

    def named(self, metric: str) -> str:
        """A metric's name on the board."""
        return bracketed(metric, self.extractor)

    @property
    def metrics(self) -> Mapping[str, Direction]:
        directions = {metric.name: metric.direction for metric in self.feature_metrics}
        places: dict[str, Direction] = {f"{metric.name}_place": "higher" for metric in self._calibrated}
        return {self.named(name): direction for name, direction in {**directions, **places}.items()}

    @property
    def bounds(self) -> Mapping[str, tuple[float, float]]:
        return {self.named(metric.name): metric.bounds for metric in self.feature_metrics if metric.bounds}

    @property
    def _calibrated(self) -> Sequence[Metric]:
        return [metric for metric in self.feature_metrics if metric.calibrated]

    @property
    def _with_noise(self) -> bool:
        """Whether features of noise images are wanted, in `evidence["noise"]`."""
        return bool(self._calibrated)

    def evaluate(self, real: Splits, synthetic: Images, ctx: Context) -> Evaluation:
        compared = drawn(synthetic, self.at_most)
        evidence = gather(real, compared, self.extractor, ctx, self.train_at_most)
        if self._with_noise:
            pixels = noise(real.train, len(compared))
            evidence["noise"] = np.asarray(ctx.features(pixels, self.extractor, train=real.train))
        signature = self.extractor.signature()
        write_signature(ctx.workdir, self, real.train, len(compared), signature, len(evidence["real"]))
        return Evaluation(self.restate(evidence, ctx), evidence=evidence)

    def restate(self, evidence: Mapping[str, Array], ctx: Context) -> Sequence[Score]:
        """Of each part its figures, then where it is asked for the places of these and the references.

        `evaluate` goes this way, too: what a bundle is verified by is what computed it.
        """
        scores: list[Score] = []
        tables: dict[str, list[Reference]] = {}
        for part in without_only_class([*parts(evidence, ctx, self.name)]):
            figures = [(metric, _figure(metric, part)) for metric in self.feature_metrics]
            scores += [score(part, self.named(m.name), figure, m.variant) for m, figure in figures]
            if self._calibrated:
                tables[part.name] = references(self, self._calibrated, part, evidence, ctx)
                scores += self._places(part, figures, tables[part.name])
        if self._calibrated:
            write_table(ctx.workdir, tables, self.named)
        return scores

    def _places(
        self, part: Part, figures: Sequence[tuple[Metric, Figure]], measured: Sequence[Reference]
    ) -> Iterator[Score]:
        """Where each figure stands; for all images together the references themselves, too."""
        for metric, figure in figures:
            if not metric.calibrated:
                continue
            yield score(part, self.named(f"{metric.name}_place"), place(figure.value, metric, measured))
            if not part.name:
                having = (reference for reference in measured if metric.name in reference.values)
                yield from (reference.score(self.named(metric.name), metric) for reference in having)


def _figure(metric: Metric, part: Part) -> Figure:
    """NaN where a side has too few images."""
    for features, whose in ((part.real, "train"), (part.synthetic, "synthetic")):
        if len(features) < metric.least:
            of = f" of {part.name}" if part.name else ""
            return too_few(len(features), metric.least, f"{whose} images{of}")
    return metric.function(part)
