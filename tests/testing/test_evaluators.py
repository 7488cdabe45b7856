"""The conformance suite on evaluators: a good one passes; each way of being bad is named, with what to change."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from synthbench.api.interfaces import Evaluator
from synthbench.testing import Finding, check_evaluator, run_checks
from synthbench.types import Evaluation, Predictions, Score


class GoodEvaluator(Evaluator):
    """Nearest class mean of the synthetic images, on every real test set; and the mean's distance."""

    name: ClassVar[str] = "good-evaluator"
    metrics: ClassVar[dict[str, str]] = {"accuracy": "higher", "distance": "lower"}

    def evaluate(self, real, synthetic, ctx):
        means = np.stack([synthetic.pixels[synthetic.labels == k].mean(axis=0) for k in (0, 1)])
        tests = {"train": real.train, **real.tests}
        predictions = [self.predict(name, images, means) for name, images in tests.items()]
        scores = [self.score(p) for p in predictions]
        distance = float(abs(synthetic.pixels.mean() - real.train.pixels.mean()))
        scores.append(Score("distance", distance, "train", len(real.train), seen="generator"))
        return Evaluation(scores, predictions)

    def predict(self, name, images, means):
        distances = ((images.pixels[:, None].astype(float) - means) ** 2).mean(axis=(2, 3, 4))
        weights = np.exp(distances.min(axis=1, keepdims=True) - distances)
        probabilities = weights / weights.sum(axis=1, keepdims=True)
        return Predictions(name, images.ids, images.groups, images.labels, probabilities)

    def score(self, p):
        right = float((p.probabilities.argmax(axis=1) == p.labels).mean())
        seen = "generator" if p.test_set == "train" else ""
        return Score("accuracy", right, p.test_set, len(p.labels), seen=seen)


def failed(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings if not finding.ok}


def warned(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings if finding.warning}


def test_a_good_evaluator_passes_without_a_warning():
    findings = check_evaluator(GoodEvaluator())
    assert len(findings) == 20
    assert all(finding.ok and finding.found for finding in findings)
    assert warned(findings) == {}


def with_score(**values) -> Callable[[Evaluation], Evaluation]:
    return lambda e: replace(e, scores=[replace(e.scores[0], **values), *e.scores[1:]])


def with_predictions(**values) -> Callable[[Evaluation], Evaluation]:
    return lambda e: replace(e, predictions=[replace(e.predictions[0], **values)])


def more(score: Score) -> Callable[[Evaluation], Evaluation]:
    return lambda e: replace(e, scores=[*e.scores, score])


@pytest.mark.parametrize(
    ("change", "check", "found", "advice"),
    [
        (lambda e: list(e.scores), "evaluate", "returned a list", "Evaluation"),
        (more(Score("f1", 0.5, "test", 24)), "metrics delivered", "not declared: ['f1']", "`metrics`"),
        (
            lambda e: replace(e, scores=e.scores[:-1]),
            "metrics delivered",
            "not delivered: ['distance']",
            "NaN score with a note",
        ),
        (lambda e: replace(e, scores=[*e.scores, e.scores[0]]), "metrics delivered", "2 scores of", "one score"),
        (with_score(value=float("nan")), "values", "accuracy on 'train' = nan", "say why in `note`"),
        (with_score(value=float("inf"), note="x"), "values", "= inf", "finite"),
        (with_score(test_set="holdout"), "test sets", "['holdout']", "'test'"),
        (with_score(n=0), "test sets", "n = 0", "counts the images"),
        (with_score(n=49), "test sets", "n = 49", "'train': 48"),
        (with_score(n=40), "n", "n = 40, 48 predictions", "number of images"),
        (with_score(seen=""), "seen images", "accuracy on 'train'", 'seen="generator"'),
        (
            with_predictions(probabilities=np.full((48, 2), 0.4)),
            "predictions",
            "48 of 48 rows are no probabilities",
            "a column a class",
        ),
        (
            with_predictions(probabilities=np.ones((48, 1))),
            "predictions",
            "1 columns for the 2 classes",
            "a column a class",
        ),
        (
            with_predictions(labels=np.zeros(48, dtype=np.int64)),
            "predictions",
            "30 of 48 images are not in it",
            "keep ids and labels",
        ),
    ],
)
def test_a_broken_evaluation_is_told_what_to_change(monkeypatch, change, check, found, advice):
    evaluate = GoodEvaluator.evaluate
    monkeypatch.setattr(GoodEvaluator, "evaluate", lambda *inputs: change(evaluate(*inputs)))
    findings = failed(run_checks(GoodEvaluator()))
    assert check in findings
    assert found in findings[check].found
    assert advice in findings[check].advice


def test_nan_with_a_note_passes(monkeypatch):
    evaluate = GoodEvaluator.evaluate
    change = with_score(value=float("nan"), note="one class only")
    monkeypatch.setattr(GoodEvaluator, "evaluate", lambda *inputs: change(evaluate(*inputs)))
    check_evaluator(GoodEvaluator())


