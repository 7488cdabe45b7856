"""Intervals of one number: hand cases. Whether they cover: test_stats_coverage.py."""

import math

import numpy as np
import pytest
from scipy import stats

from synthbench.stats import FEW_SEEDS, interval
from synthbench.stats.bootstrap import percentiles

NORMAL = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)
"""Draws of unit variance without noise."""

ORTHOGONAL = np.stack([NORMAL, np.random.default_rng(0).permutation(NORMAL)])


def ends(found):
    return found.low, found.high


def test_one_seed_has_the_sampling_interval_and_says_what_is_missing():
    draws = 0.8 + 0.02 * NORMAL
    found = interval(np.array([0.8]), draws[None], groups=312)
    assert found.value == 0.8
    assert ends(found) == pytest.approx((found.sampling_low, found.sampling_high))
    assert ends(found) == pytest.approx(percentiles(draws, 312))
    assert math.isnan(found.seed_sd)
    assert found.weak
    assert found.basis == "images of 312 patients; 1 seed: its variation is unknown (weak)"


@pytest.mark.parametrize(("seeds", "says"), [(3, "3 seeds (weak)"), (FEW_SEEDS, "10 seeds")])
def test_seeds_are_counted(seeds, says):
    found = interval(np.full(seeds, 0.8), np.tile(0.8 + 0.02 * NORMAL, (seeds, 1)), groups=None)
    assert found.basis == f"images; {says}"
    assert found.weak == (seeds < FEW_SEEDS)


def test_seeds_that_agree_add_nothing():
    """The same answers from each: as many seeds as you like say no more about the images."""
    one = interval(np.array([0.8]), 0.8 + 0.02 * NORMAL[None], groups=312)
    ten = interval(np.full(10, 0.8), np.tile(0.8 + 0.02 * NORMAL, (10, 1)), groups=312)
    assert ends(ten) == pytest.approx(ends(one))
    assert ten.seed_sd == 0


def test_without_error_of_the_images_it_is_students():
    values = np.array([0.71, 0.74, 0.78, 0.75])
    classic = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
    found = interval(values, None, groups=None)
    assert ends(found) == pytest.approx(classic)
    assert found.seed_sd == pytest.approx(values.std(ddof=1))
    assert (math.isnan(found.sampling_low), math.isnan(found.sampling_high)) == (True, True)
    assert found.basis == "images not resampled; 4 seeds (weak)"
    hardly = interval(values, values[:, None] + 1e-6 * NORMAL, groups=None)
    assert ends(hardly) == pytest.approx(classic, abs=1e-5)


def test_joint_by_hand():
    """Shared error only: the two half-widths add up as squares."""
    values = np.array([0.70, 0.80])
    found = interval(values, values[:, None] + 0.01 * NORMAL, groups=None)
    sampling, seeds = 1.959964 * 0.01, 12.706205 * 0.05
    assert found.sampling_high - found.value == pytest.approx(sampling, rel=2e-3)
    assert found.value - found.low == pytest.approx(math.hypot(sampling, seeds), rel=1e-4)
    assert found.high == 1.0, "cut at the bound"
    assert interval(values, None, bounds=None, groups=None).high == pytest.approx(0.75 + seeds)


def test_what_images_do_to_each_seed_by_itself_is_not_counted_twice():
    """Seeds whose values differ by as much as resampling says they would: nothing is left for training."""
    replicates = 0.8 + 0.02 * ORTHOGONAL
    values = np.array([0.79, 0.81])  # variance .0002 < w = .0004
    found = interval(values, replicates, groups=None)
    assert ends(found) == pytest.approx((found.sampling_low, found.sampling_high))
    further = interval(np.array([0.75, 0.85]), replicates, groups=None)  # variance .005
    left = math.sqrt((0.005 - 0.0004) / 2) * 12.706205
    assert further.value - further.low == pytest.approx(math.hypot(left, 1.96 * 0.02 / math.sqrt(2)), rel=0.01)


