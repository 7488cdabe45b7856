"""Real and synthetic images against real ones alone and against duplicates."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from synthbench.testing import check_evaluator
from synthbench_torchkit import classifier as classifier_module
from synthbench_tstr import train_and_test
from synthbench_tstr.plugin import Augment

QUICK = Augment(backbone="cnn", epochs=2, batch_size=16, learning_rate=2e-3)
VARIANTS = {"", "real alone", "real duplicated"}
GAINED = ("auroc", "balanced_accuracy_matched", "balanced_accuracy")
GAINS = {f"{metric}_gain" for metric in GAINED}


@pytest.fixture
def trained_on(monkeypatch) -> list:
    """The images of every classifier that was asked for."""
    sets = []
    true = train_and_test.cached_classifier
    monkeypatch.setattr(
        train_and_test, "cached_classifier", lambda i, r, c: sets.append((i, c.seed)) or true(i, r, c)
    )
    return sets


def test_three_training_sets_under_one_seed(ctx, real, trained_on, striped):
    synthetic = striped(30, 9, prefix="new-").subset(np.r_[0:30:2, 1:11:2])  # 15 NORMAL, 5 PNEUMONIA
    QUICK.evaluate(real, synthetic, ctx)
    mixed, alone, doubled = (images for images, _ in trained_on)
    assert len({seed for _, seed in trained_on}) == 1
    assert mixed.ids.tolist() == [*real.train.ids, *synthetic.ids]
    assert alone is real.train
    assert doubled.counts() == mixed.counts() == {"NORMAL": 35, "PNEUMONIA": 25}
    assert set(doubled.ids) == set(real.train.ids)


def test_scores_by_variant_and_gains_over_each_control(ctx, real, striped):
    evaluation = QUICK.evaluate(real, striped(30, prefix="new-"), ctx)
    found = {(s.metric, s.variant, s.test_set): s.value for s in evaluation.scores}
    assert len(found) == len(evaluation.scores) == 2 * (3 * 9 + 2 * 3)
    assert {variant for metric, variant, _ in found if metric not in GAINS} == VARIANTS
    for metric in GAINED:
        for control in ("real alone", "real duplicated"):
            gain = found[f"{metric}_gain", f"over {control}", "test"]
            assert gain == pytest.approx(found[metric, "", "test"] - found[metric, control, "test"])
    assert set(Augment.metrics) == {s.metric for s in evaluation.scores}
    assert {s.seen for s in evaluation.scores} == {""}
    assert {s.n for s in evaluation.scores if s.test_set == "elsewhere"} == {20}


def test_the_controls_are_trained_once_for_all_generators(ctx, real, monkeypatch, striped):
    first = QUICK.evaluate(real, striped(30, 1, prefix="one-"), ctx)
    trained = []
    true = classifier_module.train_classifier
    monkeypatch.setattr(
        classifier_module, "train_classifier", lambda i, r, c: trained.append(len(i)) or true(i, r, c)
    )
    second = QUICK.evaluate(real, striped(30, 2, prefix="two-"), ctx)
    assert trained == [70]  # real and synthetic alone
    controls = [[s for s in e.scores if s.variant.startswith("real")] for e in (first, second)]
    assert controls[0] == controls[1]


def test_gains_are_resampled_on_the_same_images(ctx, real, striped):
    evaluation = QUICK.evaluate(real, striped(30, prefix="new-"), ctx)
    answers = {p.variant: p for p in evaluation.predictions if p.test_set == "test"}
    assert set(answers) == VARIANTS
    found = QUICK.resample(answers, np.random.default_rng(0).integers(0, 3, (20, 30)))
    for metric in GAINED:
        for control in ("real alone", "real duplicated"):
            expected = found[metric, ""] - found[metric, control]
            assert np.array_equal(found[f"{metric}_gain", f"over {control}"], expected)


def test_too_few_images_leave_the_gain_undefined_too(ctx, real, striped):
    sick = real.tests["test"].subset(real.tests["test"].labels == 1)
    evaluation = QUICK.evaluate(replace(real, tests={"test": sick}), striped(30, prefix="new-"), ctx)
    gains = [s for s in evaluation.scores if s.metric in GAINS]
    assert len(gains) == 6
    assert all(math.isnan(s.value) and "0 images of NORMAL" in s.note for s in gains)
    answers = {p.variant: p for p in evaluation.predictions}
    assert {metric for metric, _ in QUICK.resample(answers, np.ones((1, 15), int))} == {"accuracy", "recall"}


def test_fewer_synthetic_images_are_matched_by_fewer_copies(ctx, real, trained_on, striped):
    QUICK.model_copy(update={"images": 10}).evaluate(real, striped(30, prefix="new-"), ctx)
    assert [len(images) for images, _ in trained_on] == [50, 40, 50]


def test_keeps_the_contract():
    findings = check_evaluator(QUICK)
    assert not [str(finding) for finding in findings if finding.warning]
    assert "scores found again" in next(f.found for f in findings if f.check == "resample")
