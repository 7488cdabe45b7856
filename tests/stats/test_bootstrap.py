"""Resampling patients, and percentile intervals."""

import time

import numpy as np
import pytest
from scipy import stats

from synthbench.stats import bootstrap, cluster_weights
from synthbench.stats.bootstrap import percentiles, sampling_quantile

GROUPS = np.array(["p2", "p1", "p2", "p3", "p1", "p2"])


def test_images_of_a_patient_are_drawn_together():
    weights = cluster_weights(GROUPS, 200, np.random.default_rng(0))
    assert weights.dtype == np.uint16
    assert weights.shape == (200, 6)
    assert (weights[:, [0, 2, 5]] == weights[:, [0]]).all()
    assert (weights[:, [1, 4]] == weights[:, [1]]).all()
    assert len(np.unique(weights, axis=0)) == 10, "three patients, three draws: all 10 multisets"


def test_each_resample_draws_as_many_patients_as_there_are():
    weights = cluster_weights(GROUPS, 500, np.random.default_rng(0))
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_draws_are_multinomial():
    """Of G = 40: mean 1, variance 1 - 1/G, covariance -1/G; 20,000 resamples, 5 standard errors."""
    weights = cluster_weights(np.arange(40).astype(str), 20_000, np.random.default_rng(0)).astype(float)
    covariance = np.cov(weights.T)
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=5 * np.sqrt(1 / 20_000))
    np.testing.assert_allclose(np.diag(covariance), 1 - 1 / 40, atol=0.08)
    np.testing.assert_allclose(covariance[~np.eye(40, dtype=bool)], -1 / 40, atol=0.04)


def test_blocks_of_memory_change_nothing(monkeypatch):
    whole = cluster_weights(GROUPS, 100, np.random.default_rng(3))
    monkeypatch.setattr(bootstrap, "BLOCK_DRAWS", 7)
    np.testing.assert_array_equal(cluster_weights(GROUPS, 100, np.random.default_rng(3)), whole)


def test_names_do_not_matter_but_their_order():
    renamed = np.char.replace(GROUPS, "p", "patient-")
    drawn = [cluster_weights(g, 50, np.random.default_rng(1)) for g in (GROUPS, renamed)]
    np.testing.assert_array_equal(*drawn)


def test_no_images():
    with pytest.raises(ValueError, match="no images"):
        cluster_weights(np.array([], dtype=str), 10, np.random.default_rng(0))


def test_sampling_quantile_is_students_for_a_bootstrap_of_a_mean():
    """Resampling n numbers has a standard error sqrt((n - 1) / n) times the usual one."""
    x = np.random.default_rng(0).normal(size=9)
    classic = stats.t.interval(0.95, 8, x.mean(), stats.sem(x))
    half = sampling_quantile(0.025, 9) * x.std() / 3
    assert (x.mean() - half, x.mean() + half) == pytest.approx(classic)
    assert sampling_quantile(0.025, None) == pytest.approx(1.959964, abs=1e-6)
    assert sampling_quantile(0.025, 1) == np.inf


def test_percentiles_without_skew_are_plain():
    draws = stats.norm.ppf((np.arange(100_000) + 0.5) / 100_000)
    assert percentiles(draws, None) == pytest.approx((-1.95996, 1.95996), abs=1e-3)


@pytest.mark.parametrize("right", [38, 36, 30])
def test_percentiles_are_near_scipys_bca(right):
    """Of an accuracy over 40 images: BCa corrects for a bias, too, that a mean has not."""
    answers = np.repeat([1.0, 0.0], [right, 40 - right])
    weights = cluster_weights(np.arange(40).astype(str), 20_000, np.random.default_rng(0))
    mine = percentiles(weights @ answers / 40, None)
    bca = stats.bootstrap((answers,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(0))
    assert mine == pytest.approx(bca.confidence_interval, abs=0.026), "one image of 40"
    plain = np.quantile(weights @ answers / 40, [0.025, 0.975])
    assert mine[0] <= plain[0], "an accuracy above .5 leans to lower values"


def test_percentiles_of_a_rare_error_are_near_the_exact_ones():
    """Three wrong of 300: Clopper & Pearson give .9711 to .9979, plain percentiles .9767 to 1."""
    draws = 1 - np.random.default_rng(0).binomial(300, 0.01, size=100_000) / 300
    exact = stats.binomtest(297, 300).proportion_ci(method="exact")
    low, high = percentiles(draws, 300)
    assert low == pytest.approx(exact.low, abs=0.0034)
    assert high == pytest.approx(exact.high, abs=0.0034)


def test_a_very_skewed_metric_has_an_interval():
    low, high = percentiles(np.repeat([0.0, 1.0], [9990, 10]), None)
    assert (low, high) == (0.0, 1.0)


def weighted_metrics(labels, scores, weights):
    """Balanced accuracy and AUROC (no ties) of every resample."""
    w = weights.astype(np.float32)
    one, zero = labels == 1, labels == 0
    right = ((scores > 0.5) == one).astype(np.float32)
    n_one, n_zero = w[:, one].sum(axis=1), w[:, zero].sum(axis=1)
    balanced = (w[:, one] @ right[one] / n_one + w[:, zero] @ right[zero] / n_zero) / 2
    ordered = (scores[one][:, None] > scores[zero]).astype(np.float32)
    return balanced, ((w[:, one] @ ordered) * w[:, zero]).sum(axis=1) / (n_one * n_zero)


def test_ten_thousand_resamples_of_the_official_test_set_within_two_seconds():
    """624 images of 312 patients, 234 and 390 of a class; CPU seconds, the better of two."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [234, 390])
    scores = np.clip(rng.normal(0.35 + 0.3 * labels, 0.2), 0, 1)
    groups = np.repeat(np.arange(312), 2).astype(str)
    taken = []
    for _ in range(2):
        start = time.process_time()
        balanced, auroc = weighted_metrics(labels, scores, cluster_weights(groups, 10_000, rng))
        taken.append(time.process_time() - start)
    assert min(taken) < 2
    assert balanced.shape == auroc.shape == (10_000,)
    assert balanced.std() == pytest.approx(0.017, abs=0.004)
