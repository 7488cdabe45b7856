"""Few seeds: what a row takes from the others' seeds, and whether intervals made so cover.

The worlds and the other forms are those of benchmarks/studies/simulate_intervals.py, whose full grid stands in
docs/statistics.md; here they run on fewer boards; the marker `full` runs ten times as many.
"""

import math
import time

import numpy as np
import pytest
import simulate_intervals as simulate
from scipy import stats

from synthbench.stats import Pool, interval, pools, seed_variance
from synthbench.stats.pooling import joint_quantile, own_tail, pooled_margin
from synthbench.stats.seeds import seed_means


@pytest.fixture(params=[8_000, pytest.param(80_000, marks=pytest.mark.full)])
def boards(request):
    """Of one row: how many are drawn."""
    return request.param


def test_a_pool_is_the_mean_of_all_others():
    assert pools([1.0, 2.0, 6.0]) == [Pool(4.0, 2), Pool(3.5, 2), Pool(1.5, 2)]


def test_one_row_has_no_pool_and_one_seed_neither_lends_nor_borrows():
    assert pools([1.0]) == [None]
    assert pools([math.nan, 1.0]) == [None, None]
    assert pools([math.nan, 1.0, 3.0]) == [None, Pool(3.0, 1), Pool(1.0, 1)]
    assert pools([]) == []


def test_the_pool_of_a_wild_row_loses_nothing_to_rounding():
    assert pools([0.0, 0.0, 1e9 / 3])[2] == Pool(0.0, 2)


def test_a_thousand_rows_take_a_moment():
    """Twenty times the rows, not four hundred times the time: the sum is made once."""

    def seconds(rows):
        started = time.process_time()
        pools(list(np.random.default_rng(0).random(rows)))
        return time.process_time() - started

    few, many = (min(seconds(n) for _ in range(5)) for n in (1_000, 20_000))
    assert many < 100 * few


@pytest.mark.parametrize("seeds", [2, 3, 5, 10, 40])
def test_where_all_rows_vary_alike_both_margins_together_cover_the_level(seeds):
    """Drawn, not integrated: 400,000 means, a standard error of .03 points."""
    rng = np.random.default_rng(seeds)
    errors = abs(rng.normal(size=400_000))
    own = np.sqrt(rng.chisquare(seeds - 1, size=errors.shape) / (seeds - 1))
    margins = np.maximum(stats.t.isf(own_tail(seeds), seeds - 1) * own, joint_quantile(seeds))
    assert np.mean(errors <= margins) == pytest.approx(0.95, abs=0.0012)


def test_the_wider_of_two_margins():
    values = np.array([0.70, 0.72])
    (mean,) = seed_means((values, None))
    own = stats.t.isf(0.05, 1) * 0.01
    calm, loud = pooled_margin(mean, Pool(1e-8, 3)), pooled_margin(mean, Pool(0.04, 3))
    assert calm == pytest.approx(own), "never below its own 90 % interval"
    assert loud == pytest.approx(joint_quantile(2) * 0.2 / math.sqrt(2))
    assert pooled_margin(mean, None) == pytest.approx(stats.t.isf(0.025, 1) * 0.01), "Student's"


def test_one_seed_borrows_nothing():
    (mean,) = seed_means((np.array([0.7]), None))
    assert pooled_margin(mean, Pool(0.04, 3)) == 0.0


def test_an_undefined_value_stays_undefined():
    (mean,) = seed_means((np.array([0.7, math.nan]), None))
    assert math.isnan(pooled_margin(mean, Pool(0.04, 3)))


def test_two_seeds_that_agree_by_luck_are_not_believed():
    """Alone they say nothing of how the mean would vary."""
    same = np.array([0.8, 0.8])
    assert math.isnan(interval(same, None, groups=None).high)
    lent = interval(same, None, groups=None, pool=Pool(0.02**2, 5))
    assert lent.high - lent.low == pytest.approx(2 * joint_quantile(2) * 0.02 / math.sqrt(2))
    assert lent.basis == "images not resampled; 2 seeds and those of 5 other rows (weak)"
    assert "and those of 1 other row" in interval(same, None, groups=None, pool=Pool(0.1, 1)).basis


def test_two_seeds_say_something():
    """The quickstart's "0.471 (0.000 to 1.000)"."""
    values = np.array([0.435, 0.507])
    alone = interval(values, None, groups=None)
    assert (alone.low, alone.high) == pytest.approx((0.014, 0.928), abs=1e-3)
    lent = interval(values, None, groups=None, pool=Pool(0.03**2, 5))
    assert (lent.low, lent.high) == pytest.approx((0.244, 0.698), abs=1e-3)
    assert (alone.wide, lent.wide) == (True, False)


