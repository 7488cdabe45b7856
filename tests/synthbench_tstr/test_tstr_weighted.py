"""The metrics of many resamples at once, against scikit-learn's of the images repeated."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn import metrics as sk

from synthbench_tstr import weighted
from synthbench_tstr.metrics import summary
from synthbench_tstr.weighted import weighted_summary


def answers(n: int, n_classes: int, seed: int, levels: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities that lean to them; with `levels` these are rounded, so that many are tied."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n)
    raw = rng.random((n, n_classes)) + 0.6 * np.eye(n_classes)[labels]
    if levels:
        raw = np.round(raw * levels) + 0.5
    return labels, raw / raw.sum(1, keepdims=True)


def check(labels, probabilities, weights, positive=None) -> None:
    found = weighted_summary(labels, probabilities, weights, positive)
    for row, counts in enumerate(weights):
        repeated = np.repeat(np.arange(len(labels)), counts)
        expected = summary(labels[repeated], probabilities[repeated], positive)
        assert found.keys() == expected.keys()
        for metric, value in expected.items():
            assert found[metric][row] == pytest.approx(value, abs=1e-12, nan_ok=True), metric


@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("levels", [0, 1, 3])
def test_integer_weights_are_repeated_images(n_classes, levels):
    labels, probabilities = answers(60, n_classes, seed=n_classes, levels=levels)
    rng = np.random.default_rng(1)
    drawn = rng.multinomial(60, np.full(60, 1 / 60), size=10)
    check(labels, probabilities, np.concatenate([np.ones((1, 60), int), drawn, rng.integers(0, 9, (4, 60))]))


@pytest.mark.parametrize("levels", [0, 2])
def test_the_first_class_may_be_the_positive_one(levels):
    labels, probabilities = answers(60, 2, seed=7, levels=levels)
    check(labels, probabilities, np.random.default_rng(1).integers(0, 4, (30, 60)), positive=0)


@pytest.mark.parametrize("levels", [0, 1, 3])
def test_weights_are_scikit_learns_sample_weights(levels):
    labels, probabilities = answers(80, 2, seed=3, levels=levels)
    truth, scores = labels == 1, probabilities[:, 1]
    weights = np.random.default_rng(1).integers(0, 5, (40, 80))
    found = weighted_summary(labels, probabilities, weights)
    for row, w in enumerate(weights):
        false, true, _ = sk.roc_curve(truth, scores, sample_weight=w, drop_intermediate=False)
        positives, negatives = w[truth].sum(), w[~truth].sum()
        called = positives * true + negatives * false
        matched = np.interp(positives, called, true) - np.interp(positives, called, false)
        expected = {
            "auroc": sk.roc_auc_score(truth, scores, sample_weight=w),
            "auprc": sk.average_precision_score(truth, scores, sample_weight=w),
            "auprc_negative": sk.average_precision_score(~truth, -scores, sample_weight=w),
            "balanced_accuracy_matched": (matched + 1) / 2,
            "specificity_at_90_sensitivity": 1 - false[true >= 0.9].min(),
            "balanced_accuracy": sk.balanced_accuracy_score(labels, probabilities.argmax(1), sample_weight=w),
        }
        assert {metric: found[metric][row] for metric in expected} == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_resamples_that_miss_a_class_are_undefined_where_repeated_images_are(n_classes):
    labels, probabilities = answers(20, n_classes, seed=5)
    without = [(labels != k).astype(int) for k in range(n_classes)]
    alone = [(labels == k).astype(int) for k in range(n_classes)]
    check(labels, probabilities, np.stack([*without, *alone, np.zeros(20, int)]))


def test_all_scores_tied_is_one_half():
    labels = np.array([0, 1, 1, 0, 1])
    weights = np.random.default_rng(0).integers(1, 4, (50, 5))
    found = weighted_summary(labels, np.full((5, 2), 0.5), weights)
    assert np.all(found["auroc"] == 0.5)
    assert found["balanced_accuracy_matched"] == pytest.approx(np.full(50, 0.5))


def test_a_class_never_predicted_has_f1_0():
    labels = np.array([0, 0, 1])
    assert weighted_summary(labels, np.eye(2)[[0, 0, 0]], np.ones((1, 3), int))["f1"].tolist() == [0]


def test_blocks_do_not_change_the_result(monkeypatch):
    labels, probabilities = answers(30, 2, seed=0)
    weights = np.random.default_rng(0).integers(0, 5, (101, 30)).astype(np.uint16)
    whole = weighted_summary(labels, probabilities, weights)
    monkeypatch.setattr(weighted, "BLOCK", 90)
    parts = weighted_summary(labels, probabilities, weights)
    for metric, values in whole.items():
        assert values.dtype == np.float64
        assert np.array_equal(values, parts[metric], equal_nan=True)


@pytest.mark.full
@pytest.mark.parametrize(("n", "seconds"), [(624, 2), (5216, 12)])
def test_ten_thousand_resamples_are_quick(n, seconds):
    """Measured .2 s and 1.2 s on one core; the limits leave room for busy machines."""
    labels, probabilities = answers(n, 2, seed=0)
    weights = np.random.default_rng(0).integers(0, 4, (10_000, n), dtype=np.uint16)
    started = time.process_time()
    weighted_summary(labels, probabilities, weights)
    assert time.process_time() - started < seconds
