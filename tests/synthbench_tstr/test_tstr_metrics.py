"""The metrics against the paper's confusion matrix, by hand, and with the arguments in their order."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synthbench_tstr.metrics import (
    OF_TWO,
    balanced_accuracy_matched,
    confusion,
    report,
    specificity_at_sensitivity,
    summary,
)

CLASSES = ("NORMAL", "PNEUMONIA")


def answers(matrix) -> tuple[np.ndarray, np.ndarray]:
    """Labels and predictions with this confusion matrix (rows true)."""
    pairs = [
        (row, column) for row, column in np.ndindex(len(matrix), len(matrix)) for _ in range(matrix[row][column])
    ]
    labels, predicted = np.array(pairs, dtype=np.int64).T
    return labels, predicted


def certain(predicted, n_classes: int = 2) -> np.ndarray:
    return np.eye(n_classes)[predicted]


PAPER = [[1326, 15], [743, 3132]]


def test_the_papers_confusion_matrix():
    labels, predicted = answers(PAPER)
    found = summary(labels, certain(predicted))
    assert found["accuracy"] == pytest.approx((1326 + 3132) / 5216)
    assert found["accuracy"] == pytest.approx(0.8547, abs=5e-5)
    assert found["balanced_accuracy"] == pytest.approx(0.8985, abs=5e-5)
    assert found["f1"] == pytest.approx(2 * 3132 / (2 * 3132 + 15 + 743))
    assert found["recall"] == pytest.approx(3132 / 3875)
    assert confusion(labels, predicted, 2).tolist() == PAPER


def test_the_report_is_not_the_papers_swapped_one():
    labels, predicted = answers(PAPER)
    normal, pneumonia, macro, weighted = report(labels, certain(predicted), CLASSES)
    assert (normal.support, pneumonia.support) == (1341, 3875)  # the paper printed 2069 and 3147
    assert (normal.precision, normal.recall, normal.f1) == pytest.approx(
        (1326 / 2069, 1326 / 1341, 0.7777), abs=1e-4
    )
    assert (pneumonia.precision, pneumonia.recall) == pytest.approx((3132 / 3147, 3132 / 3875))
    assert macro.recall == pytest.approx((1326 / 1341 + 3132 / 3875) / 2)
    assert weighted.recall == pytest.approx((1326 + 3132) / 5216)
    assert macro.support == weighted.support == 5216


def test_auroc_counts_ordered_pairs():
    labels = np.array([0, 0, 1, 1, 1])
    chance = np.array([0.1, 0.6, 0.6, 0.7, 0.3])  # pairs: 3 of 3, then a tie, a win and a loss
    found = summary(labels, np.stack([1 - chance, chance], 1))
    assert found["auroc"] == pytest.approx((3 + 0.5 + 1) / 6)


RANKED = np.array([1, 1, 0, 1, 0, 1, 0, 0, 0, 0], dtype=bool)
"""By descending score: 4 of 10 positive, three of them among the first four."""
SCORES = np.linspace(0.9, 0.0, 10)


def test_matched_calls_as_many_positive_as_are():
    """The first 4 are called positive: 3 hits, 1 false alarm in 6. Only the order of the scores counts."""
    assert balanced_accuracy_matched(RANKED, SCORES) == pytest.approx((3 / 4 + 5 / 6) / 2)
    assert balanced_accuracy_matched(RANKED, SCORES**9 / 1e3) == balanced_accuracy_matched(RANKED, SCORES)
    assert balanced_accuracy_matched(RANKED, np.where(RANKED, 0.02, 0.01)) == 1


def test_matched_shares_a_tie_out():
    """2 places for 3 images of one score, 1 of them positive: the mean over the three ways to choose two."""
    scores = np.array([0.9, 0.9, 0.5, 0.5, 0.5, *np.zeros(5)])
    drawn = [(2 + hits) / 4 + (6 - (2 - hits)) / 6 for hits in (1, 1, 0)]
    assert balanced_accuracy_matched(RANKED, scores) == pytest.approx(np.mean(drawn) / 2)
    order = np.random.default_rng(0).permutation(10)
    assert balanced_accuracy_matched(RANKED[order], scores[order]) == balanced_accuracy_matched(RANKED, scores)
    assert balanced_accuracy_matched(RANKED, np.full(10, 0.3)) == pytest.approx(0.5)


def test_specificity_is_that_of_the_first_threshold_that_finds_enough():
    """3 of 4 positives lie among the first four; all four only with the sixth, 2 of 6 negatives above it."""
    assert specificity_at_sensitivity(RANKED, SCORES, 0.75) == pytest.approx(5 / 6)
    assert specificity_at_sensitivity(RANKED, SCORES, 0.76) == pytest.approx(4 / 6)
    assert specificity_at_sensitivity(RANKED, np.full(10, 0.3), 0.9) == 0
    found = summary(RANKED.astype(int), np.stack([1 - SCORES, SCORES], 1))
    assert found["specificity_at_90_sensitivity"] == pytest.approx(4 / 6)


def test_average_precision_of_each_class():
    found = summary(RANKED.astype(int), np.stack([1 - SCORES, SCORES], 1))
    assert found["auprc"] == pytest.approx((1 + 1 + 3 / 4 + 4 / 6) / 4)
    assert found["auprc_negative"] == pytest.approx((1 + 1 + 1 + 1 + 5 / 6 + 6 / 8) / 6)
    flat = summary(RANKED.astype(int), np.full((10, 2), 0.5))
    assert (flat["auprc"], flat["auprc_negative"]) == pytest.approx((4 / 10, 6 / 10))


def test_another_positive_class_is_the_same_as_other_labels():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    chance = np.clip(rng.normal(0.3 + 0.4 * labels, 0.4), 0.01, 0.99)
    probabilities = np.stack([1 - chance, chance], 1)
    turned = summary(1 - labels, probabilities[:, ::-1])
    assert summary(labels, probabilities, 0) == pytest.approx(turned)
    assert summary(labels, probabilities, 1) == summary(labels, probabilities)
    assert abs(turned["recall"] - summary(labels, probabilities)["recall"]) > 0.01


def test_turning_both_classes_around_keeps_balanced_accuracy_and_auroc():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    chance = np.clip(rng.normal(0.3 + 0.4 * labels, 0.2), 0.01, 0.99)
    probabilities = np.stack([1 - chance, chance], 1)
    one, other = summary(labels, probabilities), summary(1 - labels, probabilities[:, ::-1])
    for metric in ("accuracy", "balanced_accuracy", "auroc", "balanced_accuracy_matched"):
        assert one[metric] == pytest.approx(other[metric])
    assert one["auprc"] == pytest.approx(other["auprc_negative"])


def test_three_classes():
    labels, predicted = answers([[3, 1, 0], [0, 2, 2], [0, 0, 2]])
    found = summary(labels, certain(predicted, 3))
    assert found["accuracy"] == pytest.approx(7 / 10)
    assert found["balanced_accuracy"] == pytest.approx((3 / 4 + 2 / 4 + 1) / 3)
    assert found["f1"] == pytest.approx((6 / 7 + 4 / 7 + 4 / 6) / 3)
    assert found["recall"] == pytest.approx((3 / 4 + 2 / 4 + 1) / 3)
    assert found["auroc"] == pytest.approx(np.mean(auroc_by_pairs(labels, certain(predicted, 3))))
    assert found["auprc"] == pytest.approx((3 / 4 + 1 / 4 * 4 / 10 + 2 / 4 * 2 / 3 + 2 / 4 * 4 / 10 + 2 / 4) / 3)
    assert {metric for metric, value in found.items() if math.isnan(value)} == OF_TWO


def auroc_by_pairs(labels, probabilities) -> list[float]:
    """Of each class against the rest: the share of pairs in the right order, ties counting half."""
    areas = []
    for k in range(probabilities.shape[1]):
        gaps = probabilities[labels == k, k][:, None] - probabilities[labels != k, k]
        areas.append(float((gaps > 0).mean() + (gaps == 0).mean() / 2))
    return areas


@pytest.mark.parametrize("only", [0, 1])
def test_a_test_set_of_one_class_has_accuracy_and_its_own_recall(only):
    found = summary(np.full(4, only), certain([0, 1, 1, 1]))
    assert found.pop("accuracy") == pytest.approx([0.25, 0.75][only])
    assert found.pop("recall") == pytest.approx([math.nan, 0.75][only], nan_ok=True)
    assert all(math.isnan(value) for value in found.values())


@pytest.mark.parametrize("positive", [0, 1])
def test_recall_of_a_test_set_of_one_class_is_the_positive_class(positive):
    """`covid: recall` of a data set whose positive class is the first."""
    found = summary(np.full(4, positive), certain([0, 1, 1, 1]), positive)
    assert found["recall"] == [0.25, 0.75][positive]
    assert math.isnan(summary(np.full(4, positive), certain([0, 1, 1, 1]), 1 - positive)["recall"])


def test_a_missing_class_of_three_leaves_the_means_undefined():
    found = summary(np.array([0, 1, 0, 1]), certain([0, 1, 2, 1], 3))
    assert found["accuracy"] == 0.75
    assert all(math.isnan(value) for metric, value in found.items() if metric != "accuracy")


def test_a_class_never_predicted_has_no_precision():
    normal, pneumonia, *_ = report(np.array([0, 1, 1]), certain([0, 0, 0]), CLASSES)
    assert math.isnan(pneumonia.precision)
    assert (pneumonia.recall, normal.recall) == (0, 1)
    assert (pneumonia.auroc, pneumonia.auprc) == pytest.approx((1 / 2, 2 / 3))
    assert summary(np.array([0, 1, 1]), certain([0, 0, 0]))["f1"] == 0


def test_even_chances_are_the_first_class():
    assert summary(np.array([0, 1]), np.full((2, 2), 0.5))["accuracy"] == 0.5
    assert confusion(np.array([0, 1]), np.full((2, 2), 0.5).argmax(1), 2).tolist() == [[1, 0], [1, 0]]
