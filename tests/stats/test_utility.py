"""Utility against closed forms. Whether its interval covers: test_stats_coverage.py."""

import math

import numpy as np
import pytest

from synthbench.stats import difference, utility

Z = 1.959964


def drawn(*values, sd=0.01, seed=0):
    """One side: independent errors of the images, exactly centred and of exactly that standard deviation."""
    noise = np.random.default_rng(seed).normal(size=4000)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    return np.array(values), np.array(values)[:, None] + sd * noise


def steady(*values):
    """One side without any error of the images."""
    return np.array(values), np.tile(np.array(values)[:, None], 4000)


def test_with_a_known_floor_and_ceiling_it_is_a_scale():
    """The score's own interval, .5 to .9 laid on 0 to 1."""
    found = utility(drawn(0.8), steady(0.9), 0.5)
    assert found.value == pytest.approx(0.75)
    assert found.low == pytest.approx((0.8 - Z * 0.01 - 0.5) / 0.4, rel=1e-5)
    assert found.high == pytest.approx((0.8 + Z * 0.01 - 0.5) / 0.4, rel=1e-5)
    assert found.defined
    assert found.note == ""


def test_fiellers_closed_form_for_independent_errors():
    """(m1 +- sqrt(...)) of Fieller for two uncorrelated means: g = (z sd2 / m2)^2."""
    score, ceiling = drawn(0.7, sd=0.02), drawn(0.8, sd=0.03, seed=1)
    rho = np.corrcoef(score[1], ceiling[1])[0, 1]
    m1, m2, v11, v22, v12 = 0.2, 0.3, 0.02**2, 0.03**2, rho * 0.02 * 0.03
    g = Z**2 * v22 / m2**2
    root = math.sqrt(v11 - 2 * m1 / m2 * v12 + (m1 / m2) ** 2 * v22 - g * (v11 - v12**2 / v22))
    ends = [(m1 / m2 - g * v12 / v22 + sign * Z / m2 * root) / (1 - g) for sign in (-1, 1)]
    found = utility(score, ceiling, 0.5)
    assert (found.low, found.high) == pytest.approx(ends, rel=1e-5)
    assert found.value == pytest.approx(2 / 3)


def test_ends_are_where_the_contrast_is_just_significant():
    """At each end score - (1 - u) floor - u ceiling differs from 0 by just its margin."""
    score, ceiling, floor = drawn(0.72), drawn(0.85, seed=1), drawn(0.52, seed=2)
    found = utility(score, ceiling, floor)
    for u in (found.low, found.high):
        mixed = tuple((1 - u) * f + u * c for f, c in zip(floor, ceiling, strict=True))
        assert difference(*score, *mixed).p == pytest.approx(0.05, rel=1e-3)


def test_common_errors_cancel():
    """On the same images: what lifts all three lifts none above another."""
    sides = [drawn(value, sd=0.05) for value in (0.7, 0.9, 0.5)]
    found = utility(*sides)
    assert (found.low, found.value, found.high) == pytest.approx((0.5, 0.5, 0.5), abs=1e-6)


def test_a_constant_floor_is_one_without_error():
    score, ceiling = drawn(0.7), drawn(0.8, seed=1)
    assert utility(score, ceiling, 0.5) == utility(score, ceiling, steady(0.5))


def test_seeds_widen_it_by_student():
    """Only the score varies, by its four seeds: its t interval, scaled."""
    values = (0.70, 0.74, 0.72, 0.68)
    half = 3.182446 * np.std(values, ddof=1) / 2
    found = utility(steady(*values), steady(0.9), 0.5)
    assert (found.low, found.high) == pytest.approx(
        ((0.71 - half - 0.5) / 0.4, (0.71 + half - 0.5) / 0.4), rel=1e-5
    )


def test_outside_of_floor_and_ceiling():
    assert utility(steady(0.95), steady(0.9), 0.5).value == pytest.approx(1.125)
    assert utility(steady(0.4), steady(0.9), 0.5).value == pytest.approx(-0.25)


@pytest.mark.parametrize("ceiling", [0.515, 0.5, 0.4])
def test_undefined_where_the_ceiling_is_not_clearly_above_the_floor(ceiling):
    found = utility(drawn(0.51), drawn(ceiling, seed=1), 0.5)
    assert not found.defined
    assert all(math.isnan(x) for x in (found.value, found.low, found.high))
    assert found.note == f"ceiling - floor is {ceiling - 0.5:.3g} ± 0.02: not clearly above 0"


def test_it_is_defined_from_the_point_on_where_they_differ():
    """One seed each: exactly where the 95 % interval of ceiling - floor leaves 0 out."""
    for ceiling in (0.5195, 0.5197):
        clear = difference(*drawn(ceiling, seed=1), *steady(0.5)).low > 0
        assert utility(drawn(0.51), drawn(ceiling, seed=1), 0.5).defined == clear


def test_few_patients_widen_it():
    top = drawn(0.9, sd=1e-7, seed=1)
    many, few = (utility(drawn(0.8), top, 0.5, groups=groups) for groups in (None, 5))
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(
        2.776445 * math.sqrt(5 / 4) / Z, rel=1e-5
    )


def test_what_no_resample_moves_is_not_known_exactly():
    """All of 12 patients' images right with either: not "1.0 (1.0 to 1.0)"."""
    found = utility(steady(1.0), steady(1.0), 0.5, groups=12)
    assert found.value == 1
    assert found.low < 0.6
    assert found.high > 1.4


def test_what_moves_with_the_ceiling_alone_is_not_known_exactly():
    """The same answers as the ceiling's, on 12 patients: how far apart they may lie is not known."""
    answers = drawn(0.9, sd=0.05)
    found = utility(answers, answers, 0.5, groups=12)
    apart = difference(*answers, *answers, groups=12)
    assert found.value == 1
    assert found.high - 1 == pytest.approx(apart.high / 0.4, rel=0.2)
    assert 1 - found.low == pytest.approx(-apart.low / 0.4, rel=0.2)


def test_mostly_undefined_resamples_leave_it_undefined():
    score = drawn(0.7)
    score[1][:, :3000] = np.nan
    found = utility(score, drawn(0.9, seed=1), 0.5)
    assert not found.defined
    assert found.note == "score, ceiling or floor is undefined in most resamples"
