"""ROC and calibration curves against definitions and closed forms."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from synthbench.report.album import Album
from synthbench.report.roc_plots import RATES, answer_plots, calibration, roc
from synthbench.results.folder import read_folder
from synthbench.types import Predictions


def predictions(labels, probabilities, seed=0):
    ids = np.array([str(i) for i in range(len(labels))])
    return Predictions(
        "test", ids, ids, np.asarray(labels, dtype=np.int64), np.asarray(probabilities, dtype=float), seed
    )


def test_the_area_is_the_boards_auroc_of_two_classes(made_up):
    given = [made_up.answers(1.0, seed, n=200) for seed in range(3)]
    expected = np.mean([roc_auc_score(p.labels, p.probabilities[:, 1]) for p in given])
    assert roc(given).area == pytest.approx(expected, abs=1e-12)


def test_the_area_is_the_boards_auroc_of_many_classes(made_up):
    given = [made_up.answers(1.0, seed, n=201, k=4) for seed in range(2)]
    expected = np.mean(
        [roc_auc_score(p.labels, p.probabilities, multi_class="ovr", average="macro") for p in given]
    )
    assert roc(given).area == pytest.approx(expected, abs=1e-12)


def test_the_curve_is_the_share_found_at_each_false_positive_rate():
    """The definition: under a threshold that lets a share f of the negatives through, the share of positives."""
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1], [100, 150])
    score = rng.normal(labels, 1.0)
    p = 1 / (1 + np.exp(-score))
    rates = roc([predictions(labels, np.stack([1 - p, p], 1))]).rates
    negatives = np.sort(p[labels == 0])[::-1]
    for k in (10, 50, 90):
        below = negatives[k]  # k of 100 negatives lie above it
        assert rates[k] == pytest.approx((p[labels == 1] > below).mean(), abs=1e-12)
    assert (rates[0], rates[-1]) == (0.0, 1.0)
    assert (np.diff(rates) >= 0).all()


def test_a_perfect_and_a_blind_classifier():
    labels = np.arange(40) % 2
    sure = np.eye(2)[labels]
    assert roc([predictions(labels, sure)]).area == 1.0
    blind = roc([predictions(labels, np.full((40, 2), 0.5))])
    assert blind.area == 0.5
    assert np.allclose(blind.rates, RATES)


def test_one_class_alone_has_no_curve():
    assert roc([predictions([1, 1], [[0.2, 0.8], [0.5, 0.5]])]) is None


def test_a_class_without_images_leaves_no_curve_where_the_board_has_no_number():
    rng = np.random.default_rng(0)
    assert roc([predictions([0, 1] * 10, rng.dirichlet([1, 1, 1], 20))]) is None


def test_there_is_no_curve_where_the_board_has_a_text_and_calibration_stays(made_up, tmp_path):
    roles = {"good": "candidate", "poor": "candidate"}
    run = read_folder(made_up.run(tmp_path / "run", roles))  # of poor on far the board has "1/2 seeds"
    plots = {title: plots for title, _, plots in answer_plots(run, Album(tmp_path, 0))}
    assert "poor" in plots["tstr on test"][0].alt
    drawn, calibrated = plots["tstr on far"]
    assert ("good" in drawn.alt, "poor" in drawn.alt) == (True, False)
    assert "poor" in calibrated.alt


def test_true_probabilities_lie_on_the_diagonal():
    rng = np.random.default_rng(0)
    p = rng.uniform(0, 1, 40_000)
    labels = (rng.uniform(0, 1, 40_000) < p).astype(int)
    predicted, observed = calibration([predictions(labels, np.stack([1 - p, p], 1))])
    assert len(predicted) == 10
    assert np.abs(predicted - observed).max() < 0.03  # three standard errors of 4000 coin flips are .024


def test_of_many_classes_the_winners_confidence_counts():
    probabilities = np.tile([0.6, 0.3, 0.1], (100, 1))
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    predicted, observed = calibration([predictions(labels, probabilities)])
    assert np.allclose(predicted, 0.6)
    assert np.allclose(observed, 0.6)


def test_all_classifiers_answers_count_together():
    sure = predictions([0, 1], [[1, 0], [0, 1]])
    wrong = predictions([0, 1], [[0, 1], [1, 0]], seed=1)
    predicted, observed = calibration([sure, wrong])
    assert dict(zip(predicted.tolist(), observed.tolist(), strict=True)) == {0.0: 0.5, 1.0: 0.5}
