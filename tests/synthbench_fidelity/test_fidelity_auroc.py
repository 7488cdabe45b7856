"""AUROC against scikit-learn, its interval against DeLong's, a closed form of clusters, and simulated truth."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from synthbench_fidelity.auroc import area
from synthbench_fidelity.functional import auroc_interval, membership_auroc


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def sklearns(positive, negative):
    return roc_auc_score(np.repeat([1, 0], [len(positive), len(negative)]), np.concatenate([positive, negative]))


@pytest.mark.parametrize("digits", [None, 0])  # few ties, many ties
def test_it_is_scikit_learns(rng, digits):
    positive, negative = rng.normal(0.7, 1, 83), rng.normal(size=61)
    if digits is not None:
        positive, negative = positive.round(digits), negative.round(digits)
    found = auroc_interval(positive=positive, negative=negative)
    assert found.value == pytest.approx(sklearns(positive, negative), abs=1e-12)
    assert found.low < found.value < found.high


def test_the_error_of_single_images_is_delongs(rng):
    """By definition: the variance of each side's shares of pairs won, computed pair by pair."""
    positive, negative = rng.normal(0.7, 1, 40).round(1), rng.normal(size=30).round(1)
    won = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    error = np.sqrt(won.mean(1).var(ddof=1) / 40 + won.mean(0).var(ddof=1) / 30)
    assert area(positive, negative).error == pytest.approx(error)


def test_images_of_a_patient_are_one_draw(rng):
    positive, negative = rng.normal(0.7, 1, 40), rng.normal(size=30)
    once, patients = area(positive, negative), np.repeat(np.arange(40), 4)
    again = area(np.repeat(positive, 4), negative, positive_groups=rng.permutation(40)[patients])
    assert (again.value, again.error) == pytest.approx((once.value, once.error))
    assert again.clusters == once.clusters == 30
    assert area(np.repeat(positive, 4), negative).error < once.error, "four times the images would look surer"


@pytest.mark.parametrize(("truth", "each"), [(0.5, 1), (0.5, 3), (0.8, 3)])
def test_the_interval_covers_the_truth(rng, truth, each):
    """95 % of 600 intervals, clusters of three images with correlation .8 on both sides."""
    shift = np.sqrt(2) * norm.ppf(truth)

    def side(patients, mean):
        own = rng.normal(size=(patients, 1)) * np.sqrt(0.8) + rng.normal(size=(patients, each)) * np.sqrt(0.2)
        return mean + (own if each > 1 else rng.normal(size=(patients, 1))).ravel(), np.repeat(
            np.arange(patients), each
        )

    covered = 0
    for _ in range(600):
        (positive, a), (negative, b) = side(50, shift), side(40, 0)
        found = auroc_interval(positive=positive, negative=negative, positive_groups=a, negative_groups=b)
        covered += found.low <= truth <= found.high
    assert 0.93 <= covered / 600 <= 0.98


def test_sides_that_do_not_overlap_are_not_sure_beyond_what_so_few_tell():
    apart = {"positive": np.arange(10.0) + 100, "negative": np.arange(20.0)}
    found = auroc_interval(**apart)
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(0.025 ** (1 / 10)), "none of 10 out of place"
    turned = auroc_interval(positive=apart["negative"], negative=apart["positive"])
    assert (turned.low, turned.value) == (0, 0)
    assert turned.high == pytest.approx(1 - 0.025 ** (1 / 10))


def test_mistakes(rng):
    scores = rng.normal(size=5)
    for bad in (np.zeros(0), np.array([np.nan]), np.zeros((2, 2))):
        with pytest.raises(ValueError, match="negative must be scores"):
            auroc_interval(positive=scores, negative=bad)
    with pytest.raises(ValueError, match="two patients or more"):
        auroc_interval(positive=scores, negative=scores, negative_groups=np.zeros(5, int))


# ---- membership inference


def test_membership_is_the_auroc_of_nearest_distances(rng):
    train, holdout, synthetic = (rng.normal(size=(n, 4)) for n in (60, 40, 30))
    synthetic[:10] = train[:10]

    def near(real):
        return -np.linalg.norm(real[:, None] - synthetic, axis=2).min(1)

    found = membership_auroc(train=train, holdout=holdout, synthetic=synthetic)
    assert found.value == pytest.approx(sklearns(near(train), near(holdout)), abs=1e-12)
    patients = membership_auroc(train=train, holdout=holdout, synthetic=synthetic, train_groups=np.arange(60) // 3)
    assert patients.value == found.value
    assert patients != found


def test_a_copier_gives_all_away_and_who_never_saw_them_nothing(rng):
    train, holdout, others = (rng.normal(size=(n, 8)) for n in (300, 100, 300))
    copier = membership_auroc(train=train, holdout=holdout, synthetic=train + 0.01 * rng.normal(size=train.shape))
    assert copier.low > 0.95
    half = membership_auroc(train=train, holdout=holdout, synthetic=train[::2])
    assert half.value == pytest.approx(0.75, abs=0.05), "1 for the copied half, one half for the others"
    honest = membership_auroc(train=train, holdout=holdout, synthetic=others)
    assert honest.low < 0.5 < honest.high
