"""Real and synthetic images against real ones alone and against duplicates."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from synthbench.benchmark.config import build_plugin
from synthbench.errors import ConfigError
from synthbench.testing import check_evaluator
from synthbench_torchkit import classifier as classifier_module
from synthbench_tstr import train_and_test
from synthbench_tstr.plugin import Augment
from synthbench_tstr.training_sets import altered

QUICK = Augment(backbone="cnn", epochs=2, batch_size=16, learning_rate=2e-3)
CONTROLS = ("real alone", "real duplicated", "real augmented")
VARIANTS = {"", *CONTROLS}
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


def test_four_training_sets_under_one_seed(ctx, real, trained_on, striped):
    synthetic = striped(30, 9, prefix="new-").subset(np.r_[0:30:2, 1:11:2])  # 15 NORMAL, 5 PNEUMONIA
    QUICK.evaluate(real, synthetic, ctx)
    alone, mixed, doubled, augmented = (images for images, _ in trained_on)
    assert len({seed for _, seed in trained_on}) == 1
    assert mixed.ids.tolist() == [*real.train.ids, *synthetic.ids]
    assert alone is real.train
    assert doubled.counts() == mixed.counts() == {"NORMAL": 35, "PNEUMONIA": 25}
    assert set(doubled.ids) == set(real.train.ids)
    assert np.array_equal(augmented.ids, doubled.ids)
    same = (augmented.pixels == doubled.pixels).all(axis=(1, 2, 3))
    assert same.tolist() == [True] * 40 + [False] * 20


def test_scores_by_variant_and_gains_over_each_control(ctx, real, striped):
    evaluation = QUICK.evaluate(real, striped(30, prefix="new-"), ctx)
    found = {(s.metric, s.variant, s.test_set): s.value for s in evaluation.scores}
    assert len(found) == len(evaluation.scores) == 2 * (4 * 9 + 3 * 3)
    assert {variant for metric, variant, _ in found if metric not in GAINS} == VARIANTS
    for metric in GAINED:
        for control in CONTROLS:
            gain = found[f"{metric}_gain", f"over {control}", "test"]
            assert gain == pytest.approx(found[metric, "", "test"] - found[metric, control, "test"])
    assert set(Augment.metrics) == {s.metric for s in evaluation.scores}
    assert {s.seen for s in evaluation.scores} == {""}
    assert {s.n for s in evaluation.scores if s.test_set == "elsewhere"} == {20}


@pytest.mark.full
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


@pytest.mark.full
def test_gains_are_resampled_on_the_same_images(ctx, real, striped):
    evaluation = QUICK.evaluate(real, striped(30, prefix="new-"), ctx)
    answers = {p.variant: p for p in evaluation.predictions if p.test_set == "test"}
    assert set(answers) == VARIANTS
    found = QUICK.resample(answers, np.random.default_rng(0).integers(0, 3, (20, 30)))
    for metric in GAINED:
        for control in CONTROLS:
            expected = found[metric, ""] - found[metric, control]
            assert np.array_equal(found[f"{metric}_gain", f"over {control}"], expected)


def test_too_few_images_leave_the_gain_undefined_too(ctx, real, striped):
    sick = real.tests["test"].subset(real.tests["test"].labels == 1)
    evaluation = QUICK.evaluate(replace(real, tests={"test": sick}), striped(30, prefix="new-"), ctx)
    gains = [s for s in evaluation.scores if s.metric in GAINS]
    assert len(gains) == 9
    assert all(math.isnan(s.value) and "0 images of NORMAL" in s.note for s in gains)
    answers = {p.variant: p for p in evaluation.predictions}
    assert {metric for metric, _ in QUICK.resample(answers, np.ones((1, 15), int))} == {"accuracy", "recall"}


@pytest.mark.full
def test_fewer_synthetic_images_are_matched_by_fewer_copies(ctx, real, trained_on, striped):
    QUICK.model_copy(update={"images": 10}).evaluate(real, striped(30, prefix="new-"), ctx)
    assert [len(images) for images, _ in trained_on] == [40, 50, 50, 50]


@pytest.mark.full
def test_keeps_the_contract():
    findings = check_evaluator(QUICK)
    assert not [str(finding) for finding in findings if finding.warning]
    assert "scores found again" in next(f.found for f in findings if f.check == "resample")


# ---- several numbers of synthetic images


CURVE = QUICK.model_copy(update={"epochs": 1, "ratios": (0.25, 0.5, 2.0)})


def test_a_curve_over_ratios_the_last_of_which_is_the_headline(ctx, real, trained_on, striped):
    evaluation = CURVE.model_copy(update={"ratios": (0.25, 0.5)}).evaluate(real, striped(30, prefix="new-"), ctx)
    assert [len(images) for images, _ in trained_on] == [40, 50, 50, 50, 60, 60, 60]
    small, large = trained_on[1][0], trained_on[4][0]
    assert set(small.ids) < set(large.ids)
    value = {(s.metric, s.variant): s.value for s in evaluation.scores if s.test_set == "test"}
    for at in ("", " at ratio 0.25"):
        mixed = value["auroc", at.removeprefix(" at ")]
        for control, beside in (("real alone", ""), ("real duplicated", at), ("real augmented", at)):
            gain = value["auroc_gain", f"over {control}{at}"]
            assert gain == pytest.approx(mixed - value["auroc", f"{control}{beside}"])
    answers = {p.variant: p for p in evaluation.predictions if p.test_set == "test"}
    told = CURVE.model_copy(update={"ratios": (0.25, 0.5)}).resample(answers, np.ones((1, 30), int))
    assert {name: float(x[0]) for name, x in told.items() if "gain" in name[0]} == pytest.approx(
        {name: x for name, x in value.items() if "gain" in name[0]}
    )
    rows = (ctx.workdir / "curve.csv").read_text().splitlines()
    assert {row.split(",")[0] for row in rows[1:]} == {"10", "20"}


def test_a_ratio_that_there_are_too_few_images_for_says_so(ctx, real, trained_on, striped):
    evaluation = CURVE.model_copy(update={"ratios": (2.0,)}).evaluate(real, striped(30, prefix="new-"), ctx)
    assert [len(images) for images, _ in trained_on] == [40]
    missing = [s for s in evaluation.scores if s.variant != "real alone"]
    assert {s.note for s in missing} == {"only 30 synthetic images, 80 needed"}
    assert all(math.isnan(s.value) for s in missing)
    assert {s.metric for s in missing} == set(Augment.metrics)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ratios": [1, 0.5]}, "ratios must ascend"),
        ({"ratios": [1], "images": 5}, "give either images or ratios"),
        ({"ratios": [0]}, "greater than 0"),
        ({"ratios": []}, "at least 1"),
    ],
)
def test_ratios_that_make_no_sense(options, message):
    with pytest.raises(ConfigError, match=message):
        build_plugin(Augment, [f"{name}={value}" for name, value in options.items()])


def test_altered_copies_are_the_same_under_one_seed_and_stay_like_the_image(striped):
    images = striped(6)
    before = torch.random.get_rng_state()
    once, again, other = (altered(images, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert np.array_equal(once.pixels, again.pixels)
    assert not np.array_equal(once.pixels, other.pixels)
    assert once.pixels.dtype == np.uint8
    assert np.array_equal(once.labels, images.labels)
    flat = np.full((40, 32, 32, 3), 100, np.uint8)
    middle = altered(replace(striped(40), pixels=flat), 3).pixels[:, 12:20, 12:20]
    assert 75 <= middle.min() < 100 < middle.max() <= 125  # in tone by a fifth; nothing came in from outside
