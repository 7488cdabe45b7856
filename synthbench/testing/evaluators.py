"""Checks of an `Evaluator`: the metrics it declares, each with the images it was measured on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench.api.declarations import (
    declaration_faults,
    interval_faults,
    out_of_bounds,
    prediction_faults,
    scored_twice,
)
from synthbench.api.interfaces import Evaluator, balanced_labels
from synthbench.testing.cases import Case, copied, differing_fields, frozen
from synthbench.testing.findings import Violation, require
from synthbench.types import Evaluation, Images, Predictions, Score, Splits

__all__ = ["CHECKS", "EvaluatorCase"]

SAMPLES = 96


@dataclass
class EvaluatorCase(Case):
    """An evaluator, run on arrays that may be written to, and again on the same ones read-only."""

    plugin: Evaluator

    @cached_property
    def synthetic(self) -> Images:
        """Training images with noise of 10 grey levels on top, under ids of their own."""
        rng = np.random.default_rng(0)
        train = self.real.train
        labels = balanced_labels(SAMPLES, len(train.classes))
        index = np.array([rng.choice(np.flatnonzero(train.labels == label)) for label in labels])
        noisy = train.pixels[index] + rng.normal(0, 10, size=(SAMPLES, *train.shape))
        ids = np.array([f"synthetic-{i:03d}" for i in range(SAMPLES)], dtype=np.str_)
        return Images(np.clip(np.rint(noisy), 0, 255).astype(np.uint8), labels, train.classes, ids)

    @cached_property
    def inputs(self) -> tuple[Splits, Images]:
        """What the first run was handed: what it did to them is looked at later."""
        return _each(self.real, copied), copied(self.synthetic)

    @cached_property
    def evaluation(self) -> Evaluation:
        return self.plugin.evaluate(*self.inputs, self.context(seed=1))

    @cached_property
    def again(self) -> Evaluation:
        real, synthetic = _each(self.real, frozen), frozen(self.synthetic)
        return self.watch(lambda: self.plugin.evaluate(real, synthetic, self.context(seed=1)))

    @cached_property
    def sizes(self) -> dict[str, int]:
        """How many images each name stands for that a score may give as its test set."""
        unseen = {name: len(images) for name, images in _unseen(self.real).items()}
        everything = SAMPLES + len(self.real.train) + sum(unseen.values())
        return {"": everything, "synthetic": SAMPLES, "train": len(self.real.train), **unseen}


def _unseen(real: Splits) -> dict[str, Images]:
    """The test sets and the hold-out."""
    return {**real.tests, **({} if real.holdout is None else {"holdout": real.holdout})}


def _each(real: Splits, copy: Callable[[Images], Images]) -> Splits:
    tests = {name: copy(images) for name, images in real.tests.items()}
    val, holdout = real.val and copy(real.val), real.holdout and copy(real.holdout)
    return replace(real, train=copy(real.train), tests=tests, val=val, holdout=holdout)


def _declarations(case: EvaluatorCase) -> str:
    metrics = getattr(case.plugin, "metrics", None)
    advice = 'declare every metric and its better direction: `metrics = {"accuracy": "higher", "fid": "lower"}`'
    require(isinstance(metrics, Mapping) and bool(metrics), f"metrics is {metrics!r}", advice)
    odd = {name: way for name, way in dict(metrics or {}).items() if not _is_metric(name, way)}
    require(not odd, f"cannot use {odd}", f"{advice}; letters, digits, - and _, then perhaps [what it rests on]")
    faults = declaration_faults(case.plugin)
    require(not faults, "; ".join(faults), "mend `metrics`, `bounds` or `gates`: a run refuses them")
    return ", ".join(f"{name} ({way} is better)" for name, way in case.plugin.metrics.items())


def _is_metric(name: object, way: object) -> bool:
    pattern = r"[A-Za-z0-9_-]+(\[[^\[\].@\s]+\])?"
    return isinstance(name, str) and bool(re.fullmatch(pattern, name)) and way in ("higher", "lower")


def _evaluate(case: EvaluatorCase) -> str:
    kind, fine = type(case.evaluation).__name__, isinstance(case.evaluation, Evaluation)
    require(fine, f"evaluate returned a {kind}", "return synthbench.Evaluation", last=True)
    return f"{len(case.evaluation.scores)} scores, {len(case.evaluation.predictions)} sets of predictions"


def _delivered(case: EvaluatorCase) -> str:
    declared, delivered = set(case.plugin.metrics), {score.metric for score in case.evaluation.scores}
    missing, extra = sorted(declared - delivered), sorted(delivered - declared)
    require(
        not missing and not extra,
        f"declared and not delivered: {missing}; delivered and not declared: {extra}",
        "make `metrics` and the scores agree; what cannot be computed is a NaN score with a note",
    )
    twice = scored_twice(_scores(case))
    require(not twice, "; ".join(twice), "give one score a metric, variant, test set and classifier seed")
    return f"{len(declared)} declared, {len(delivered)} delivered"


def _scores(case: EvaluatorCase) -> list[Score]:
    return list(case.evaluation.scores)


def _name(score: Score) -> str:
    variant = f" ({score.variant})" if score.variant else ""
    return f"{score.metric}{variant} on {score.test_set!r}"


def _values(case: EvaluatorCase) -> str:
    strange = [
        f"{_name(s)} = {s.value}" for s in _scores(case) if np.isinf(s.value) or (np.isnan(s.value) and not s.note)
    ]
    require(not strange, "; ".join(strange), "give a finite value, or NaN and say why in `note`")
    outside = out_of_bounds(case.plugin, _scores(case))
    require(not outside, "; ".join(outside), "widen `bounds`, or mend the metric: a run refuses such a score")
    strange = interval_faults(_scores(case))
    require(not strange, "; ".join(strange), "a run refuses such an interval")
    return "finite and within bounds, or NaN with a note"


def _test_sets(case: EvaluatorCase) -> str:
    named = {s.test_set for s in _scores(case)} | {p.test_set for p in case.evaluation.predictions}
    unknown = sorted(named - set(case.sizes))
    known = ", ".join(repr(name) for name in case.sizes)
    require(not unknown, f"unknown test sets {unknown}", f'name one of {known}; "" where there is none')
    wrong = [f"{_name(s)}: n = {s.n}" for s in _scores(case) if not 1 <= s.n <= case.sizes[s.test_set]]
    require(not wrong, "; ".join(wrong), f"`n` counts the images behind the value; there are {case.sizes}")
    return ", ".join(f"{name!r}" for name in sorted(named))


def _seen(case: EvaluatorCase) -> str:
    wrong = [_name(s) for s in _scores(case) if s.test_set == "train" and s.seen != "generator"]
    advice = 'pass seen="generator" with scores on "train": the generator was trained on these images'
    require(not wrong, "; ".join(wrong), advice)
    return "scores on train are marked, if there are any"


def _predictions(case: EvaluatorCase) -> str:
    faults = prediction_faults(case.evaluation.predictions, case.real, case.synthetic)
    require(not faults, "; ".join(faults), "keep ids and labels of the images predicted, a column a class")
    return f"{len(case.evaluation.predictions)} sets"


def _counts_agree(case: EvaluatorCase) -> str:
    lengths = {(p.test_set, p.classifier_seed, p.variant): len(p.labels) for p in case.evaluation.predictions}
    wrong = [
        f"{_name(s)}: n = {s.n}, {length} predictions"
        for s in _scores(case)
        if (length := lengths.get((s.test_set, s.classifier_seed, s.variant))) is not None and length != s.n
    ]
    require(not wrong, "; ".join(wrong), "`n` of a score is the number of images it was computed from")
    return "as many predictions as images scored"


def _resampled(case: EvaluatorCase) -> str:
    delivered = {(s.metric, s.variant, s.test_set, s.classifier_seed): s.value for s in _scores(case)}
    agreed = 0
    for variants in _by_images(case.evaluation.predictions):
        first = next(iter(variants.values()))
        again = case.plugin.resample(variants, np.ones((2, len(first.labels)), dtype=np.int64))
        for (metric, variant), values in again.items():
            value = delivered.get((metric, variant, first.test_set, first.classifier_seed))
            what = f"resample: {metric}{variant and f' ({variant})'} on {first.test_set!r}"
            require(value is not None, f"{what} has no score", "resample the metrics that evaluate delivers")
            _check_replicates(np.asarray(values), float(value or 0), what)
            agreed += 1
    return f"{agreed} scores found again with all weights 1" if agreed else "not offered"


def _check_replicates(values: npt.NDArray[Any], score: float, what: str) -> None:
    message, advice = f"{what} has shape {values.shape}, not (2,)", "return a value for each row of the weights"
    require(values.shape == (2,), message, advice)
    message, advice = f"{what} is {values[0]:.6g} with all weights 1, its score {score:.6g}", _ONES
    require(np.allclose(values, score, rtol=1e-6, atol=1e-9, equal_nan=True), message, advice)


_ONES = "compute the metric itself, each image counted as often as its weight says"


def _restated(case: EvaluatorCase) -> str:
    if not case.evaluation.evidence:
        return "not offered"
    again = case.plugin.restate(case.evaluation.evidence, case.context(seed=1))
    restated, delivered = (_table(Evaluation(scores)) for scores in (again, case.evaluation.scores))
    extra = sorted({what[0] for what in restated.keys() - delivered.keys()})
    require(not extra, f"restate: {extra} have no score", "restate the scores that evaluate delivers")
    wrong = [what[0] for what, value in restated.items() if not _same(value, delivered[what])]
    advice = "let evaluate return `restate(evidence, ctx)`: whatever decides a score belongs into the evidence"
    require(not wrong, f"restate gives other values for {sorted(set(wrong))}", advice)
    return f"{len(restated)} scores told again from {len(case.evaluation.evidence)} arrays"


def _same(a: float, b: float) -> bool:
    return bool(np.isclose(a, b, rtol=1e-6, atol=1e-9, equal_nan=True))


def _by_images(predictions: Sequence[Predictions]) -> list[dict[str, Predictions]]:
    """As the harness hands them to `resample`: by variant, those for the same images under the same seed."""
    sets: dict[tuple[str, int | None, bytes], dict[str, Predictions]] = {}
    for p in predictions:
        sets.setdefault((p.test_set, p.classifier_seed, p.ids.tobytes()), {})[p.variant] = p
    return list(sets.values())


def _unchanged(case: EvaluatorCase) -> str:
    real, synthetic = case.inputs
    before = {"synthetic": case.synthetic, "train": case.real.train, **_unseen(case.real)}
    after = {"synthetic": synthetic, "train": real.train, **_unseen(real)}
    changed = [f"{name}.{field}" for name in before for field in differing_fields(before[name], after[name])]
    require(not changed, f"{', '.join(changed)} changed", "work on a copy: other evaluators get the same arrays")
    return "real and synthetic images as before"


def _read_only(case: EvaluatorCase) -> str:
    try:
        return f"{len(case.again.scores)} scores"
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        advice = "work on a copy: in a real run the pixels are memory-mapped and cannot be written"
        raise Violation(f"{error}, when the arrays are read-only", advice) from error


def _same_seed(case: EvaluatorCase) -> str:
    first, second = _table(case.evaluation), _table(case.again)
    require(first.keys() == second.keys(), "other scores in the second run", "deliver the same scores every time")
    changed = [
        f"{metric} on {test_set!r}"
        for (metric, variant, test_set, seed), value in first.items()
        if not np.array_equal(value, second[metric, variant, test_set, seed], equal_nan=True)
    ]
    message = f"under one seed {len(changed)} of {len(first)} scores differ: {', '.join(changed[:3])}"
    require(not changed, message, "take all randomness from ctx.seed (ctx.rng)", warning=not case.exact)
    return "the same scores"


def _table(evaluation: Evaluation) -> dict[tuple[str, str, str, int | None], float]:
    return {(s.metric, s.variant, s.test_set, s.classifier_seed): float(s.value) for s in evaluation.scores}


CHECKS: dict[str, Callable[[EvaluatorCase], str]] = {
    "declarations": _declarations,
    "evaluate": _evaluate,
    "metrics delivered": _delivered,
    "values": _values,
    "test sets": _test_sets,
    "seen images": _seen,
    "predictions": _predictions,
    "n": _counts_agree,
    "resample": _resampled,
    "restate": _restated,
    "inputs unchanged": _unchanged,
    "read-only inputs": _read_only,
    "same seed": _same_seed,
}