def test_opposed_seeds():
    """One always says NORMAL, one always PNEUMONIA: what one gains the other loses, and the mean stays .5."""
    replicates = 0.5 + np.stack([-0.125 + 0.02 * NORMAL, 0.125 - 0.02 * NORMAL])
    found = interval(np.array([0.375, 0.625]), replicates, groups=100)
    assert ends(found) == (0.0, 1.0)
    assert found.basis == "images of 100 patients, all alike: exact binomial bound; 2 seeds (weak)"


def test_all_answers_right_is_no_proof_of_perfection():
    found = interval(np.array([1.0]), np.ones((1, 100)), groups=312)
    exact = stats.binomtest(312, 312).proportion_ci(method="exact")
    assert ends(found) == pytest.approx((exact.low, 1.0))
    assert found.basis.startswith("images of 312 patients, all alike: exact binomial bound; 1 seed")


def test_a_constant_answer():
    """Balanced accuracy .5 in every resample."""
    found = interval(np.array([0.5]), np.full((1, 100), 0.5, dtype=np.float32), groups=100)
    reach = 1 - 0.025 ** (1 / 100)
    assert ends(found) == pytest.approx((0.5 - reach, 0.5 + reach))


@pytest.mark.parametrize(("bounds", "groups"), [(None, 10), ((0, 1), None)])
def test_no_spread_and_no_scale_is_no_interval(bounds, groups):
    found = interval(np.array([0.5]), np.full((1, 100), 0.5), bounds=bounds, groups=groups)
    assert found.value == 0.5
    assert all(math.isnan(x) for x in (found.low, found.high, found.sampling_low, found.sampling_high))


def test_one_patient():
    found = interval(np.array([1.0]), np.ones((1, 100)), groups=1)
    assert found.basis.startswith("images of 1 patient,")
    assert ends(found) == pytest.approx((0.025, 1.0))


def test_resamples_without_a_class_are_left_out():
    draws = np.tile(0.8 + 0.02 * NORMAL, (3, 1))
    holes = draws.copy()
    holes[1, ::3] = np.nan
    values = np.array([0.79, 0.80, 0.81])
    rest = np.delete(draws, np.s_[::3], axis=1)
    assert interval(values, holes, groups=30) == interval(values, rest, groups=30)


def test_mostly_undefined_is_unknown():
    draws = 0.8 + 0.02 * NORMAL[None]
    draws[0, : len(NORMAL) // 2 + 1] = np.nan
    found = interval(np.array([0.8]), draws, groups=3)
    assert found.value == 0.8
    assert all(math.isnan(x) for x in (found.low, found.high, found.sampling_low, found.sampling_high))
    assert found.basis.startswith("images of 3 patients, undefined in most resamples")


def test_an_undefined_value_is_not_averaged_away():
    found = interval(np.array([0.8, np.nan]), np.tile(0.8 + 0.02 * NORMAL, (2, 1)), groups=30)
    assert all(math.isnan(x) for x in (found.value, found.low, found.high, found.seed_sd))


def test_one_seed_not_resampled_is_unknown():
    found = interval(np.array([0.8]), None, groups=None)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_single_precision_is_enough():
    draws = np.random.default_rng(0).normal(0.8, 0.02, size=(3, 2000))
    values = np.array([0.78, 0.8, 0.83])
    found = [interval(values, d, groups=100) for d in (draws, draws.astype(np.float32))]
    assert ends(found[0]) == pytest.approx(ends(found[1]), abs=1e-6)


def test_where_every_image_is_its_own_patient_the_basis_does_not_claim_to_know_patients():
    values, replicates = np.array([0.8]), np.random.default_rng(0).normal(0.8, 0.01, (1, 1000))
    assert interval(values, replicates, groups=100, images=250).basis.startswith("images of 100 patients;")
    assert interval(values, replicates, groups=100, images=100).basis.startswith("100 images, one a patient")
