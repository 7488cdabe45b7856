"""Verdicts on curves made by hand: right, uneven, blind, wrong, and what chance is."""

import math

import numpy as np
import pytest

from synthbench.leaderboard.score_key import ScoreKey
from synthbench.stress.degrade import degradations
from synthbench.stress.expectations import EXPECTED, aspect_of
from synthbench.stress.sweep import Point
from synthbench.stress.verdicts import Facts, judge, judge_all, tolerance
from synthbench.types import Images

COLUMN = ScoreKey("e", "m", "test", "", "")
HIGHER, LOWER = Facts("higher", "quality"), Facts("lower", "quality")
COPYING = Facts("lower", "copying")
REPEATS = (0.80, 0.81, 0.79, 0.80, 0.80)


def base(values=REPEATS, **first):
    points = [Point("", 0.0, k, COLUMN, value) for k, value in enumerate(values)]
    return [Point("", 0.0, 0, COLUMN, values[0], **first), *points[1:]]


def steps(*values, name="noise", **more):
    return [Point(name, (k + 1) / len(values), 0, COLUMN, value, **more) for k, value in enumerate(values)]


def test_chance_is_the_prediction_interval_of_one_more_halving():
    """t(.975, 4) = 2.7764."""
    spread = 2.7764 * np.std(REPEATS, ddof=1) * math.sqrt(1.2)
    assert tolerance(base()) == pytest.approx(spread, rel=1e-4)


def test_the_metrics_own_interval_counts_where_it_is_wider():
    assert tolerance(base(low=0.7, high=0.85)) == pytest.approx(0.1)
    assert tolerance(base(low=0.799, high=0.801)) == tolerance(base())
    assert tolerance(base((0.8,))) == 0


def test_a_prediction_interval_covers_a_further_draw():
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(4000, 6))
    covered = [
        abs(one[5] - np.mean(one[:5])) <= tolerance([Point("", 0.0, k, COLUMN, v) for k, v in enumerate(one[:5])])
        for one in draws
    ]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.012)


def test_right_and_from_which_strength():
    found = judge(base(), steps(0.79, 0.7, 0.6, 0.5), HIGHER)
    assert (found.verdict, found.leaves_at, found.wrong_steps) == ("right", 0.5, 0)
    assert found.spearman == pytest.approx(1)
    assert (found.base, found.last) == (0.80, 0.5)


def test_the_direction_is_the_metrics_own():
    assert judge(base(), steps(0.9, 1.0), HIGHER).verdict == "wrong"
    assert judge(base(), steps(0.9, 1.0), LOWER).verdict == "right"
    assert judge(base(), steps(0.9, 1.0), LOWER).spearman == pytest.approx(1)
    assert judge(base(), steps(0.9, 1.0), HIGHER).spearman == pytest.approx(-1)


def test_blind_within_chance():
    found = judge(base(), steps(0.79, 0.81, 0.80), HIGHER)
    assert (found.verdict, found.wrong_steps) == ("blind", 0)
    assert math.isnan(found.leaves_at)
    assert math.isnan(judge(base(), steps(0.8, 0.8), HIGHER).spearman)


def test_a_step_back_beyond_chance_is_uneven():
    found = judge(base(), steps(0.6, 0.7, 0.5), HIGHER)
    assert (found.verdict, found.wrong_steps) == ("uneven", 1)
    assert judge(base(), steps(0.6, 0.61, 0.5), HIGHER).verdict == "right"


def test_a_step_back_within_its_own_interval_is_none():
    wide = [Point("noise", s, 0, COLUMN, v, v - 0.2, v + 0.2) for s, v in ((0.5, 0.6), (1.0, 0.7))]
    assert judge(base(), wide, HIGHER).wrong_steps == 0


def test_better_at_any_strength_is_wrong():
    found = judge(base(), steps(0.9, 0.5), HIGHER)
    assert found.verdict == "wrong"
    assert math.isnan(found.start), "where it gets worse later says nothing about that"


def test_nothing_is_asked_of_quality_when_copying_nor_of_copying_elsewhere():
    for name, facts in (("copy-train", HIGHER), ("copy-train", LOWER), ("noise", COPYING)):
        found = judge(base(), steps(0.8, 0.9, name=name), facts)
        assert (found.verdict, found.leaves_at) == ("not asked", 1.0)
    assert judge(base(), steps(0.9, 1.0, name="copy-train"), COPYING).verdict == "right"
    assert judge(base(), steps(0.8, 0.8, name="copy-train"), COPYING).verdict == "blind"


def test_missing_values_are_left_out_and_said():
    missing = Point("noise", 1.0, 0, COLUMN, math.nan, note="one class")
    found = judge(base(), [steps(0.7, 0.6)[0], missing], HIGHER)
    assert (found.verdict, found.note, found.last) == ("right", "one class", 0.7)


@pytest.mark.parametrize("at", ["base", "steps"])
def test_too_few_numbers_are_no_verdict(at):
    start = base((math.nan, 0.8)) if at == "base" else base()
    values = (0.7, 0.6) if at == "base" else (math.nan, math.nan)
    assert judge(start, steps(*values), HIGHER).verdict == "no value"


def test_all_pairs_of_metric_and_degradation():
    other = ScoreKey("e", "n", "train", "generator", "")
    points = [*base(), *steps(0.7, 0.6), *steps(0.8, 0.8, name="blur")]
    points += [Point(p.degradation, p.strength, p.repeat, other, 1.0) for p in points]
    found = judge_all(points, {COLUMN: HIGHER, other: LOWER})
    assert [(f.key, f.degradation, f.verdict) for f in found] == [
        (COLUMN, "noise", "right"),
        (COLUMN, "blur", "blind"),
        (other, "noise", "blind"),
        (other, "blur", "blind"),
    ]


def test_rounding_is_no_step():
    """Five halvings at .3 and one at .1 + .2: no metric is blamed for 5e-17."""
    found = judge(base([0.3] * 5), steps(0.1 + 0.2, 0.3), LOWER)
    assert (found.verdict, found.wrong_steps) == ("blind", 0)


def test_the_table_of_expectations_has_every_degradation():
    images = Images(np.zeros((2, 1, 1, 1), np.uint8), np.arange(2), ("A", "B"))
    assert list(EXPECTED) == [one.name for one in degradations(images)]


def test_what_is_about_copying():
    class Plain:
        gates = frozenset()

    class Gate:
        gates = frozenset({"copying"})

    assert aspect_of(Plain(), "fd") == "quality"
    assert aspect_of(Plain(), "membership_auroc[inception]") == "copying"
    assert aspect_of(Plain(), "authenticity") == aspect_of(Plain(), "authenticity[inception]") == "copying"
    assert aspect_of(Gate(), "ratio") == "copying"
    assert aspect_of(Gate(), "copying") == "gate"


def test_a_gate_that_fires_where_nothing_is_copied_is_wrong():
    gate, calm = Facts("lower", "gate"), base((0.0, 0.0, 0.0))
    assert judge(calm, steps(0, 0, 0), gate).verdict == "right"
    fired = judge(calm, steps(0, 1, 1), gate)
    assert (fired.verdict, fired.leaves_at) == ("wrong", pytest.approx(2 / 3))
    assert judge(calm, steps(0, 1, 1, name="copy-train"), gate).verdict == "right"
    assert judge(calm, steps(0, 0, 0, name="copy-train"), gate).verdict == "blind"
    assert judge(base((1.0, 1.0)), steps(0, 0), gate).verdict == "right"