class MutatesTest(GoodEvaluator):
    def evaluate(self, real, synthetic, ctx):
        evaluation = super().evaluate(real, synthetic, ctx)
        if synthetic.pixels.flags.writeable:
            real.tests["test"].pixels[:] = 0
            synthetic.pixels[:] = 0
        return evaluation


class Unseeded(GoodEvaluator):
    def evaluate(self, real, synthetic, ctx):
        evaluation = super().evaluate(real, synthetic, ctx)
        return with_score(value=float(np.random.default_rng().random()))(evaluation)


class NoDirections(GoodEvaluator):
    metrics: ClassVar[dict[str, str]] = {"accuracy": "up", "distance": "lower"}


class MovesRandom(GoodEvaluator):
    def evaluate(self, real, synthetic, ctx):
        np.random.rand()  # noqa: NPY002 - what the check is for
        return super().evaluate(real, synthetic, ctx)


class Resamples(GoodEvaluator):
    def resample(self, answers, weights):
        p = answers[""]
        right = p.probabilities.argmax(axis=1) == p.labels
        return {("accuracy", ""): weights @ right / weights.sum(axis=1)}


def test_resampling_finds_the_scores_again():
    findings = {finding.check: finding for finding in check_evaluator(Resamples())}
    assert findings["resample"].found == "2 scores found again with all weights 1"
    assert {f.check: f for f in check_evaluator(GoodEvaluator())}["resample"].found == "not offered"


@pytest.mark.parametrize(
    ("change", "found", "advice"),
    [
        (lambda found: {name: values + 0.01 for name, values in found.items()}, "with all weights 1", "weight"),
        (lambda found: {name: values[:1] for name, values in found.items()}, "not (2,)", "each row"),
        (lambda found: {("f1", ""): found["accuracy", ""]}, "f1 on 'train' has no score", "delivers"),
        (lambda found: {("accuracy", "x"): found["accuracy", ""]}, "accuracy (x) on", "delivers"),
    ],
)
def test_a_resample_that_computes_something_else_is_told(monkeypatch, change, found, advice):
    resample = Resamples.resample
    monkeypatch.setattr(Resamples, "resample", lambda *given: change(resample(*given)))
    findings = failed(run_checks(Resamples()))
    assert set(findings) == {"resample"}
    assert found in findings["resample"].found
    assert advice in findings["resample"].advice


class Restates(GoodEvaluator):
    def evaluate(self, real, synthetic, ctx):
        found = super().evaluate(real, synthetic, ctx)
        accuracies = np.array([score.value for score in found.scores if score.metric == "accuracy"])
        sizes = np.array([score.n for score in found.scores if score.metric == "accuracy"])
        return replace(found, evidence={"accuracies": accuracies, "sizes": sizes})

    def restate(self, evidence, ctx):
        pairs = zip(evidence["accuracies"], evidence["sizes"], ("train", "test"), strict=True)
        return [Score("accuracy", float(value), name, int(n)) for value, n, name in pairs]


def test_evidence_tells_the_scores_again():
    findings = {finding.check: finding for finding in check_evaluator(Restates())}
    assert findings["restate"].ok
    assert findings["restate"].found == "2 scores told again from 2 arrays"
    assert {f.check: f for f in check_evaluator(GoodEvaluator())}["restate"].found == "not offered"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda s: replace(s, value=s.value + 0.01), "other values for ['accuracy']"),
        (lambda s: replace(s, metric="f1"), "['f1'] have no score"),
    ],
)
def test_scores_told_otherwise_are_found(monkeypatch, change, found):
    restate = Restates.restate
    monkeypatch.setattr(Restates, "restate", lambda *given: [change(score) for score in restate(*given)])
    findings = failed(run_checks(Restates()))
    assert set(findings) == {"restate"}
    assert found in findings["restate"].found


class Variants(GoodEvaluator):
    """Each figure again under another variant."""

    def evaluate(self, real, synthetic, ctx):
        evaluation = super().evaluate(real, synthetic, ctx)
        scores = [replace(s, value=s.value / 2, variant="half") for s in evaluation.scores]
        return replace(evaluation, scores=[*evaluation.scores, *scores])


def test_variants_are_other_scores():
    check_evaluator(Variants())


def test_evaluators_that_mutate_or_draw_unseeded_or_declare_wrongly():
    findings = failed(run_checks(MutatesTest()))
    assert set(findings) == {"inputs unchanged"}
    assert "synthetic.pixels, test.pixels changed" in findings["inputs unchanged"].found
    findings = failed(run_checks(Unseeded()))
    assert set(findings) == {"same seed"}
    assert "1 of 3 scores differ: accuracy on 'train'" in findings["same seed"].found
    assert "{'accuracy': 'up'}" in failed(run_checks(NoDirections()))["declarations"].found
    assert set(warned(check_evaluator(MovesRandom()))) == {"global random numbers"}
