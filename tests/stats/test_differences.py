"""Differences of means against hand-computed values, scipy's tests and a pair computed by itself.

How often they err: test_coverage.py.
"""

import itertools
import math

import numpy as np
import pytest
from scipy import optimize, stats

from synthbench.stats import difference, differences

NORMAL = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)


def one(value, draws):
    return np.array([value]), (value + draws)[None]


def test_difference_of_one_seed_each_by_hand():
    """The common part of the error cancels; what is left has a standard error of .01."""
    common = np.random.default_rng(0).normal(0, 0.05, size=4000)
    found = difference(*one(0.83, common + 0.01 * NORMAL), *one(0.80, common))
    assert found.value == pytest.approx(0.03)
    assert found.low == pytest.approx(0.03 - 1.959964 * 0.01, abs=1e-5)
    assert found.high == pytest.approx(0.03 + 1.959964 * 0.01, abs=1e-5)
    assert found.p == pytest.approx(2 * stats.norm.sf(3), rel=0.01)


def test_difference_is_welchs_where_images_have_no_error():
    a, b = np.array([0.80, 0.82, 0.79, 0.85]), np.array([0.70, 0.78, 0.74])
    welch = stats.ttest_ind(a, b, equal_var=False)
    found = difference(a, None, b, None)
    assert found.p == pytest.approx(welch.pvalue, rel=1e-5)
    assert (found.low, found.high) == pytest.approx(tuple(welch.confidence_interval()), rel=1e-6)


def test_difference_is_symmetric():
    rng = np.random.default_rng(0)
    a, b = (
        (values, values[:, None] + rng.normal(0, 0.02, size=(len(values), 500)))
        for values in (rng.normal(0.8, 0.03, size=3), rng.normal(0.75, 0.03, size=5))
    )
    forth, back = difference(*a, *b, groups=50), difference(*b, *a, groups=50)
    assert (back.value, back.low, back.high) == pytest.approx((-forth.value, -forth.high, -forth.low))
    assert back.p == pytest.approx(forth.p)


@pytest.mark.parametrize("seeds", [(1, 1), (2, 2), (3, 1), (10, 4)])
def test_interval_and_p_agree(seeds):
    """At the edge: shifted so that one end is just beside 0."""
    rng = np.random.default_rng(0)
    a, b = (
        (values, values[:, None] + rng.normal(0, 0.02, size=(n, 500)))
        for n, values in ((n, rng.normal(0.8, 0.05, size=n)) for n in seeds)
    )
    found = difference(*a, *b, groups=40)
    for shift, significant in ((1e-4, True), (-1e-4, False)):
        moved = difference(a[0] - found.low + shift, a[1], *b, groups=40)
        assert (moved.low > 0, moved.p < 0.05) == (significant, significant)


def test_few_patients_are_counted():
    sides = (*one(0.85, 0.02 * NORMAL), *one(0.80, 0 * NORMAL))
    assert difference(*sides).p == pytest.approx(2 * stats.norm.sf(2.5), rel=0.01)
    few = 2 * stats.t.sf(2.5 / math.sqrt(6 / 5), 5)
    assert difference(*sides, groups=6).p == pytest.approx(few, rel=0.01)


def test_same_answers_are_no_difference():
    found = difference(*one(0.8, 0.02 * NORMAL), *one(0.8, 0.02 * NORMAL))
    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_all_right_against_all_wrong():
    """No spread over resamples; three patients still prove little."""
    sides = (*one(1.0, 0 * NORMAL), *one(0.0, 0 * NORMAL))
    assert difference(*sides).p == 0
    assert difference(*sides, groups=3).p == 0.25
    assert difference(*sides, groups=1).p == 1


def test_what_no_resample_moves_is_not_known_exactly():
    """Both right on all images of 12 patients: a 13th could go either way, and nobody may call the two equal."""
    right = one(1.0, 0 * NORMAL)
    found = difference(*right, *right, groups=12)
    reach = stats.binomtest(0, 12).proportion_ci(method="exact").high
    assert (found.value, found.p) == (0, 1)
    assert (found.low, found.high) == pytest.approx((-reach, reach))
    both = [right, right]
    assert not differences(both, [12, 12]).within(np.array([0.01])).any()
    assert differences(both, [428, 428]).within(np.array([0.01])).all()
    (wide,) = differences(both, [12, 12], (0.0, 10.0)).high
    assert wide == pytest.approx(10 * reach)
    assert math.isinf(differences(both, [12, 12], None).high[0])


def test_seeds_that_all_agree_say_nothing_where_nothing_was_resampled():
    found = difference(np.array([0.5, 0.5]), None, np.array([0.51, 0.51]), None)
    assert all(math.isnan(x) for x in (found.low, found.high, found.p))


@pytest.mark.parametrize("seeds", [2, 3, 8])
def test_a_vast_difference_has_p_0(seeds):
    values = np.linspace(0, 1e-9, seeds)
    found = difference(0.9 + values, None, 0.1 + values, None)
    assert 0 <= found.p < 1e-6


def test_difference_without_any_knowledge():
    found = difference(np.array([0.8]), None, np.array([0.7, 0.72]), None)
    assert found.value == pytest.approx(0.09)
    assert all(math.isnan(x) for x in (found.low, found.high, found.p))


