"""How many real images a score is worth: where it meets their curve, and how sure that is."""

import math

import numpy as np
import pytest

from synthbench.stats import worth

SIZES = [100, 300, 1000]
B = 1000


def curve_at(size):
    """A made-up AUROC of so many real images."""
    return 0.6 + 0.1 * math.log(size / 100) / math.log(3)


def side(rng, truth, *, images, seeds=3, seed_sd=0.01, own=0.004):
    """Values by seed and replicates: the draw of test images shifts all alike, each seed has a bit of its own.

    images  (value, draws): what this test set does to everyone, and its resamples
    """
    of_seeds = truth + seed_sd * rng.normal(size=(seeds, 1))
    values = of_seeds[:, 0] + images[0] + own * rng.normal(size=seeds)
    return values, values[:, None] + images[1] + own * rng.normal(size=(seeds, B))


def a_board(rng, score, sizes=SIZES, **options):
    images = 0.015 * rng.normal(), 0.015 * rng.normal(size=B)
    curve = [side(rng, curve_at(size), images=images, **options) for size in sizes]
    return side(rng, score, images=images, **options), curve


def exact(value):
    return np.array([value]), np.full((1, B), value)


def test_between_sizes_it_is_linear_in_the_logarithm():
    curve = [exact(curve_at(size)) for size in SIZES]
    for size in (100, 173, 300, 500, 1000):
        assert worth(exact(curve_at(size)), curve, SIZES).value == pytest.approx(size)


@pytest.mark.parametrize(
    ("score", "low", "high", "note"),
    [(0.5, 0.0, 100, "fewer than 100 real images"), (0.9, 1000, math.inf, "more than 1000 real images")],
)
def test_outside_the_curve_there_is_an_end_and_no_number(score, low, high, note):
    known = worth(exact(score), [exact(curve_at(size)) for size in SIZES], SIZES)
    assert math.isnan(known.value)
    assert (known.low, known.high) == pytest.approx((low, high))
    assert known.note == note


def test_near_an_end_of_the_curve_the_interval_is_open():
    rng = np.random.default_rng(0)
    assert worth(*a_board(rng, curve_at(103)), SIZES).low == 0
    assert worth(*a_board(rng, curve_at(960)), SIZES).high == math.inf


def test_a_dip_in_the_curve_does_not_matter_to_a_score_above_it():
    dip = [exact(0.6), exact(0.59), exact(0.8)]
    assert 300 < worth(exact(0.7), dip, SIZES).value < 1000


def test_undefined_scores_have_no_worth():
    known = worth(exact(math.nan), [exact(curve_at(size)) for size in SIZES], SIZES)
    assert math.isnan(known.value)
    assert math.isnan(known.low)
    assert known.note == "score or curve is undefined"


def test_mostly_undefined_resamples_leave_it_unknown():
    score = np.array([0.7]), np.full((1, B), np.nan)
    known = worth(score, [exact(0.6), exact(0.8)], [100, 1000], groups=12)
    assert np.isnan([known.value, known.low, known.high]).all()
    assert known.note == "score or curve is undefined in most resamples"


def test_one_size_is_no_curve():
    with pytest.raises(ValueError, match="two sizes or more"):
        worth(exact(0.7), [exact(0.7)], [100])


@pytest.mark.parametrize("size", [173, 300])
@pytest.mark.parametrize("seeds", [1, 3])
def test_intervals_cover(size, seeds):
    """200 boards: a standard error of 1.5 points. One seed: what the seeds do is no part of the truth."""
    options = {"seeds": seeds, "seed_sd": 0.01 if seeds > 1 else 0.0}
    known = [worth(*a_board(np.random.default_rng(i), curve_at(size), **options), SIZES) for i in range(200)]
    hits = [one.low <= size <= one.high for one in known]
    assert 0.92 <= np.mean(hits) <= 1
    finite = [one.high / one.low for one in known if one.low and math.isfinite(one.high)]
    assert np.median(finite) < 4