@pytest.mark.parametrize(("apart", "bounds", "wide"), [(0.07, (0, 1), False), (0.09, (0, 1), True)])
def test_a_margin_beyond_a_quarter_of_the_range_is_wide(apart, bounds, wide):
    """6.31 * apart / 2: .22 and .28."""
    values = np.array([0.5 - apart / 2, 0.5 + apart / 2])
    assert interval(values, None, bounds=bounds, groups=None, pool=Pool(0.0, 3)).wide == wide
    assert not interval(values, None, bounds=None, groups=None, pool=Pool(0.0, 3)).wide, "no range, no quarter"


def test_what_a_row_lends_is_what_its_seeds_add_to_the_images():
    noise = np.random.default_rng(0).normal(size=(3, 4000))
    replicates = 0.8 + 0.01 * noise
    values = np.array([0.70, 0.80, 0.90])
    assert seed_variance((values, None)) == pytest.approx(0.01)
    assert seed_variance((values, replicates)) == pytest.approx(0.01 - 0.01**2, rel=0.01)
    assert seed_variance((values / 1e6, replicates)) == 0.0
    assert math.isnan(seed_variance((values[:1], None)))


def test_the_simulated_form_is_the_one_that_boards_use():
    rng = np.random.default_rng(0)
    values = rng.normal(0.8, rng.uniform(0.01, 0.1, size=(6, 1)), size=(6, 3))
    lent = pools([seed_variance((row, None)) for row in values])
    by_row = [pooled_margin(*seed_means((row, None)), pool) for row, pool in zip(values, lent, strict=True)]
    assert simulate.wider_of_two(values.var(axis=1, ddof=1)[None], 3)[0] == pytest.approx(by_row)


# ---- simulations


def rows_of(boards, world, seeds, rows, **how):
    """By kind of row: coverage and its Monte-Carlo error, of the form that boards use."""
    found = simulate.coverage(world, seeds, rows, boards // rows, forms=(simulate.CHOSEN,), **how)
    return {row["kind"]: (row["coverage"], row["error"]) for row in found}


GRID = [(seeds, rows) for seeds in (2, 3, 5, 10) for rows in (4, 10, 50)]


@pytest.mark.parametrize(("seeds", "rows"), GRID)
@pytest.mark.parametrize("world", ["equal", "unequal", "floors", "drift"])
def test_intervals_cover(world, seeds, rows, boards):
    """93 to 98 % of each kind of row, as far as the simulation can tell: three of its standard errors."""
    for kind, (covered, error) in rows_of(boards, world, seeds, rows).items():
        assert 0.93 - 3 * error <= covered <= 0.98 + 3 * error, kind


@pytest.mark.parametrize(("seeds", "rows"), GRID)
def test_a_wild_row_is_covered_too(seeds, rows, boards):
    """Itself in at least 90 %; all rows of its board together in 93 to 98 %."""
    found = rows_of(boards, "wild", seeds, rows)
    (wild, error), (others, others_error) = found["wild"], found["others"]
    assert wild >= 0.90 - 3 * error
    together = (wild + (rows - 1) * others) / rows
    assert 0.93 <= together <= 0.98 + 3 * others_error


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_without_any_draw_of_images_the_seeds_margin_covers_alone(seeds, boards):
    for world in ("equal", "unequal"):
        ((covered, error),) = rows_of(boards, world, seeds, 10, images=0.0).values()
        assert 0.93 - 3 * error <= covered <= 0.98 + 3 * error


def test_why_not_the_others(boards):
    """Two seeds, ten rows: one of them wild; and a training that works or collapses."""

    def covered(world, kind, form):
        found = simulate.coverage(world, 2, 10, boards // 10, forms=(form,))
        return next(row for row in found if row["kind"] == kind)

    assert covered("wild", "wild", "moderated, d0 = 3")["coverage"] < 0.88
    assert covered("wild", "wild", "moderated, d0 = 2")["coverage"] < 0.88
    assert covered("wild", "wild", "pooled")["coverage"] < 0.65
    assert covered("two-point", "all", "Student")["coverage"] < 0.72
    assert covered("two-point", "all", simulate.CHOSEN)["coverage"] > 0.88
    student, chosen = (covered("equal", "all", form) for form in ("Student", simulate.CHOSEN))
    assert chosen["median_width"] < 0.56 * student["median_width"]


@pytest.mark.parametrize("world", ["equal", "unequal", "wild", "floors"])
@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_ranks_keep_a_test_that_rejects_few_true_nulls(world, seeds, boards):
    found = simulate.rejections(world, seeds, 10, boards)
    assert found["Student"] <= 0.06 + 3 * math.sqrt(0.06 * 0.94 / boards)


def test_a_moderated_test_would_reject_too_many(boards):
    assert simulate.rejections("wild", 2, 10, boards)["moderated, d0 = 3"] > 0.12