def test_difference_leaves_out_resamples_undefined_for_either():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.8, 0.02, size=(2, 1, 900))
    whole = difference(np.array([0.8]), a[:, 300:600], np.array([0.7]), b[:, 300:600])
    a[0, 600:], b[0, :100] = np.nan, np.nan
    assert math.isfinite(difference(np.array([0.8]), a, np.array([0.7]), b).p)
    b[0, :300] = np.nan
    assert math.isnan(difference(np.array([0.8]), a, np.array([0.7]), b).p), "a third is left"
    assert difference(np.array([0.8]), a[:, 200:650], np.array([0.7]), b[:, 200:650]) == whole


def by_itself(a, b, groups):
    """One pair straight from the method's description, scipy's quantiles in a root finder."""
    draws, errors = [], []
    if a[1] is not None and b[1] is not None:
        both = np.isfinite(np.concatenate([a[1], b[1]])).all(0)
        kept = both if both.mean() >= 0.5 else np.ones_like(both)
        draws = [side[1][:, kept] for side in (a, b)]
    for k, (values, _) in enumerate((a, b)):
        own = 0.0
        if draws and len(values) > 1:
            covariance = np.cov(draws[k])
            shared = covariance[~np.eye(len(values), dtype=bool)].mean()
            own = covariance.diagonal().mean() - np.maximum(shared, 0)
        errors.append(np.maximum(np.var(values, ddof=1) - own, 0) / len(values) if len(values) > 1 else 0.0)
    alone = 0.0 if min(len(a[0]), len(b[0])) > 1 and any(errors) else math.nan
    sampled = np.std(draws[0].mean(0) - draws[1].mean(0), ddof=1) if draws else alone
    parts = sum(e**2 / max(len(s[0]) - 1, 1) for e, s in zip(errors, (a, b), strict=True))
    df = sum(errors) ** 2 / parts if parts else 1.0

    def margin(tail):
        quantile = stats.norm.isf(tail)
        if groups is not None:
            quantile = stats.t.isf(tail, groups - 1) * math.sqrt(groups / (groups - 1)) if groups > 1 else math.inf
        seeds = stats.t.isf(tail, df) * math.sqrt(sum(errors)) if any(errors) else 0.0
        if sampled < 1e-9:
            return math.hypot(1 - tail ** (1 / groups) if draws and groups is not None else 0.0, seeds)
        return math.hypot(quantile * sampled, seeds)

    value = a[0].mean() - b[0].mean()
    if math.isnan(margin(0.025)):
        return value, math.nan, math.nan, math.nan
    p = 1.0 if margin(0.5) >= abs(value) else 0.0
    if p == 0 and margin(0.5e-100) > abs(value):
        p = math.exp(
            optimize.brentq(lambda u: margin(math.exp(u) / 2) - abs(value), math.log(1e-100), 0, xtol=1e-14)
        )
    least = 0.0 if groups is None else 2.0 ** (1 - groups)
    return value, value - margin(0.025), value + margin(0.025), max(p, least)


def bag():
    """Rows of all kinds on the same 800 resamples: one seed to four, undefined in some, alike, without any."""
    rng = np.random.default_rng(5)
    hard = rng.normal(0, 0.02, 800)
    sides = []
    for seeds, mean in [
        (1, 0.8),
        (1, 0.78),
        (3, 0.81),
        (3, 0.79),
        (4, 0.6),
        (2, 0.9),
        (3, 0.8),
        (1, 0.8),
        (3, 0.2),
    ]:
        values = rng.normal(mean, 0.02, seeds)
        sides.append((values, values[:, None] + hard + rng.normal(0, 0.01, (seeds, 800))))
    for k, share in ((3, 300), (4, 100), (8, 500)):
        sides[k][1][0, :share] = math.nan
    near = sides[2][1] + 1e-7 * rng.normal(size=sides[2][1].shape)  # its variance is lost in the two covariances
    return [*sides, sides[0], (sides[2][0], near), (rng.normal(0.7, 0.1, 3), None), (np.array([0.5]), None)]


@pytest.mark.parametrize("groups", [None, 300, 5, 1])
def test_all_pairs_at_once_are_what_each_is_by_itself(groups):
    sides = bag()
    pairs = differences(sides, [groups] * len(sides))
    places = list(itertools.combinations(range(len(sides)), 2))
    assert list(zip(pairs.first, pairs.second, strict=True)) == places
    with np.errstate(all="ignore"):
        alone = np.array([by_itself(sides[i], sides[j], groups) for i, j in places])
    for k, column in enumerate((pairs.value, pairs.low, pairs.high, pairs.p)):
        np.testing.assert_allclose(column, alone[:, k], rtol=1e-9, atol=1e-15)


def test_one_and_none_make_no_pair():
    assert len(differences([], []).p) == 0
    assert len(differences(bag()[:1], [None]).p) == 0


def test_the_fewer_patients_of_a_pair_count_whoever_is_first():
    sides = [(np.array([0.9]), 0.9 + NORMAL[None]), (np.array([0.5]), np.full((1, len(NORMAL)), 0.5))]
    one, other = differences(sides, [6, 60]), differences(sides[::-1], [60, 6])
    assert one.p == pytest.approx(other.p)
    assert one.p == pytest.approx(differences(sides, [6, 6]).p)
